//! Owns what stands during a run: the gateway and its opponents as processes of their own, stays that wait to be driven,
//! and all that was seen of settlements.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use banyan::app::open_ledger;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::codes::HospitalLevel;
use banyan::sandbox::geography::HOME;
use banyan::sandbox::stays::Stay;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use bytes::Bytes;
use serde::Serialize;

use crate::case::Case;
use crate::case::Hospitals;
use crate::case::in_one_hospital;
use crate::child::Meter;
use crate::child::Server;
use crate::child::most_memory;
use crate::client::Client;
use crate::drive::Drive;
use crate::drive::Driven;
use crate::drive::Journey;
use crate::drive::Kept;
use crate::drive::Outcome;
use crate::drive::admitted_as;
use crate::drive::drive;
use crate::drive::settled_as;
use crate::failed::Failed;
use crate::failed::cannot;
use crate::floor::Answers;
use crate::pace::now;
use crate::place::Database;
use crate::place::Place;
use crate::place::Population;
use crate::plain;
use crate::plan::Arrivals;
use crate::plan::Plan;
use crate::plan::Proof;
use crate::plan::Store;
use crate::reconcile::Books;
use crate::reconcile::Seen;
use crate::reconcile::reconcile;
use crate::step::Step;
use crate::stock::Stock;
use crate::syncs::Syncs;

/// Connections that prepare stays.
const PREPARING: usize = 64;
/// Stays of a history that are brought to their end together, at most.
const HISTORY_CHUNK: usize = 10_000;
/// One of so many insured at most is in such a chunk, so that nobody is in it twice.
const HISTORY_SPARSE: usize = 20;

/// What is built before anything is driven.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program `banyan`.
    pub gateway: PathBuf,
    /// This program: it is the opponents too.
    pub loadtest: PathBuf,
    pub store: Store,
    /// Made anew, on the disk that shall be measured; or kept by an earlier run.
    pub root: PathBuf,
    pub reuse: bool,
    pub population: Population,
    /// Stays are drawn from the insured of so many pools, the largest first.
    pub pools: usize,
    /// Settlements that shall be in the ledger beforehand, of bills of so many lines.
    pub history: usize,
    pub history_lines: usize,
    pub proof: Proof,
    pub keep_alive: bool,
    pub keep: bool,
}

/// Who is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Gateway,
    /// The floor that answers as the gateway does for stays of this kind.
    Floor(Kind),
    /// The opponent over PostgreSQL; settlements only.
    Plain,
}

/// What sizes of bodies and answers follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    pub lines: usize,
    /// Lines go in one call each stay, or in ten.
    pub in_one_call: bool,
}

/// Where stays lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Where the sandbox says.
    Anywhere,
    OneHospital,
}

/// How a leg is driven.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    pub connections: usize,
    pub in_flight: usize,
    pub warm_up: usize,
    pub arrivals: Arrivals,
    /// Of the gateway's answers.
    pub kept: Kept,
}

impl Leg {
    /// Of a plan: what is measured keeps what the gate needs.
    pub fn of(plan: &Plan) -> Leg {
        let Plan { connections, in_flight, warm_up, arrivals, .. } = *plan;
        Leg { connections, in_flight, warm_up, arrivals, kept: Kept::Booked }
    }
}

pub struct Stage {
    gateway: Opened,
    floors: BTreeMap<Kind, Opened>,
    plain: Option<Plain>,
    stock: Stock,
    used: usize,
    /// Stays of the history, each settled before its person's next begins.
    past: Stock,
    hospitals: Hospitals,
    seen: Seen,
    began: Instant,
    setup: Setup,
    ledger_bytes: u64,
    /// Last, so that the processes end before their folder goes.
    pub place: Place,
}

/// A server, and how the front machine reaches it.
struct Opened {
    server: Server,
    client: Arc<Client>,
    meter: Meter,
}

/// The opponent over PostgreSQL with its database.
struct Plain {
    opened: Opened,
    database: Database,
    acknowledged: usize,
}

/// What a run leaves: the books, and what the ledger grew by.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Closed {
    pub books: Books,
    pub ledger_grew: u64,
}

impl Stage {
    pub async fn build(setup: &Setup) -> Result<Stage, Failed> {
        let mut place = if setup.reuse {
            Place::open(&setup.root)?
        } else {
            Place::make(&setup.root, setup.population, setup.keep).await?
        };
        match (setup.store, setup.reuse) {
            (Store::Sqlite, _) => {}
            (Store::Postgres, false) => place.move_to_postgres(&setup.gateway)?,
            (Store::Postgres, true) => {
                return Err(Failed::Said("a throw-away PostgreSQL cannot be used again".into()));
            }
        }
        let gateway = start_gateway(setup, &place)?.0;
        let mut stock = Stock::of_persons(&place.province, setup.pools);
        let used = place.made.persons_used;
        if used > 0 {
            stock.nth(used - 1);
        }
        let mut stage = Stage {
            gateway,
            floors: BTreeMap::new(),
            plain: None,
            stock,
            used,
            past: Stock::endless(&place.province, setup.pools),
            hospitals: Hospitals::default(),
            seen: Seen::default(),
            began: SystemClock.now(),
            setup: setup.clone(),
            ledger_bytes: 0,
            place,
        };
        stage.grow(setup.history).await?;
        stage.seen = Seen::after(stage.place.made.history);
        stage.began = SystemClock.now();
        stage.ledger_bytes = stage.place.ledger_bytes()?;
        Ok(stage)
    }

    /// Settles until the ledger holds so many, with short bills.
    pub async fn grow(&mut self, history: usize) -> Result<(), Failed> {
        let began = now();
        let persons = usize::try_from(self.setup.population.persons).unwrap_or(usize::MAX);
        let chunk = HISTORY_CHUNK.min(persons / HISTORY_SPARSE).max(1);
        let mut left = history.saturating_sub(self.place.made.history);
        let any = left > 0;
        while left > 0 {
            let stays: Vec<Stay> = self.past.by_ref().take(chunk.min(left)).collect();
            if stays.is_empty() {
                return Err(Failed::Said("nobody is fit for a history".into()));
            }
            let count = stays.len();
            let fresh = self.cases(stays, self.setup.history_lines)?;
            let cases = self.admit(fresh).await?;
            for step in [Step::Upload, Step::Discharge, Step::Settle] {
                self.advance(&cases, step).await?;
            }
            left -= count;
            self.place.made.history += count;
        }
        if any {
            self.place.made.history_seconds += began.elapsed().as_secs_f64();
        }
        self.place.remember()
    }

    fn cases(&mut self, stays: Vec<Stay>, lines: usize) -> Result<Vec<Case>, Failed> {
        let line = self.place.line(self.gateway.server.address, self.setup.proof)?;
        self.hospitals.cases(stays, lines, &line)
    }

    /// So many fresh stays, not sent yet.
    pub fn fresh(
        &mut self,
        count: usize,
        lines: usize,
        whereabouts: Whereabouts,
    ) -> Result<Vec<Case>, Failed> {
        let stays: Vec<Stay> = self.stock.by_ref().take(count).collect();
        if stays.len() < count {
            return Err(Failed::Said("no stays are left: give more --population or fewer --stays".into()));
        }
        self.used += count;
        let stays = match whereabouts {
            Whereabouts::Anywhere => stays,
            Whereabouts::OneHospital => self.in_one_hospital(stays)?,
        };
        self.cases(stays, lines)
    }

    /// The first of level three at home serves whoever comes.
    fn in_one_hospital(&self, stays: Vec<Stay>) -> Result<Vec<Stay>, Failed> {
        let mut hospitals = self.place.province.hospitals.iter();
        let hospital =
            hospitals.find(|hospital| hospital.pool == HOME && hospital.level == HospitalLevel::Three);
        let hospital = hospital.ok_or_else(|| Failed::Said("no hospital of level three".into()))?;
        Ok(in_one_hospital(stays, hospital))
    }

    /// So many stays, brought by their hospitals to where `next` is their next step.
    pub async fn prepared(
        &mut self,
        count: usize,
        lines: usize,
        next: Step,
        whereabouts: Whereabouts,
    ) -> Result<Vec<Case>, Failed> {
        let fresh = self.fresh(count, lines, whereabouts)?;
        let cases = self.admit(fresh).await?;
        for step in [Step::Upload, Step::Discharge] {
            if step < next {
                self.advance(&cases, step).await?;
            }
        }
        if Step::Settle < next { self.settle(cases).await } else { Ok(cases) }
    }

    async fn admit(&mut self, fresh: Vec<Case>) -> Result<Vec<Case>, Failed> {
        let journeys = fresh.iter().map(|case| case.journey(Step::Admit)).collect();
        let driven = self.drive(Side::Gateway, journeys, preparing(fresh.len())).await?;
        let admitted = fresh.into_iter().zip(&driven.outcomes).map(|(case, outcome)| match outcome {
            Outcome::Done(answer) => admitted_as(answer).map(|id| case.admitted(id)),
            Outcome::Refused(..) | Outcome::Unknown(..) => None,
        });
        admitted
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Failed::Said("an admission gave no mdtrt_id".into()))
    }

    async fn settle(&mut self, cases: Vec<Case>) -> Result<Vec<Case>, Failed> {
        let journeys = cases.iter().map(|case| case.journey(Step::Settle)).collect();
        let driven = self.drive(Side::Gateway, journeys, preparing(cases.len())).await?;
        let settled = cases.into_iter().zip(&driven.outcomes).map(|(case, outcome)| match outcome {
            Outcome::Done(answer) => settled_as(answer).map(|id| case.settled(id)),
            Outcome::Refused(..) | Outcome::Unknown(..) => None,
        });
        settled.collect::<Option<Vec<_>>>().ok_or_else(|| Failed::Said("a settlement gave no setl_id".into()))
    }

    /// One step of all of them, not measured.
    pub async fn advance(&mut self, cases: &[Case], step: Step) -> Result<(), Failed> {
        let journeys = cases.iter().map(|case| case.journey(step)).collect();
        self.drive(Side::Gateway, journeys, preparing(cases.len())).await.map(drop)
    }

    /// Drives journeys against one side. What the gateway settles is remembered for the gate.
    ///
    /// # Errors
    /// When a call is refused: a run with refusals measures something else than it says.
    pub async fn drive(&mut self, side: Side, journeys: Vec<Journey>, leg: Leg) -> Result<Driven, Failed> {
        let Leg { connections, in_flight, warm_up, arrivals, kept } = leg;
        let missing = || Failed::Said("that opponent does not stand".into());
        let opened = match side {
            Side::Gateway => &self.gateway,
            Side::Floor(kind) => self.floors.get(&kind).ok_or_else(missing)?,
            Side::Plain => self.plain.as_ref().map(|plain| &plain.opened).ok_or_else(missing)?,
        };
        let last_calls: Vec<Option<Bytes>> = match side {
            Side::Gateway => journeys.iter().map(settling).collect(),
            Side::Floor(_) | Side::Plain => Vec::new(),
        };
        let database = self.place.database.as_ref().filter(|_| side == Side::Gateway);
        let syncs = Syncs::begin(opened.server.pid(), database, &self.place.file("perf.txt"));
        let (client, server) = (&opened.client, &opened.meter);
        let kept = if side == Side::Gateway { kept } else { Kept::None };
        let how = Drive { client, server, connections, in_flight, kept, warm_up, arrivals };
        let total = journeys.len().max(1);
        let mut driven = drive(&how, journeys).await?;
        driven.fsyncs = syncs.end().map(|count| count as f64 / total as f64);
        for (at, outcome) in driven.outcomes.iter().enumerate() {
            self.take(side, outcome, last_calls.get(at).and_then(Option::as_deref))?;
        }
        Ok(driven)
    }

    /// `call` is there when the journey ended with a settlement or a reversal.
    fn take(&mut self, side: Side, outcome: &Outcome, call: Option<&[u8]>) -> Result<(), Failed> {
        match (outcome, side, call) {
            (Outcome::Done(answer), Side::Gateway, Some(call)) => self.seen.answered(call, answer),
            (Outcome::Unknown(step, _), Side::Gateway, _) if step.is_booked() => {
                self.seen.unanswered();
                Ok(())
            }
            (Outcome::Done(_), Side::Plain, _) => {
                self.plain.iter_mut().for_each(|plain| plain.acknowledged += 1);
                Ok(())
            }
            (Outcome::Refused(step, answer), _, _) => {
                Err(Failed::Said(format!("{}: {}", step.name(), String::from_utf8_lossy(answer))))
            }
            (Outcome::Unknown(step, cause), _, _) => Err(Failed::Said(format!("{}: {cause}", step.name()))),
            (Outcome::Done(_), Side::Gateway | Side::Floor(_), _) => Ok(()),
        }
    }

    /// Sees to it that the floor of this kind stands.
    pub async fn need_floor(&mut self, kind: Kind) -> Result<(), Failed> {
        if self.floors.contains_key(&kind) {
            return Ok(());
        }
        let answers = self.answers(kind).await?;
        let mut command = Command::new(&self.setup.loadtest);
        command.arg("floor").arg("--sandbox").arg(self.place.folder.root()).arg("--answers").arg(&answers);
        let server = Server::start(command, &self.place.file("floor.log"))?;
        let opened = self.opened(server, None)?;
        self.floors.insert(kind, opened);
        Ok(())
    }

    /// Sees to it that *plain* stands, with so many connections to its database; tells what pgbench drives through the
    /// same function with as many clients.
    pub async fn need_plain(&mut self, kind: Kind, connections: usize) -> Result<(), Failed> {
        if self.plain.is_some() {
            return Ok(());
        }
        let answers = self.answers(kind).await?;
        let database = plain_database(self.place.database.as_ref())?;
        plain::make_schema(&database.server, &database.name)?;
        let mut command = Command::new(&self.setup.loadtest);
        command.arg("plain").arg("--sandbox").arg(self.place.folder.root()).arg("--answers").arg(&answers);
        command.arg("--database").arg(&database.url).arg("--pool").arg(connections.to_string());
        let server = Server::start(command, &self.place.file("plain.log"))?;
        let opened = self.opened(server, Some(database.pid))?;
        self.plain = Some(Plain { opened, database, acknowledged: 0 });
        Ok(())
    }

    /// The same function without a handler. Its rows are another database's, so that counts stay apart.
    pub fn pgbench(&self, clients: usize, seconds: u32) -> Result<plain::Pgbench, Failed> {
        let plain = self.plain.as_ref().ok_or_else(|| Failed::Said("plain does not stand".into()))?;
        let server = &plain.database.server;
        let url = server.create_database().map_err(cannot("make a database"))?;
        let name = url.rsplit('/').next().unwrap_or_default();
        plain::make_schema(server, name)?;
        let script = self.place.file("pgbench.sql");
        plain::pgbench(&url, &script, clients, seconds)
    }

    /// The gateway's answers to one stay of a kind, each in a file: what opponents answer.
    async fn answers(&mut self, kind: Kind) -> Result<PathBuf, Failed> {
        let answers = self.place.file(&format!("answers-{}-{}", kind.lines, kind.in_one_call));
        if answers.exists() {
            return Ok(answers);
        }
        fs::create_dir_all(&answers).map_err(cannot("make a folder"))?;
        let sample = self.fresh(1, kind.lines, Whereabouts::Anywhere)?;
        let mut case = sample.into_iter().next().ok_or_else(|| Failed::Said("no sample".into()))?;
        for step in Step::ALL.into_iter().filter(|step| step.is_known()) {
            let journeys = match (step, kind.in_one_call) {
                (Step::Upload, false) => case.uploads(),
                _ => vec![case.journey(step)],
            };
            let driven = self.drive(Side::Gateway, journeys, preparing(1)).await?;
            let Some(Outcome::Done(answer)) = driven.outcomes.last() else {
                return Err(Failed::Said(format!("{} of the sample was not answered", step.name())));
            };
            Answers::write(&answers, step, answer)?;
            if let Some(id) = admitted_as(answer) {
                case = case.admitted(id);
            }
            if let Some(id) = settled_as(answer).filter(|_| step == Step::Settle) {
                case = case.settled(id);
            }
        }
        Ok(answers)
    }

    fn opened(&self, server: Server, database: Option<u32>) -> Result<Opened, Failed> {
        opened(&self.setup, &self.place, server, database)
    }

    /// How the gateway is reached, for drivers of other kinds; what they see they tell by [`Stage::seen`].
    pub fn gateway(&self) -> Arc<Client> {
        Arc::clone(&self.gateway.client)
    }

    pub fn seen(&mut self) -> &mut Seen {
        &mut self.seen
    }

    /// Bytes of memory that the gateway has held at most since its start.
    pub fn memory(&self) -> u64 {
        most_memory(self.gateway.server.pid())
    }

    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Stops the gateway and starts it again; tells how long it took from the start of the program to its address.
    pub fn restart(&mut self) -> Result<Duration, Failed> {
        self.gateway.server.stop()?;
        let (gateway, took) = start_gateway(&self.setup, &self.place)?;
        self.gateway = gateway;
        Ok(took)
    }

    /// Today, for the month that settlements of now fall into.
    pub fn today(&self) -> Day {
        SystemClock.now().day()
    }

    /// Stops all servers and passes the gate.
    pub async fn close(self) -> Result<Closed, Failed> {
        let Stage { mut gateway, floors, plain, seen, began, mut place, ledger_bytes, used, .. } = self;
        let before = seen.before();
        gateway.server.stop()?;
        drop(floors);
        if let Some(Plain { opened, database, acknowledged }) = plain {
            drop(opened);
            let kept = plain::settlements(&database.server, &database.name)?;
            if kept != acknowledged {
                let fault = format!("plain acknowledged {acknowledged} settlements and holds {kept}");
                return Err(Failed::NotReconciled(vec![fault]));
            }
        }
        let ledger_grew = place.ledger_bytes()?.saturating_sub(ledger_bytes);
        let ledger =
            open_ledger(&place.settings()?, Arc::new(SystemClock)).map_err(cannot("open the ledger"))?;
        let books = reconcile(ledger.as_ref(), (began, SystemClock.now()), seen).await?;
        drop(ledger);
        place.made.persons_used = used;
        place.made.history = before + books.settlements + books.reversals;
        place.remember()?;
        Ok(Closed { books, ledger_grew })
    }
}

/// The call by which a journey ends, where it moves money.
fn settling(journey: &Journey) -> Option<Bytes> {
    let last = journey.calls.last()?;
    last.step.is_booked().then(|| last.body.clone())
}

fn preparing(journeys: usize) -> Leg {
    let connections = PREPARING.min(journeys).max(1);
    Leg { connections, in_flight: connections, warm_up: 0, arrivals: Arrivals::Saturating, kept: Kept::All }
}

fn start_gateway(setup: &Setup, place: &Place) -> Result<(Opened, Duration), Failed> {
    let mut command = Command::new(&setup.gateway);
    command.arg("serve").arg("--config").arg(place.folder.settings());
    let began = now();
    let server = Server::start(command, &place.file("gateway.log"))?;
    let took = began.elapsed();
    let database = place.database.as_ref().map(|database| database.pid);
    Ok((opened(setup, place, server, database)?, took))
}

fn opened(setup: &Setup, place: &Place, server: Server, database: Option<u32>) -> Result<Opened, Failed> {
    let client = Arc::new(place.client(server.address, setup.proof, setup.keep_alive)?);
    let meter = Meter { process: Some(server.pid()), database };
    Ok(Opened { server, client, meter })
}

/// A database on the server of the gateway's ledger, so that both sides have the same, or on one of its own.
fn plain_database(of_gateway: Option<&Database>) -> Result<Database, Failed> {
    match of_gateway {
        Some(Database { server, .. }) => Database::on(Arc::clone(server)),
        None => Database::start(0),
    }
}
