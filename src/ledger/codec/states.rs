//! Owns how persons and stays are kept as they stand.

use std::sync::Arc;

use crate::domain::accumulators::Accumulators;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::codes::Scheme;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::person::AssistanceSpan;
use crate::domain::person::Balance;
use crate::domain::person::Coverage;
use crate::domain::person::CoverageStatus;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Recognition;
use crate::domain::person::Register;
use crate::domain::record::Admission;
use crate::domain::record::Discharge;
use crate::domain::record::LineTotals;
use crate::domain::record::MessageKey;
use crate::domain::state::Debit;
use crate::domain::state::Live;
use crate::domain::state::OpenStay;
use crate::domain::state::Part;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::domain::state::YearUse;
use crate::domain::stay::State;
use crate::ledger::codec::text::Keep;
use crate::ledger::codec::text::Text;

word!(CoverageStatus { Active = "active", Paused = "paused", Ended = "ended" });

object!(Coverage {
    insutype: String,
    person_type: String,
    status: CoverageStatus,
    civil_servant: bool = default,
    region: RegionCode,
    from: Day,
    to: Option<Day> = default,
});

object!(AssistanceSpan { category: String, from: Day, to: Option<Day> = default });

object!(Recognition { number: String, from: Day, to: Option<Day> = default });

object!(Balance { amount: Fen, taken_at: Instant });

object!(Register {
    coverages: Vec<Coverage> = default,
    assistance: Vec<AssistanceSpan> = default,
    recognitions: Vec<Recognition> = default,
});

object!(PersonPrivate {
    name: String = default,
    certificate_type: String = default,
    certificate_number: String = default,
    gender: String = default,
    ethnicity: String = default,
    birth: Option<Day> = default,
    phone: String = default,
    card_number: String = default,
    employer: String = default,
});

plain!(FilingCategory: String, |category| category.code().into(), |code| FilingCategory::from_code(&code));

word!(FilingProof { Documents = "documents", Commitment = "commitment" });

/// Form of [`FiledBy`].
#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Filer {
    Hospital(InstitutionCode, RegionCode),
    Center,
    Person,
    Import,
}

impl Keep for FiledBy {
    fn keep(&self, to: &mut Text) {
        match self {
            FiledBy::Hospital { code, pool } => to.object(|to| {
                to.field("\"hospital\":", &(code, pool));
            }),
            FiledBy::Center => to.string("center"),
            FiledBy::Person => to.string("person"),
            FiledBy::Import => to.string("import"),
        }
    }
}

impl<'de> serde::Deserialize<'de> for FiledBy {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match <Filer as serde::Deserialize>::deserialize(from)? {
            Filer::Hospital(code, pool) => FiledBy::Hospital { code, pool },
            Filer::Center => FiledBy::Center,
            Filer::Person => FiledBy::Person,
            Filer::Import => FiledBy::Import,
        })
    }
}

object!(Filing {
    id: FilingId,
    category: FilingCategory,
    target: RegionCode,
    from: Day,
    to: Option<Day> = default,
    made_on: Day,
    proof: FilingProof,
    by: FiledBy,
    ended_from: Option<Day> = default,
});

row!(Debit { at: Instant, amount: Fen });

row!(YearUse {
    scheme: Scheme,
    year: BenefitYear,
    used: Accumulators = default,
    deductibles: Vec<(InstitutionCode, Fen)> = default,
    touched: u64,
    live: Vec<Live> = default,
});

row!(OpenStay { stay: StayId, institution: InstitutionCode, since: Moment });

row!(Live {
    version: u64,
    institution_region: RegionCode,
    admitted: Day,
    policy_day: Day,
    filing: Option<u32> = default,
});

object!(PersonState {
    register: Register = default,
    balance: Option<Balance> = default,
    debits: Vec<Debit> = default,
    years: Vec<YearUse> = default,
    filings: Vec<Filing> = default,
    open: Option<OpenStay> = default,
});

word!(State {
    InHospital = "in_hospital",
    PartlySettled = "partly_settled",
    Discharged = "discharged",
    Settled = "settled",
    Cancelled = "cancelled",
});

object!(Part {
    settlement: SettlementId,
    settled_by: MessageKey,
    up_to: Day,
    year: BenefitYear,
    totals: LineTotals,
    act_pay_dedc: Fen,
    admissions_before: i64,
});

object!(StayState {
    state: State,
    admission: Arc<Admission> as "crate::ledger::codec::shared",
    admitted_version: u64,
    admitted_by: MessageKey,
    discharge: Option<Discharge> = default,
    discharged_by: Option<MessageKey> = default,
    unsettled: Vec<(Day, LineTotals)> = default,
    parts: Vec<Part> = default,
    settled: Option<SettlementId> = default,
    settled_by: Option<MessageKey> = default,
});
