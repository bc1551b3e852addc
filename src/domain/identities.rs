//! Owns the identities I1–I10 of rules.md §2.3 and their proof on a breakdown.

use core::fmt;

use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Direction;
use crate::domain::money::Fen;

/// Which identity of rules.md §2.3 does not hold, with both figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("identity {identity} is broken: {left} is not {right}")]
pub struct BrokenIdentity {
    pub identity: Identity,
    pub left: Fen,
    pub right: Fen,
}

/// The identities I1–I10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The fee is the sum of its four parts.
    I1,
    /// The deductible paid is what the bill can bear of it.
    I2,
    /// The fund total is the sum of the funds.
    I3,
    /// The fee is fund, person and hospital.
    I4,
    /// The person's part is account and cash.
    I5,
    /// Person and hospital bear what is out of scope and what the funds leave.
    I6,
    /// No amount is negative on a forward bill.
    I7,
    /// The funds pay no more than the in-scope amount.
    I8,
    /// No fund goes above its cap, and the accumulators move by what was paid.
    I9,
    /// The fund rows sum to the fund total.
    I10,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Identity::I1 => "I1 (fee = its four parts)",
            Identity::I2 => "I2 (deductible paid = what the bill can bear of it)",
            Identity::I3 => "I3 (fund total = sum of funds)",
            Identity::I4 => "I4 (fee = fund + person + hospital)",
            Identity::I5 => "I5 (person's part = account + cash)",
            Identity::I6 => "I6 (person + hospital = out of scope + what the funds leave)",
            Identity::I7 => "I7 (no negative amount on a forward bill)",
            Identity::I8 => "I8 (funds pay at most the in-scope amount)",
            Identity::I9 => "I9 (no cap passed, accumulators move by what was paid)",
            Identity::I10 => "I10 (fund rows = fund total)",
        })
    }
}

impl Breakdown {
    /// Proves I1–I10. A reversal is turned back first.
    ///
    /// # Errors
    /// The first identity that does not hold.
    pub fn check(&self) -> Result<(), BrokenIdentity> {
        match self.direction {
            Direction::Forward => self.check_forward(),
            Direction::Reversal => self.negated().check_forward(),
        }
    }

    fn check_forward(&self) -> Result<(), BrokenIdentity> {
        self.check_bill()?;
        self.check_shares()?;
        self.check_signs()?;
        self.check_funds()
    }

    fn check_bill(&self) -> Result<(), BrokenIdentity> {
        equal(Identity::I1, self.medfee_sumamt, self.totals().fee())?;
        equal(Identity::I2, self.act_pay_dedc, self.dedc_std.min(self.inscp_scp_amt - self.extra_first_pay))
    }

    fn check_shares(&self) -> Result<(), BrokenIdentity> {
        let borne = self.psn_part_amt + self.hosp_part_amt;
        let out_of_scope = self.fulamt_ownpay_amt + self.overlmt_selfpay + self.preselfpay_amt;
        equal(Identity::I3, self.fund_pay_sumamt, self.fund_amounts().into_iter().sum())?;
        equal(Identity::I4, self.medfee_sumamt, self.fund_pay_sumamt + borne)?;
        equal(Identity::I5, self.psn_part_amt, self.acct_pay + self.psn_cash_pay + self.acct_mulaid_pay)?;
        equal(Identity::I6, borne, out_of_scope + (self.inscp_scp_amt - self.fund_pay_sumamt))
    }

    fn check_signs(&self) -> Result<(), BrokenIdentity> {
        let rows = self.funds.iter().flat_map(|row| [row.amount, row.in_scope, row.payable_max]);
        let negative = self.amounts().into_iter().chain(rows).find(|amount| amount.is_negative());
        negative.map_or(Ok(()), |amount| {
            Err(BrokenIdentity { identity: Identity::I7, left: amount, right: Fen::ZERO })
        })?;
        at_most(Identity::I8, self.fund_pay_sumamt, self.inscp_scp_amt)
    }

    fn check_funds(&self) -> Result<(), BrokenIdentity> {
        for row in &self.funds {
            at_most(Identity::I9, row.amount, row.payable_max)?;
        }
        equal(Identity::I9, self.change.deductible, self.act_pay_dedc)?;
        equal(Identity::I9, self.change.hifp, self.hifp_pay)?;
        equal(Identity::I9, self.change.hifob, self.hifob_pay)?;
        equal(Identity::I9, self.change.hifmi, self.hifmi_pay)?;
        equal(Identity::I9, self.change.burden, self.burden())?;
        equal(Identity::I9, self.change.maf, self.maf_pay)?;
        equal(Identity::I10, self.fund_pay_sumamt, self.funds.iter().map(|row| row.amount).sum())
    }

    fn fund_amounts(&self) -> [Fen; 8] {
        [
            self.hifp_pay,
            self.hifob_pay,
            self.hifmi_pay,
            self.hifes_pay,
            self.cvlserv_pay,
            self.maf_pay,
            self.hifdm_pay,
            self.oth_pay,
        ]
    }

    fn amounts(&self) -> [Fen; 23] {
        let [hifp, hifob, hifmi, hifes, cvlserv, maf, hifdm, oth] = self.fund_amounts();
        [
            self.medfee_sumamt,
            self.fulamt_ownpay_amt,
            self.overlmt_selfpay,
            self.preselfpay_amt,
            self.inscp_scp_amt,
            self.extra_first_pay,
            self.dedc_std,
            self.act_pay_dedc,
            hifp,
            hifob,
            hifmi,
            hifes,
            cvlserv,
            maf,
            hifdm,
            oth,
            self.fund_pay_sumamt,
            self.psn_part_amt,
            self.hosp_part_amt,
            self.acct_pay,
            self.acct_mulaid_pay,
            self.psn_cash_pay,
            self.owed_to_person,
        ]
    }
}

fn equal(identity: Identity, left: Fen, right: Fen) -> Result<(), BrokenIdentity> {
    if left == right { Ok(()) } else { Err(BrokenIdentity { identity, left, right }) }
}

fn at_most(identity: Identity, left: Fen, right: Fen) -> Result<(), BrokenIdentity> {
    if left <= right { Ok(()) } else { Err(BrokenIdentity { identity, left, right }) }
}

#[cfg(test)]
mod tests {
    use core::ops::Neg;

    use super::*;
    use crate::domain::accumulators::Accumulators;
    use crate::domain::breakdown::Fund;
    use crate::domain::breakdown::FundRow;
    use crate::domain::money::Rate;

    /// A bill in which every amount differs from every other.
    fn sound() -> Breakdown {
        let row = |fund, amount, in_scope, payable_max| FundRow {
            fund,
            amount: Fen(amount),
            in_scope: Fen(in_scope),
            payable_max: Fen(payable_max),
        };
        Breakdown {
            direction: Direction::Forward,
            medfee_sumamt: Fen(11_110),
            fulamt_ownpay_amt: Fen(10),
            overlmt_selfpay: Fen(100),
            preselfpay_amt: Fen(1_000),
            inscp_scp_amt: Fen(10_000),
            extra_first_pay: Fen(50),
            dedc_std: Fen(900),
            act_pay_dedc: Fen(900),
            hifp_pay: Fen(4_000),
            hifob_pay: Fen(300),
            hifmi_pay: Fen(70),
            hifes_pay: Fen(1),
            cvlserv_pay: Fen(6),
            maf_pay: Fen(8),
            hifdm_pay: Fen(2),
            oth_pay: Fen(13),
            fund_pay_sumamt: Fen(4_400),
            psn_part_amt: Fen(6_690),
            hosp_part_amt: Fen(20),
            acct_pay: Fen(600),
            acct_mulaid_pay: Fen(90),
            psn_cash_pay: Fen(6_000),
            pool_rate: Rate::ONE,
            owed_to_person: Fen(5),
            funds: vec![
                row(Fund::EmployeePool, 4_000, 10_000, 4_000),
                row(Fund::Assistance, 400, 2_000, 500),
            ],
            before: Accumulators { hifp: Fen(77), ..Accumulators::ZERO },
            change: Accumulators {
                admissions: 1,
                deductible: Fen(900),
                hifp: Fen(4_000),
                hifob: Fen(300),
                hifmi: Fen(70),
                burden: Fen(5_687),
                maf: Fen(8),
            },
        }
    }

    type Break = fn(&mut Breakdown);

    #[test]
    fn a_sound_breakdown_and_its_reversal_hold_every_identity() {
        assert_eq!(sound().check(), Ok(()));
        let reversal = sound().negated();
        assert_eq!((reversal.check(), reversal.direction), (Ok(()), Direction::Reversal));
        assert_eq!(reversal.negated(), sound());
        assert_eq!(reversal.before, sound().after());
        assert_eq!(reversal.after(), sound().before);
        assert_eq!(
            (reversal.amounts(), reversal.burden()),
            (sound().amounts().map(Neg::neg), -sound().burden())
        );
        let rows: Vec<(i64, i64, i64)> =
            reversal.funds.iter().map(|row| (row.amount.0, row.in_scope.0, row.payable_max.0)).collect();
        assert_eq!(rows, [(-4_000, -10_000, -4_000), (-400, -2_000, -500)]);
    }

    #[test]
    fn each_broken_identity_is_named() {
        let cases: [(Identity, Break); 27] = [
            (Identity::I1, |b| b.medfee_sumamt += Fen(1)),
            (Identity::I1, |b| b.fulamt_ownpay_amt += Fen(1)),
            (Identity::I1, |b| b.overlmt_selfpay += Fen(1)),
            (Identity::I1, |b| b.preselfpay_amt += Fen(1)),
            (Identity::I1, |b| b.inscp_scp_amt += Fen(1)),
            (Identity::I2, |b| b.act_pay_dedc += Fen(1)),
            (Identity::I2, |b| b.dedc_std = Fen(899)),
            (Identity::I2, |b| b.extra_first_pay = Fen(9_101)),
            (Identity::I3, |b| b.hifp_pay += Fen(1)),
            (Identity::I3, |b| b.hifes_pay += Fen(1)),
            (Identity::I3, |b| b.hifdm_pay += Fen(1)),
            (Identity::I3, |b| b.fund_pay_sumamt += Fen(1)),
            (Identity::I4, |b| b.psn_part_amt += Fen(1)),
            (Identity::I4, |b| b.hosp_part_amt += Fen(1)),
            (Identity::I5, |b| b.acct_pay += Fen(1)),
            (Identity::I5, |b| b.psn_cash_pay += Fen(1)),
            (Identity::I5, |b| b.acct_mulaid_pay += Fen(1)),
            (Identity::I7, |b| b.owed_to_person = Fen(-1)),
            (Identity::I7, |b| b.funds[0].in_scope = Fen(-1)),
            (Identity::I9, |b| b.funds[0].payable_max = Fen(3_999)),
            (Identity::I9, |b| b.change.deductible += Fen(1)),
            (Identity::I9, |b| b.change.hifp += Fen(1)),
            (Identity::I9, |b| b.change.hifob += Fen(1)),
            (Identity::I9, |b| b.change.hifmi += Fen(1)),
            (Identity::I9, |b| b.change.burden += Fen(1)),
            (Identity::I9, |b| b.change.maf += Fen(1)),
            (Identity::I10, |b| b.funds[1].amount += Fen(1)),
        ];
        for (index, (identity, spoil)) in cases.into_iter().enumerate() {
            let mut spoilt = sound();
            spoil(&mut spoilt);
            assert_eq!(spoilt.check().map_err(|broken| broken.identity), Err(identity), "case {index}");
            let reversal = spoilt.negated().check().map_err(|broken| broken.identity);
            assert_eq!(reversal, Err(identity), "case {index} reversed");
        }
    }

    #[test]
    fn the_deductible_is_cut_by_what_the_extra_first_pay_leaves() {
        let mut b = sound();
        (b.dedc_std, b.act_pay_dedc, b.change.deductible) = (Fen(9_951), Fen(9_950), Fen(9_950));
        assert_eq!(b.check(), Ok(()));
        b.dedc_std = Fen(9_949);
        assert_eq!(b.check().map_err(|broken| broken.identity), Err(Identity::I2));
    }

    #[test]
    fn funds_pay_at_most_the_in_scope_amount() {
        let mut paid_too_much = sound();
        paid_too_much.hifp_pay += Fen(5_601);
        paid_too_much.fund_pay_sumamt += Fen(5_601);
        paid_too_much.psn_part_amt = paid_too_much.psn_part_amt - Fen(5_601);
        paid_too_much.psn_cash_pay = paid_too_much.psn_cash_pay - Fen(5_601);
        let broken = paid_too_much.check().unwrap_err();
        assert_eq!(broken, BrokenIdentity { identity: Identity::I8, left: Fen(10_001), right: Fen(10_000) });
        assert_eq!(
            broken.to_string(),
            "identity I8 (funds pay at most the in-scope amount) is broken: 100.01 is not 100.00"
        );
    }

    #[test]
    fn a_reversal_is_not_taken_for_a_bill() {
        let mut turned = sound().negated();
        turned.direction = Direction::Forward;
        assert_eq!(turned.check().map_err(|broken| broken.identity), Err(Identity::I2));
        let mut bill = sound();
        bill.direction = Direction::Reversal;
        assert!(bill.check().is_err());
    }

    #[test]
    fn every_identity_has_a_name_of_its_own() {
        use Identity as I;
        let all = [I::I1, I::I2, I::I3, I::I4, I::I5, I::I6, I::I7, I::I8, I::I9, I::I10];
        for (identity, number) in all.into_iter().zip(1..) {
            assert!(identity.to_string().starts_with(&format!("I{number} (")), "{identity}");
        }
    }
}
