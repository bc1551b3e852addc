//! Owns what a gateway looks at beside its calls, so that operators hear of it before hospitals do: certificates that
//! end, a key store that cannot be read, disks that fill.

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::app::keys_ahead::months_left;
use crate::config::gateway::KeysSection;
use crate::config::ledger::LedgerKept;
use crate::service::seams::Clock as _;
use crate::service::seams::SystemClock;
use crate::telemetry::health;
use crate::vault::key_store::Inventory;
use crate::vault::key_store::KeyStore;
use crate::vault::key_store::KeyStoreError;
use crate::vault::master::Masters;

/// How old what `/metrics` says of these may be.
const EVERY: Duration = Duration::from_secs(5);

impl App {
    /// Looks again and again; returns never.
    pub async fn watch_health(&self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looking: Option<JoinHandle<()>> = None;
        loop {
            ticks.tick().await;
            self.look_at_certificates();
            self.meter.look();
            if looking.as_ref().is_some_and(|last| !last.is_finished()) {
                // What the store lies on does not answer.
                health::key_store(false);
                continue;
            }
            let (keys, disks) = (self.config.keys.clone(), self.disks());
            looking = Some(tokio::task::spawn_blocking(move || {
                look_at_keys(&keys);
                for (of, folder) in disks {
                    look_at_disk(of, &folder);
                }
            }));
        }
    }

    /// Those in force, not those that lie there and were not read yet.
    fn look_at_certificates(&self) {
        let now = SystemClock.now().0 / 1000;
        for (listener, tls) in &self.tls {
            let ends = tls.ends();
            if let Some(at) = ends.certificate {
                health::certificate(listener, at - now);
            }
            if let Some(at) = ends.client_authority {
                health::client_authority(listener, at - now);
            }
        }
    }

    fn disks(&self) -> Vec<(&'static str, PathBuf)> {
        let folder = |file: &Path| {
            file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
        };
        let mut disks = vec![("keys", folder(&self.config.keys.store))];
        if let LedgerKept::File(file) = &self.config.ledger.kept {
            disks.push(("ledger", folder(file)));
        }
        disks
    }
}

fn look_at_keys(keys: &KeysSection) {
    let store = read_keys(keys);
    health::key_store(store.is_ok());
    if let Some(store) = store.ok().filter(|_| keys.copied) {
        health::key_months_left(months_left(&store, SystemClock.now().day().month()));
    }
}

fn read_keys(keys: &KeysSection) -> Result<Inventory, KeyStoreError> {
    KeyStore::check(&keys.store, &Masters::read(keys)?)
}

fn look_at_disk(of: &'static str, folder: &Path) {
    if let Ok(disk) = rustix::fs::statvfs(folder) {
        health::disk(of, disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
    }
}
