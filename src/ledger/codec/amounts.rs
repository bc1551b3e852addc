//! Owns how sums of lines, fund rows and accumulators are kept.

use crate::domain::accumulators::Accumulators;
use crate::domain::accumulators::EarlierParts;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Direction;
use crate::domain::breakdown::Fund;
use crate::domain::breakdown::FundRow;
use crate::domain::money::Fen;
use crate::domain::record::LineTotals;

word!(Direction { Forward = "forward", Reversal = "reversal" });

plain!(Fund: u32, |fund| fund.code(), Fund::from_code);
row!(FundRow { fund: Fund, amount: Fen, in_scope: Fen, payable_max: Fen });

row!(Accumulators {
    admissions: i64 = default,
    deductible: Fen = default,
    hifp: Fen = default,
    hifob: Fen = default,
    hifmi: Fen = default,
    burden: Fen = default,
    maf: Fen = default,
});

row!(EarlierParts { in_scope: Fen, deductible: Fen, admissions_before: i64 });

row!(BillTotals {
    full_own_pay: Fen = default,
    over_limit: Fen = default,
    first_pay: Fen = default,
    in_scope: Fen = default,
});

/// Form of [`LineTotals`]: the amount is the sum of the four parts, or told.
#[derive(Debug, PartialEq)]
struct KeptTotals {
    count: u32,
    in_scope: Fen,
    first_pay: Fen,
    over_limit: Fen,
    class_c: Fen,
    amount: Option<Fen>,
}

row!(KeptTotals {
    count: u32 = default,
    in_scope: Fen = default,
    first_pay: Fen = default,
    over_limit: Fen = default,
    class_c: Fen = default,
    amount: Option<Fen> = default,
});

plain!(LineTotals: KeptTotals, kept_totals, |kept| Some(line_totals(kept)));

fn kept_totals(totals: &LineTotals) -> KeptTotals {
    let LineTotals { amount, class_c, over_limit, first_pay, in_scope, count } = *totals;
    let told = Some(amount).filter(|amount| *amount != class_c + over_limit + first_pay + in_scope);
    KeptTotals { count, in_scope, first_pay, over_limit, class_c, amount: told }
}

fn line_totals(kept: KeptTotals) -> LineTotals {
    let KeptTotals { count, in_scope, first_pay, over_limit, class_c, amount } = kept;
    let amount = amount.unwrap_or_else(|| class_c + over_limit + first_pay + in_scope);
    LineTotals { amount, class_c, over_limit, first_pay, in_scope, count }
}
