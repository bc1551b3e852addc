//! Owns the making of what the settings name and is not there: look-up key, master key, key store, next master key.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use crate::command::Console;
use crate::command::Exit;
use crate::command::keys::Confirmed;
use crate::command::keys::failed::Failed;
use crate::command::keys::plan::Plan;
use crate::config::gateway::KeysSection;
use crate::config::gateway::MasterSource;
use crate::service::seams::Clock;
use crate::vault::key_file;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::KeyStoreError;
use crate::vault::master::MasterKey;

/// Makes look-up key, master key and store. Keys that are there are taken as they are, if they can be used.
pub fn make(
    keys: &KeysSection,
    lookup_key: &Path,
    confirmed: Confirmed,
    clock: &dyn Clock,
    console: &mut Console,
) -> Result<Exit, Failed> {
    let master = MasterKey::read_if_there(&keys.master)?;
    let lookup_is_there = lookup_key.exists();
    if lookup_is_there {
        key_file::read(lookup_key)?;
    }
    if keys.store.exists() {
        let store = keys.store.clone();
        return Err(match master {
            Some(_) if !lookup_is_there => Failed::LookupLost { store, lookup: lookup_key.to_owned() },
            Some(_) => KeyStoreError::AlreadyThere { path: store }.into(),
            None => Failed::MasterLost { store, master: keys.master.clone() },
        });
    }
    let with = match (&master, &keys.master) {
        (Some(master), _) => {
            format!("  with the master key {} that is in {} already", master.fingerprint(), keys.master)
        }
        (None, MasterSource::File(_)) => format!("  a master key, {}, mode 600", keys.master),
        (None, MasterSource::Environment(_)) => {
            return Err(Failed::VariableIsYours { master: keys.master.clone() });
        }
    };
    let lookup = lookup_key.display();
    let plan = Plan::new("This makes")
        .and(with)
        .and(format!("  a key store, {}, mode 600, with one signing key", keys.store.display()));
    let plan = if lookup_is_there {
        plan.and(format!("The look-up key {lookup} is there already and stays."))
    } else {
        plan.and(format!("  a look-up key, {lookup}, mode 600, for a new ledger: every node needs this one"))
    };
    let plan = plan
        .and("Keep them out of the ledger's backups, and a copy of each in a place of its own: without them nothing that")
        .and("is encrypted can ever be read, and nobody be found.");
    if !plan.confirm(confirmed, console) {
        return Ok(Exit::NotConfirmed);
    }
    // First, so that the same command goes on where it was cut.
    if !lookup_is_there {
        make_folder_of(lookup_key)?;
        key_file::make(lookup_key)?;
        console.say(&format!("made {lookup}, the look-up key"))?;
    }
    let store = make_without_asking(keys, clock.now().0)?;
    console.say(&format!(
        "made {}, signing key {}, master key {}",
        keys.store.display(),
        store.signing_key().id(),
        store.inventory().master
    ))?;
    Ok(Exit::Done)
}

/// The same for a sandbox, where nothing is worth asking about.
pub fn make_without_asking(keys: &KeysSection, now_ms: i64) -> Result<KeyStore, Failed> {
    let master = match (MasterKey::read_if_there(&keys.master)?, &keys.master) {
        (Some(master), _) => master,
        (None, MasterSource::File(path)) => {
            make_folder_of(path)?;
            MasterKey::new(&key_file::make(path)?)
        }
        (None, MasterSource::Environment(_)) => {
            return Err(Failed::VariableIsYours { master: keys.master.clone() });
        }
    };
    make_folder_of(&keys.store)?;
    Ok(KeyStore::create(&keys.store, &master, now_ms)?)
}

/// Makes the master key to which `rotate` changes.
pub fn make_next(keys: &KeysSection, confirmed: Confirmed, console: &mut Console) -> Result<Exit, Failed> {
    let place = keys.next_master.clone().ok_or(Failed::NoNextSetting)?;
    if MasterKey::read_if_there(&place)?.is_some() {
        return Err(Failed::NextIsThere { place });
    }
    let MasterSource::File(path) = &place else {
        return Err(Failed::VariableIsYours { master: place });
    };
    let plan = Plan::new(format!("This makes the next master key, {place}, mode 600."))
        .and("It is used as soon as `banyan keys rotate` is run; let gateways read it before (SIGHUP).");
    if !plan.confirm(confirmed, console) {
        return Ok(Exit::NotConfirmed);
    }
    make_folder_of(path)?;
    let master = MasterKey::new(&key_file::make(path)?);
    console.say(&format!("made master key {}, {place}", master.fingerprint()))?;
    Ok(Exit::Done)
}

/// Folders that are missing are made for the owner alone.
fn make_folder_of(path: &Path) -> Result<(), Failed> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| Failed::Folder { path: folder.to_owned(), cause })
}
