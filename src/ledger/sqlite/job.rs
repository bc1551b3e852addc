//! Owns what the writer is asked for, and how each job is answered.

use tokio::sync::oneshot;
use tokio::time::Instant as Stopwatch;

use crate::domain::calendar::Instant;
use crate::ledger::LedgerError;
use crate::ledger::ReferenceChange;
use crate::ledger::lane::Alone;
use crate::ledger::prepared::Prepared;
use crate::ledger::seal::anchor::Signed;
use crate::ledger::sqlite::write::Written;

/// Where the answer to a job goes. Nobody listens any more when the caller gave up; the deed stands all the same.
type Reply<T> = oneshot::Sender<Result<T, LedgerError>>;

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Job {
    Deed {
        deed: Box<Prepared>,
        reply: Reply<Written>,
    },
    Reference {
        source: String,
        change: ReferenceChange,
        reply: Reply<u64>,
    },
    Floor {
        floor: Instant,
        reply: Reply<()>,
    },
    /// Covers what was committed before that instant.
    Anchor {
        signed: Box<Signed>,
        before: Stopwatch,
    },
}

impl Alone for Job {
    type Key = String;

    fn key(&self) -> Option<String> {
        self.deed().map(|deed| deed.person.clone())
    }
}

/// What became of a job, kept until the transaction is durable.
pub(super) enum Done {
    Deed(Written),
    Reference(u64),
    Floor,
    Anchor,
    /// The schema refuses it: a fault of the job, the others of its batch stand.
    Refused(String),
}

impl Job {
    pub(super) fn deed(&self) -> Option<&Prepared> {
        match self {
            Job::Deed { deed, .. } => Some(deed),
            Job::Reference { .. } | Job::Floor { .. } | Job::Anchor { .. } => None,
        }
    }

    pub(super) fn answer(self, done: Done) {
        match (self, done) {
            (Job::Deed { reply, .. }, Done::Deed(written)) => drop(reply.send(Ok(written))),
            (Job::Reference { reply, .. }, Done::Reference(version)) => drop(reply.send(Ok(version))),
            (Job::Floor { reply, .. }, Done::Floor) => drop(reply.send(Ok(()))),
            // Nobody waits for an anchor; one that failed is part of the next.
            (Job::Anchor { .. }, _) => {}
            (job, Done::Refused(what)) => job.fail(|| LedgerError::Unfit { what: what.clone() }),
            (Job::Deed { .. } | Job::Reference { .. } | Job::Floor { .. }, _) => {
                unreachable!("each job is done as what it is")
            }
        }
    }

    pub(super) fn fail(self, why: impl Fn() -> LedgerError) {
        match self {
            Job::Deed { reply, .. } => drop(reply.send(Err(why()))),
            Job::Reference { reply, .. } => drop(reply.send(Err(why()))),
            Job::Floor { reply, .. } => drop(reply.send(Err(why()))),
            Job::Anchor { .. } => {}
        }
    }
}
