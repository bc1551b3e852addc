//! Owns what she is told of one settlement, as figures and words; pages and data render the same.

use crate::domain::accumulators::Accumulators;
use crate::domain::benefit;
use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Fund;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::explain::DeductibleStep;
use crate::domain::explain::NoTrace;
use crate::domain::explain::PoolStep;
use crate::domain::explain::RateStep;
use crate::domain::explain::Step;
use crate::domain::money::Fen;
use crate::domain::pack::Policy;
use crate::domain::record::Settlement;
use crate::protocol::explanation::Sentence;
use crate::protocol::explanation::person::explain;
use crate::protocol::person::names;
use crate::protocol::web::figures::Payer;
use crate::protocol::web::figures::Share;
use crate::protocol::web::form::Said;
use crate::service::explain::Explanation;

/// One settlement explained. The figures are the stored ones; steps are left out where they lead elsewhere.
pub(super) struct ClaimView {
    pub(super) settlement: Settlement,
    pub(super) breakdown: Breakdown,
    pub(super) shares: Vec<Share>,
    pub(super) level: BenefitLevel,
    pub(super) steps: StepsSeen,
    pub(super) caps: Vec<CapSeen>,
    pub(super) other: Option<Otherwise>,
    pub(super) before: Accumulators,
    pub(super) after: Accumulators,
    pub(super) mismatch: bool,
}

/// The steps that a reader is shown.
#[derive(Default)]
pub(super) struct StepsSeen {
    pub(super) deductible: Option<DeductibleStep>,
    pub(super) rates: Vec<RateStep>,
    pub(super) pool: Option<PoolStep>,
    /// In scope, and above what was left of the pool's yearly limit.
    pub(super) over_cap: Fen,
    /// Those beside the pool, in the order in which they pay.
    pub(super) funds: Vec<FundSeen>,
}

/// What a fund pays, and the words in which the whole explanation tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FundSeen {
    pub(super) fund: Fund,
    pub(super) paid: Fen,
    pub(super) why: Sentence,
}

/// A fund with a yearly cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CapSeen {
    pub(super) fund: Fund,
    /// Room under the cap before this bill.
    pub(super) room: Fen,
    pub(super) paid: Fen,
}

impl CapSeen {
    pub(super) fn left(&self) -> Fen {
        self.room.less(self.paid)
    }
}

/// What the same bill would have been with another filing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// Her filing saved her this much.
    Saved(Fen),
    /// Her filing saved her all that the insurance paid: without it, nothing is settled directly.
    SavedAll(Fen),
    /// A filing made before settlement would have saved this much.
    WouldHaveSaved { by: BenefitLevel, amount: Fen },
}

impl ClaimView {
    pub(super) fn new(explanation: Explanation) -> ClaimView {
        let Explanation { settlement, breakdown, policy, steps, mismatch, .. } = explanation;
        let shown: &[Step] = if mismatch { &[] } else { &steps.0 };
        ClaimView {
            shares: shares(&breakdown),
            level: settlement.facts.level,
            caps: caps(&breakdown, shown),
            other: if mismatch { None } else { otherwise(&settlement, &breakdown, &policy) },
            before: breakdown.before,
            after: breakdown.after(),
            steps: seen(shown, settlement.scheme),
            settlement,
            breakdown,
            mismatch,
        }
    }
}

/// Who pays what, funds first.
pub(super) fn shares(breakdown: &Breakdown) -> Vec<Share> {
    let funds = breakdown.funds.iter().enumerate().map(|(at, row)| Share {
        label: names::fund(row.fund),
        amount: row.amount,
        payer: if at == 0 { Payer::Fund } else { Payer::OtherFund },
    });
    let account = Share {
        label: Said::new("个人账户", "Your account"),
        amount: breakdown.acct_pay + breakdown.acct_mulaid_pay,
        payer: Payer::Account,
    };
    let cash = Share {
        label: Said::new("个人现金", "You, in cash"),
        amount: breakdown.psn_cash_pay,
        payer: Payer::Cash,
    };
    let hospital = Share {
        label: Said::new("医院承担", "Hospital"),
        amount: breakdown.hosp_part_amt,
        payer: Payer::OtherFund,
    };
    let all = funds.chain([hospital, account, cash]);
    all.filter(|share| share.amount > Fen::ZERO).collect()
}

fn seen(steps: &[Step], scheme: Scheme) -> StepsSeen {
    let mut seen = StepsSeen::default();
    for (step, why) in steps.iter().zip(explain(steps)) {
        match step {
            Step::Deductible(step) => seen.deductible = Some(*step),
            Step::Rate(step) => seen.rates.push(*step),
            Step::Pool(step) => seen.pool = Some(step.clone()),
            Step::PoolCapReached(step) => seen.over_cap = step.over_base,
            step => seen.funds.extend(pays(step, scheme).map(|(fund, paid)| FundSeen { fund, paid, why })),
        }
    }
    seen
}

/// Which fund a step is about, where it is one beside the pool.
fn pays(step: &Step, scheme: Scheme) -> Option<(Fund, Fen)> {
    Some(match step {
        Step::LargeAmount(share) => (Fund::LargeAmount, share.paid),
        Step::SeriousIllness(step) if scheme == Scheme::Resident => (Fund::ResidentSeriousIllness, step.paid),
        Step::SeriousIllness(step) => (Fund::EmployeeSeriousIllness, step.paid),
        Step::CivilServant(share) => (Fund::CivilServant, share.paid),
        Step::Assistance { share, .. } => (Fund::Assistance, share.paid),
        Step::Maternity(step) => (Fund::Maternity, step.paid),
        Step::WorkInjury { paid } => (Fund::WorkInjury, *paid),
        Step::Bill { .. }
        | Step::ExtraFirstPay(_)
        | Step::Deductible(_)
        | Step::Rate(_)
        | Step::Pool(_)
        | Step::PoolCapReached(_)
        | Step::Account(_)
        | Step::Cash(_)
        | Step::Accumulators { .. } => return None,
    })
}

/// Funds that have a yearly cap, with the room that it left this bill.
fn caps(breakdown: &Breakdown, steps: &[Step]) -> Vec<CapSeen> {
    let capped = |fund: Fund| {
        steps.iter().any(|step| match step {
            Step::Pool(step) => is_pool(fund) && step.room.is_some(),
            Step::LargeAmount(step) => fund == Fund::LargeAmount && step.room.is_some(),
            Step::SeriousIllness(step) => is_illness(fund) && step.room.is_some(),
            Step::Assistance { share, .. } => fund == Fund::Assistance && share.room.is_some(),
            _ => false,
        })
    };
    let rows = breakdown.funds.iter().filter(|row| capped(row.fund));
    rows.map(|row| CapSeen { fund: row.fund, room: row.payable_max, paid: row.amount }).collect()
}

fn is_pool(fund: Fund) -> bool {
    matches!(fund, Fund::EmployeePool | Fund::ResidentPool)
}

fn is_illness(fund: Fund) -> bool {
    matches!(fund, Fund::EmployeeSeriousIllness | Fund::ResidentSeriousIllness)
}

/// The same bill by another row of the filing table.
fn otherwise(settlement: &Settlement, breakdown: &Breakdown, policy: &Policy) -> Option<Otherwise> {
    let level = settlement.facts.level;
    let with = |level| {
        let mut facts = settlement.facts;
        facts.level = level;
        benefit::compute(&facts.claim(policy), &mut NoTrace)
    };
    match level {
        BenefitLevel::Unfiled => {
            let by = BenefitLevel::OtherTemporary;
            let amount = breakdown.psn_part_amt - with(by).ok()?.psn_part_amt;
            (amount > Fen::ZERO).then_some(Otherwise::WouldHaveSaved { by, amount })
        }
        BenefitLevel::LongTerm
        | BenefitLevel::Referral
        | BenefitLevel::Emergency
        | BenefitLevel::OtherTemporary
        | BenefitLevel::InProvince => {
            settlement.filing.as_ref()?;
            match with(BenefitLevel::Unfiled) {
                Ok(unfiled) => {
                    let amount = unfiled.psn_part_amt - breakdown.psn_part_amt;
                    (amount > Fen::ZERO).then_some(Otherwise::Saved(amount))
                }
                Err(benefit::NoBenefit::UnfiledRefused) => {
                    Some(Otherwise::SavedAll(breakdown.fund_pay_sumamt))
                }
                Err(_) => None,
            }
        }
        BenefitLevel::Local | BenefitLevel::LongTermHome => None,
    }
}
