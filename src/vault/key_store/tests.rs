//! The key store told as stories: made, used by several processes, changed, erased, damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Barrier;

use super::*;
use crate::vault::key_file::Secret;

/// A store in a folder of its own, under a master of its own.
struct Place {
    folder: tempfile::TempDir,
    master: MasterKey,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), master: master(1) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.json")
    }

    fn create(&self) -> KeyStore {
        KeyStore::create(&self.path(), &self.master, 1_000).unwrap()
    }

    fn open(&self) -> KeyStore {
        KeyStore::open(&self.path(), &self.master).unwrap()
    }

    /// What another process sees that holds both masters of a change.
    fn open_both(&self, next: &MasterKey) -> KeyStore {
        KeyStore::open_with(&self.path(), Masters::both(&self.master, next)).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }
}

fn master(seed: u8) -> MasterKey {
    MasterKey::new(&Secret::new([seed; 32]))
}

fn plain(text: &[u8]) -> Opened {
    Opened::Plain(Zeroizing::new(text.to_vec()))
}

fn encrypt(store: &KeyStore, class: Class, month: u32, text: &[u8]) -> Vec<u8> {
    store.data_key(class, month).unwrap().encrypt(b"c", text)
}

#[test]
fn what_was_encrypted_opens_after_a_restart_and_each_class_and_month_has_its_own_key() {
    let place = Place::new();
    let store = place.create();
    let blob = encrypt(&store, Class::Medical, 202_611, b"secret");
    let numbers = [(Class::Medical, 202_611), (Class::Contact, 202_611), (Class::Medical, 202_612)]
        .map(|(class, month)| store.data_key(class, month).unwrap().number());
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(fs::metadata(place.path()).unwrap().permissions().mode() & 0o777, 0o600);

    let again = place.open();
    assert_eq!(again.decrypt(b"c", &blob).unwrap(), plain(b"secret"));
    assert_eq!(again.data_key(Class::Medical, 202_611).unwrap().number(), 1);
    assert_eq!(again.signing_key().id(), store.signing_key().id());
    assert!(matches!(again.decrypt(b"other", &blob), Err(KeyStoreError::NotReadable(_))));
    assert!(matches!(again.data_key(Class::Medical, 202_613), Err(KeyStoreError::NotAMonth { .. })));
}

#[test]
fn several_processes_that_need_the_first_key_of_a_month_get_the_same_one() {
    let place = Place::new();
    drop(place.create());
    let (processes, start) = (8, Barrier::new(8));
    let stores: Vec<KeyStore> = (0..processes).map(|_| place.open()).collect();
    let blobs: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let writers: Vec<_> = stores
            .iter()
            .map(|store| {
                scope.spawn(|| {
                    start.wait();
                    encrypt(store, Class::Contact, 202_611, b"same key")
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    for blob in blobs {
        assert_eq!(cipher::key_number(&blob), Ok(1));
        assert_eq!(place.open().decrypt(b"c", &blob).unwrap(), plain(b"same key"));
    }
    assert_eq!(place.open().inventory().data.len(), 1);
}

#[test]
fn a_key_that_another_process_made_is_found_without_a_restart() {
    let place = Place::new();
    let (writer, reader) = (place.create(), place.open());
    let blob = encrypt(&writer, Class::Medical, 202_611, b"secret");
    assert_eq!(reader.decrypt(b"c", &blob).unwrap(), plain(b"secret"));

    let stranger = Place::new();
    let foreign = encrypt(&stranger.create(), Class::Medical, 202_612, b"other ledger");
    assert!(matches!(reader.decrypt(b"c", &foreign), Err(KeyStoreError::NotReadable(_))));
    let unknown = DataKey::new(77, &RawKey::new([1; 16])).encrypt(b"c", b"x");
    assert!(matches!(reader.decrypt(b"c", &unknown), Err(KeyStoreError::UnknownKey { number: 77 })));
    assert!(matches!(reader.decrypt(b"c", b"short"), Err(KeyStoreError::NotReadable(BadBlob::NotABlob))));
}

#[test]
fn a_destroyed_month_is_forgotten_and_nothing_more_is_written_under_it() {
    let place = Place::new();
    let (store, elsewhere) = (place.create(), place.open());
    let first = encrypt(&store, Class::Contact, 202_001, b"a name");
    store.retire(Class::Contact, 202_001).unwrap();
    let second = encrypt(&store, Class::Contact, 202_001, b"a phone");
    let kept = encrypt(&store, Class::Medical, 202_001, b"kept");
    let before = String::from_utf8(place.bytes()).unwrap();
    let wrapped: Vec<&str> = before.lines().filter(|line| line.contains("\"bytes\"")).collect();

    assert_eq!(store.destroy(Class::Contact, 202_001).unwrap(), [1, 2]);
    elsewhere.reload().unwrap();
    for reader in [&store, &elsewhere, &place.open()] {
        assert_eq!(reader.decrypt(b"c", &first).unwrap(), Opened::Erased);
        assert_eq!(reader.decrypt(b"c", &second).unwrap(), Opened::Erased);
        assert_eq!(reader.decrypt(b"c", &kept).unwrap(), plain(b"kept"));
        let refused = reader.data_key(Class::Contact, 202_001);
        assert!(matches!(refused, Err(KeyStoreError::Destroyed { month: 202_001, .. })));
    }
    let after = String::from_utf8(place.bytes()).unwrap();
    let left = wrapped.iter().filter(|line| after.contains(*line)).count();
    assert_eq!((wrapped.len(), left), (4, 2), "only the signing key and the kept key are left");
    assert!(matches!(store.destroy(Class::Contact, 202_001), Err(KeyStoreError::NoSuchKey { .. })));
}

#[test]
fn the_bytes_of_a_replaced_file_are_overwritten() {
    let place = Place::new();
    let store = place.create();
    encrypt(&store, Class::Contact, 202_001, b"a name");
    let mut old = fs::File::open(place.path()).unwrap();
    store.destroy(Class::Contact, 202_001).unwrap();
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut old, &mut left).unwrap();
    assert!(!left.is_empty() && left.iter().all(|byte| *byte == 0));
}

#[test]
fn a_retired_key_still_reads_and_no_longer_writes() {
    let place = Place::new();
    let store = place.create();
    let blob = encrypt(&store, Class::Medical, 202_611, b"secret");
    assert_eq!(store.retire(Class::Medical, 202_611).unwrap(), 1);
    assert_eq!(store.data_key(Class::Medical, 202_611).unwrap().number(), 2);
    assert_eq!(place.open().decrypt(b"c", &blob).unwrap(), plain(b"secret"));
    assert!(matches!(store.retire(Class::Contact, 202_611), Err(KeyStoreError::NoSuchKey { .. })));
}

#[test]
fn a_retired_signing_key_still_verifies_and_its_secret_half_is_gone() {
    let place = Place::new();
    let store = place.create();
    let old = store.signing_key();
    let signature = old.sign(b"anchor");
    let id = store.change_signing_key(2_000).unwrap();
    assert_eq!(store.signing_key().id(), id);
    assert_ne!(old.id(), id);
    let again = place.open();
    let public = again.public_keys();
    assert_eq!(public.iter().map(PublicKey::id).collect::<Vec<_>>(), [old.id(), &id]);
    assert!(public[0].verify(b"anchor", &signature) && !public[1].verify(b"anchor", &signature));
    let info = again.inventory().signing;
    assert_eq!((info[0].state, info[0].master.is_none()), (State::Retired, true));
}

#[test]
fn a_master_changes_while_others_read_and_write() {
    let (place, next) = (Place::new(), master(2));
    let before = place.create();
    let blobs: Vec<Vec<u8>> = (0..200)
        .map(|at| encrypt(&before, Class::Medical, 190_001 + (at / 12) * 100 + at % 12, b"x"))
        .collect();
    let gateway = place.open_both(&next);
    let worker = place.open_both(&next);
    let mut told = Vec::new();
    worker
        .change_master(&next, &mut |done, total| {
            told.push((done, total));
            let month = 203_001 + u32::try_from(told.len()).unwrap();
            let fresh = encrypt(&gateway, Class::Contact, month, b"during");
            assert_eq!(worker.decrypt(b"c", &fresh).unwrap(), plain(b"during"));
            assert!(blobs.iter().all(|blob| gateway.decrypt(b"c", blob).unwrap() == plain(b"x")));
        })
        .unwrap();
    assert!(told.len() > 2 && told.last().is_some_and(|(done, total)| done == total), "{told:?}");
    let after = KeyStore::open(&place.path(), &next).unwrap();
    assert!(blobs.iter().all(|blob| after.decrypt(b"c", blob).unwrap() == plain(b"x")));
    assert_eq!(after.signing_key().id(), before.signing_key().id());
    let refused = KeyStore::open(&place.path(), &place.master).unwrap_err();
    assert!(matches!(refused, KeyStoreError::OtherMaster { .. }), "{refused}");
}

#[test]
fn a_gateway_that_does_not_know_the_next_master_keeps_what_it_has_and_says_what_it_lacks() {
    let (place, next) = (Place::new(), master(2));
    let gateway = place.create();
    let blob = encrypt(&gateway, Class::Medical, 202_611, b"x");
    let other = place.open_both(&next);
    other.change_master(&next, &mut |_, _| {}).unwrap();
    let fresh = encrypt(&other, Class::Medical, 202_612, b"y");

    assert_eq!(gateway.decrypt(b"c", &blob).unwrap(), plain(b"x"));
    assert_eq!(gateway.data_key(Class::Medical, 202_611).unwrap().number(), 1);
    for refused in
        [gateway.data_key(Class::Medical, 202_612).unwrap_err(), gateway.decrypt(b"c", &fresh).unwrap_err()]
    {
        assert!(
            matches!(&refused, KeyStoreError::OtherMaster { wanted, .. } if *wanted == next.fingerprint())
        );
    }
    gateway.reload_with(Masters::both(&place.master, &next)).unwrap();
    assert_eq!(gateway.decrypt(b"c", &fresh).unwrap(), plain(b"y"));
}

#[test]
fn a_change_of_master_that_was_cut_is_taken_up_again() {
    let (place, next) = (Place::new(), master(2));
    let store = place.create();
    let blobs: Vec<Vec<u8>> = (0..100)
        .map(|at| encrypt(&store, Class::Medical, 190_001 + (at / 12) * 100 + at % 12, b"x"))
        .collect();
    place.open_both(&next).change_master_step(&next).unwrap();
    // The step was cut while it wrote the next file: what it left is no store.
    fs::write(place.folder.path().join("store.json.new"), "{ half").unwrap();

    let resumed = place.open_both(&next);
    assert_eq!((resumed.wrapped_by_others(&next), resumed.is_under(&next)), (101 - 64, true));
    assert!(blobs.iter().all(|blob| resumed.decrypt(b"c", blob).unwrap() == plain(b"x")));
    let refused = KeyStore::open(&place.path(), &next).unwrap_err();
    assert!(matches!(refused, KeyStoreError::OtherMaster { .. }), "half the keys need the old master");
    resumed.change_master(&next, &mut |_, _| {}).unwrap();
    assert_eq!(KeyStore::open(&place.path(), &next).unwrap().wrapped_by_others(&next), 0);
}

#[test]
fn no_changed_byte_of_a_store_goes_unnoticed_and_none_is_mended() {
    let place = Place::new();
    let store = place.create();
    encrypt(&store, Class::Contact, 202_611, b"x");
    store.destroy(Class::Contact, 202_611).unwrap();
    let whole = place.bytes();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(place.path(), &changed).unwrap();
        match KeyStore::open(&place.path(), &place.master) {
            // White space between the values is nobody's secret.
            Ok(_) => assert!(whole[at].is_ascii_whitespace(), "byte {at}"),
            Err(_) => assert_eq!(place.bytes(), changed),
        }
    }
    for length in [0, 1, whole.len() / 2, whole.len() - 3] {
        fs::write(place.path(), &whole[..length]).unwrap();
        let refused = KeyStore::open(&place.path(), &place.master).unwrap_err();
        assert!(matches!(refused, KeyStoreError::Damaged { .. }), "{refused}");
    }
}

#[test]
fn a_damaged_store_leaves_a_running_gateway_what_it_has() {
    let place = Place::new();
    let store = place.create();
    let blob = encrypt(&store, Class::Medical, 202_611, b"secret");
    fs::write(place.path(), "{}").unwrap();
    assert!(matches!(store.reload(), Err(KeyStoreError::Damaged { .. })));
    assert_eq!(store.decrypt(b"c", &blob).unwrap(), plain(b"secret"));
    assert!(matches!(store.data_key(Class::Medical, 202_612), Err(KeyStoreError::Damaged { .. })));
    assert_eq!(place.bytes(), b"{}");
}

#[test]
fn a_store_is_refused_under_another_master_or_open_to_others_or_of_a_later_version() {
    let place = Place::new();
    let store = place.create();
    let refused = KeyStore::open(&place.path(), &master(9)).unwrap_err().to_string();
    assert!(refused.contains(&place.master.fingerprint()) && refused.contains(&master(9).fingerprint()));

    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = KeyStore::open(&place.path(), &place.master).unwrap_err().to_string();
    assert!(refused.contains("mode 644") && refused.contains("chmod 600"), "{refused}");
    assert!(store.data_key(Class::Medical, 202_611).is_err());
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600)).unwrap();

    let later = String::from_utf8(place.bytes()).unwrap().replace("\"version\": 1", "\"version\": 2");
    fs::write(place.path(), later).unwrap();
    let refused = KeyStore::open(&place.path(), &place.master).unwrap_err();
    assert!(matches!(refused, KeyStoreError::OtherVersion { version: 2, .. }), "{refused}");
}

#[test]
fn a_store_is_never_made_over_another() {
    let place = Place::new();
    drop(place.create());
    let before = place.bytes();
    let refused = KeyStore::create(&place.path(), &place.master, 2_000).unwrap_err();
    assert!(matches!(refused, KeyStoreError::AlreadyThere { .. }));
    assert_eq!(place.bytes(), before);
    let missing = KeyStore::open(&place.folder.path().join("none.json"), &place.master).unwrap_err();
    assert!(matches!(missing, KeyStoreError::Missing { .. }));
}
