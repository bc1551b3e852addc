//! Owns `setlinfo` and `setldetail`: how a settlement, its quote and its reversal are told.
//!
//! Written from what the record holds and nothing else, so that a settlement is answered with the same bytes for ever.
//! A change of what is written here is a new version of the writer (`turn::WRITER`) beside the old one.

use crate::domain::breakdown::Breakdown;
use crate::domain::breakdown::Fund;
use crate::domain::breakdown::FundRow;
use crate::domain::calendar::Instant;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Reversal;
use crate::domain::record::Settlement;
use crate::protocol::hospital::person::write_person;
use crate::protocol::hospital::words;
use crate::protocol::hospital::writer::Object;

/// 结算类别 `setl_type`: settled at the institution (联网).
pub(super) const AT_INSTITUTION: &str = "2";

/// A settlement, or the quote of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled<'a> {
    /// `mdtrt_id`
    pub(super) stay: &'a str,
    /// `psn_no`
    pub(super) number: &'a str,
    pub(super) person: &'a PersonPrivate,
    pub(super) settlement: &'a Settlement,
    /// `medins_setl_id`: the hospital's own msgid.
    pub(super) message: &'a str,
    /// `setl_time`; of a quote, now.
    pub(super) at: Instant,
}

/// A settlement taken back.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakenBack<'a> {
    pub(super) stay: &'a str,
    pub(super) reversal: &'a Reversal,
    pub(super) message: &'a str,
    pub(super) at: Instant,
}

/// 2304.
pub(super) fn write_settled(output: &mut Object<'_>, settled: &Settled<'_>) {
    let (settlement, breakdown) = (settled.settlement, &settled.settlement.breakdown);
    output.object("setlinfo", |row| {
        row.text("mdtrt_id", settled.stay).shown("setl_id", &settlement.id);
        write_whom(row, settled);
        row.moment("setl_time", settled.at.moment());
        write_kind(row, settlement);
        write_until_assistance(row, breakdown);
        row.fen("hosp_part_amt", breakdown.hosp_part_amt);
        write_sums(row, breakdown);
        write_rest(row, breakdown, settlement.balance_left, settled.message);
        write_clearing(row, settlement);
        write_extras(row, settlement, breakdown, false);
    });
    write_details(output, settlement, breakdown);
}

/// 2303. What only a settlement has is null: nothing was recorded.
pub(super) fn write_quoted(output: &mut Object<'_>, settled: &Settled<'_>) {
    let (settlement, breakdown) = (settled.settlement, &settled.settlement.breakdown);
    output.object("setlinfo", |row| {
        row.text("mdtrt_id", settled.stay).null("setl_id");
        write_whom(row, settled);
        row.null("setl_time");
        write_kind(row, settlement);
        write_until_assistance(row, breakdown);
        write_sums(row, breakdown);
        row.fen("hosp_part_amt", breakdown.hosp_part_amt);
        write_rest(row, breakdown, settlement.balance_left, settled.message);
        row.null("clr_optins").null("clr_way").text("clr_type", &settlement.clearing_type);
        write_extras(row, settlement, breakdown, false);
    });
    write_details(output, settlement, breakdown);
}

/// 2305: every amount negative, under an id of its own.
pub(super) fn write_taken_back(output: &mut Object<'_>, taken: &TakenBack<'_>) {
    let (reversal, settlement) = (taken.reversal, &taken.reversal.settlement);
    let breakdown = settlement.breakdown.negated();
    output.object("setlinfo", |row| {
        row.text("mdtrt_id", taken.stay).shown("setl_id", &reversal.id);
        row.shown("clr_optins", settlement.clearing_agency).moment("setl_time", taken.at.moment());
        write_until_assistance(row, &breakdown);
        write_sums(row, &breakdown);
        row.fen("hosp_part_amt", breakdown.hosp_part_amt);
        write_rest(row, &breakdown, reversal.balance_left, taken.message);
        row.text("clr_way", &settlement.clearing_way).text("clr_type", &settlement.clearing_type);
        write_extras(row, settlement, &breakdown, true);
        row.shown("init_setl_id", &reversal.original);
    });
    write_details(output, settlement, &breakdown);
}

/// From `psn_no` to `cvlserv_flag`.
fn write_whom(row: &mut Object<'_>, settled: &Settled<'_>) {
    let settlement = settled.settlement;
    row.text("psn_no", settled.number);
    write_person(row, settled.person, ["psn_name", "psn_cert_type", "certno"], settled.at.day());
    row.text("insutype", &settlement.insutype).text("psn_type", &settlement.person_type);
    row.flag("cvlserv_flag", settlement.civil_servant);
}

fn write_kind(row: &mut Object<'_>, settlement: &Settlement) {
    row.known("mdtrt_cert_type", &settlement.credential_type).text("med_type", &settlement.med_type);
}

/// From `medfee_sumamt` to `maf_pay`.
pub(super) fn write_until_assistance(row: &mut Object<'_>, breakdown: &Breakdown) {
    row.fen("medfee_sumamt", breakdown.medfee_sumamt);
    row.fen("fulamt_ownpay_amt", breakdown.fulamt_ownpay_amt);
    row.fen("overlmt_selfpay", breakdown.overlmt_selfpay);
    row.fen("preselfpay_amt", breakdown.preselfpay_amt);
    row.fen("inscp_scp_amt", breakdown.inscp_scp_amt);
    row.fen("act_pay_dedc", breakdown.act_pay_dedc);
    row.fen("hifp_pay", breakdown.hifp_pay);
    row.decimal("pool_prop_selfpay", breakdown.pool_rate.0, 4);
    row.fen("cvlserv_pay", breakdown.cvlserv_pay);
    row.fen("hifes_pay", breakdown.hifes_pay);
    row.fen("hifmi_pay", breakdown.hifmi_pay);
    row.fen("hifob_pay", breakdown.hifob_pay);
    row.fen("maf_pay", breakdown.maf_pay);
}

/// From `oth_pay` to `psn_cash_pay`.
fn write_sums(row: &mut Object<'_>, breakdown: &Breakdown) {
    row.fen("oth_pay", breakdown.oth_pay).fen("fund_pay_sumamt", breakdown.fund_pay_sumamt);
    row.fen("psn_part_amt", breakdown.psn_part_amt).fen("acct_pay", breakdown.acct_pay);
    row.fen("psn_cash_pay", breakdown.psn_cash_pay);
}

/// From `balc` to `medins_setl_id`.
fn write_rest(row: &mut Object<'_>, breakdown: &Breakdown, balance: Fen, message: &str) {
    row.fen("balc", balance).fen("acct_mulaid_pay", breakdown.acct_mulaid_pay);
    row.text("medins_setl_id", message);
}

fn write_clearing(row: &mut Object<'_>, settlement: &Settlement) {
    row.shown("clr_optins", settlement.clearing_agency);
    row.text("clr_way", &settlement.clearing_way).text("clr_type", &settlement.clearing_type);
}

/// Beyond the table of 2304, seen in real answers. `hifdm_pay` belongs to the sum of the funds.
fn write_extras(row: &mut Object<'_>, settlement: &Settlement, breakdown: &Breakdown, refunded: bool) {
    row.fen("hifdm_pay", breakdown.hifdm_pay).fen("dedc_std", breakdown.dedc_std);
    row.text("setl_type", AT_INSTITUTION).flag("refd_setl_flag", refunded);
    row.day("begndate", settlement.admitted).day("enddate", settlement.policy_day);
    row.known("invono", &settlement.invoice);
}

/// `setldetail`: a row for each fund that pays.
pub(super) fn write_details(output: &mut Object<'_>, settlement: &Settlement, breakdown: &Breakdown) {
    output.list("setldetail", &breakdown.funds, |row, fund| {
        row.shown("fund_pay_type", fund.fund.code()).fen("inscp_scp_amt", fund.in_scope);
        row.fen("crt_payb_lmt_amt", fund.payable_max).fen("fund_payamt", fund.amount);
        row.text("fund_pay_type_name", words::fund(fund.fund));
        row.text("setl_proc_info", &process(settlement, fund));
    });
}

/// `setl_proc_info`: how the figure came about, in short. Figures of the settlement, also under its reversal.
fn process(settlement: &Settlement, fund: &FundRow) -> String {
    let (bill, paid) = (&settlement.breakdown, fund.amount.abs());
    match fund.fund {
        Fund::EmployeePool | Fund::ResidentPool => format!(
            "{}：政策范围内{}，{}起付线{}，统筹比例{}%，支付{paid}",
            words::level(settlement.facts.level),
            bill.inscp_scp_amt,
            extra_first_pay(bill),
            bill.act_pay_dedc,
            percent(bill),
        ),
        Fund::LargeAmount => {
            format!("超过统筹年度限额的部分{}，大额补助支付{paid}", fund.in_scope.abs())
        }
        Fund::EmployeeSeriousIllness | Fund::ResidentSeriousIllness => format!(
            "年度政策内负担由{}增至{}，按大病分段累计，支付{paid}",
            bill.before.burden,
            bill.after().burden
        ),
        Fund::CivilServant => format!("政策内自付{}，公务员补助支付{paid}", fund.in_scope.abs()),
        Fund::Assistance => format!("救助基数{}，医疗救助支付{paid}", fund.in_scope.abs()),
        Fund::Maternity => format!("政策范围内{}，生育待遇支付{paid}", bill.inscp_scp_amt),
        Fund::WorkInjury => format!("工伤目录内{}，全额支付{paid}", bill.inscp_scp_amt),
    }
}

fn extra_first_pay(bill: &Breakdown) -> String {
    if bill.extra_first_pay.is_zero() {
        return String::new();
    }
    format!("异地先自付{}，", bill.extra_first_pay)
}

/// The rate of the highest segment that the bill reached.
fn percent(bill: &Breakdown) -> String {
    (bill.pool_rate.0 * rust_decimal::Decimal::ONE_HUNDRED).normalize().to_string()
}
