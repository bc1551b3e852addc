//! One history, step by step, through admission, upload, discharge, settlement and reversal of the domain.
use super::convert::{accumulators, filing_of, level_of, line_order, message, meta, reason, same, scheme_of};
use super::facts::{institution_code, insutype, register, with_pack};
use super::packs::{BIRTHS, day};
use super::quote::{self, Before, Desk};
use crate::reference::book::{Care, Fund, Live, Order, Refusal as RefRefusal, Stay};
use crate::reference::counts::Met;
use crate::reference::filing::Filing as RefFiling;
use crate::reference::generate::{HOME, History, Step, Told as RefTold};
use crate::reference::share::Share;
use banyan::domain::admission::{AdmissionFacts, StayInHand, admit, discharge};
use banyan::domain::breakdown::Breakdown;
use banyan::domain::calendar::{BenefitYear, Day, Instant, Moment};
use banyan::domain::codes::{BenefitLevel, Scheme};
use banyan::domain::ids::{PersonKey, RegionCode, SettlementId, StayId};
use banyan::domain::lines::Lines;
use banyan::domain::money::Fen;
use banyan::domain::person::Balance;
use banyan::domain::record::{Admission, Body, Discharge, OutsideEvent, OutsideKind, Private, Record};
use banyan::domain::reference::Reference;
use banyan::domain::refusal::Refusal;
use banyan::domain::reverse::{ReversalFacts, reverse};
use banyan::domain::scene::Scene;
use banyan::domain::settle::{SettleFacts, SettleOrder, settle};
use banyan::domain::split::Scope;
use banyan::domain::state::{Folded, Told};
use banyan::domain::stay::State;
use banyan::domain::upload::{LineOrder, UploadFacts, upload};
use jiff::civil::Date;
use std::collections::HashMap;

/// By how much an amount may differ from price × count, §2.1.
const TOLERANCE: Fen = Fen(1);

struct World<'a> {
    history: &'a History,
    reference: Reference,
    key: PersonKey,
    folded: Folded,
    stays: HashMap<usize, StayFolded>,
    filings: Vec<RefFiling>,
    /// Those not yet made on the day that the world stands at.
    filings_to_come: Vec<RefFiling>,
    desk: Option<Desk>,
    settlements: HashMap<usize, Record>,
    version: u64,
}

struct StayFolded {
    id: StayId,
    state: Option<banyan::domain::state::StayState>,
    lines: Lines,
    version: u64,
}

/// Runs a history; panics at the first difference, naming seed and step.
/// `quoting`: each settlement goes through the written stay of `banyan quote` as well.
pub(crate) fn drive(tables: &Reference, history: &History, quoting: bool, met: &mut Met) {
    let mut world = World {
        history,
        reference: with_pack(tables, history),
        key: PersonKey::parse(RegionCode(HOME), &history.seed.to_string()).unwrap(),
        folded: Folded::default(),
        stays: HashMap::new(),
        filings: Vec::new(),
        filings_to_come: Vec::new(),
        desk: quoting.then(Desk::new),
        settlements: HashMap::new(),
        version: 0,
    };
    let start = Day::from_number(20_200_101).unwrap();
    world.record(start, None, Body::Registered(register(history)));
    let balance = Balance { amount: Fen(history.person.balance), taken_at: Instant::start_of(start) };
    world.record(start, None, Body::BalanceTaken(balance));
    for (number, told) in history.told.iter().enumerate() {
        world.step(number, told);
    }
    if let Some(desk) = &world.desk {
        met.add(&desk.met);
    }
}

impl World<'_> {
    fn step(&mut self, number: usize, told: &RefTold) {
        let at = format!("seed {} step {number}", self.history.seed);
        match &told.step {
            Step::File(filing) => {
                self.filings.push(filing.clone());
                self.filings_to_come.push(filing.clone());
            }
            Step::Outside { scheme, year, add, day: on } => {
                let used = accumulators(add);
                let (scheme, year) = (scheme_of(Fund::Basic(*scheme)), BenefitYear(i32::from(*year)));
                let kind = OutsideKind::ManualReimbursement;
                let event = OutsideEvent { kind, scheme, year, used, on: day(*on) };
                self.record(day(*on), None, Body::OutsideEvent(event));
                self.desk.iter_mut().for_each(Desk::outside_event);
            }
            Step::Settle(order, expected) => {
                self.quote(order, expected, told, &at);
                self.settle(order, expected, &at);
            }
            Step::Reverse { serial, day: on, answer } => self.reverse(*serial, *on, answer, &at),
        }
        if !matches!(told.step, Step::File(_)) {
            let used = self.folded.person.used(scheme_of(told.fund), BenefitYear(i32::from(told.year)));
            assert_eq!(used, accumulators(&told.after), "{at}: accumulators after {}", kind(&told.step));
            assert_eq!(self.folded.person.available_balance(), Fen(told.balance), "{at}: account balance");
        }
    }

    /// Commits a body: folds it in, as the ledger does.
    fn record(&mut self, today: Day, stay: Option<usize>, body: Body) -> Record {
        self.version += 1;
        let received_at = Instant(Instant::start_of(today).0 + i64::try_from(self.version).unwrap());
        let key = message(self.version);
        let id = stay.map(|number| self.stays[&number].id.clone());
        self.folded.stay = stay.and_then(|number| self.stays[&number].state.clone());
        let told = Told { version: self.version, key: &key, received_at, stay: id.as_ref() };
        self.folded.apply(told, &body).unwrap();
        let mut at_stay = None;
        if let Some(row) = stay.and_then(|number| self.stays.get_mut(&number)) {
            row.state = self.folded.stay.take();
            row.lines.apply(&key, &body);
            row.version += 1;
            at_stay = Some((row.id.clone(), row.version));
        }
        Record {
            person: self.key.clone(),
            version: self.version,
            stay: at_stay,
            at: received_at,
            meta: meta(key, received_at),
            body,
            private: Private::None,
        }
    }

    fn quote(&mut self, order: &Order, expected: &Result<Box<Live>, RefRefusal>, told: &RefTold, at: &str) {
        let Some(desk) = &mut self.desk else { return };
        let (scheme, year) = (scheme_of(told.fund), BenefitYear(i32::from(told.year)));
        let person = &self.folded.person;
        let before = Before {
            year: told.year,
            used: person.used(scheme, year),
            deductible_here: person.deductible_at(scheme, year, &institution_code(order.stay.institution)),
            balance: person.available_balance(),
        };
        let scene = quote::Scene {
            person: &self.history.person,
            pack: &self.reference.packs[&RegionCode(HOME)],
            filings: &self.filings,
            order,
        };
        desk.quote(&scene, expected, before, at);
    }

    fn settle(&mut self, order: &Order, expected: &Result<Box<Live>, RefRefusal>, at: &str) {
        self.file_until(order.settled_on);
        let found = self.try_settle(order, expected.as_ref().ok().map(|live| live.share.split.total()));
        match (found, expected) {
            (Ok((level, scheme, year, breakdown)), Ok(live)) => {
                assert_eq!(level, level_of(live.benefit), "{at}: benefit level");
                assert_eq!((scheme, year), (scheme_of(live.fund), BenefitYear(i32::from(live.year))), "{at}");
                same(&breakdown, &live.share, at);
                assert_eq!(breakdown.before, accumulators(&live.before), "{at}: accumulators before");
                assert_eq!(breakdown.check(), Ok(()), "{at}");
            }
            (Err(refusal), Err(expected)) => {
                assert_eq!(reason(&refusal), Some(*expected), "{at}: {refusal:?}")
            }
            (found, expected) => panic!("{at}: domain {found:?}, reference {expected:?}"),
        }
    }

    /// Filings made by that day, in the order in which they were told.
    fn file_until(&mut self, today: Date) {
        let (made, later): (Vec<_>, Vec<_>) =
            self.filings_to_come.drain(..).partition(|filing| filing.made <= today);
        self.filings_to_come = later;
        for filing in made {
            let filing = filing_of(&filing, self.version);
            self.record(day(today), None, Body::FilingMade(filing));
        }
    }

    fn try_settle(
        &mut self,
        order: &Order,
        fee: Option<i64>,
    ) -> Result<(BenefitLevel, Scheme, BenefitYear, Breakdown), Box<Refusal>> {
        let number = order.stay.number;
        self.admit(&order.stay)?;
        self.upload(order)?;
        if order.last_part && self.stays[&number].state.as_ref().unwrap().state != State::Discharged {
            self.discharge(order)?;
        }
        let row = &self.stays[&number];
        let state = row.state.as_ref().unwrap();
        let asked = self.settle_order(order, fee.map_or(state.open_totals().amount, Fen));
        let facts = SettleFacts {
            reference: &self.reference,
            key: &self.key,
            birth: Some(day(self.history.person.born)),
            person: &self.folded.person,
            stay_id: &row.id,
            stay: state,
            today: day(order.settled_on),
        };
        let settlement = settle(&facts, &asked)?;
        let (level, scheme, year) = (settlement.facts.level, settlement.scheme, settlement.year);
        let breakdown = settlement.breakdown.clone();
        let record = self.record(day(order.settled_on), Some(number), Body::Settled(Box::new(settlement)));
        self.settlements.insert(self.settlements.len(), record);
        Ok((level, scheme, year, breakdown))
    }

    fn settle_order(&self, order: &Order, fee: Fen) -> SettleOrder {
        SettleOrder {
            id: SettlementId::parse(&format!("S{}", self.settlements.len())).unwrap(),
            quote: false,
            part: !order.last_part,
            up_to: (!order.last_part).then(|| day(order.until)),
            fee,
            account_used: order.use_account,
            insutype: String::new(),
            psn_setlway: "01".to_owned(),
            credential_type: String::new(),
            invoice: String::new(),
            clearing_type: String::new(),
            clearing_way: String::new(),
        }
    }

    fn admit(&mut self, stay: &Stay) -> Result<(), Box<Refusal>> {
        if self.stays.contains_key(&stay.number) {
            return Ok(());
        }
        let admitted = day(stay.admission);
        let facts = AdmissionFacts {
            reference: &self.reference,
            key: &self.key,
            person: &self.folded.person,
            today: admitted,
        };
        let admission = admit(&facts, self.admission(stay))?.admission;
        let id = StayId::parse(&format!("M{}", stay.number)).unwrap();
        self.stays.insert(stay.number, StayFolded { id, state: None, lines: Lines::default(), version: 0 });
        self.record(admitted, Some(stay.number), Body::Admitted(admission));
        Ok(())
    }

    fn admission(&self, stay: &Stay) -> Admission {
        let (med_type, matn_type) = match stay.care {
            Care::Maternity(kind) => ("52", BIRTHS[kind].to_string()),
            _ => ("21", String::new()),
        };
        Admission {
            institution: institution_code(stay.institution),
            institution_region: RegionCode(stay.place),
            insutype: insutype(self.history.person.scheme_on(stay.admission)).to_owned(),
            med_type: med_type.to_owned(),
            begun: Moment::start_of(day(stay.admission)),
            emergency: stay.emergency,
            third_party: matches!(stay.care, Care::Injury { third_party: true, .. }),
            injury_cleared: true,
            matn_type,
            work_injury: matches!(stay.care, Care::Injury { .. }),
            credential_type: String::new(),
            inpatient_no: String::new(),
            department: String::new(),
            department_name: String::new(),
            bed: String::new(),
            raw: String::new(),
        }
    }

    /// Sends every line of the order; those that stand already come back as they are.
    fn upload(&mut self, order: &Order) -> Result<(), Box<Refusal>> {
        let row = &self.stays[&order.stay.number];
        let state = row.state.as_ref().unwrap();
        let admitted = day(order.stay.admission);
        let scene =
            Scene::set(&self.reference, RegionCode(HOME), &state.admission.institution, admitted).unwrap();
        let coverage = self.folded.person.register.coverage(&state.admission.insutype, admitted).unwrap();
        let facts = UploadFacts {
            catalogue: scene.catalogue().unwrap(),
            parties: scene.parties(coverage).unwrap(),
            scope: if state.admission.work_injury { Scope::Injury } else { Scope::Medical },
            standing: &row.lines,
            admitted,
            discharged: state.discharge.as_ref().map(|discharge| discharge.ended.day()),
            last_part: state.parts.last(),
            today: day(order.settled_on),
            tolerance: TOLERANCE,
        };
        let orders: Vec<LineOrder> = order.lines.iter().map(|line| line_order(line, &order.lines)).collect();
        let fresh = upload(&facts, &orders)?.fresh;
        if !fresh.is_empty() {
            self.record(day(order.until), Some(order.stay.number), Body::LinesUploaded(fresh));
        }
        Ok(())
    }

    fn discharge(&mut self, order: &Order) -> Result<(), Box<Refusal>> {
        let ended = Discharge {
            ended: Moment::start_of(day(order.until)),
            way: "1".to_owned(),
            department: String::new(),
            department_name: String::new(),
            bed: String::new(),
            matn_type: String::new(),
            raw: String::new(),
        };
        let row = &self.stays[&order.stay.number];
        let stay = StayInHand { id: &row.id, state: row.state.as_ref().unwrap() };
        discharge(stay, &ended, day(order.settled_on))?;
        self.record(day(order.settled_on), Some(order.stay.number), Body::Discharged(ended));
        Ok(())
    }

    fn reverse(&mut self, serial: usize, on: Date, expected: &Result<Box<Share>, RefRefusal>, at: &str) {
        let record = self.settlements[&serial].clone();
        let Body::Settled(settlement) = &record.body else { panic!("{at}: no settlement") };
        let number = self.stay_number(&record);
        let row = &self.stays[&number];
        let facts = ReversalFacts {
            reference: &self.reference,
            person: &self.folded.person,
            stay: StayInHand { id: &row.id, state: row.state.as_ref().unwrap() },
            record: &record,
            today: day(on),
        };
        let id = SettlementId::parse(&format!("R{}", self.version)).unwrap();
        match (reverse(&facts, &settlement.id, id), expected) {
            (Ok(reversal), Ok(share)) => {
                let negative = reversal.settlement.breakdown.negated();
                assert_eq!(negative.check(), Ok(()), "{at}");
                same(&negative, share, at);
                self.record(day(on), Some(number), Body::Reversed(Box::new(reversal)));
                self.desk.iter_mut().for_each(|desk| desk.reversed(serial));
            }
            (Err(refusal), Err(expected)) => {
                assert_eq!(reason(&refusal), Some(*expected), "{at}: {refusal:?}")
            }
            (found, expected) => panic!("{at}: domain {found:?}, reference {expected:?}"),
        }
    }

    fn stay_number(&self, record: &Record) -> usize {
        let (id, _) = record.stay.as_ref().unwrap();
        *self.stays.iter().find(|(_, row)| row.id == *id).unwrap().0
    }
}

fn kind(step: &Step) -> &'static str {
    match step {
        Step::File(_) => "a filing",
        Step::Outside { .. } => "an outside event",
        Step::Settle(..) => "a settlement",
        Step::Reverse { .. } => "a reversal",
    }
}
