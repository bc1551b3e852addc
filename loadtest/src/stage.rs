//! Owns what stands during a run: the gateway and its opponent as processes of their own, stays that wait to be driven,
//! and all that was seen of settlements.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use banyan::app::open_ledger;
use banyan::domain::calendar::Instant;
use banyan::sandbox::his::Line;
use banyan::sandbox::stays::Stay;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use serde::Serialize;

use crate::case::Case;
use crate::case::cases;
use crate::child::Server;
use crate::drive::Drive;
use crate::drive::Driven;
use crate::drive::Journey;
use crate::drive::Outcome;
use crate::drive::admitted_as;
use crate::drive::drive;
use crate::failed::Failed;
use crate::failed::cannot;
use crate::floor::Answers;
use crate::place::Place;
use crate::plan::Arrivals;
use crate::plan::Store;
use crate::reconcile::Books;
use crate::reconcile::Seen;
use crate::reconcile::reconcile;
use crate::step::Step;
use crate::stock::stock;

/// Connections that prepare stays.
const PREPARING: usize = 64;

/// What is built before anything is driven.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program `banyan`.
    pub gateway: PathBuf,
    /// This program: it is the opponent too.
    pub loadtest: PathBuf,
    pub store: Store,
    /// Made anew; on the disk that shall be measured.
    pub root: PathBuf,
    pub persons: u64,
    pub keep: bool,
}

/// Who is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Gateway,
    /// The floor that answers as the gateway does for stays of this kind.
    Floor(Kind),
}

/// What sizes of bodies and answers follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    pub lines: usize,
    /// Lines go in one call each stay, or in ten.
    pub in_one_call: bool,
}

/// How a leg is driven.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    pub connections: usize,
    pub warm_up: usize,
    pub arrivals: Arrivals,
}

pub struct Stage {
    gateway: Opened,
    floors: BTreeMap<Kind, Opened>,
    stock: std::vec::IntoIter<Stay>,
    seen: Seen,
    began: Instant,
    loadtest: PathBuf,
    empty_ledger_bytes: u64,
    /// Last, so that the processes end before their folder goes.
    place: Place,
}

/// A server, and how the front machine reaches it.
struct Opened {
    server: Server,
    line: Line,
}

/// What a run leaves: the books, and what the ledger grew by.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Closed {
    pub books: Books,
    pub ledger_grew: u64,
}

impl Stage {
    pub async fn build(setup: &Setup) -> Result<Stage, Failed> {
        let place = Place::make(&setup.root, setup.persons, setup.keep).await?;
        let empty_ledger_bytes = place.ledger_bytes();
        let mut command = Command::new(&setup.gateway);
        match setup.store {
            Store::Sqlite => command.arg("serve").arg("--config").arg(place.folder.settings()),
        };
        let server = Server::start(command, &place.file("gateway.log"))?;
        let gateway = opened(&place, server)?;
        let stock = stock(&place.province).into_iter();
        Ok(Stage {
            gateway,
            floors: BTreeMap::new(),
            stock,
            seen: Seen::default(),
            began: SystemClock.now(),
            loadtest: setup.loadtest.clone(),
            empty_ledger_bytes,
            place,
        })
    }

    /// So many fresh stays, not sent yet.
    pub fn fresh(&mut self, count: usize, lines: usize) -> Result<Vec<Case>, Failed> {
        let stays: Vec<Stay> = self.stock.by_ref().take(count).collect();
        if stays.len() < count {
            return Err(Failed::Said("no stays are left: give more --persons or fewer --stays".into()));
        }
        cases(stays, lines, &self.gateway.line)
    }

    /// So many stays, brought by their hospitals to where `next` is their next step.
    pub async fn prepared(&mut self, count: usize, lines: usize, next: Step) -> Result<Vec<Case>, Failed> {
        let fresh = self.fresh(count, lines)?;
        let mut cases = self.admit(fresh).await?;
        for step in [Step::Upload, Step::Discharge] {
            if step < next {
                self.advance(&cases, step).await?;
            }
        }
        cases.truncate(count);
        Ok(cases)
    }

    async fn admit(&mut self, fresh: Vec<Case>) -> Result<Vec<Case>, Failed> {
        let journeys = fresh.iter().map(|case| case.journey(Step::Admit)).collect();
        let driven = self.drive(Side::Gateway, journeys, preparing()).await?;
        let admitted = fresh.into_iter().zip(&driven.outcomes).map(|(case, outcome)| match outcome {
            Outcome::Done(answer) => admitted_as(answer).map(|id| case.admitted(id)),
            Outcome::Refused(..) | Outcome::Unknown(..) => None,
        });
        admitted
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Failed::Said("an admission gave no mdtrt_id".into()))
    }

    /// One step of all of them, not measured.
    pub async fn advance(&mut self, cases: &[Case], step: Step) -> Result<(), Failed> {
        let journeys = cases.iter().map(|case| case.journey(step)).collect();
        self.drive(Side::Gateway, journeys, preparing()).await.map(drop)
    }

    /// Drives journeys against one side. What the gateway settles is remembered for the gate.
    ///
    /// # Errors
    /// When a call is refused: a run with refusals measures something else than it says.
    pub async fn drive(&mut self, side: Side, journeys: Vec<Journey>, leg: Leg) -> Result<Driven, Failed> {
        let opened = match side {
            Side::Gateway => &self.gateway,
            Side::Floor(kind) => {
                self.floors.get(&kind).ok_or_else(|| Failed::Said("no such floor".into()))?
            }
        };
        let Leg { connections, warm_up, arrivals } = leg;
        let how = Drive { line: &opened.line, server: opened.server.pid(), connections, warm_up, arrivals };
        let settling = |journey: &Journey| journey.calls.last().is_some_and(|call| call.step == Step::Settle);
        let settles = journeys.first().is_some_and(settling);
        let driven = drive(&how, journeys).await?;
        for outcome in &driven.outcomes {
            match (outcome, side) {
                (Outcome::Done(answer), Side::Gateway) if settles => self.seen.settled(answer)?,
                (Outcome::Unknown(Step::Settle, _), Side::Gateway) => self.seen.unanswered(),
                (Outcome::Refused(step, answer), _) => {
                    return Err(Failed::Said(format!(
                        "{}: {}",
                        step.name(),
                        String::from_utf8_lossy(answer)
                    )));
                }
                (Outcome::Done(_) | Outcome::Unknown(..), _) => {}
            }
        }
        Ok(driven)
    }

    /// Sees to it that the floor of this kind stands: its answers are those that the gateway gives to one stay.
    pub async fn need_floor(&mut self, kind: Kind) -> Result<(), Failed> {
        if self.floors.contains_key(&kind) {
            return Ok(());
        }
        let answers = self.place.file(&format!("floor-{}-{}", kind.lines, kind.in_one_call));
        fs::create_dir_all(&answers).map_err(cannot("make a folder"))?;
        let sample = self.fresh(1, kind.lines)?;
        let mut case = sample.into_iter().next().ok_or_else(|| Failed::Said("no sample".into()))?;
        let one_by_one = Leg { connections: 1, ..preparing() };
        for step in Step::ALL {
            let journeys = match (step, kind.in_one_call) {
                (Step::Upload, false) => case.uploads(),
                _ => vec![case.journey(step)],
            };
            let driven = self.drive(Side::Gateway, journeys, one_by_one).await?;
            let Some(Outcome::Done(answer)) = driven.outcomes.last() else {
                return Err(Failed::Said(format!("{} of the sample was not answered", step.name())));
            };
            Answers::write(&answers, step, answer)?;
            if let Some(id) = admitted_as(answer) {
                case = case.admitted(id);
            }
        }
        let mut command = Command::new(&self.loadtest);
        command.arg("floor").arg("--sandbox").arg(self.place.folder.root()).arg("--answers").arg(&answers);
        let server = Server::start(command, &self.place.file("floor.log"))?;
        if let Entry::Vacant(free) = self.floors.entry(kind) {
            free.insert(opened(&self.place, server)?);
        }
        Ok(())
    }

    /// Stops all servers and passes the gate.
    pub async fn close(self) -> Result<Closed, Failed> {
        let Stage { gateway, floors, seen, began, place, empty_ledger_bytes, .. } = self;
        gateway.server.stop()?;
        drop(floors);
        let ledger_grew = place.ledger_bytes().saturating_sub(empty_ledger_bytes);
        let ledger =
            open_ledger(&place.settings()?, Arc::new(SystemClock)).map_err(cannot("open the ledger"))?;
        let books = reconcile(ledger.as_ref(), (began, SystemClock.now()), &seen).await?;
        Ok(Closed { books, ledger_grew })
    }
}

fn preparing() -> Leg {
    Leg { connections: PREPARING, warm_up: 0, arrivals: Arrivals::Saturating }
}

fn opened(place: &Place, server: Server) -> Result<Opened, Failed> {
    let line = line(place, server.address)?;
    Ok(Opened { server, line })
}

/// As the front machine, over mutual TLS.
fn line(place: &Place, address: SocketAddr) -> Result<Line, Failed> {
    let read = |path: PathBuf| fs::read_to_string(path).map_err(cannot("read a certificate"));
    let authority = read(place.folder.authority())?;
    let (certificate, key) = place.folder.identity(place.front.as_str());
    let (certificate, key) = (read(certificate)?, read(key)?);
    Line::new(address, &authority, Some((&certificate, &key))).map_err(cannot("speak TLS"))
}
