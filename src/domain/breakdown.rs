//! Owns the result of a settlement: every amount of the wire, its fund rows, and the identities that hold on
//! it.

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
    /// What it could have paid at most, `crt_payb_lmt_amt`: the room under its cap, or `in_scope` where it
    /// has none.
    pub payable_max: Fen,
}

/// Whether a breakdown is a bill or the negative of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Reversal,
}

/// Every amount of one settlement, or of its reversal (all signs turned). Fields bear the wire's names where
/// the wire has one; all have exactly two decimals since they are whole fen.
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

    /// In-scope amount that pool and 大额 (or the injury fund) left, deductible and extra first-pay included: b
    /// of rules.md §2.2.
    pub fn burden(&self) -> Fen {
        self.inscp_scp_amt - self.hifp_pay - self.hifob_pay - self.oth_pay
    }

    /// The reversal of this settlement (or the original of this reversal): every amount and change with its
    /// sign turned, on the accumulators that this one left.
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

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
