//! Owns the list of a breakdown's amounts and of the year's totals by the names under which files and answers give them.

use crate::domain::accumulators::Accumulators;
use crate::domain::breakdown::Breakdown;
use crate::domain::money::Fen;

/// An amount of a breakdown by its name.
type NamedAmount = (&'static str, fn(&Breakdown) -> Fen);

/// The wire's name, or ours where the wire has none.
const AMOUNTS: [NamedAmount; 24] = [
    ("medfee_sumamt", |b| b.medfee_sumamt),
    ("fulamt_ownpay_amt", |b| b.fulamt_ownpay_amt),
    ("overlmt_selfpay", |b| b.overlmt_selfpay),
    ("preselfpay_amt", |b| b.preselfpay_amt),
    ("inscp_scp_amt", |b| b.inscp_scp_amt),
    ("extra_first_pay", |b| b.extra_first_pay),
    ("dedc_std", |b| b.dedc_std),
    ("act_pay_dedc", |b| b.act_pay_dedc),
    ("hifp_pay", |b| b.hifp_pay),
    ("hifob_pay", |b| b.hifob_pay),
    ("hifmi_pay", |b| b.hifmi_pay),
    ("hifes_pay", |b| b.hifes_pay),
    ("cvlserv_pay", |b| b.cvlserv_pay),
    ("maf_pay", |b| b.maf_pay),
    ("hifdm_pay", |b| b.hifdm_pay),
    ("oth_pay", |b| b.oth_pay),
    ("fund_pay_sumamt", |b| b.fund_pay_sumamt),
    ("psn_part_amt", |b| b.psn_part_amt),
    ("hosp_part_amt", |b| b.hosp_part_amt),
    ("acct_pay", |b| b.acct_pay),
    ("acct_mulaid_pay", |b| b.acct_mulaid_pay),
    ("psn_cash_pay", |b| b.psn_cash_pay),
    ("burden", |b| b.burden()),
    ("owed_to_person", |b| b.owed_to_person),
];

/// The names of all amounts of a breakdown.
pub fn amount_names() -> [&'static str; 24] {
    AMOUNTS.map(|(name, _)| name)
}

/// Every amount of a breakdown with its name.
pub fn amounts(breakdown: &Breakdown) -> [(&'static str, Fen); 24] {
    AMOUNTS.map(|(name, of)| (name, of(breakdown)))
}

/// The totals of a year that are money.
pub fn accumulators(year: &Accumulators) -> [(&'static str, Fen); 6] {
    [
        ("deductible", year.deductible),
        ("hifp", year.hifp),
        ("hifob", year.hifob),
        ("hifmi", year.hifmi),
        ("burden", year.burden),
        ("maf", year.maf),
    ]
}

/// Sums of several breakdowns, name by name.
pub fn total<'a>(breakdowns: impl IntoIterator<Item = &'a Breakdown>) -> Vec<(&'static str, Fen)> {
    let mut sums: Vec<(&'static str, Fen)> = Vec::new();
    for breakdown in breakdowns {
        let amounts = amounts(breakdown);
        if sums.is_empty() {
            sums = amounts.to_vec();
        } else {
            sums.iter_mut().zip(amounts).for_each(|(sum, (_, amount))| sum.1 += amount);
        }
    }
    sums
}
