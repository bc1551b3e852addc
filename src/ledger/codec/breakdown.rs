//! Owns how the breakdown of a settlement is kept, under the wire's names: what follows from the facts and from its other
//! amounts is left out while it is what follows.

use crate::domain::accumulators::Accumulators;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Direction;
use crate::domain::breakdown::Fund;
use crate::domain::breakdown::FundRow;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::record::ClaimFacts;
use crate::ledger::codec::text::Keep;
use crate::ledger::codec::text::Text;

/// A breakdown to be kept, with the facts that it was computed from.
pub(super) struct BreakdownOf<'s>(pub(super) &'s Breakdown, pub(super) &'s ClaimFacts);

/// What the rest follows from.
#[derive(Clone, Copy)]
struct Given<'a> {
    facts: &'a ClaimFacts,
    funds: &'a [FundRow],
    medfee_sumamt: Fen,
    fund_pay_sumamt: Fen,
    hosp_part_amt: Fen,
    acct_pay: Fen,
    psn_cash_pay: Fen,
    dedc_std: Fen,
    pool_rate: Rate,
}

/// The amounts that a breakdown has beside those that every one is kept with.
macro_rules! amounts {
    ($($amount:ident),* $(,)?) => {
        /// A breakdown as it is read.
        #[derive(serde::Deserialize)]
        pub(super) struct KeptBreakdown {
            direction: Option<Direction>,
            #[serde(default)]
            medfee_sumamt: Fen,
            #[serde(default)]
            fund_pay_sumamt: Fen,
            #[serde(default)]
            hosp_part_amt: Fen,
            #[serde(default)]
            acct_pay: Fen,
            #[serde(default)]
            psn_cash_pay: Fen,
            #[serde(default)]
            dedc_std: Fen,
            $($amount: Option<Fen>,)*
            pool_rate: Rate,
            #[serde(default)]
            funds: Vec<FundRow>,
            before: Option<Accumulators>,
            change: Option<Accumulators>,
        }

        impl KeptBreakdown {
            /// With everything that was left out.
            pub(super) fn whole(self, facts: &ClaimFacts) -> Breakdown {
                let mut whole = following(Given {
                    facts,
                    funds: &self.funds,
                    medfee_sumamt: self.medfee_sumamt,
                    fund_pay_sumamt: self.fund_pay_sumamt,
                    hosp_part_amt: self.hosp_part_amt,
                    acct_pay: self.acct_pay,
                    psn_cash_pay: self.psn_cash_pay,
                    dedc_std: self.dedc_std,
                    pool_rate: self.pool_rate,
                });
                $(whole.$amount = self.$amount.unwrap_or(whole.$amount);)*
                whole.direction = self.direction.unwrap_or(whole.direction);
                whole.before = self.before.unwrap_or(whole.before);
                whole.change = self.change.unwrap_or_else(|| change_of(&whole, facts));
                whole.funds = self.funds;
                whole
            }
        }

        impl Keep for BreakdownOf<'_> {
          fn keep(&self, to: &mut Text) {
            let BreakdownOf(breakdown, facts) = self;
            let follows = following(Given {
                facts,
                funds: &breakdown.funds,
                medfee_sumamt: breakdown.medfee_sumamt,
                fund_pay_sumamt: breakdown.fund_pay_sumamt,
                hosp_part_amt: breakdown.hosp_part_amt,
                acct_pay: breakdown.acct_pay,
                psn_cash_pay: breakdown.psn_cash_pay,
                dedc_std: breakdown.dedc_std,
                pool_rate: breakdown.pool_rate,
            });
            to.object(|to| {
            to.unless("\"direction\":", &breakdown.direction, &follows.direction);
            to.unless_default("\"medfee_sumamt\":", &breakdown.medfee_sumamt);
            to.unless_default("\"fund_pay_sumamt\":", &breakdown.fund_pay_sumamt);
            to.unless_default("\"hosp_part_amt\":", &breakdown.hosp_part_amt);
            to.unless_default("\"acct_pay\":", &breakdown.acct_pay);
            to.unless_default("\"psn_cash_pay\":", &breakdown.psn_cash_pay);
            to.unless_default("\"dedc_std\":", &breakdown.dedc_std);
            $(to.unless(
                concat!("\"", stringify!($amount), "\":"), &breakdown.$amount, &follows.$amount,
            );)*
            to.field("\"pool_rate\":", &breakdown.pool_rate);
            to.unless_default("\"funds\":", &breakdown.funds);
            to.unless("\"before\":", &breakdown.before, &follows.before);
            to.unless("\"change\":", &breakdown.change, &change_of(breakdown, facts));
            });
          }
        }
    };
}

amounts!(
    fulamt_ownpay_amt,
    overlmt_selfpay,
    preselfpay_amt,
    inscp_scp_amt,
    extra_first_pay,
    act_pay_dedc,
    hifp_pay,
    hifob_pay,
    hifmi_pay,
    hifes_pay,
    cvlserv_pay,
    maf_pay,
    hifdm_pay,
    oth_pay,
    psn_part_amt,
    acct_mulaid_pay,
    owed_to_person,
);

/// A breakdown of which nothing is known but what is given.
fn following(given: Given<'_>) -> Breakdown {
    let totals = given.facts.totals;
    let paid = |funds: &[Fund]| -> Fen {
        given.funds.iter().filter(|row| funds.contains(&row.fund)).map(|row| row.amount).sum()
    };
    Breakdown {
        direction: Direction::Forward,
        medfee_sumamt: given.medfee_sumamt,
        fulamt_ownpay_amt: totals.full_own_pay,
        overlmt_selfpay: totals.over_limit,
        preselfpay_amt: totals.first_pay,
        inscp_scp_amt: totals.in_scope,
        extra_first_pay: Fen::ZERO,
        dedc_std: given.dedc_std,
        act_pay_dedc: given.dedc_std.min(totals.in_scope),
        hifp_pay: paid(&[Fund::EmployeePool, Fund::ResidentPool, Fund::Maternity]),
        hifob_pay: paid(&[Fund::LargeAmount]),
        hifmi_pay: paid(&[Fund::EmployeeSeriousIllness, Fund::ResidentSeriousIllness]),
        hifes_pay: Fen::ZERO,
        cvlserv_pay: paid(&[Fund::CivilServant]),
        maf_pay: paid(&[Fund::Assistance]),
        hifdm_pay: Fen::ZERO,
        oth_pay: paid(&[Fund::WorkInjury]),
        fund_pay_sumamt: given.fund_pay_sumamt,
        psn_part_amt: given.medfee_sumamt - given.fund_pay_sumamt - given.hosp_part_amt,
        hosp_part_amt: given.hosp_part_amt,
        acct_pay: given.acct_pay,
        acct_mulaid_pay: Fen::ZERO,
        psn_cash_pay: given.psn_cash_pay,
        pool_rate: given.pool_rate,
        owed_to_person: Fen::ZERO,
        funds: Vec::new(),
        before: given.facts.year,
        change: Accumulators::ZERO,
    }
}

/// The accumulators move by what was paid; the parts of one stay count one admission, with the first of them.
fn change_of(breakdown: &Breakdown, facts: &ClaimFacts) -> Accumulators {
    Accumulators {
        admissions: i64::from(facts.earlier.is_none()),
        deductible: breakdown.act_pay_dedc,
        hifp: breakdown.hifp_pay,
        hifob: breakdown.hifob_pay,
        hifmi: breakdown.hifmi_pay,
        burden: breakdown.burden(),
        maf: breakdown.maf_pay,
    }
}
