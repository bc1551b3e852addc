//! Owns the result of a settlement: every amount of the wire, its fund rows, and the identities that hold on it.

use core::iter::Sum;
use core::ops::Add;
use core::ops::Neg;
use core::ops::Sub;

use crate::domain::accumulators::Accumulators;
use crate::domain::money::Fen;
use crate::domain::money::Rate;

/// The four parts of a bill, sums of rounded lines. `medfee_sumamt` is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BillTotals {
    /// 全自费 `fulamt_ownpay_amt`.
    pub full_own_pay: Fen,
    /// 超限价 `overlmt_selfpay`.
    pub over_limit: Fen,
    /// 先行自付 `preselfpay_amt`.
    pub first_pay: Fen,
    /// 符合政策范围 `inscp_scp_amt`.
    pub in_scope: Fen,
}

impl BillTotals {
    /// 医疗费总额 `medfee_sumamt`.
    pub fn fee(&self) -> Fen {
        self.full_own_pay + self.over_limit + self.first_pay + self.in_scope
    }
}

impl Add for BillTotals {
    type Output = BillTotals;
    fn add(self, other: BillTotals) -> BillTotals {
        BillTotals {
            full_own_pay: self.full_own_pay + other.full_own_pay,
            over_limit: self.over_limit + other.over_limit,
            first_pay: self.first_pay + other.first_pay,
            in_scope: self.in_scope + other.in_scope,
        }
    }
}

impl Sub for BillTotals {
    type Output = BillTotals;
    fn sub(self, other: BillTotals) -> BillTotals {
        BillTotals {
            full_own_pay: self.full_own_pay - other.full_own_pay,
            over_limit: self.over_limit - other.over_limit,
            first_pay: self.first_pay - other.first_pay,
            in_scope: self.in_scope - other.in_scope,
        }
    }
}

impl Sum for BillTotals {
    fn sum<I: Iterator<Item = BillTotals>>(lines: I) -> BillTotals {
        lines.fold(BillTotals::default(), Add::add)
    }
}

/// A fund by its 基金支付类型 `fund_pay_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fund {
    /// 310100.
    EmployeePool,
    /// 390100.
    ResidentPool,
    /// 510100.
    Maternity,
    /// 330100 大额.
    LargeAmount,
    /// 310300 职工大病.
    EmployeeSeriousIllness,
    /// 390200 居民大病.
    ResidentSeriousIllness,
    /// 320100 公务员补助.
    CivilServant,
    /// 610100 医疗救助.
    Assistance,
    /// 410100 工伤.
    WorkInjury,
}

impl Fund {
    pub const ALL: [Fund; 9] = [
        Fund::EmployeePool,
        Fund::ResidentPool,
        Fund::Maternity,
        Fund::LargeAmount,
        Fund::EmployeeSeriousIllness,
        Fund::ResidentSeriousIllness,
        Fund::CivilServant,
        Fund::Assistance,
        Fund::WorkInjury,
    ];

    pub fn code(self) -> u32 {
        match self {
            Fund::EmployeePool => 310_100,
            Fund::ResidentPool => 390_100,
            Fund::Maternity => 510_100,
            Fund::LargeAmount => 330_100,
            Fund::EmployeeSeriousIllness => 310_300,
            Fund::ResidentSeriousIllness => 390_200,
            Fund::CivilServant => 320_100,
            Fund::Assistance => 610_100,
            Fund::WorkInjury => 410_100,
        }
    }

    pub fn from_code(code: u32) -> Option<Fund> {
        Fund::ALL.into_iter().find(|fund| fund.code() == code)
    }
}

/// One row of `setldetail`: a fund that pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundRow {
    pub fund: Fund,
    /// 基金支付金额 `fund_payamt`.
    pub amount: Fen,
    /// In-scope amount that this fund looked at, `inscp_scp_amt` of the row.
    pub in_scope: Fen,
    /// What it could have paid at most, `crt_payb_lmt_amt`: the room under its cap, or `in_scope` where it has none.
    pub payable_max: Fen,
}

/// Whether a breakdown is a bill or the negative of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Reversal,
}

/// Every amount of one settlement, or of its reversal (all signs turned). Fields bear the wire's names where the
/// wire has one; all have exactly two decimals since they are whole fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakdown {
    pub direction: Direction,
    pub medfee_sumamt: Fen,
    pub fulamt_ownpay_amt: Fen,
    pub overlmt_selfpay: Fen,
    pub preselfpay_amt: Fen,
    pub inscp_scp_amt: Fen,
    /// x of a `prepay` row: hers before the deductible, part of the in-scope burden.
    pub extra_first_pay: Fen,
    /// Deductible that this bill would bear at most.
    pub dedc_std: Fen,
    pub act_pay_dedc: Fen,
    pub hifp_pay: Fen,
    pub hifob_pay: Fen,
    pub hifmi_pay: Fen,
    pub hifes_pay: Fen,
    pub cvlserv_pay: Fen,
    pub maf_pay: Fen,
    pub hifdm_pay: Fen,
    pub oth_pay: Fen,
    pub fund_pay_sumamt: Fen,
    pub psn_part_amt: Fen,
    pub hosp_part_amt: Fen,
    pub acct_pay: Fen,
    pub acct_mulaid_pay: Fen,
    pub psn_cash_pay: Fen,
    /// 基金支付比例 `pool_prop_selfpay`: the rate of the highest segment that the bill reached, after bonus and
    /// reduction.
    pub pool_rate: Rate,
    /// What a fixed maternity sum leaves for the person, paid to her outside the bill and never on the wire.
    pub owed_to_person: Fen,
    /// One row for each fund that pays.
    pub funds: Vec<FundRow>,
    pub before: Accumulators,
    /// What this settlement adds to the accumulators.
    pub change: Accumulators,
}

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

impl core::fmt::Display for Identity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
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
    /// Accumulators after this settlement.
    pub fn after(&self) -> Accumulators {
        self.before + self.change
    }

    pub fn totals(&self) -> BillTotals {
        BillTotals {
            full_own_pay: self.fulamt_ownpay_amt,
            over_limit: self.overlmt_selfpay,
            first_pay: self.preselfpay_amt,
            in_scope: self.inscp_scp_amt,
        }
    }

    /// In-scope amount that pool and 大额 (or the injury fund) left, deductible and extra first-pay included: b of
    /// rules.md §2.2.
    pub fn burden(&self) -> Fen {
        self.inscp_scp_amt - self.hifp_pay - self.hifob_pay - self.oth_pay
    }

    /// The reversal of this settlement (or the original of this reversal): every amount and change with its sign
    /// turned, on the accumulators that this one left.
    #[must_use]
    pub fn negated(&self) -> Breakdown {
        Breakdown {
            direction: self.direction.turned(),
            medfee_sumamt: -self.medfee_sumamt,
            fulamt_ownpay_amt: -self.fulamt_ownpay_amt,
            overlmt_selfpay: -self.overlmt_selfpay,
            preselfpay_amt: -self.preselfpay_amt,
            inscp_scp_amt: -self.inscp_scp_amt,
            extra_first_pay: -self.extra_first_pay,
            dedc_std: -self.dedc_std,
            act_pay_dedc: -self.act_pay_dedc,
            hifp_pay: -self.hifp_pay,
            hifob_pay: -self.hifob_pay,
            hifmi_pay: -self.hifmi_pay,
            hifes_pay: -self.hifes_pay,
            cvlserv_pay: -self.cvlserv_pay,
            maf_pay: -self.maf_pay,
            hifdm_pay: -self.hifdm_pay,
            oth_pay: -self.oth_pay,
            fund_pay_sumamt: -self.fund_pay_sumamt,
            psn_part_amt: -self.psn_part_amt,
            hosp_part_amt: -self.hosp_part_amt,
            acct_pay: -self.acct_pay,
            acct_mulaid_pay: -self.acct_mulaid_pay,
            psn_cash_pay: -self.psn_cash_pay,
            pool_rate: self.pool_rate,
            owed_to_person: -self.owed_to_person,
            funds: self.funds.iter().map(|row| -*row).collect(),
            before: self.after(),
            change: -self.change,
        }
    }

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

impl Direction {
    fn turned(self) -> Direction {
        match self {
            Direction::Forward => Direction::Reversal,
            Direction::Reversal => Direction::Forward,
        }
    }
}

impl Neg for FundRow {
    type Output = FundRow;
    fn neg(self) -> FundRow {
        FundRow {
            fund: self.fund,
            amount: -self.amount,
            in_scope: -self.in_scope,
            payable_max: -self.payable_max,
        }
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
    use super::*;

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
    fn funds_read_back_from_their_codes() {
        let codes = [310_100, 390_100, 510_100, 330_100, 310_300, 390_200, 320_100, 610_100, 410_100];
        assert_eq!(Fund::ALL.map(Fund::code), codes);
        for fund in Fund::ALL {
            assert_eq!(Fund::from_code(fund.code()), Some(fund));
        }
        assert_eq!(Fund::from_code(310_200), None);
    }

    #[test]
    fn totals_add_part_by_part() {
        let one =
            BillTotals { full_own_pay: Fen(1), over_limit: Fen(2), first_pay: Fen(4), in_scope: Fen(8) };
        let three = [one, one, one].into_iter().sum::<BillTotals>();
        assert_eq!((three.fee(), three.first_pay, three.over_limit), (Fen(45), Fen(12), Fen(6)));
        assert_eq!(three - one - one, one);
        assert_eq!((three - one).fee(), Fen(30));
        assert_eq!(sound().totals().fee(), sound().medfee_sumamt);
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
