//! Owns what a cashier is told: one short line a step, figures only.

use crate::domain::explain::DeductibleCount;
use crate::domain::explain::Step;
use crate::protocol::explanation::percent;
use crate::protocol::explanation::words;

/// One line a step, Chinese.
pub fn lines(steps: &[Step]) -> Vec<String> {
    steps.iter().map(line).collect()
}

fn line(step: &Step) -> String {
    match step {
        Step::Bill { totals, level } => {
            let t = totals;
            let (fee, own, over, first) = (t.fee(), t.full_own_pay, t.over_limit, t.first_pay);
            format!(
                "总额{fee}＝自费{own}＋超限{over}＋先付{first}＋范围内{}；待遇{}",
                t.in_scope,
                words::level(*level).0
            )
        }
        Step::ExtraFirstPay(s) => format!("另行先付{}：{}", percent(s.rate), s.amount),
        Step::Deductible(s) => {
            let counted = match s.counted {
                DeductibleCount::Admission { settled, factor } => {
                    format!("第{}次×{}", settled + 1, factor.normalize())
                }
                DeductibleCount::Year { borne } => format!("年度已付{borne}"),
                DeductibleCount::InstitutionYear { borne } => format!("本院已付{borne}"),
            };
            let factor = s.filing_factor.normalize();
            format!(
                "起付线{}（标准{}，退休减{}，{counted}，备案×{factor}），实付{}",
                s.standard, s.base, s.retired_reduction, s.paid
            )
        }
        Step::Rate(s) => format!("比例{}（基准{}）", percent(s.applied), percent(s.base)),
        Step::Pool(s) => format!("统筹应付{}，实付{}", s.uncapped, s.paid),
        Step::PoolCapReached(s) => format!("统筹封顶，超封顶{}", s.over_base),
        Step::LargeAmount(s) => format!("大额{}×{}，实付{}", s.base, percent(s.rate), s.paid),
        Step::SeriousIllness(s) => {
            format!("大病：年负担{}→{}，起付{}，实付{}", s.burden_before, s.burden_after, s.start, s.paid)
        }
        Step::CivilServant(s) => format!("公务员补助{}×{}，实付{}", s.base, percent(s.rate), s.paid),
        Step::Assistance { category, share } => {
            format!(
                "救助（{}）{}×{}，实付{}",
                words::category(*category).0,
                share.base,
                percent(share.rate),
                share.paid
            )
        }
        Step::Maternity(s) => format!("生育类别{}：实付{}，另付本人{}", s.kind, s.paid, s.owed_to_person),
        Step::WorkInjury { paid } => format!("工伤基金{paid}"),
        Step::Account(s) => format!("个人账户余额{}，可付{}，实付{}", s.balance, s.payable, s.paid),
        Step::Cash(s) => format!("基金{}，个人{}，账户{}，现金{}", s.funds, s.person, s.account, s.cash),
        Step::Accumulators { after, .. } => {
            format!("年累计：住院{}次，统筹{}，负担{}", after.admissions, after.hifp, after.burden)
        }
    }
}
