//! Owns the replay of a person: everything of hers as her records make it, by the fold that commits use.

use std::collections::BTreeMap;

use crate::domain::calendar::Instant;
use crate::domain::ids::Bucket;
use crate::domain::ids::StayId;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Private;
use crate::domain::record::Record;
use crate::domain::state::Folded;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::domain::state::Told;
use crate::ledger::effect;
use crate::ledger::effect::SettlementRow;
use crate::ledger::prepared;

/// One person as her records make her.
pub(super) struct Replayed {
    pub(super) bucket: Bucket,
    pub(super) person: String,
    pub(super) version: u64,
    pub(super) last_at: Instant,
    pub(super) state: PersonState,
    pub(super) private: PersonPrivate,
    pub(super) forgotten: bool,
    pub(super) stays: BTreeMap<StayId, (u64, StayState)>,
    pub(super) messages: BTreeMap<MessageKey, MessageRow>,
    pub(super) settlements: Vec<Settled>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MessageRow {
    pub(super) version: u64,
    pub(super) undone_by: u64,
    pub(super) fence: bool,
    pub(super) content: ContentHash,
}

/// A row of a month, with what is its record's.
pub(super) struct Settled {
    pub(super) row: SettlementRow,
    pub(super) version: u64,
    pub(super) at: Instant,
    pub(super) stay: Option<StayId>,
}

/// Why a record cannot follow the ones before it.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutOfPlace {
    #[error("follows version {0}")]
    Version(u64),
    #[error("moves its stay from version {0}")]
    StayVersion(u64),
    #[error("goes back in time")]
    Time,
    #[error("binds a message that is bound already")]
    Message,
    #[error(transparent)]
    Unfit(#[from] effect::Unfit),
}

impl Replayed {
    pub(super) fn begin(bucket: Bucket, person: String) -> Replayed {
        Replayed {
            bucket,
            person,
            version: 0,
            last_at: Instant::default(),
            state: PersonState::default(),
            private: PersonPrivate::default(),
            forgotten: false,
            stays: BTreeMap::new(),
            messages: BTreeMap::new(),
            settlements: Vec::new(),
        }
    }

    /// Takes her next record.
    ///
    /// # Errors
    /// When it cannot follow those before it.
    pub(super) fn take(&mut self, record: &Record, keyed: bool) -> Result<(), OutOfPlace> {
        if record.version != self.version + 1 {
            return Err(OutOfPlace::Version(self.version));
        }
        if record.at < self.last_at {
            return Err(OutOfPlace::Time);
        }
        (self.version, self.last_at) = (record.version, record.at);
        let effect = self.fold(record)?;
        if let Body::Registered(_) = record.body {
            self.forgotten = record.private == Private::Erased;
            let known = prepared::registered(&record.body, &record.private);
            self.private = known.cloned().unwrap_or_default();
        }
        if keyed {
            self.bind(record.meta.key.clone(), record, false)?;
        }
        if let Some(key) = effect.fences {
            self.bind(key, record, true)?;
        }
        self.turn(&effect.undoes, effect.restores.as_ref());
        let stay = record.stay.as_ref().map(|(id, _)| id.clone());
        let (version, at) = (record.version, record.at);
        self.settlements.extend(effect.settlement.map(|row| Settled { row, version, at, stay }));
        Ok(())
    }

    fn fold(&mut self, record: &Record) -> Result<effect::Effect, OutOfPlace> {
        let stay = record.stay.as_ref();
        let before = stay.and_then(|(id, _)| self.stays.remove(id));
        let stay_version = before.as_ref().map_or(0, |(version, _)| *version);
        let told = Told {
            version: record.version,
            key: &record.meta.key,
            received_at: record.meta.received_at,
            stay: stay.map(|(id, _)| id),
        };
        let mut folded =
            Folded { person: std::mem::take(&mut self.state), stay: before.map(|(_, state)| state) };
        let effect = effect::take(&mut folded, told, &record.body)?;
        self.state = folded.person;
        if let (Some((id, version)), Some(state)) = (stay, folded.stay) {
            if *version != stay_version + 1 {
                return Err(OutOfPlace::StayVersion(stay_version));
            }
            self.stays.insert(id.clone(), (*version, state));
        }
        Ok(effect)
    }

    fn bind(&mut self, key: MessageKey, record: &Record, fence: bool) -> Result<(), OutOfPlace> {
        let row = MessageRow { version: record.version, undone_by: 0, fence, content: record.meta.content };
        let bound = self.messages.insert(key, row);
        if bound.is_none() { Ok(()) } else { Err(OutOfPlace::Message) }
    }

    fn turn(&mut self, undoes: &[MessageKey], restores: Option<&MessageKey>) {
        for key in undoes {
            if let Some(row) = self.messages.get_mut(key).filter(|row| row.undone_by == 0 && !row.fence) {
                row.undone_by = self.version;
            }
        }
        if let Some(row) = restores.and_then(|key| self.messages.get_mut(key)) {
            row.undone_by = 0;
        }
    }
}
