//! Owns the numbers of what a gateway stands on: whether it serves, its certificates, key store, disks and packs.

use metrics::Unit;
use metrics::counter;
use metrics::describe_counter;
use metrics::describe_gauge;
use metrics::gauge;

const READY: &str = "banyan_ready";
const BUILD: &str = "banyan_build_info";
const CERTIFICATE: &str = "banyan_certificate_remaining_seconds";
const AUTHORITY: &str = "banyan_client_authority_remaining_seconds";
const KEY_STORE: &str = "banyan_key_store_readable";
const KEY_MONTHS: &str = "banyan_key_store_months_left";
const DISK_FREE: &str = "banyan_disk_free_bytes";
const DISK: &str = "banyan_disk_bytes";
const UNVERIFIED: &str = "banyan_packs_unverified_numbers";
const RELOAD_FAULTS: &str = "banyan_reload_faults_total";

pub(super) fn describe() {
    describe_gauge!(READY, "1 while /ready says so, 0 while starting or draining");
    describe_gauge!(BUILD, "1, under the version that runs");
    describe_gauge!(CERTIFICATE, Unit::Seconds, "Until the first certificate of a listener's chain ends");
    describe_gauge!(AUTHORITY, Unit::Seconds, "Until the first authority of client certificates ends");
    describe_gauge!(KEY_STORE, "1 while the key store's file can be read and proves itself, else 0");
    describe_gauge!(
        KEY_MONTHS,
        "Months after this one whose keys the store, a copy, has; -1 when it lacks this month's"
    );
    describe_gauge!(DISK_FREE, Unit::Bytes, "Free on the disk of what is named");
    describe_gauge!(DISK, Unit::Bytes, "Size of the disk of what is named");
    describe_gauge!(UNVERIFIED, "Numbers without a verified source in the packs in force");
    describe_counter!(
        RELOAD_FAULTS,
        "Certificates, callers, keys, packs or tables that could not be put in force"
    );
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    counter!(RELOAD_FAULTS).increment(0);
}

fn truth(whether: bool) -> f64 {
    if whether { 1.0 } else { 0.0 }
}

pub fn ready(whether: bool) {
    gauge!(READY).set(truth(whether));
}

/// Seconds until the first of a listener's own certificates ends; negative when one has.
pub fn certificate(listener: &'static str, seconds: i64) {
    gauge!(CERTIFICATE, "listener" => listener).set(whole(seconds));
}

/// The same of the authorities that sign its clients' certificates.
pub fn client_authority(listener: &'static str, seconds: i64) {
    gauge!(AUTHORITY, "listener" => listener).set(whole(seconds));
}

pub fn key_store(readable: bool) {
    gauge!(KEY_STORE).set(truth(readable));
}

/// Of a store that is a copy; none when this month's keys are lacking.
pub fn key_months_left(months: Option<u32>) {
    gauge!(KEY_MONTHS).set(months.map_or(-1.0, f64::from));
}

/// `of` is what lies there: `ledger` or `keys`.
#[expect(clippy::cast_precision_loss, reason = "a share of a disk needs no single bytes")]
pub fn disk(of: &'static str, free: u64, size: u64) {
    gauge!(DISK_FREE, "of" => of).set(free as f64);
    gauge!(DISK, "of" => of).set(size as f64);
}

#[expect(clippy::cast_precision_loss, reason = "packs have some hundred numbers")]
pub fn unverified_numbers(count: usize) {
    gauge!(UNVERIFIED).set(count as f64);
}

pub fn reload_faults(count: usize) {
    counter!(RELOAD_FAULTS).increment(count as u64);
}

/// Of more than 68 years nobody wants to know.
fn whole(seconds: i64) -> f64 {
    let far = if seconds < 0 { i32::MIN } else { i32::MAX };
    f64::from(i32::try_from(seconds).unwrap_or(far))
}
