//! Messages damaged at random: whatever comes, the answer is one of ours, no fault of the gateway's own is met, and the
//! ledger stays whole.

use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use serde_json::json;

use crate::quirks::Story;
use crate::support::world::World;

const STORIES: u64 = 24;
const DAMAGED_EACH_STEP: usize = 6;

/// What may stand where something else should.
fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!(" "),
        json!(true),
        json!([]),
        json!({}),
        json!([[1]]),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!("0"),
        json!("-0.00"),
        json!("-0.005"),
        json!("0.0000001"),
        json!("99999999999.99"),
        json!("100000000000.01"),
        json!("999999999999.9999"),
        json!("9".repeat(400)),
        json!("Infinity"),
        json!("1E18"),
        json!("0001-01-01"),
        json!("1900-02-29"),
        json!("9999-12-31 23:59:59"),
        json!("2026-11-23"),
        json!("2026-11-24 23:59:59"),
        json!(253_402_300_799_999_i64),
        json!("440000"),
        json!("999999"),
        json!("0000"),
        json!("52"),
        json!("390"),
        json!("\u{0}"),
        json!("𠮷\u{202e}\u{feff}"),
        json!("'; DROP TABLE record; --"),
        json!("<script>alert(1)</script>"),
        json!("%s%n{}"),
        json!("长".repeat(5_000)),
    ]
}

/// Every place of a message that holds no object or list.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, inner)| leaves(inner, &format!("{path}/{name}"), found));
        }
        Value::Array(rows) => {
            rows.iter().enumerate().for_each(|(at, inner)| leaves(inner, &format!("{path}/{at}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

/// One or two leaves replaced by something odd, or by another leaf.
fn damaged(clean: &str, dice: &mut ChaCha8Rng) -> String {
    let mut message: Value = serde_json::from_str(clean).unwrap();
    let mut places = Vec::new();
    leaves(&message, "", &mut places);
    let odd = odd_values();
    for _ in 0..dice.random_range(1..=2) {
        let place = &places[dice.random_range(0..places.len())];
        let new = match dice.random_ratio(1, 5) {
            true => message.pointer(&places[dice.random_range(0..places.len())]).unwrap().clone(),
            false => odd[dice.random_range(0..odd.len())].clone(),
        };
        if let Some(leaf) = message.pointer_mut(place) {
            *leaf = new;
        }
    }
    // Who sends is proven by the certificate; another institution would only be refused for that.
    message["fixmedins_code"] = serde_json::from_str::<Value>(clean).unwrap()["fixmedins_code"].clone();
    message.to_string()
}

#[tokio::test]
async fn damaged_messages_meet_no_fault_of_the_gateways_own() {
    let world = World::start().await;
    let mut dice = ChaCha8Rng::seed_from_u64(20_261_124);
    let (mut done, mut refused) = (0, 0);
    for _ in 0..STORIES {
        let mut story = Story::of(&world, None).await;
        for step in 0..Story::STEPS.len() {
            for _ in 0..DAMAGED_EACH_STEP {
                let text = damaged(&story.clean(step), &mut dice);
                let answer = story.send(text.clone()).await;
                let ours = ["internal-check-failed", "broken-off", "timed-out", "ledger-unavailable"];
                assert!(!ours.contains(&answer.code()), "{}: {text}", answer.err_msg());
                if answer.ok() {
                    story.took(step, &answer);
                }
                if answer.ok() { done += 1 } else { refused += 1 }
            }
            let clean = story.send(story.clean(step)).await;
            if clean.ok() {
                story.took(step, &clean);
            }
        }
    }
    assert!(done > 100 && refused > 500, "{done} done, {refused} refused");
    world.is_sound().await;
}
