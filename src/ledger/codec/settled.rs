//! Owns how settlements, and what undoes and restores them, are kept: each says no figure twice.
//!
//! What follows from the rest of a settlement is left out while it is what follows. The rules by which it follows are
//! part of the format: they stand here (and in `posting::entries`) and never change for what is kept already.

use crate::domain::accumulators::Accumulators;
use crate::domain::accumulators::EarlierParts;
use crate::domain::benefit::Account;
use crate::domain::benefit::Insured;
use crate::domain::breakdown::BillTotals;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::Scheme;
use crate::domain::codes::WorkStatus;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::money::Fen;
use crate::domain::posting::Entry;
use crate::domain::posting::Movement;
use crate::domain::posting::entries;
use crate::domain::posting::swapped;
use crate::domain::record::ClaimFacts;
use crate::domain::record::LineTotals;
use crate::domain::record::MessageKey;
use crate::domain::record::Reversal;
use crate::domain::record::Revival;
use crate::domain::record::Settlement;
use crate::ledger::codec::breakdown::BreakdownOf;
use crate::ledger::codec::breakdown::KeptBreakdown;
use crate::ledger::codec::text::Keep;
use crate::ledger::codec::text::Text;

/// A settlement as it is read. Its institution's region and pool, her region and pool and the clearing agency stand in one
/// list.
#[derive(serde::Deserialize)]
struct KeptSettlement {
    id: SettlementId,
    #[serde(default)]
    part: bool,
    up_to: Day,
    policy_day: Option<Day>,
    year: Option<BenefitYear>,
    admitted: Day,
    scheme: Scheme,
    #[serde(default)]
    insutype: String,
    #[serde(default)]
    med_type: String,
    #[serde(default)]
    person_type: String,
    #[serde(default)]
    civil_servant: bool,
    #[serde(default)]
    pack: String,
    institution: InstitutionCode,
    regions: [RegionCode; 5],
    #[serde(default)]
    clearing_type: String,
    #[serde(default)]
    clearing_way: String,
    filing: Option<FilingId>,
    facts: KeptFacts,
    breakdown: KeptBreakdown,
    #[serde(default)]
    days: Vec<(Day, LineTotals)>,
    #[serde(default)]
    balance_left: Fen,
    #[serde(default)]
    psn_setlway: String,
    #[serde(default)]
    credential_type: String,
    #[serde(default)]
    invoice: String,
    entries: Option<Vec<Entry>>,
}

/// The facts of a claim as they are read.
#[derive(serde::Deserialize)]
struct KeptFacts {
    hospital: HospitalLevel,
    status: WorkStatus,
    age: i32,
    civil_servant: Option<bool>,
    assistance: Option<AssistanceCategory>,
    level: BenefitLevel,
    totals: Option<BillTotals>,
    #[serde(default)]
    year: Accumulators,
    earlier: Option<EarlierParts>,
    closes_stay: Option<bool>,
    #[serde(default)]
    institution_deductible: Fen,
    account: Option<Fen>,
    maternity: Option<MaternityKind>,
}

/// The year in which the last day lies, where benefit years begin in January.
fn year_of(up_to: Day) -> BenefitYear {
    BenefitYear(up_to.year())
}

/// What was billed is the sum of its days.
fn totals_of(days: &[(Day, LineTotals)]) -> BillTotals {
    let bill = |(_, day): &(Day, LineTotals)| BillTotals {
        full_own_pay: day.class_c,
        over_limit: day.over_limit,
        first_pay: day.first_pay,
        in_scope: day.in_scope,
    };
    days.iter().map(bill).sum()
}

fn entries_of(settlement: &Settlement) -> Vec<Entry> {
    entries(&Movement {
        insured_pool: settlement.insured_pool,
        care_pool: settlement.institution_pool,
        institution: &settlement.institution,
        funds: &settlement.breakdown.funds,
        account: settlement.breakdown.acct_pay,
        cash: settlement.breakdown.psn_cash_pay,
    })
}

fn balance_of(account: Account) -> Option<Fen> {
    match account {
        Account::NotUsed => None,
        Account::Used { balance } => Some(balance),
    }
}

impl Keep for Settlement {
    fn keep(&self, to: &mut Text) {
        let regions = [
            self.institution_region,
            self.institution_pool,
            self.insured_region,
            self.insured_pool,
            self.clearing_agency,
        ];
        to.object(|to| {
            to.field("\"id\":", &self.id);
            to.unless_default("\"part\":", &self.part);
            to.field("\"up_to\":", &self.up_to);
            to.unless("\"policy_day\":", &self.policy_day, &self.up_to);
            to.unless("\"year\":", &self.year, &year_of(self.up_to));
            to.field("\"admitted\":", &self.admitted);
            to.field("\"scheme\":", &self.scheme);
            to.unless_default("\"insutype\":", &self.insutype);
            to.unless_default("\"med_type\":", &self.med_type);
            to.unless_default("\"person_type\":", &self.person_type);
            to.unless_default("\"civil_servant\":", &self.civil_servant);
            to.unless_default("\"pack\":", &self.pack);
            to.field("\"institution\":", &self.institution);
            to.field("\"regions\":", regions.as_slice());
            to.unless_default("\"clearing_type\":", &self.clearing_type);
            to.unless_default("\"clearing_way\":", &self.clearing_way);
            to.unless_default("\"filing\":", &self.filing);
            to.field("\"facts\":", &FactsOf(self));
            to.field("\"breakdown\":", &BreakdownOf(&self.breakdown, &self.facts));
            to.unless_default("\"days\":", &self.days);
            to.unless_default("\"balance_left\":", &self.balance_left);
            to.unless_default("\"psn_setlway\":", &self.psn_setlway);
            to.unless_default("\"credential_type\":", &self.credential_type);
            to.unless_default("\"invoice\":", &self.invoice);
            to.unless("\"entries\":", &self.entries, &entries_of(self));
        });
    }
}

struct FactsOf<'s>(&'s Settlement);

impl Keep for FactsOf<'_> {
    fn keep(&self, to: &mut Text) {
        let FactsOf(settlement) = self;
        let facts = &settlement.facts;
        to.object(|to| {
            to.field("\"hospital\":", &facts.hospital);
            to.field("\"status\":", &facts.insured.status);
            to.field("\"age\":", &facts.insured.age);
            to.unless("\"civil_servant\":", &facts.insured.civil_servant, &settlement.civil_servant);
            to.unless_default("\"assistance\":", &facts.insured.assistance);
            to.field("\"level\":", &facts.level);
            to.unless("\"totals\":", &facts.totals, &totals_of(&settlement.days));
            to.unless_default("\"year\":", &facts.year);
            to.unless_default("\"earlier\":", &facts.earlier);
            to.unless("\"closes_stay\":", &facts.closes_stay, &!settlement.part);
            to.unless_default("\"institution_deductible\":", &facts.institution_deductible);
            to.unless_default("\"account\":", &balance_of(facts.account));
            to.unless_default("\"maternity\":", &facts.maternity);
        });
    }
}

impl From<KeptSettlement> for Settlement {
    fn from(kept: KeptSettlement) -> Settlement {
        let facts = kept.facts;
        let facts = ClaimFacts {
            hospital: facts.hospital,
            insured: Insured {
                status: facts.status,
                age: facts.age,
                civil_servant: facts.civil_servant.unwrap_or(kept.civil_servant),
                assistance: facts.assistance,
            },
            level: facts.level,
            totals: facts.totals.unwrap_or_else(|| totals_of(&kept.days)),
            year: facts.year,
            earlier: facts.earlier,
            closes_stay: facts.closes_stay.unwrap_or(!kept.part),
            institution_deductible: facts.institution_deductible,
            account: facts.account.map_or(Account::NotUsed, |balance| Account::Used { balance }),
            maternity: facts.maternity,
        };
        let [institution_region, institution_pool, insured_region, insured_pool, clearing_agency] =
            kept.regions;
        let mut settlement = Settlement {
            id: kept.id,
            part: kept.part,
            up_to: kept.up_to,
            scheme: kept.scheme,
            insutype: kept.insutype,
            med_type: kept.med_type,
            person_type: kept.person_type,
            civil_servant: kept.civil_servant,
            year: kept.year.unwrap_or_else(|| year_of(kept.up_to)),
            admitted: kept.admitted,
            policy_day: kept.policy_day.unwrap_or(kept.up_to),
            pack: kept.pack,
            institution: kept.institution,
            institution_region,
            institution_pool,
            insured_region,
            insured_pool,
            clearing_agency,
            clearing_type: kept.clearing_type,
            clearing_way: kept.clearing_way,
            filing: kept.filing,
            facts,
            breakdown: kept.breakdown.whole(&facts),
            days: kept.days,
            balance_left: kept.balance_left,
            psn_setlway: kept.psn_setlway,
            credential_type: kept.credential_type,
            invoice: kept.invoice,
            entries: Vec::new(),
        };
        settlement.entries = kept.entries.unwrap_or_else(|| entries_of(&settlement));
        settlement
    }
}

impl<'de> serde::Deserialize<'de> for Settlement {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <KeptSettlement as serde::Deserialize>::deserialize(from).map(Settlement::from)
    }
}

/// A reversal as it is read: its entries are those of its settlement with their sides swapped.
#[derive(serde::Deserialize)]
struct KeptReversal {
    id: SettlementId,
    original: Option<SettlementId>,
    original_version: u64,
    original_at: Instant,
    settlement: Settlement,
    undoes: MessageKey,
    #[serde(default)]
    balance_left: Fen,
    entries: Option<Vec<Entry>>,
}

impl Keep for Reversal {
    fn keep(&self, to: &mut Text) {
        to.object(|to| {
            to.field("\"id\":", &self.id);
            to.unless("\"original\":", &self.original, &self.settlement.id);
            to.field("\"original_version\":", &self.original_version);
            to.field("\"original_at\":", &self.original_at);
            to.field("\"settlement\":", &self.settlement);
            to.field("\"undoes\":", &self.undoes);
            to.unless_default("\"balance_left\":", &self.balance_left);
            to.unless("\"entries\":", &self.entries, &swapped(&self.settlement.entries));
        });
    }
}

impl<'de> serde::Deserialize<'de> for Reversal {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let kept = <KeptReversal as serde::Deserialize>::deserialize(from)?;
        Ok(Reversal {
            id: kept.id,
            original: kept.original.unwrap_or_else(|| kept.settlement.id.clone()),
            original_version: kept.original_version,
            original_at: kept.original_at,
            undoes: kept.undoes,
            balance_left: kept.balance_left,
            entries: kept.entries.unwrap_or_else(|| swapped(&kept.settlement.entries)),
            settlement: kept.settlement,
        })
    }
}

/// A revival as it is read: its entries are those of its settlement.
#[derive(serde::Deserialize)]
struct KeptRevival {
    id: SettlementId,
    settlement: Settlement,
    restores: MessageKey,
    original_version: u64,
    reversal: SettlementId,
    undoes: MessageKey,
    #[serde(default)]
    balance_left: Fen,
    entries: Option<Vec<Entry>>,
}

impl Keep for Revival {
    fn keep(&self, to: &mut Text) {
        to.object(|to| {
            to.field("\"id\":", &self.id);
            to.field("\"settlement\":", &self.settlement);
            to.field("\"restores\":", &self.restores);
            to.field("\"original_version\":", &self.original_version);
            to.field("\"reversal\":", &self.reversal);
            to.field("\"undoes\":", &self.undoes);
            to.unless_default("\"balance_left\":", &self.balance_left);
            to.unless("\"entries\":", &self.entries, &self.settlement.entries);
        });
    }
}

impl<'de> serde::Deserialize<'de> for Revival {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let kept = <KeptRevival as serde::Deserialize>::deserialize(from)?;
        Ok(Revival {
            id: kept.id,
            restores: kept.restores,
            original_version: kept.original_version,
            reversal: kept.reversal,
            undoes: kept.undoes,
            balance_left: kept.balance_left,
            entries: kept.entries.unwrap_or_else(|| kept.settlement.entries.clone()),
            settlement: kept.settlement,
        })
    }
}
