//! The worked examples of rules.md §2.6–2.8 and hand-made cases for every branch and edge.

use std::sync::Arc;

use super::*;
use crate::domain::codes::Scheme;
use crate::domain::explain::NoTrace;
use crate::domain::pack::Pack;
use crate::domain::pack::PackParts;
use crate::domain::pack::tp1;
use crate::domain::pack::tp1::yuan;

mod fund_tables;
mod pool_tables;
mod properties;
mod scheme_tables;
mod traced;
mod worked_examples;

/// The policy of a pack on an ordinary day.
fn policy(parts: PackParts, scheme: Scheme) -> Arc<Policy> {
    Pack::new(parts).unwrap().policy(scheme, tp1::day(20_260_601)).unwrap()
}

fn employee() -> Arc<Policy> {
    policy(tp1::tp1(), Scheme::Employee)
}

fn resident() -> Arc<Policy> {
    policy(tp1::tp1(), Scheme::Resident)
}

/// TP-1's employee rules with a change.
fn employee_with(change: impl FnOnce(&mut crate::domain::pack::BasicRules)) -> Policy {
    changed(&employee(), change)
}

fn resident_with(change: impl FnOnce(&mut crate::domain::pack::BasicRules)) -> Policy {
    changed(&resident(), change)
}

fn changed(policy: &Policy, change: impl FnOnce(&mut crate::domain::pack::BasicRules)) -> Policy {
    let mut policy = policy.clone();
    match &mut policy.rules {
        SchemeRules::Basic(rules) => change(rules),
        SchemeRules::Maternity(_) | SchemeRules::WorkInjury(_) => panic!("no basic rules"),
    }
    policy
}

/// A first admission at level three, long-term filed, in work, all in scope.
fn claim<'a>(policy: &'a Policy, in_scope: &str) -> Claim<'a> {
    Claim {
        policy,
        hospital: HospitalLevel::Three,
        insured: Insured { status: WorkStatus::Active, age: 40, civil_servant: false, assistance: None },
        level: BenefitLevel::LongTerm,
        totals: BillTotals { in_scope: yuan(in_scope), ..BillTotals::default() },
        year: Accumulators::ZERO,
        earlier: None,
        closes_stay: true,
        institution_deductible: Fen::ZERO,
        account: Account::NotUsed,
        maternity: None,
    }
}

fn run(claim: &Claim<'_>) -> Breakdown {
    compute(claim, &mut NoTrace).unwrap()
}

/// Whole yuan texts of some amounts, in order.
fn texts<const N: usize>(amounts: [Fen; N]) -> [String; N] {
    amounts.map(|amount| amount.to_string())
}
