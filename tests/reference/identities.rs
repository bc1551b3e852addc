//! Identities I1 to I8 of rules.md §2.3 on one result. I9 is held where histories are told, I10 where results
//! are compared.
use super::lines::Split;
use super::number::Fen;

/// The figures of a result by the names of the wire, whoever worked them out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wire {
    pub(crate) total: Fen,
    pub(crate) split: Split,
    pub(crate) prepay: Fen,
    pub(crate) deductible_standard: Fen,
    pub(crate) deductible: Fen,
    pub(crate) pool: Fen,
    pub(crate) large: Fen,
    pub(crate) serious: Fen,
    pub(crate) civil_servant: Fen,
    pub(crate) assistance: Fen,
    pub(crate) other: Fen,
    pub(crate) fund: Fen,
    pub(crate) personal: Fen,
    pub(crate) account: Fen,
    pub(crate) cash: Fen,
}

/// Which identities a forward bill breaks; a reversal is negated first.
pub(crate) fn faults(wire: &Wire) -> Vec<&'static str> {
    let split = wire.split;
    let funds = [wire.pool, wire.large, wire.serious, wire.civil_servant, wire.assistance, wire.other];
    let rest = [wire.total, wire.prepay, wire.deductible_standard, wire.deductible, wire.fund, wire.personal];
    let money = [split.full_own, split.over_limit, split.first_pay, split.in_scope, wire.account, wire.cash];
    let every = funds.iter().chain(&rest).chain(&money);
    let held = [
        ("I1", wire.total == split.total()),
        ("I2", wire.deductible == wire.deductible_standard.min(split.in_scope - wire.prepay)),
        ("I3", wire.fund == funds.iter().sum::<Fen>()),
        ("I4", wire.total == wire.fund + wire.personal),
        ("I5", wire.personal == wire.account + wire.cash),
        (
            "I6",
            wire.personal == split.full_own + split.over_limit + split.first_pay + split.in_scope - wire.fund,
        ),
        ("I7", every.copied().all(|amount| amount >= 0)),
        ("I8", wire.fund <= split.in_scope),
    ];
    held.into_iter().filter(|(_, holds)| !holds).map(|(name, _)| name).collect()
}
