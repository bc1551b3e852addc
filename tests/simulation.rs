//! Several hospitals at once, their clerks and their lines as they are: messages twice, too late, out of order, answers
//! lost on the way, undone while under way. Whatever happened, in the end the books add up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use banyan::domain::accumulators::Accumulators;
use banyan::domain::calendar::BenefitYear;
use banyan::domain::clearing::MonthRow;
use banyan::domain::codes::HospitalLevel;
use banyan::domain::money::Fen;
use banyan::domain::record::Body;
use banyan::domain::record::Record;
use banyan::domain::record::Settlement;
use banyan::sandbox::play;
use banyan::sandbox::population::Insured;
use banyan::sandbox::stays;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::story::HEART;
use banyan::sandbox::story::KNEE;
use banyan::sandbox::story::LUNG;
use bytes::Bytes;
use rand::RngExt as _;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::support::answer::Answer;
use crate::support::books;
use crate::support::people::EMPLOYEE;
use crate::support::people::RESIDENT;
use crate::support::people::RETIRED;
use crate::support::people::Wanted;
use crate::support::world::World;
use crate::support::world::today;

/// Another one can be given in the environment as `SIMULATION_SEED`.
const SEED: u64 = 20_261_124;
const CLERKS: u64 = 6;
const ACTIONS: usize = 220;
const PATH: &str = "/fsi/api/rsfComIfsService/callService";

/// Where people are treated: at home, in another city, in another province.
const PLACES: [(u32, HospitalLevel); 4] = [
    (440_700, HospitalLevel::Two),
    (440_700, HospitalLevel::Three),
    (440_100, HospitalLevel::Three),
    (430_100, HospitalLevel::Three),
];

fn people() -> Vec<Wanted> {
    let kinds = [
        EMPLOYEE.with_balance(500_000),
        RETIRED.with_balance(120_000),
        RESIDENT,
        RESIDENT.assisted("2303"),
        Wanted { civil_servant: true, person_type: "1102", ..EMPLOYEE },
        EMPLOYEE.of(440_100, 440_104),
        EMPLOYEE.of(440_600, 440_604),
        EMPLOYEE.of(440_400, 440_402),
    ];
    kinds.into_iter().cycle().take(16).collect()
}

/// A patient as the hospitals of the simulation know her: what each has written down, true or not.
struct Patient {
    insured: Insured,
    /// Her stay at each place, and the number that the place was told for it.
    stays: Vec<(Stay, String)>,
    /// Sum of the lines sent up and not settled, in fen, by place.
    sent: Vec<i64>,
    /// Settlements answered: place, number, sum of their lines.
    settled: Vec<(usize, String, i64)>,
}

impl Patient {
    fn took(&mut self, place: usize, settled: &Answer) {
        let fee = fen(settled.amount("medfee_sumamt"));
        self.sent[place] -= fee;
        self.settled.push((place, settled.setl_id(), fee));
    }
}

/// A message that was sent, and its first success.
#[derive(Clone)]
struct Sent {
    code: String,
    infno: String,
    msgid: String,
    patient: usize,
    body: Bytes,
    first: Option<Bytes>,
}

struct Simulation {
    world: World,
    patients: Vec<Mutex<Patient>>,
    log: Mutex<Vec<Sent>>,
    /// How often each thing was answered, by `infno` and code of the refusal.
    seen: Mutex<BTreeMap<(String, String), usize>>,
}

#[derive(Clone, Copy)]
enum Action {
    Admit,
    Upload,
    Withdraw,
    Discharge,
    Quote,
    Settle,
    SettlePart,
    SettleAfterLosingTheAnswer,
    Reverse,
    CancelDischarge,
    CancelAdmission,
    File,
    Repeat,
    Undo,
    UndoWhatNeverCame,
    WholeStay,
}

const ACTION_WEIGHTS: [(Action, u32); 16] = [
    (Action::Admit, 8),
    (Action::Upload, 14),
    (Action::Withdraw, 2),
    (Action::Discharge, 8),
    (Action::Quote, 6),
    (Action::Settle, 9),
    (Action::SettlePart, 6),
    (Action::SettleAfterLosingTheAnswer, 6),
    (Action::Reverse, 9),
    (Action::CancelDischarge, 3),
    (Action::CancelAdmission, 3),
    (Action::File, 2),
    (Action::Repeat, 14),
    (Action::Undo, 6),
    (Action::UndoWhatNeverCame, 2),
    (Action::WholeStay, 8),
];

fn drawn(dice: &mut ChaCha8Rng) -> Action {
    let total: u32 = ACTION_WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let mut at = dice.random_range(0..total);
    for (action, weight) in ACTION_WEIGHTS {
        if at < weight {
            return action;
        }
        at -= weight;
    }
    Action::Repeat
}

impl Simulation {
    async fn start() -> Simulation {
        let world = World::start().await;
        let mut patients = Vec::new();
        for (at, wanted) in people().iter().enumerate() {
            let insured = world.insure(wanted).await;
            let stays = PLACES.iter().map(|(pool, level)| {
                let charges = [&KNEE[..], &LUNG, &HEART][at % 3];
                let when = stays::Visit {
                    hospital: world.hospital(*pool, *level),
                    admitted: today().plus_days(-15),
                    discharged: today().plus_days(-1),
                };
                (stays::stay(&insured, &when, charges, &format!("Z{at}")), String::new())
            });
            let stays: Vec<_> = stays.collect();
            let sent = vec![0; stays.len()];
            patients.push(Mutex::new(Patient { insured, stays, sent, settled: Vec::new() }));
        }
        Simulation { world, patients, log: Mutex::default(), seen: Mutex::default() }
    }

    /// Sends a message under a fresh id and writes it down.
    async fn send(&self, patient: usize, stay: &Stay, infno: &str, input: Value) -> Answer {
        let message = self.world.message(&stay.fixmedins_code, infno, &stay.insuplc_admdvs, &input);
        let msgid = message["msgid"].as_str().unwrap().to_owned();
        let body = Bytes::from(message.to_string());
        let answer = self.world.send_text(&stay.fixmedins_code, body.clone()).await;
        let first = answer.ok().then(|| answer.bytes.clone());
        let (code, infno) = (stay.fixmedins_code.clone(), infno.to_owned());
        self.count(&infno, &answer);
        self.log.lock().unwrap().push(Sent { code, infno, msgid, patient, body, first });
        answer
    }

    fn count(&self, infno: &str, answer: &Answer) {
        let key = (infno.to_owned(), answer.code().to_owned());
        *self.seen.lock().unwrap().entry(key).or_default() += 1;
    }

    /// What a place has written down of a patient.
    fn sheet(&self, patient: usize, place: usize) -> (Stay, String) {
        self.patients[patient].lock().unwrap().stays[place].clone()
    }

    async fn act(&self, dice: &mut ChaCha8Rng) {
        let patient = dice.random_range(0..self.patients.len());
        let place = self.place(patient, dice);
        match drawn(dice) {
            Action::Admit => self.admit(patient, place).await,
            Action::Upload => self.upload(patient, place, dice).await,
            Action::Withdraw => self.withdraw(patient, place).await,
            Action::Discharge => {
                let (stay, id) = self.sheet(patient, place);
                self.send(patient, &stay, "2402", play::discharge(&stay, &id)).await;
            }
            Action::Quote => {
                let (stay, id) = self.sheet(patient, place);
                let input = play::settle(&stay, &id, &self.fee(patient, place));
                let message = self.world.message(&stay.fixmedins_code, "2303", &stay.insuplc_admdvs, &input);
                self.count("2303", &self.world.send(&message).await);
            }
            Action::Settle => self.settle(patient, place, false).await,
            Action::SettlePart => self.settle(patient, place, true).await,
            Action::SettleAfterLosingTheAnswer => self.lose_the_answer(patient, place).await,
            Action::Reverse => self.reverse(patient, dice).await,
            Action::CancelDischarge => self.cancel(patient, place, "2405").await,
            Action::CancelAdmission => self.cancel(patient, place, "2404").await,
            Action::File => self.file(patient, dice).await,
            Action::Repeat => self.repeat(dice).await,
            Action::Undo => self.undo(dice).await,
            Action::UndoWhatNeverCame => {
                let (stay, _) = self.sheet(patient, place);
                let never = format!("NEVER{}", dice.random_range(0..1_000_000));
                self.send(patient, &stay, "2601", play::undo(&stay, "2304", &never)).await;
            }
            Action::WholeStay => {
                self.admit(patient, place).await;
                self.upload(patient, place, dice).await;
                if dice.random_ratio(1, 2) {
                    self.settle(patient, place, true).await;
                    self.upload(patient, place, dice).await;
                }
                let (stay, id) = self.sheet(patient, place);
                self.send(patient, &stay, "2402", play::discharge(&stay, &id)).await;
                self.settle(patient, place, false).await;
            }
        }
    }

    /// Most often where she was admitted before, sometimes anywhere: clerks mistake one patient for another.
    fn place(&self, patient: usize, dice: &mut ChaCha8Rng) -> usize {
        let sheet = self.patients[patient].lock().unwrap();
        let known: Vec<usize> = (0..PLACES.len()).filter(|at| !sheet.stays[*at].1.is_empty()).collect();
        match known.len() {
            0 => dice.random_range(0..PLACES.len()),
            _ if dice.random_ratio(1, 4) => dice.random_range(0..PLACES.len()),
            some => known[dice.random_range(0..some)],
        }
    }

    async fn admit(&self, patient: usize, place: usize) {
        let (stay, _) = self.sheet(patient, place);
        let answer = self.send(patient, &stay, "2401", play::admit(&stay)).await;
        if answer.ok() {
            let mut sheet = self.patients[patient].lock().unwrap();
            sheet.stays[place].1 = answer.mdtrt_id();
            sheet.sent[place] = 0;
        }
    }

    /// Some of her lines, under numbers of their own.
    async fn upload(&self, patient: usize, place: usize, dice: &mut ChaCha8Rng) {
        let (stay, id) = self.sheet(patient, place);
        let count = dice.random_range(1..=stay.lines.len());
        let mut lines = stay.lines[..count].to_vec();
        for line in &mut lines {
            line.feedetl_sn = format!("L{}", dice.random_range(0..1_000_000_000));
        }
        let answer = self.send(patient, &stay, "2301", play::upload(&stay, &id, &lines)).await;
        if answer.ok() {
            let sum: i64 = lines.iter().map(|line| fen(&line.det_item_fee_sumamt)).sum();
            self.patients[patient].lock().unwrap().sent[place] += sum;
        }
    }

    async fn withdraw(&self, patient: usize, place: usize) {
        let (stay, id) = self.sheet(patient, place);
        if self.send(patient, &stay, "2302", play::withdraw_all(&stay, &id)).await.ok() {
            self.patients[patient].lock().unwrap().sent[place] = 0;
        }
    }

    fn fee(&self, patient: usize, place: usize) -> String {
        Fen(self.patients[patient].lock().unwrap().sent[place]).to_string()
    }

    /// All that is not settled yet, as a part of the stay or at its end.
    async fn settle(&self, patient: usize, place: usize, part: bool) {
        let (stay, id) = self.sheet(patient, place);
        let mut input = play::settle(&stay, &id, &self.fee(patient, place));
        if part {
            input["data"]["mid_setl_flag"] = "1".into();
        }
        let answer = self.send(patient, &stay, "2304", input).await;
        if part {
            self.count("2304 part", &answer);
        }
        if answer.ok() {
            self.patients[patient].lock().unwrap().took(place, &answer);
        }
    }

    /// The line breaks as soon as the message is out. Then it is sent again, or undone.
    async fn lose_the_answer(&self, patient: usize, place: usize) {
        let (stay, id) = self.sheet(patient, place);
        let input = play::settle(&stay, &id, &self.fee(patient, place));
        let message = self.world.message(&stay.fixmedins_code, "2304", &stay.insuplc_admdvs, &input);
        let (msgid, body) = (message["msgid"].as_str().unwrap().to_owned(), Bytes::from(message.to_string()));
        let mut line = self.world.line(&stay.fixmedins_code).open().await.unwrap();
        tokio::select! {
            biased;
            _ = line.post(PATH, &[], body.clone()) => {}
            () = tokio::task::yield_now() => {}
        }
        drop(line);
        let mut undone = false;
        if patient.is_multiple_of(2) {
            let undo = play::undo(&stay, "2304", &msgid);
            undone = self.send(patient, &stay, "2601", undo).await.ok();
        }
        let answer = self.world.send_text(&stay.fixmedins_code, body.clone()).await;
        assert!(!(undone && answer.ok()), "undone, and yet it was done");
        self.count("2304", &answer);
        let first = answer.ok().then(|| answer.bytes.clone());
        let (code, infno) = (stay.fixmedins_code.clone(), "2304".to_owned());
        self.log.lock().unwrap().push(Sent { code, infno, msgid, patient, body, first });
        if answer.ok() {
            self.patients[patient].lock().unwrap().took(place, &answer);
        }
    }

    async fn reverse(&self, patient: usize, dice: &mut ChaCha8Rng) {
        let settled = self.patients[patient].lock().unwrap().settled.clone();
        // Most often the last one, sometimes one before it.
        let back = if dice.random_ratio(3, 4) { 0 } else { dice.random_range(0..settled.len().max(1)) };
        let Some((place, setl_id, fee)) = settled.iter().rev().nth(back) else { return };
        let (stay, id) = self.sheet(patient, *place);
        if self.send(patient, &stay, "2305", play::reverse(&stay, &id, setl_id)).await.ok() {
            let mut sheet = self.patients[patient].lock().unwrap();
            sheet.sent[*place] += fee;
            sheet.settled.retain(|(_, other, _)| other != setl_id);
        }
    }

    async fn cancel(&self, patient: usize, place: usize, infno: &str) {
        let (stay, id) = self.sheet(patient, place);
        self.send(patient, &stay, infno, play::cancel(&stay, &id)).await;
    }

    async fn file(&self, patient: usize, dice: &mut ChaCha8Rng) {
        let person = self.patients[patient].lock().unwrap().insured.person.clone();
        let category = ["LT_WORKER", "TMP_OTHER", "TMP_REFERRAL"][dice.random_range(0..3_usize)];
        // Refused where a long-term filing stands already.
        let _filed = self.world.file(&person, category, 430_100).await;
    }

    fn any_sent(&self, dice: &mut ChaCha8Rng, wanted: impl Fn(&Sent) -> bool) -> Option<Sent> {
        let log = self.log.lock().unwrap();
        let found: Vec<&Sent> = log.iter().filter(|sent| wanted(sent)).collect();
        (!found.is_empty()).then(|| found[dice.random_range(0..found.len())].clone())
    }

    /// What was answered once is answered so for ever, or said to be undone.
    async fn repeat(&self, dice: &mut ChaCha8Rng) {
        let Some(sent) = self.any_sent(dice, |sent| sent.first.is_some()) else { return };
        let answer = self.world.send_text(&sent.code, sent.body.clone()).await;
        self.count(&sent.infno, &answer);
        let same = Some(&answer.bytes) == sent.first.as_ref();
        assert!(
            same || answer.code() == "undone-since",
            "{} {}: {}",
            sent.infno,
            sent.msgid,
            answer.err_msg()
        );
    }

    async fn undo(&self, dice: &mut ChaCha8Rng) {
        let undoable = |sent: &Sent| matches!(sent.infno.as_str(), "2304" | "2305" | "2401");
        let Some(sent) = self.any_sent(dice, undoable) else { return };
        let place = (0..PLACES.len()).find(|at| self.sheet(sent.patient, *at).0.fixmedins_code == sent.code);
        let (stay, _) = self.sheet(sent.patient, place.unwrap());
        self.send(sent.patient, &stay, "2601", play::undo(&stay, &sent.infno, &sent.msgid)).await;
    }
}

fn seed() -> u64 {
    std::env::var("SIMULATION_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED)
}

fn fen(yuan: &str) -> i64 {
    yuan.replace('.', "").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_hospitals_send_the_books_add_up() {
    let simulation = Arc::new(Simulation::start().await);
    let clerks = (0..CLERKS).map(|clerk| {
        let simulation = Arc::clone(&simulation);
        tokio::spawn(async move {
            let mut dice = ChaCha8Rng::seed_from_u64(seed() + clerk);
            for _ in 0..ACTIONS {
                simulation.act(&mut dice).await;
            }
        })
    });
    for clerk in clerks.collect::<Vec<_>>() {
        clerk.await.unwrap();
    }
    has_seen_enough(&simulation);
    simulation.world.is_sound().await;
    let mut from_records = Vec::new();
    for patient in &simulation.patients {
        let person = patient.lock().unwrap().insured.person.clone();
        let records = books::records(&*simulation.world.app.service.ledger, &person).await;
        from_records.extend(moved(&simulation, &person, &records).await);
    }
    month_is_what_the_records_moved(&simulation, from_records).await;
}

/// Each thing happened, and none of the gateway's own faults.
fn has_seen_enough(simulation: &Simulation) {
    let seen = simulation.seen.lock().unwrap();
    let count = |infno: &str, code: &str| seen.get(&(infno.into(), code.into())).copied().unwrap_or(0);
    for (infno, at_least) in
        [("2401", 30), ("2301", 30), ("2402", 30), ("2304", 30), ("2304 part", 5), ("2305", 15), ("2601", 20)]
    {
        assert!(count(infno, "") >= at_least, "{infno} succeeded {} times: {seen:?}", count(infno, ""));
    }
    assert!(count("2304", "undone-since") + count("2304", "fenced") > 0, "{seen:?}");
    let ours = ["internal-check-failed", "broken-off", "timed-out", "ledger-unavailable"];
    assert!(!seen.keys().any(|(_, code)| ours.contains(&code.as_str())), "{seen:?}");
}

/// What her records moved, as the month must have it; her year is the sum of it.
async fn moved(
    simulation: &Simulation,
    person: &banyan::domain::ids::PersonKey,
    records: &[Arc<Record>],
) -> Vec<(i64, MonthRow)> {
    let (mut rows, mut used, mut year) = (Vec::new(), Accumulators::ZERO, None);
    for record in records {
        let (sign, settlement, entries): (i64, &Settlement, _) = match &record.body {
            Body::Settled(settled) => (1, settled, &settled.entries),
            Body::Reversed(reversal) => (-1, &reversal.settlement, &reversal.entries),
            Body::Revived(revival) => (1, &revival.settlement, &revival.entries),
            _ => continue,
        };
        assert_eq!(entries.iter().map(|entry| entry.amount).sum::<Fen>(), Fen::ZERO);
        let breakdown = &settlement.breakdown;
        assert_eq!(breakdown.medfee_sumamt, breakdown.fund_pay_sumamt + breakdown.psn_part_amt);
        assert_eq!(
            settlement.year,
            BenefitYear(if person.pool.0 == 440_400 { settlement.year.0 } else { 2026 })
        );
        let change = if sign > 0 { breakdown.change } else { -breakdown.change };
        used = used + change;
        year = Some((settlement.scheme, settlement.year));
        rows.push((sign, row(sign, settlement)));
    }
    if let Some((scheme, BenefitYear(year))) = year {
        let kept = books::year(&*simulation.world.app.service.ledger, person, scheme, year).await;
        // Assistance is kept beside the schemes.
        assert_eq!(kept, Accumulators { maf: kept.maf, ..used }, "{person:?}");
        assert!(kept.admissions >= 0);
    }
    rows
}

fn row(sign: i64, settlement: &Settlement) -> MonthRow {
    let breakdown = &settlement.breakdown;
    let signed = |amount: Fen| if sign > 0 { amount } else { -amount };
    MonthRow {
        insured_pool: settlement.insured_pool,
        care_pool: settlement.institution_pool,
        institution: settlement.institution.clone(),
        medfee: signed(breakdown.medfee_sumamt),
        fund: signed(breakdown.fund_pay_sumamt),
        account: signed(breakdown.acct_pay),
        cash: signed(breakdown.psn_cash_pay),
        sign,
    }
}

async fn month_is_what_the_records_moved(simulation: &Simulation, expected: Vec<(i64, MonthRow)>) {
    let service = &simulation.world.app.service;
    let rows = books::month(&*service.ledger, today().month()).await;
    assert_eq!(rows.len(), expected.len(), "every settlement and reversal is in the month once");
    let mut kept: Vec<String> = rows.iter().map(|row| format!("{:?}", row.row)).collect();
    let mut told: Vec<String> = expected.iter().map(|(_, row)| format!("{row:?}")).collect();
    kept.sort();
    told.sort();
    assert_eq!(kept, told);
    let month = service.clearing_month(today().month()).await.unwrap();
    let net: Fen = month.positions().values().map(|position| position.net()).sum();
    assert_eq!(net, Fen::ZERO);
}
