//! The same settlements through the written stay of `banyan quote`, as JSON: what an outsider would send.
use super::convert::{accumulators, level_of, reason_word, same, scheme_of};
use super::facts::{HOSPITAL_LEVELS, insutype, quote_catalogue};
use super::packs::{BIRTHS, category, decimal};
use crate::reference::book::{Care, Live, Order, Person, Refusal};
use crate::reference::counts::Met;
use crate::reference::filing::{Category, Filing};
use crate::reference::lines::{Line, Split};
use crate::reference::pack::Scheme as RefScheme;
use banyan::config::stay::{Outcome, Refused, read_json, settle};
use banyan::domain::accumulators::Accumulators;
use banyan::domain::catalogue::Catalogue;
use banyan::domain::money::Fen;
use banyan::domain::pack::Pack;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::HashMap;

/// What a quote needs to know beside the order: the year as the settlement finds it.
pub(super) struct Before {
    pub(super) year: i16,
    pub(super) used: Accumulators,
    /// Of the deductible, what this institution got.
    pub(super) deductible_here: Fen,
    pub(super) balance: Fen,
}

/// A part that stands, and the world as it found it.
struct Part {
    serial: usize,
    order: Order,
    split: Split,
    before: Before,
    outside: usize,
}

/// Writes stays out of the steps of a history.
pub(super) struct Desk {
    catalogue: Catalogue,
    parts: HashMap<usize, Vec<Part>>,
    /// Events from outside so far: parts before and after one cannot stand in one written stay.
    outside: usize,
    pub(super) met: Met,
}

impl Desk {
    pub(super) fn new() -> Desk {
        Desk { catalogue: quote_catalogue(), parts: HashMap::new(), outside: 0, met: Met::default() }
    }

    pub(super) fn outside_event(&mut self) {
        self.outside += 1;
    }

    pub(super) fn reversed(&mut self, serial: usize) {
        self.parts.values_mut().for_each(|parts| parts.retain(|part| part.serial != serial));
    }

    /// Quotes one settlement, and keeps it if it stands.
    pub(super) fn quote(&mut self, scene: &Scene<'_>, expected: &Expected, before: Before, at: &str) {
        let order = scene.order;
        let earlier = self.parts.entry(order.stay.number).or_default();
        if earlier.iter().all(|part| part.outside == self.outside) {
            let first = earlier.is_empty();
            self.met.see(if first { "quote: a written stay" } else { "quote: a written stay in parts" });
            let text = written(scene, expected, earlier, &before).to_string();
            let stay = read_json(&text).unwrap_or_else(|faults| panic!("{at}: {faults:?}\n{text}"));
            check(
                settle(&stay, scene.pack, Some(&self.catalogue)),
                expected,
                &format!("{at}, quoted\n{text}"),
            );
        }
        if let Ok(live) = expected {
            let (serial, split, outside) = (live.serial, live.share.split, self.outside);
            earlier.push(Part { serial, order: order.clone(), split, before, outside });
        }
    }
}

type Expected = Result<Box<Live>, Refusal>;

/// What is asked, of whom, by which pack.
pub(super) struct Scene<'a> {
    pub(super) person: &'a Person,
    pub(super) pack: &'a Pack,
    /// All that were told of so far; some may be made later.
    pub(super) filings: &'a [Filing],
    pub(super) order: &'a Order,
}

fn check(found: Result<Outcome, Refused>, expected: &Expected, at: &str) {
    match (found, expected) {
        (Ok(outcome), Ok(live)) => {
            let last = outcome.settlements.last().unwrap();
            assert_eq!(outcome.scheme, scheme_of(live.fund), "{at}");
            assert_eq!(last.level, level_of(live.benefit), "{at}: benefit level");
            same(&last.breakdown, &live.share, at);
            assert_eq!(last.breakdown.before, accumulators(&live.before), "{at}: year before");
        }
        (Err(refused), Err(expected)) => assert_eq!(refused.code(), reason_word(*expected), "{at}"),
        (found, expected) => panic!("{at}: {found:?}, reference {expected:?}"),
    }
}

fn yuan(fen: i64) -> String {
    Decimal::new(fen, 2).to_string()
}

fn written(scene: &Scene<'_>, expected: &Expected, earlier: &[Part], before: &Before) -> Value {
    let Scene { person, filings, order, .. } = *scene;
    let stay = &order.stay;
    let befores = || earlier.iter().map(|part| &part.before).chain([before]);
    let first = befores().next().unwrap();
    let mut settlements: Vec<Value> =
        earlier.iter().map(|part| settlement(&part.order, Some(&part.split))).collect();
    let split = expected.as_ref().ok().map(|live| live.share.split);
    settlements.push(settlement(order, split.as_ref().filter(|_| !earlier.is_empty())));
    let mut root = json!({
        "person": written_person(person, order, first.balance),
        "insutype": insurance(person, order),
        "hosp_lv": HOSPITAL_LEVELS[stay.level],
        "mdtrtarea_admdvs": stay.place.to_string(),
        "filings": filings.iter().map(written_filing).collect::<Vec<_>>(),
        "admission": stay.admission.to_string(),
        "discharge": order.until.to_string(),
        "emergency": stay.emergency,
        "year": written_year(first),
        "settlements": settlements,
    });
    if first.year != before.year {
        let of_year = befores().find(|other| other.year == before.year).unwrap();
        root["other_years"] = json!({ of_year.year.to_string(): written_year(of_year) });
    }
    match stay.care {
        Care::General => {}
        Care::Maternity(kind) => {
            root["med_type"] = json!(52);
            root["matn_type"] = json!(BIRTHS[kind]);
        }
        Care::Injury { recognised, third_party } => {
            root["injury"] =
                json!({ "work_injury_recognised": recognised, "third_party_liable": third_party });
        }
    }
    if earlier.is_empty() {
        root["lines"] = order.lines.iter().map(|line| written_line(line, order)).collect();
    } else {
        let all = earlier.iter().map(|part| part.split).chain(split).fold(Split::default(), Split::plus);
        root["totals"] = written_totals(&all);
    }
    root
}

fn insurance(person: &Person, order: &Order) -> &'static str {
    match order.stay.care {
        Care::Injury { .. } => "410",
        _ => insutype(person.scheme_on(order.stay.admission)),
    }
}

fn written_person(person: &Person, order: &Order, balance: Fen) -> Value {
    let admission = order.stay.admission;
    let standing = person.standing(admission);
    let person_type = match (person.scheme_on(admission), standing.retired) {
        (RefScheme::Resident, _) => 14,
        (RefScheme::Employee, true) => 12,
        (RefScheme::Employee, false) => 11,
    };
    let mut written = json!({
        "birth": person.born.to_string(),
        "psn_type": person_type,
        "civil_servant": standing.civil_servant,
        "account_balance": yuan(balance.0),
    });
    if let Some(number) = standing.category {
        written["assistance"] = json!(category(number).code());
    }
    written
}

fn written_year(before: &Before) -> Value {
    let used = &before.used;
    json!({
        "admissions": used.admissions,
        "deductible": yuan(used.deductible.0),
        "hifp": yuan(used.hifp.0),
        "hifob": yuan(used.hifob.0),
        "hifmi": yuan(used.hifmi.0),
        "burden": yuan(used.burden.0),
        "maf": yuan(used.maf.0),
        "deductible_here": yuan(before.deductible_here.0),
    })
}

fn written_filing(filing: &Filing) -> Value {
    let code = match filing.category {
        Category::LongTerm => "LT_RESIDENT",
        Category::Referral => "TMP_REFERRAL",
        Category::OtherTemporary => "TMP_OTHER",
    };
    let mut written = json!({
        "category": code,
        "from": filing.from.to_string(),
        "made_on": filing.made.to_string(),
        "place": filing.place.to_string(),
    });
    if let Some(last) = filing.until {
        written["to"] = json!(last.to_string());
    }
    written
}

fn settlement(order: &Order, split: Option<&Split>) -> Value {
    let mut written = json!({
        "kind": if order.last_part { "final" } else { "part" },
        "settled_on": order.settled_on.to_string(),
        "use_account": order.use_account,
    });
    if !order.last_part {
        written["through"] = json!(order.until.to_string());
    }
    if let Some(split) = split {
        written["totals"] = written_totals(split);
    }
    written
}

fn written_totals(split: &Split) -> Value {
    json!({
        "fulamt_ownpay_amt": yuan(split.full_own),
        "overlmt_selfpay": yuan(split.over_limit),
        "preselfpay_amt": yuan(split.first_pay),
        "inscp_scp_amt": yuan(split.in_scope),
    })
}

fn written_line(line: &Line, order: &Order) -> Value {
    let mut written = json!({
        "no": line.no.to_string(),
        "code": line.item.code,
        "price": decimal(line.price).to_string(),
        "count": Decimal::new(line.count, 2).to_string(),
        "amount": yuan(line.amount),
        "date": line.day.to_string(),
        "approved": line.approved,
    });
    if let Some(index) = line.refunds {
        written["refund_of"] = json!(order.lines[index].no.to_string());
    }
    written
}
