//! Owns what seals and encryption cost: the gateway cannot be run without them, so their own work is done over and over
//! on the records of one stay that it has just recorded.

use std::sync::Arc;
use std::time::Duration;

use banyan::app::to_read;
use banyan::domain::ids::PersonKey;
use banyan::domain::record::Private;
use banyan::domain::record::Record;
use banyan::ledger::codec;
use banyan::ledger::seal;
use banyan::ledger::seal::Contents;
use banyan::ledger::seal::RecordPlace;
use banyan::ledger::seal::block::Header;
use banyan::ledger::seal::merkle::Hash;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use banyan::vault::key_store::Class;
use banyan::vault::key_store::KeyStore;
use rustix::time::ClockId;
use rustix::time::clock_gettime;
use serde::Serialize;

use crate::failed::Failed;
use crate::failed::cannot;
use crate::place::Place;

/// Records of a stay that are read at most.
const RECORDS_MAX: usize = 1_000;
/// How long the work is repeated.
const LONG_ENOUGH: Duration = Duration::from_millis(400);
/// Deeds that share a block's link, as a gateway under load writes them.
const IN_A_BLOCK: usize = 12;

/// Processor time of seals and encryption for one stay.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SealCost {
    pub records: usize,
    /// Hashes of contents and leaves, the Merkle tree and the block's link.
    pub seal_us: f64,
    /// Hiding what names a person or a disease, with its commitment, and one reading of the person a call.
    pub encrypt_us: f64,
}

/// A record as it is written.
struct Written {
    told: String,
    body: String,
    private: Option<(Class, String)>,
    record: Arc<Record>,
}

/// Does for all records of a person's stays what was done when they were written.
pub async fn cost(place: &Place, person: &PersonKey) -> Result<SealCost, Failed> {
    let config = place.settings()?;
    let service = to_read(&config, Arc::new(SystemClock)).await.map_err(cannot("read the ledger"))?;
    let records = service.ledger.records(person, 1, RECORDS_MAX).await.map_err(cannot("read records"))?;
    let keys = KeyStore::from_settings(&config.keys).map_err(cannot("open the key store"))?;
    let written: Vec<Written> =
        records.into_iter().filter(|record| record.stay.is_some()).map(written).collect();
    let seal_us = repeated(|| seal_all(&written));
    let encrypt_us = repeated(|| encrypt_all(&written, &keys));
    Ok(SealCost { records: written.len(), seal_us, encrypt_us })
}

fn written(record: Arc<Record>) -> Written {
    let class = match &record.private {
        Private::None | Private::Erased => None,
        Private::Person(_) | Private::Filing(_) => Some(Class::Contact),
        Private::Admission(_) | Private::Discharge(_) => Some(Class::Medical),
    };
    let private = class.map(|class| (class, codec::encode(&record.private)));
    let (told, body) = (codec::encode_told(&record.meta), codec::encode_body(&record.body));
    Written { told, body, private, record }
}

fn seal_all(written: &[Written]) -> Hash {
    let leaf = |one: &Written| {
        // The ciphertext is longer than the plain text by its frame only.
        let private = one.private.as_ref().map(|(_, text)| (text.as_bytes(), &[7; 32]));
        let contents = Contents::new(&one.told, &one.body, private);
        let record = &one.record;
        let person = format!("{}/{}", record.person.pool, record.person.number());
        seal::record_leaf(
            &RecordPlace {
                bucket: 17,
                person: &person,
                version: record.version,
                stay: record.stay.as_ref().map(|(stay, version)| (stay.as_str(), *version)),
                kind: codec::kind(&record.body),
                at_ms: record.at.0,
                lane: 1,
                sequence: record.version,
                institution: record.meta.key.institution.as_str(),
                infno: 2304,
                msgid: record.meta.key.message.as_str(),
                keyed: true,
                format: codec::FORMAT,
            },
            &contents,
        )
    };
    let leaves: Vec<Hash> = written.iter().map(leaf).collect();
    leaves.chunks(IN_A_BLOCK).fold([0; 32], |previous, leaves| Header::of(1, 1, leaves, previous).hash())
}

fn encrypt_all(written: &[Written], keys: &KeyStore) -> usize {
    let month = SystemClock.now().day().month().number().unsigned_abs();
    let mut bytes = 0;
    for one in written {
        let Some((class, text)) = &one.private else { continue };
        let Ok(key) = keys.data_key(*class, month) else { continue };
        let salted = [&[7; 16], text.as_bytes()].concat();
        bytes += key.encrypt(b"440700/4407009000000001", &salted).len();
        bytes += usize::from(seal::commitment(&[7; 16], text.as_bytes())[0]);
    }
    // Each call reads the person, whose row is encrypted.
    if let Ok(key) = keys.data_key(Class::Contact, month) {
        let blob = key.encrypt(b"p", &[7; PERSON_BYTES]);
        for _ in written {
            bytes += keys.decrypt(b"p", &blob).map_or(0, |_| 1);
        }
    }
    bytes
}

/// What the register says of a person, encoded.
const PERSON_BYTES: usize = 260;

/// Microseconds of processor time that one turn takes: others on the machine do not count.
fn repeated<T>(mut work: impl FnMut() -> T) -> f64 {
    let (began, mut turns) = (processor_time(), 0_u32);
    loop {
        std::hint::black_box(work());
        turns += 1;
        let used = processor_time().saturating_sub(began);
        if used >= LONG_ENOUGH {
            return used.as_secs_f64() * 1e6 / f64::from(turns);
        }
    }
}

/// Of this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
