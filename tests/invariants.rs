//! The fund share held against a slow exact reference over many years of bills.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is the test's failure")]
#![expect(dead_code, reason = "the driver that uses the rest follows")]

mod reference;

#[test]
fn counts_only() {
    let mut met = reference::counts::Met::default();
    for seed in 0..8_000 {
        met.add(&reference::generate::history(seed).met);
    }
    for (name, times) in &met.0 {
        println!("{times:>9}  {name}");
    }
}
