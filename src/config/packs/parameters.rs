//! Owns the keys of each dated parameter of a pack: one function turns one block into its value.

use rust_decimal::Decimal;

use crate::config::reader::Reads;
use crate::config::reader::Table;
use crate::config::reader::read_word;
use crate::config::tree::Node;
use crate::domain::bands::Band;
use crate::domain::bands::Bands;
use crate::domain::calendar::YearStart;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::ByLevel;
use crate::domain::codes::CareKind;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::InsuranceCode;
use crate::domain::codes::MaternityKind;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::parameters::*;

/// How packs and written stays name the categories of assistance.
pub const CATEGORIES: &[(&str, AssistanceCategory)] = &[
    ("no_support", AssistanceCategory::NoSupport),
    ("registered_poor", AssistanceCategory::RegisteredPoor),
    ("minimum_living", AssistanceCategory::MinimumLiving),
    ("extreme_hardship", AssistanceCategory::ExtremeHardship),
    ("low_income", AssistanceCategory::LowIncome),
    ("impoverished_by_illness", AssistanceCategory::ImpoverishedByIllness),
];

/// 生育类别
pub fn maternity_kind(node: &Node) -> Result<MaternityKind, String> {
    let kind =
        u16::read(node).ok().filter(|kind| (1..=99).contains(kind)).and_then(|kind| u8::try_from(kind).ok());
    kind.map(MaternityKind).ok_or_else(|| "a 生育类别 from 1 to 99".to_owned())
}

/// `starts = "07-01"`
pub(super) fn year_start(block: &Table<'_>) -> Option<YearStart> {
    const WHAT: &str = "the first day of the benefit year as month-day, such as \"01-01\" or \"07-01\"";
    let month_day = |node: &Node| {
        let Node::Text(text) = node else { return Err(WHAT.to_owned()) };
        let (month, day) = text.split_once('-').ok_or_else(|| WHAT.to_owned())?;
        let start = month.parse().ok().zip(day.parse().ok()).and_then(|(m, d)| YearStart::new(m, d));
        start.ok_or_else(|| WHAT.to_owned())
    };
    if !block.has("starts") {
        block.missing("starts", WHAT);
    }
    block.get_with("starts", month_day)
}

pub(super) fn filing_terms(block: &Table<'_>) -> Option<FilingTerms> {
    let unfiled =
        block.word("unfiled", &[("settle", UnfiledClaims::Settle), ("refuse", UnfiledClaims::Refuse)]);
    let in_province = block.word(
        "in_province",
        &[
            ("no_filing_needed", InProvinceCare::NoFilingNeeded),
            ("filed_as_in_province", InProvinceCare::FiledAsInProvince),
            ("as_cross_province", InProvinceCare::AsCrossProvince),
        ],
    );
    require(block, "unfiled", "\"settle\" or \"refuse\" claims that no filing covers");
    require(block, "in_province", "whether care elsewhere in the province needs a filing");
    let temporary_months = block.need("temporary_months", "how many months a temporary filing lasts");
    if temporary_months == Some(0) {
        block.fault("temporary_months", "is 0: a temporary filing would have ended before it begins");
    }
    let lock = block.need("long_term_lock_months", "how many months a long-term filing may not be changed");
    let (commitment_months, window) = (block.get("commitment_months"), block.get("emergency_window_days"));
    Some(FilingTerms {
        unfiled: unfiled?,
        in_province: in_province?,
        temporary_months: temporary_months?,
        long_term_lock_months: lock?,
        commitment_months,
        emergency_window_days: window,
    })
}

pub(super) fn stays(block: &Table<'_>) -> Option<StayRules> {
    let axis = block.need("new_year_is_new_axis", "true where a part in a new benefit year begins anew");
    let order = block.need("reversal_out_of_order", "true where an earlier settlement may be reversed first");
    let cleared = block.need("reversal_after_clearing", "true where a cleared settlement may be reversed");
    Some(StayRules {
        new_year_is_new_axis: axis?,
        reversal_out_of_order: order?,
        reversal_after_clearing: cleared?,
    })
}

/// Levels, `retired_reduction`, `basis`, `admission_factors`.
pub(super) fn deductible(block: &Table<'_>) -> Option<Deductible> {
    let amount = by_level(block);
    let retired_reduction = match block.has("retired_reduction") {
        true => by_level_at(block, "retired_reduction"),
        false => Some(ByLevel::all(Fen::ZERO)),
    };
    let basis = deductible_basis(block);
    let (amount, retired_reduction) = (amount?, retired_reduction?);
    for (level, key) in HospitalLevel::ALL.into_iter().zip(LEVELS) {
        let (of, less): (Fen, Fen) = (amount.at(level), retired_reduction.at(level));
        if less > of {
            let message =
                format!("takes {less} off the deductible of {of} ({key}): expected at most all of it");
            block.fault("retired_reduction", message);
            break;
        }
    }
    Some(Deductible { amount, retired_reduction, basis: basis? })
}

fn deductible_basis(block: &Table<'_>) -> Option<DeductibleBasis> {
    let factors = admission_factors(block);
    let counted = match block.has("basis") {
        false => Some("admission"),
        true => block.word(
            "basis",
            &[("admission", "admission"), ("year", "year"), ("institution_year", "institution_year")],
        ),
    };
    if counted? != "admission" && block.has("admission_factors") {
        block.fault("admission_factors", "belongs to basis = \"admission\": leave it out here");
    }
    Some(match counted? {
        "year" => DeductibleBasis::Year,
        "institution_year" => DeductibleBasis::InstitutionYear,
        _ => DeductibleBasis::Admission(factors?),
    })
}

fn admission_factors(block: &Table<'_>) -> Option<AdmissionFactors> {
    if !block.has("admission_factors") {
        return Some(AdmissionFactors::always_full());
    }
    let before = block.faults_so_far();
    let factors = block.list("admission_factors", factor)?;
    let list = AdmissionFactors::new(&factors);
    if list.is_none() && block.faults_so_far() == before {
        block.fault("admission_factors", "is empty: expected a factor for the first admission at least");
    }
    list
}

/// Levels or `segments`; `retired`, `retired_bonus`, `age_bonuses`.
pub(super) fn ratios(block: &Table<'_>) -> Option<Ratios> {
    let active = segments(block);
    let retired = match block.table("retired") {
        Some(table) => {
            let own = segments(&table);
            table.close();
            Some(own?)
        }
        None => None,
    };
    let retired_bonus = block.get("retired_bonus").unwrap_or(Rate::ZERO);
    if retired.is_some() && block.has("retired_bonus") {
        block.fault("retired_bonus", "says the same as retired: keep one");
    }
    let age_bonuses = AgeBonuses::new(age_bonuses(block));
    Some(Ratios { active: active?, retired, retired_bonus, age_bonuses })
}

fn age_bonuses(block: &Table<'_>) -> Vec<(i32, Rate)> {
    let rows = block.tables("age_bonuses").into_iter().filter_map(|row| {
        let age = row.need::<u16>("from_age", "the age in years from which the bonus counts");
        let bonus = row.need::<Rate>("bonus", "the bonus on the ratio, such as \"0.02\"");
        row.close();
        Some((i32::from(age?), bonus?))
    });
    let rows: Vec<(i32, Rate)> = rows.collect();
    let mut ages: Vec<i32> = rows.iter().map(|(age, _)| *age).collect();
    ages.sort_unstable();
    if let Some(twin) = ages.windows(2).find(|pair| pair[0] == pair[1]) {
        block.fault("age_bonuses", format!("holds two bonuses from the age of {}: keep one", twin[0]));
    }
    rows
}

/// One ratio for the whole bill, or `segments` with edges.
fn segments(table: &Table<'_>) -> Option<Bands<ByLevel<Rate>>> {
    if !table.has("segments") {
        return by_level(table).map(Bands::flat);
    }
    for key in LEVELS.into_iter().filter(|key| table.has(key)) {
        table.fault(key, "stands beside segments: put the ratios into the segments");
    }
    bands(table, "segments", by_level::<Rate>)
}

/// Rows with `to`, the last one without.
fn bands<T: Copy>(
    table: &Table<'_>,
    key: &'static str,
    read: impl Fn(&Table<'_>) -> Option<T>,
) -> Option<Bands<T>> {
    let before = table.faults_so_far();
    let rows = table.tables(key);
    let steps: Vec<Band<T>> = rows
        .into_iter()
        .filter_map(|row| {
            let (to, value) = (row.get::<Fen>("to"), read(&row));
            row.close();
            Some(Band { to, value: value? })
        })
        .collect();
    // What is wrong with a row says nothing about the order of the others.
    if table.faults_so_far() > before {
        return None;
    }
    Bands::new(steps).map_err(|cause| table.fault(key, cause.to_string())).ok()
}

/// The eight rows, and `retired` with rows of its own.
pub(super) fn filing(block: &Table<'_>) -> Option<FilingRows> {
    let active = filing_table(block);
    let retired = match block.table("retired") {
        Some(table) => {
            let own = filing_table(&table);
            table.close();
            Some(own?)
        }
        None => None,
    };
    Some(FilingRows { active: active?, retired })
}

fn filing_table(table: &Table<'_>) -> Option<FilingTable> {
    let row = |key: &'static str| {
        require(table, key, "what this row takes off, such as { points = \"0.10\" }, or { } for nothing");
        let row = table.table(key)?;
        let value = filing_row(&row);
        row.close();
        value
    };
    let [local, long_term_home, in_province] = ["local", "long_term_home", "in_province"].map(row);
    let [long_term, referral, emergency] = ["long_term", "referral", "emergency"].map(row);
    let [other_temporary, unfiled] = ["other_temporary", "unfiled"].map(row);
    Some(FilingTable {
        local: local?,
        long_term_home: long_term_home?,
        in_province: in_province?,
        long_term: long_term?,
        referral: referral?,
        emergency: emergency?,
        other_temporary: other_temporary?,
        unfiled: unfiled?,
    })
}

/// The key of a reduction and what its share means.
type ReductionForm = (&'static str, fn(Rate) -> Reduction);

fn filing_row(row: &Table<'_>) -> Option<FilingRow> {
    let forms: [ReductionForm; 3] = [
        ("points", Reduction::Points),
        ("multiply", Reduction::Multiply),
        ("first_pay", Reduction::FirstPay),
    ];
    let given: Vec<_> = forms.into_iter().filter(|(key, _)| row.has(key)).collect();
    if let [_, (second, _), ..] = given[..] {
        row.fault(second, "is a second form of reduction: keep one of points, multiply, first_pay");
    }
    let reduction = match given.first() {
        Some((key, form)) => form(row.get::<Rate>(key)?),
        None => Reduction::None,
    };
    let factor = match row.has("deductible_factor") {
        true => row.get_with("deductible_factor", factor)?,
        false => Decimal::ONE,
    };
    Some(FilingRow { reduction, deductible_factor: factor })
}

/// `amount = "600000.00"`, or `"none"` for no limit.
pub(super) fn pool_cap(block: &Table<'_>) -> Option<Cap> {
    cap(block, "amount")
}

/// `ratio` and `cap`, or `none = true` where it ends.
pub(super) fn large_amount(block: &Table<'_>) -> Option<Option<LargeAmount>> {
    if block.flag("none") {
        return Some(None);
    }
    let (ratio, cap) = (block.need("ratio", "the share of what the pool cap cut off"), cap(block, "cap"));
    Some(Some(LargeAmount { ratio: ratio?, cap: cap? }))
}

/// `start`, `tiers`, `cap` and `categories`, or `none = true` where it ends.
pub(super) fn serious_illness(block: &Table<'_>) -> Option<Option<SeriousIllness>> {
    if block.flag("none") {
        return Some(None);
    }
    let general = illness_scale(block);
    let rows = block.tables("categories");
    let count = rows.len();
    let overrides: Vec<_> = rows
        .into_iter()
        .filter_map(|row| {
            require(&row, "category", "the category of assistance that has its own scale");
            let (category, scale) = (row.word("category", CATEGORIES), illness_scale(&row));
            row.close();
            Some((category?, scale?))
        })
        .collect();
    (overrides.len() == count).then_some(())?;
    Some(Some(SeriousIllness { general: general?, overrides }))
}

fn illness_scale(table: &Table<'_>) -> Option<IllnessScale> {
    let start = table.need("start", "the year's burden above which it pays, in yuan");
    require(table, "tiers", "rows such as { to = \"50000.00\", ratio = \"0.60\" }, the last one without to");
    let tiers = table
        .has("tiers")
        .then(|| bands(table, "tiers", |row| row.need::<Rate>("ratio", "the share that this tier pays")));
    let cap = cap(table, "cap");
    let (start, tiers): (Fen, Bands<Rate>) = (start?, tiers??);
    if let Some(edge) = tiers.steps().first().and_then(|tier| tier.to).filter(|edge| start > *edge) {
        let message = format!(
            "is {start}, above the end of the first tier at {edge}: the edges lie on the year's burden, not above the start"
        );
        table.fault("start", message);
    }
    Some(IllnessScale { start, tiers, cap: cap? })
}

pub(super) fn civil_servant(block: &Table<'_>) -> Option<Rate> {
    block.need("ratio", "the share of the burden above the deductible that the subsidy pays")
}

/// A row for each category that gets something.
pub(super) fn assistance(block: &Table<'_>) -> Option<AssistanceTable> {
    let mut table = AssistanceTable::none();
    for (name, category) in CATEGORIES {
        if let Some(row) = block.table(name) {
            let ratio = row.need("ratio", "the share that assistance pays of what the other funds leave");
            let limit = cap(&row, "cap");
            row.close();
            if let (Some(ratio), Some(cap)) = (ratio, limit) {
                table = table.with(*category, Assistance { ratio, cap });
            }
        }
    }
    Some(table)
}

/// `pays = ["first_pay", "in_scope"]`
pub(super) fn account(block: &Table<'_>) -> Option<AccountScope> {
    require(block, "pays", "what the account may pay: any of first_pay, in_scope, class_c, over_limit");
    account_scope(block, "pays")
}

fn account_scope(block: &Table<'_>, key: &'static str) -> Option<AccountScope> {
    let words = ["first_pay", "in_scope", "class_c", "over_limit"].map(|word| (word, word));
    let pays = block.list(key, |node| read_word(node, &words))?;
    Some(AccountScope {
        first_pay: pays.contains(&"first_pay"),
        in_scope: pays.contains(&"in_scope"),
        class_c: pays.contains(&"class_c"),
        over_limit: pays.contains(&"over_limit"),
    })
}

/// `claims`, `rows`, `account_pays`.
pub(super) fn maternity(block: &Table<'_>) -> Option<MaternityRules> {
    require(block, "claims", "which claims are maternity, such as { insutype = 310, med_type = 52 }");
    require(block, "rows", "what each matn_type pays, such as { matn_type = 1, fixed = \"1500.00\" }");
    let claims = block.tables("claims").into_iter().filter_map(|row| {
        let insutype = row.need::<u32>("insutype", "the insurance code that the claim comes under");
        let care = row.get::<u32>("med_type").map(CareKind);
        if let Some(code) = insutype.filter(|code| [310, 390].contains(code))
            && !row.has("med_type")
        {
            row.missing("med_type", &format!("without it every claim of insutype {code} would be maternity"));
        }
        row.close();
        Some((InsuranceCode(insutype?), care))
    });
    let claims = claims.collect();
    let rows = block.tables("rows").into_iter().filter_map(|row| {
        require(&row, "matn_type", "the 生育类别, such as 1 or 3");
        let kind = row.get_with("matn_type", maternity_kind);
        let pay = maternity_pay(&row);
        row.close();
        Some((kind?, pay?))
    });
    let rows = rows.collect();
    let account = match block.has("account_pays") {
        true => account_scope(block, "account_pays")?,
        false => AccountScope::NOTHING,
    };
    Some(MaternityRules { claims, rows, account })
}

fn maternity_pay(row: &Table<'_>) -> Option<ByLevel<MaternityPay>> {
    let given: Vec<&'static str> =
        ["ratio", "limit", "fixed"].into_iter().filter(|key| row.has(key)).collect();
    let [key] = given[..] else {
        row.fault("matn_type", "needs exactly one of ratio, limit, fixed");
        return None;
    };
    match key {
        "ratio" => by_level_at::<Rate>(row, key).map(|levels| map_levels(levels, MaternityPay::Ratio)),
        "limit" => by_level_at::<Fen>(row, key).map(|levels| map_levels(levels, MaternityPay::Limit)),
        _ => by_level_at::<Fen>(row, key).map(|levels| map_levels(levels, MaternityPay::Fixed)),
    }
}

/// `insutype = 410`
pub(super) fn work_injury(block: &Table<'_>) -> Option<InjuryRules> {
    let insurance =
        block.need("insutype", "the insurance code under which work injury comes").map(InsuranceCode)?;
    Some(InjuryRules { insurance })
}

const LEVELS: [&str; 5] = ["primary", "level1", "level2", "level3", "all"];

/// `level1`, `level2`, `level3` and, where it differs from level one, `primary`; or `all`.
fn by_level<T: Reads + Copy>(table: &Table<'_>) -> Option<ByLevel<T>> {
    let [primary, level1, level2, level3, all] = LEVELS.map(|key| table.has(key));
    if all {
        for key in LEVELS.into_iter().take(4).filter(|key| table.has(key)) {
            table.fault(key, "stands beside all: keep one of the two");
        }
        return table.get("all").map(ByLevel::all);
    }
    for (key, _) in LEVELS[1..4].iter().zip([level1, level2, level3]).filter(|(_, there)| !there) {
        table.missing(key, "a value for each of level1, level2, level3, or one for all");
    }
    let levels = [table.get("level1"), table.get("level2"), table.get("level3")];
    let own = if primary { Some(table.get("primary")?) } else { None };
    let [one, two, three] = levels;
    Some(ByLevel { primary: own, one: one?, two: two?, three: three? })
}

/// One value for all levels, or a table of levels.
fn by_level_at<T: Reads + Copy>(table: &Table<'_>, key: &'static str) -> Option<ByLevel<T>> {
    match table.spot(key).map(|spot| &spot.node) {
        Some(Node::Table(_)) => {
            let levels = table.table(key)?;
            let value = by_level(&levels);
            levels.close();
            value
        }
        _ => table.get(key).map(ByLevel::all),
    }
}

fn map_levels<T: Copy, U>(levels: ByLevel<T>, wrap: impl Fn(T) -> U) -> ByLevel<U> {
    ByLevel {
        primary: levels.primary.map(&wrap),
        one: wrap(levels.one),
        two: wrap(levels.two),
        three: wrap(levels.three),
    }
}

/// An amount, or the word none. Must be there, so that a forgotten limit is not read as no limit.
fn cap(table: &Table<'_>, key: &'static str) -> Option<Cap> {
    require(table, key, "the yearly limit in yuan, or \"none\" where there is no limit");
    table.get_with(key, |node| match node {
        Node::Text(text) if text == "none" => Ok(None),
        _ => Fen::read(node).map(Some).map_err(|expected| format!("{expected}, or \"none\" for no limit")),
    })
}

/// What multiplies a deductible. A larger one is a percentage that lost its sign.
fn factor(node: &Node) -> Result<Decimal, String> {
    const EXPECTED: &str = "a factor from 0 to 10 such as \"0.50\" (not in percent)";
    let number = Decimal::read(node).ok();
    number.filter(|number| (Decimal::ZERO..=Decimal::TEN).contains(number)).ok_or_else(|| EXPECTED.to_owned())
}

fn require(table: &Table<'_>, key: &'static str, what: &str) {
    if !table.has(key) {
        table.missing(key, what);
    }
}
