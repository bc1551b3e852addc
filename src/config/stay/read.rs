//! Owns the keys of a written stay. Where the wire has a name for a value, that name is understood too.

use crate::config::packs::CATEGORIES;
use crate::config::packs::maternity_kind;
use crate::config::reader::Reads;
use crate::config::reader::Table;
use crate::config::reader::read_word;
use crate::config::stay::Age;
use crate::config::stay::FilingTarget;
use crate::config::stay::PlaceChoice;
use crate::config::stay::SchemeChoice;
use crate::config::stay::WrittenBill;
use crate::config::stay::WrittenFiling;
use crate::config::stay::WrittenInjury;
use crate::config::stay::WrittenKind;
use crate::config::stay::WrittenPerson;
use crate::config::stay::WrittenSettlement;
use crate::config::stay::WrittenStay;
use crate::config::stay::YearSoFar;
use crate::config::stay::lines::lines;
use crate::config::tree::Node;
use crate::domain::accumulators::Accumulators;
use crate::domain::breakdown::BillTotals;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::CareKind;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::InsuranceCode;
use crate::domain::codes::PersonType;
use crate::domain::codes::Scheme;
use crate::domain::codes::WorkStatus;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::filing::PlaceRelation;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;

/// Settlements and reversals of one stay.
const SETTLEMENTS_MAX: usize = 1_000;

const SCHEMES: &[(&str, Scheme)] = &[
    ("employee", Scheme::Employee),
    ("resident", Scheme::Resident),
    ("maternity", Scheme::Maternity),
    ("work_injury", Scheme::WorkInjury),
];

const PLACES: &[(&str, PlaceRelation)] = &[
    ("own_pool", PlaceRelation::OwnPool),
    ("same_province", PlaceRelation::SameProvince),
    ("other_province", PlaceRelation::OtherProvince),
];

const LEVELS: &[(&str, HospitalLevel)] = &[
    ("primary", HospitalLevel::Primary),
    ("1", HospitalLevel::One),
    ("2", HospitalLevel::Two),
    ("3", HospitalLevel::Three),
];

/// 医院等级 of the national dictionary.
const HOSP_LV: &[(&str, HospitalLevel)] = &[
    ("01", HospitalLevel::Three),
    ("02", HospitalLevel::Three),
    ("03", HospitalLevel::Three),
    ("04", HospitalLevel::Three),
    ("05", HospitalLevel::Two),
    ("06", HospitalLevel::Two),
    ("07", HospitalLevel::Two),
    ("08", HospitalLevel::One),
    ("09", HospitalLevel::One),
    ("10", HospitalLevel::One),
    ("11", HospitalLevel::Primary),
];

/// Reads one stay and closes the table. `None` where a fault was kept that leaves nothing to settle.
pub fn read(root: Table<'_>) -> Option<WrittenStay> {
    let id = root.get_with("id", |node| match node {
        Node::Text(text) => Ok(text.clone()),
        Node::Number(digits) => Ok(digits.clone()),
        _ => Err("a label of your own".to_owned()),
    });
    let person = root.table("person");
    let person = person.map_or_else(|| Some(WrittenPerson::unknown()), read_person);
    let scheme = scheme(&root);
    let care = root.get::<u32>("med_type").map_or(CareKind::INPATIENT, CareKind);
    let maternity = root.get_with("matn_type", maternity_kind);
    let hospital = hospital(&root);
    let place = place(&root);
    let filings = root.tables("filings").into_iter().filter_map(read_filing).collect();
    let admitted = root.need::<Day>("admission", "the day of admission, such as 2026-03-02");
    let discharged = root.get::<Day>("discharge");
    let emergency = root.flag("emergency") || care == CareKind::EMERGENCY;
    let year = root.table("year").map(read_year).unwrap_or_default();
    let other_years = other_years(&root);
    let bill = bill(&root);
    let use_account = root.flag("use_account");
    let injury = root.table("injury").map(read_injury);
    let settlements = settlements(&root, discharged);
    check_days(&root, admitted, discharged);
    root.close();
    Some(WrittenStay {
        id,
        person: person?,
        scheme: scheme?,
        care,
        maternity,
        hospital: hospital?,
        place: place?,
        filings,
        admitted: admitted?,
        discharged,
        emergency,
        year,
        other_years,
        bill: bill?,
        use_account,
        injury,
        settlements,
    })
}

fn check_days(root: &Table<'_>, admitted: Option<Day>, discharged: Option<Day>) {
    if let (Some(admitted), Some(discharged)) = (admitted, discharged)
        && discharged < admitted
    {
        root.fault("discharge", format!("is {discharged}, before the admission on {admitted}"));
    }
    if discharged.is_none() && !root.has("discharge") && !root.has("settlements") {
        root.missing("discharge", "the day of discharge, or settlements of parts of a stay that goes on");
    }
}

fn read_person(table: Table<'_>) -> Option<WrittenPerson> {
    let born = table.get::<Day>("birth").map(Age::Born);
    let years = table.get::<u16>("age").map(|age| Age::Years(i32::from(age)));
    if table.has("birth") && table.has("age") {
        table.fault("age", "says the same as birth: keep one");
    }
    let written_type = person_type(&table);
    let retired = table.get::<bool>("retired");
    let status = match (retired, written_type) {
        (Some(true), _) => WorkStatus::Retired,
        (Some(false), _) | (None, None) => WorkStatus::Active,
        (None, Some(kind)) => kind.status(),
    };
    if let (Some(said), Some(kind)) = (retired, written_type)
        && said != (kind.status() == WorkStatus::Retired)
    {
        table.fault("retired", format!("is {said}, but psn_type {kind} says otherwise: keep one"));
    }
    let assistance = assistance(&table);
    let (civil_servant, balance) = (table.flag("civil_servant"), table.get::<Fen>("account_balance"));
    table.close();
    let usual = if status == WorkStatus::Retired { 12 } else { 11 };
    Some(WrittenPerson {
        age: born.or(years).unwrap_or(Age::Unknown),
        status,
        person_type: written_type.or_else(|| PersonType::new(usual))?,
        civil_servant,
        assistance,
        account_balance: balance.unwrap_or(Fen::ZERO),
    })
}

fn person_type(table: &Table<'_>) -> Option<PersonType> {
    const WHAT: &str = "a 人员类别 of two to six digits, such as 11, 12 or 1403";
    table.get_with("psn_type", |node| {
        u32::read(node).ok().and_then(PersonType::new).ok_or_else(|| WHAT.to_owned())
    })
}

/// By name or by its 人员身份类别 code.
fn assistance(table: &Table<'_>) -> Option<AssistanceCategory> {
    table.get_with("assistance", |node| {
        let by_code = u32::read(node).ok().and_then(AssistanceCategory::from_code);
        by_code.map_or_else(|| read_word(node, CATEGORIES), Ok)
    })
}

fn scheme(root: &Table<'_>) -> Option<SchemeChoice> {
    match (root.has("scheme"), root.has("insutype")) {
        (true, true) => {
            root.fault("scheme", "says the same as insutype: keep one");
            None
        }
        (true, false) => root.word("scheme", SCHEMES).map(SchemeChoice::Scheme),
        (false, true) => root.get::<u32>("insutype").map(|code| SchemeChoice::Insurance(InsuranceCode(code))),
        (false, false) => {
            root.missing(
                "scheme",
                "\"employee\", \"resident\", \"maternity\", \"work_injury\", or an insutype",
            );
            None
        }
    }
}

fn hospital(root: &Table<'_>) -> Option<HospitalLevel> {
    match (root.has("hospital_level"), root.has("hosp_lv")) {
        (true, true) => {
            root.fault("hosp_lv", "says the same as hospital_level: keep one");
            None
        }
        (true, false) => root.word("hospital_level", LEVELS),
        (false, true) => root.word("hosp_lv", HOSP_LV),
        (false, false) => {
            root.missing("hospital_level", "\"primary\", 1, 2 or 3, or a hosp_lv such as \"02\"");
            None
        }
    }
}

fn benefit_levels() -> Vec<(&'static str, BenefitLevel)> {
    BenefitLevel::ALL.into_iter().map(|level| (level.name(), level)).collect()
}

fn place(root: &Table<'_>) -> Option<PlaceChoice> {
    let given: Vec<&'static str> =
        ["place", "mdtrtarea_admdvs", "benefit_level"].into_iter().filter(|key| root.has(key)).collect();
    match given[..] {
        ["place"] => root.word("place", PLACES).map(PlaceChoice::Relation),
        ["mdtrtarea_admdvs"] => root.get::<RegionCode>("mdtrtarea_admdvs").map(PlaceChoice::Region),
        ["benefit_level"] => root.word("benefit_level", &benefit_levels()).map(PlaceChoice::Level),
        [] => {
            root.missing(
                "place",
                "\"own_pool\", \"same_province\", \"other_province\", or mdtrtarea_admdvs, or benefit_level",
            );
            None
        }
        [_, second, ..] | [second] => {
            root.fault(second, "is a second way to say where she is treated: keep one of place, mdtrtarea_admdvs, benefit_level");
            None
        }
    }
}

fn read_filing(table: Table<'_>) -> Option<WrittenFiling> {
    let categories: Vec<_> =
        FilingCategory::ALL.into_iter().map(|category| (category.code(), category)).collect();
    if !table.has("category") {
        table.missing("category", "the category of the filing, such as \"LT_RESIDENT\"");
    }
    let category = table.word("category", &categories);
    let from = table.need::<Day>("from", "the first day of the filing");
    let (to, made_on, ended_from) =
        (table.get::<Day>("to"), table.get::<Day>("made_on"), table.get("ended_from"));
    let target = match table.has("place") {
        true => table.get_with("place", filing_target),
        false => Some(FilingTarget::Here),
    };
    let proofs = [("documents", FilingProof::Documents), ("commitment", FilingProof::Commitment)];
    let proof = if table.has("proof") { table.word("proof", &proofs) } else { Some(FilingProof::Documents) };
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        table.fault("to", format!("is {to}, before from {from}"));
    }
    table.close();
    Some(WrittenFiling {
        category: category?,
        from: from?,
        to,
        made_on: made_on.or(from)?,
        target: target?,
        proof: proof?,
        ended_from,
    })
}

fn filing_target(node: &Node) -> Result<FilingTarget, String> {
    let words = [("here", FilingTarget::Here), ("elsewhere", FilingTarget::Elsewhere)];
    if let Ok(target) = read_word(node, &words) {
        return Ok(target);
    }
    let region = RegionCode::read(node).map(FilingTarget::Region);
    region.map_err(|expected| format!("\"here\", \"elsewhere\", or {expected}"))
}

fn read_year(table: Table<'_>) -> YearSoFar {
    let amount = |key| table.get::<Fen>(key).unwrap_or(Fen::ZERO);
    let totals = Accumulators {
        admissions: table.get::<i64>("admissions").unwrap_or(0),
        deductible: amount("deductible"),
        hifp: amount("hifp"),
        hifob: amount("hifob"),
        hifmi: amount("hifmi"),
        burden: amount("burden"),
        maf: amount("maf"),
    };
    let deductible_here = amount("deductible_here");
    if table.has("deductible_here") && table.has("deductible") && deductible_here > totals.deductible {
        table.fault("deductible_here", "is more than deductible, of which it is a part");
    }
    table.close();
    YearSoFar { totals, deductible_here }
}

/// `[other_years.2027]`
fn other_years(root: &Table<'_>) -> Vec<(BenefitYear, YearSoFar)> {
    let Some(table) = root.table("other_years") else {
        return Vec::new();
    };
    let years = table.free_entries().filter_map(|(name, entry)| {
        let year: Option<i32> = name.parse().ok().filter(|year| (1900..2200).contains(year));
        if year.is_none() {
            table.fault(name, "is not a benefit year: expected the year in which it begins, such as 2027");
        }
        Some((BenefitYear(year?), read_year(entry?)))
    });
    years.collect()
}

fn bill(root: &Table<'_>) -> Option<WrittenBill> {
    match (root.has("totals"), root.has("lines")) {
        (true, true) => {
            root.fault("totals", "stands beside lines: keep one of the two");
            None
        }
        (true, false) => read_totals(root.table("totals")?).map(WrittenBill::Totals),
        (false, true) => lines(root).map(WrittenBill::Lines),
        (false, false) => {
            root.missing("totals", "the bill as totals, such as { in_scope = \"10000.00\" }, or as lines");
            None
        }
    }
}

/// The four parts, each zero where it is not written; `medfee_sumamt`, if written, must be their sum.
fn read_totals(table: Table<'_>) -> Option<BillTotals> {
    let before = table.faults_so_far();
    let part = |key, wire| table.get_either::<Fen>(key, wire).unwrap_or(Fen::ZERO);
    let totals = BillTotals {
        full_own_pay: part("class_c", "fulamt_ownpay_amt"),
        over_limit: part("over_limit", "overlmt_selfpay"),
        first_pay: part("first_pay", "preselfpay_amt"),
        in_scope: part("in_scope", "inscp_scp_amt"),
    };
    let fee = table.get::<Fen>("medfee_sumamt");
    let sound = table.faults_so_far() == before;
    if let Some(fee) = fee.filter(|fee| sound && *fee != totals.fee()) {
        table.fault("medfee_sumamt", format!("is {fee}, but its four parts sum to {}", totals.fee()));
    }
    table.close();
    Some(totals)
}

fn read_injury(table: Table<'_>) -> WrittenInjury {
    let injury = WrittenInjury {
        recognised: table.flag("work_injury_recognised"),
        third_party: table.flag("third_party_liable"),
        commitment: table.flag("commitment_signed"),
        traumatic: table.get("traumatic").unwrap_or(true),
    };
    table.close();
    injury
}

fn settlements(root: &Table<'_>, discharged: Option<Day>) -> Vec<WrittenSettlement> {
    let tables = root.tables("settlements");
    if tables.len() > SETTLEMENTS_MAX {
        root.fault("settlements", format!("holds {}: expected at most {SETTLEMENTS_MAX}", tables.len()));
        return Vec::new();
    }
    tables.into_iter().filter_map(|table| read_settlement(table, discharged)).collect()
}

fn read_settlement(table: Table<'_>, discharged: Option<Day>) -> Option<WrittenSettlement> {
    if !table.has("kind") {
        table.missing("kind", "\"part\", \"final\" or \"reverse\"");
    }
    let kind = table.word("kind", &[("part", "part"), ("final", "final"), ("reverse", "reverse")]);
    let through = table.get::<Day>("through");
    let totals = table.table("totals").and_then(read_totals);
    let settled_on = table.get::<Day>("settled_on");
    let level = table.word("benefit_level", &benefit_levels());
    let use_account = table.get::<bool>("use_account");
    let kind = match kind? {
        "part" => {
            if !table.has("through") {
                table.missing("through", "the last day that the part settles");
            }
            through.map(|through| WrittenKind::Part { through, totals })
        }
        "final" => {
            if discharged.is_none() {
                table.fault("kind", "is \"final\", but the stay has no discharge");
            }
            Some(WrittenKind::Final { totals })
        }
        _ => Some(WrittenKind::Reverse),
    };
    table.close();
    Some(WrittenSettlement { kind: kind?, settled_on, level, use_account })
}
