//! Owns how what a computation was given, and what it gave, are kept.

use crate::domain::accumulators::Accumulators;
use crate::domain::accumulators::EarlierParts;
use crate::domain::benefit::Account;
use crate::domain::benefit::Insured;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Direction;
use crate::domain::breakdown::Fund;
use crate::domain::breakdown::FundRow;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::WorkStatus;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::record::ClaimFacts;
use crate::domain::record::LineTotals;

word!(Direction { Forward = "forward", Reversal = "reversal" });

plain!(Fund: u32, |fund| fund.code(), Fund::from_code);
plain!(Account: Option<Fen>, balance_of, |balance| Some(account_of(balance)));

fn balance_of(account: &Account) -> Option<Fen> {
    match account {
        Account::NotUsed => None,
        Account::Used { balance } => Some(*balance),
    }
}

fn account_of(balance: Option<Fen>) -> Account {
    balance.map_or(Account::NotUsed, |balance| Account::Used { balance })
}

object!(FundRow { fund: Fund, amount: Fen, in_scope: Fen, payable_max: Fen });

object!(Accumulators {
    admissions: i64 = default,
    deductible: Fen = default,
    hifp: Fen = default,
    hifob: Fen = default,
    hifmi: Fen = default,
    burden: Fen = default,
    maf: Fen = default,
});

object!(EarlierParts { in_scope: Fen, deductible: Fen, admissions_before: i64 });

object!(Insured {
    status: WorkStatus,
    age: i32,
    civil_servant: bool,
    assistance: Option<AssistanceCategory> = default,
});

object!(BillTotals {
    full_own_pay: Fen = default,
    over_limit: Fen = default,
    first_pay: Fen = default,
    in_scope: Fen = default,
});

object!(LineTotals {
    amount: Fen = default,
    class_c: Fen = default,
    over_limit: Fen = default,
    first_pay: Fen = default,
    in_scope: Fen = default,
    count: u32 = default,
});

object!(ClaimFacts {
    hospital: HospitalLevel,
    insured: Insured,
    level: BenefitLevel,
    totals: BillTotals,
    year: Accumulators,
    earlier: Option<EarlierParts> = default,
    closes_stay: bool,
    institution_deductible: Fen = default,
    account: Account,
    maternity: Option<MaternityKind> = default,
});

object!(Breakdown {
    direction: Direction,
    medfee_sumamt: Fen = default,
    fulamt_ownpay_amt: Fen = default,
    overlmt_selfpay: Fen = default,
    preselfpay_amt: Fen = default,
    inscp_scp_amt: Fen = default,
    extra_first_pay: Fen = default,
    dedc_std: Fen = default,
    act_pay_dedc: Fen = default,
    hifp_pay: Fen = default,
    hifob_pay: Fen = default,
    hifmi_pay: Fen = default,
    hifes_pay: Fen = default,
    cvlserv_pay: Fen = default,
    maf_pay: Fen = default,
    hifdm_pay: Fen = default,
    oth_pay: Fen = default,
    fund_pay_sumamt: Fen = default,
    psn_part_amt: Fen = default,
    hosp_part_amt: Fen = default,
    acct_pay: Fen = default,
    acct_mulaid_pay: Fen = default,
    psn_cash_pay: Fen = default,
    pool_rate: Rate,
    owed_to_person: Fen = default,
    funds: Vec<FundRow> = default,
    before: Accumulators,
    change: Accumulators,
});
