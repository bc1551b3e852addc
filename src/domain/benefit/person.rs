//! Owns steps 9 and 10 of rules.md §2.2: account and cash, and the year that follows.

use crate::domain::accumulators::Accumulators;
use crate::domain::benefit::Account;
use crate::domain::benefit::Claim;
use crate::domain::benefit::Shares;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Direction;
use crate::domain::explain::AccountStep;
use crate::domain::explain::CashStep;
use crate::domain::explain::Step;
use crate::domain::explain::Trace;
use crate::domain::money::Fen;
use crate::domain::parameters::AccountScope;

/// Divides what the funds left and writes the breakdown.
pub(super) fn part(claim: &Claim<'_>, shares: Shares, trace: &mut impl Trace) -> Breakdown {
    let totals = claim.totals;
    let fee = totals.fee();
    let funds = shares.funds.iter().map(|row| row.amount).sum();
    let person = fee - funds;
    let account = account(claim.account, payable(shares.account, &totals, totals.in_scope - funds), trace);
    let cash = person - account;
    trace.step(|| Step::Cash(CashStep { fee, funds, person, account, cash }));
    let change = change(claim, &shares);
    trace.step(|| Step::Accumulators { before: claim.year, after: claim.year + change });
    Breakdown {
        direction: Direction::Forward,
        medfee_sumamt: fee,
        fulamt_ownpay_amt: totals.full_own_pay,
        overlmt_selfpay: totals.over_limit,
        preselfpay_amt: totals.first_pay,
        inscp_scp_amt: totals.in_scope,
        extra_first_pay: shares.extra_first_pay,
        dedc_std: shares.dedc_std,
        act_pay_dedc: shares.act_pay_dedc,
        hifp_pay: shares.hifp,
        hifob_pay: shares.hifob,
        hifmi_pay: shares.hifmi,
        hifes_pay: Fen::ZERO,
        cvlserv_pay: shares.cvlserv,
        maf_pay: shares.maf,
        hifdm_pay: Fen::ZERO,
        oth_pay: shares.oth,
        fund_pay_sumamt: funds,
        psn_part_amt: person,
        hosp_part_amt: Fen::ZERO,
        acct_pay: account,
        acct_mulaid_pay: Fen::ZERO,
        psn_cash_pay: cash,
        pool_rate: shares.pool_rate,
        owed_to_person: shares.owed_to_person,
        funds: shares.funds,
        before: claim.year,
        change,
    }
}

/// What of this bill the account may pay. `in_scope_left`: by the funds.
fn payable(scope: AccountScope, totals: &BillTotals, in_scope_left: Fen) -> Fen {
    let parts = [
        (scope.first_pay, totals.first_pay),
        (scope.in_scope, in_scope_left),
        (scope.class_c, totals.full_own_pay),
        (scope.over_limit, totals.over_limit),
    ];
    parts.into_iter().filter(|(allowed, _)| *allowed).map(|(_, amount)| amount).sum()
}

fn account(choice: Account, payable: Fen, trace: &mut impl Trace) -> Fen {
    match choice {
        Account::NotUsed => Fen::ZERO,
        Account::Used { balance } => {
            let paid = balance.or_zero().min(payable);
            trace.step(|| Step::Account(AccountStep { balance, payable, paid }));
            paid
        }
    }
}

/// Step 10. The parts of one stay count one admission, with the first of them.
fn change(claim: &Claim<'_>, shares: &Shares) -> Accumulators {
    let paid = shares.hifp + shares.hifob + shares.oth;
    Accumulators {
        admissions: i64::from(claim.earlier.is_none()),
        deductible: shares.act_pay_dedc,
        hifp: shares.hifp,
        hifob: shares.hifob,
        hifmi: shares.hifmi,
        burden: claim.totals.in_scope - paid,
        maf: shares.maf,
    }
}
