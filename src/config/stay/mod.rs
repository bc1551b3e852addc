//! Owns the written stay: one stay as a clerk, a pack's case or a tester writes it, and what a pack makes of it.

mod bill;
mod catalogue;
mod figures;
mod lines;
mod place;
mod read;
mod settle;

use rust_decimal::Decimal;

pub use self::bill::SplitLine;
pub use self::catalogue::CatalogueFault;
pub use self::catalogue::read_catalogue;
pub use self::figures::accumulators;
pub use self::figures::amount_names;
pub use self::figures::amounts;
pub use self::figures::total;
pub use self::read::read;
pub use self::settle::Outcome;
pub use self::settle::Refused;
pub use self::settle::Settled;
pub use self::settle::SettledKind;
pub use self::settle::settle;

use crate::config::reader::Fault;
use crate::config::reader::Faults;
use crate::config::reader::Table;
use crate::config::tree::Node;
use crate::config::tree::NotReadable;
use crate::config::tree::Spot;
use crate::config::tree::from_json;
use crate::config::tree::from_toml;
use crate::domain::accumulators::Accumulators;
use crate::domain::breakdown::BillTotals;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::CareKind;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::InsuranceCode;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::PersonType;
use crate::domain::codes::Scheme;
use crate::domain::codes::WorkStatus;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::filing::PlaceRelation;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::money::Rate;

/// One stay with all that decides about it.
#[derive(Clone, Debug)]
pub struct WrittenStay {
    /// Any label; comes back in the answer.
    pub id: Option<String>,
    pub person: WrittenPerson,
    pub scheme: SchemeChoice,
    /// 医疗类别; 21 where the file says nothing.
    pub care: CareKind,
    pub maternity: Option<MaternityKind>,
    pub hospital: HospitalLevel,
    pub place: PlaceChoice,
    pub filings: Vec<WrittenFiling>,
    pub admitted: Day,
    /// `None`: still in hospital, parts only.
    pub discharged: Option<Day>,
    pub emergency: bool,
    /// The benefit year in which the first settlement falls.
    pub year: YearSoFar,
    /// Other benefit years that the stay reaches into.
    pub other_years: Vec<(BenefitYear, YearSoFar)>,
    pub bill: WrittenBill,
    pub use_account: bool,
    pub injury: Option<WrittenInjury>,
    /// In order. Empty: one final settlement of the whole bill.
    pub settlements: Vec<WrittenSettlement>,
}

/// Her register rows on the day of admission.
#[derive(Clone, Debug)]
pub struct WrittenPerson {
    pub age: Age,
    /// As written or as the person type says.
    pub status: WorkStatus,
    pub person_type: PersonType,
    pub civil_servant: bool,
    pub assistance: Option<AssistanceCategory>,
    pub account_balance: Fen,
}

impl WrittenPerson {
    /// In work, no flags, no account: what a stay means that says nothing of the person.
    pub fn unknown() -> WrittenPerson {
        WrittenPerson {
            age: Age::Unknown,
            status: WorkStatus::Active,
            person_type: PersonType::new(11).expect("11 is two digits"),
            civil_servant: false,
            assistance: None,
            account_balance: Fen::ZERO,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Enough for packs without an age bonus.
    Unknown,
    /// On the day of admission.
    Years(i32),
    Born(Day),
}

/// Which rules the stay runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeChoice {
    /// Named.
    Scheme(Scheme),
    /// By 险种, as the pack maps it together with the 医疗类别.
    Insurance(InsuranceCode),
}

/// Where she is treated, or straight away what that leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceChoice {
    Level(BenefitLevel),
    Relation(PlaceRelation),
    Region(RegionCode),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFiling {
    pub category: FilingCategory,
    pub from: Day,
    pub to: Option<Day>,
    pub made_on: Day,
    pub target: FilingTarget,
    pub proof: FilingProof,
    pub ended_from: Option<Day>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilingTarget {
    /// The place of this stay.
    Here,
    /// Any other place.
    Elsewhere,
    Region(RegionCode),
}

/// What she has used of her benefits in one year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct YearSoFar {
    pub totals: Accumulators,
    /// Of the deductible, what was borne at this institution.
    pub deductible_here: Fen,
}

#[derive(Clone, Debug)]
pub enum WrittenBill {
    Totals(BillTotals),
    Lines(Vec<WrittenLine>),
}

/// One fee line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenLine {
    /// For messages and refunds; its number in the file where it has none.
    pub no: String,
    pub price: Decimal,
    pub count: Decimal,
    /// Price × count where the file gives none.
    pub amount: Option<Fen>,
    pub day: Option<Day>,
    pub facts: LineFacts,
    pub approved: bool,
    /// Number of the earlier line that it refunds, whose facts count.
    pub refund_of: Option<String>,
    /// The keys of the wire that it was written with, so that a fault names what stands in the file.
    pub wire_names: Vec<&'static str>,
}

/// What is written about the item of a line. A catalogue, where one is given, decides about a code; what stands beside
/// the code must then say the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineFacts {
    pub code: Option<String>,
    pub class: Option<ChargeLevel>,
    pub first_pay: Option<Rate>,
    pub limit: Option<Decimal>,
    pub restricted: Option<bool>,
    pub injury_catalogue: Option<bool>,
}

/// Flags of an injury.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenInjury {
    /// 认定: a recognition of work injury covers the admission.
    pub recognised: bool,
    /// 第三方责任 `ttp_resp` 1.
    pub third_party: bool,
    /// She signed that no third party is liable.
    pub commitment: bool,
    /// The stay is for an injury at all.
    pub traumatic: bool,
}

/// One step in the settling of the stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenSettlement {
    pub kind: WrittenKind,
    /// The day of the settlement, which decides which filings count. `None`: the last day that it settles.
    pub settled_on: Option<Day>,
    /// In place of what place and filings lead to.
    pub level: Option<BenefitLevel>,
    /// In place of the stay's own choice.
    pub use_account: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrittenKind {
    /// Mid-stay: everything up to a day, or these amounts with that day as their last.
    Part { through: Day, totals: Option<BillTotals> },
    /// All that is left, or these amounts.
    Final { totals: Option<BillTotals> },
    /// The last settlement that stands is reversed.
    Reverse,
}

/// Reads a stay from TOML.
///
/// # Errors
/// All faults.
pub fn read_toml(text: &str) -> Result<WrittenStay, Vec<Fault>> {
    read_tree(from_toml(text))
}

/// Reads a stay from JSON.
///
/// # Errors
/// All faults.
pub fn read_json(text: &str) -> Result<WrittenStay, Vec<Fault>> {
    read_tree(from_json(text))
}

/// What a text is that is no stay at all.
fn no_stay(node: &Node) -> Option<String> {
    match node {
        Node::Table(entries) if entries.is_empty() => {
            Some("holds no key: expected a stay; docs/quote.md says how one is written".to_owned())
        }
        Node::Table(_) => None,
        Node::List(_) => Some(format!(
            "is {}: expected a table of keys for one stay; write several stays as one object a line",
            node.shown()
        )),
        Node::Text(_) | Node::Number(_) | Node::Flag(_) | Node::Day(_) | Node::Nothing | Node::Strange(_) => {
            Some(format!("is {}: expected a table of keys for one stay", node.shown()))
        }
    }
}

fn read_tree(tree: Result<Spot, NotReadable>) -> Result<WrittenStay, Vec<Fault>> {
    let tree = tree.map_err(|cause| {
        vec![Fault { line: cause.line, path: String::new(), message: cause.message.trim().to_owned() }]
    })?;
    if let Some(message) = no_stay(&tree.node) {
        return Err(vec![Fault { line: None, path: String::new(), message }]);
    }
    let faults = Faults::default();
    let stay = Table::root(&tree, &faults).and_then(read);
    stay.filter(|_| faults.count() == 0).ok_or_else(|| faults.into_list())
}
