//! Owns the connections that answer look-ups: a few, each shared by many calls at once, made anew when they break.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant as Deadline;
use tokio::time::timeout_at;

use crate::ledger::LedgerError;
use crate::ledger::postgres::connection::Link;
use crate::ledger::postgres::connection::Meaning;
use crate::ledger::postgres::connection::Target;
use crate::ledger::postgres::connection::meaning;
use crate::ledger::postgres::fault::Fault;
use crate::ledger::postgres::fault::fault;
use crate::ledger::postgres::fault::server;
use crate::ledger::postgres::look_up;
use crate::ledger::postgres::look_up::Statements;
use crate::ledger::postgres::no_connection::NoServer;
use crate::ledger::postgres::outage::Member;
use crate::ledger::postgres::outage::Outage;

/// Questions on the way to one connection. More wait, no longer than their time.
const ON_THE_WAY_MAX: usize = 64;
const PAUSE: Duration = Duration::from_millis(20);

pub(super) struct Readers {
    target: Target,
    places: Vec<Place>,
    next: AtomicUsize,
    room: Semaphore,
    outage: Arc<Outage>,
}

#[derive(Default)]
struct Place {
    reader: ArcSwapOption<Reader>,
    /// Held while it is made, so that one is made and not one for each who waits.
    making: Mutex<()>,
}

pub(super) struct Reader {
    pub(super) link: Link,
    pub(super) statements: Statements,
}

impl Readers {
    pub(super) fn new(target: Target, count: usize, outage: Arc<Outage>) -> Readers {
        let count = count.max(1);
        let places = std::iter::repeat_with(Place::default).take(count).collect();
        let room = Semaphore::new(count * ON_THE_WAY_MAX);
        Readers { target, places, next: AtomicUsize::new(0), room, outage }
    }

    /// Asks, and asks again on another connection when one breaks: a question changes nothing.
    pub(super) async fn ask<T, F>(
        &self,
        what: &'static str,
        deadline: Deadline,
        ask: impl Fn(Arc<Reader>) -> F,
    ) -> Result<T, LedgerError>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let begun = Deadline::now();
        let room = timeout_at(deadline, self.room.acquire()).await;
        let _place = room.map_err(|_| {
            self.outage.unanswered(begun, &Fault::Crowded);
            fault(what)(Fault::Crowded)
        })?;
        loop {
            let reader = self.reader(deadline).await?;
            let asked = Deadline::now();
            let Ok(answer) = timeout_at(deadline, ask(Arc::clone(&reader))).await else {
                // A link that is silent is not asked again: it may never tell that it is broken.
                self.forget(&reader);
                self.outage.unanswered(asked, &Fault::Silent);
                return Err(fault(what)(Fault::Silent));
            };
            match answer {
                Ok(answer) => {
                    self.outage.answered(asked);
                    return Ok(answer);
                }
                Err(cause) if meaning(&cause) == Meaning::Broken && Deadline::now() + PAUSE < deadline => {
                    self.forget(&reader);
                    tokio::time::sleep(PAUSE).await;
                }
                Err(cause) => return Err(server(what)(cause)),
            }
        }
    }

    async fn reader(&self, deadline: Deadline) -> Result<Arc<Reader>, LedgerError> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.places.len();
        let place = &self.places[at];
        let sound = || place.reader.load_full().filter(|reader| !reader.link.client.is_closed());
        if let Some(reader) = sound() {
            return Ok(reader);
        }
        let begun = Deadline::now();
        let making = timeout_at(deadline, place.making.lock()).await;
        let _making = making.map_err(|_| {
            self.outage.unanswered(begun, &Fault::Silent);
            fault("connect to the server")(Fault::Silent)
        })?;
        if let Some(reader) = sound() {
            return Ok(reader);
        }
        if let Some(broken) = place.reader.load_full() {
            self.forget(&broken);
        }
        let tell = |why: &NoServer| self.outage.no_connection(Member::Readers, why);
        let link = self.target.connect_telling(look_up::SESSION, deadline, &tell).await?;
        let asked = Deadline::now();
        let statements = timeout_at(deadline, Statements::prepare(&link.client)).await;
        let statements = statements.map_err(|_| {
            self.outage.line_lost();
            self.outage.unanswered(asked, &Fault::Silent);
            fault("prepare its statements")(Fault::Silent)
        })?;
        let statements = statements.map_err(server("prepare its statements"))?;
        let reader = Arc::new(Reader { link, statements });
        place.reader.store(Some(Arc::clone(&reader)));
        Ok(reader)
    }

    fn forget(&self, broken: &Arc<Reader>) {
        for place in &self.places {
            // Of several that wait on it, one counts it.
            let before = place.reader.compare_and_swap(broken, None);
            if before.as_ref().is_some_and(|reader| Arc::ptr_eq(reader, broken)) {
                self.outage.line_lost();
            }
        }
    }
}
