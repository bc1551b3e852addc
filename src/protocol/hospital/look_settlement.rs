//! How 5203 tells a settlement or a reversal.

use crate::domain::breakdown::Breakdown;
use crate::domain::codes::HospitalLevel;
use crate::domain::institution::Institution;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Body;
use crate::domain::record::Settlement;
use crate::domain::scene::hospital_level;
use crate::protocol::hospital::kept::Kept;
use crate::protocol::hospital::person::write_person;
use crate::protocol::hospital::setlinfo;
use crate::protocol::hospital::writer::Object;
use crate::service::Service;
use crate::service::look::PersonSeen;
use crate::service::look::SettlementSeen;

/// 支付地点类别: at the institution, in another city of the province, in another province.
const AT_INSTITUTION: &str = "2";
const OTHER_CITY: &str = "3";
const OTHER_PROVINCE: &str = "4";

/// The institution's row for the day of admission.
pub(super) fn place(service: &Service, seen: &SettlementSeen) -> Option<Institution> {
    let settlement = seen.settlement()?;
    service.reference.load().institution(&settlement.institution, settlement.admitted).cloned()
}

/// What 5203 tells beside the settlement itself.
struct Told<'a> {
    id: &'a str,
    settlement: &'a Settlement,
    /// Negative in a reversal.
    breakdown: Breakdown,
    balance: Fen,
}

fn told(seen: &SettlementSeen) -> Option<Told<'_>> {
    let id = seen.id()?.as_str();
    let settlement = seen.settlement()?;
    let (breakdown, balance) = match &seen.record.body {
        Body::Reversed(reversal) => (settlement.breakdown.negated(), reversal.balance_left),
        Body::Revived(revival) => (settlement.breakdown.clone(), revival.balance_left),
        _ => (settlement.breakdown.clone(), settlement.balance_left),
    };
    Some(Told { id, settlement, breakdown, balance })
}

pub(super) fn write(
    output: &mut Object<'_>,
    person: &PersonSeen,
    person_then: &PersonPrivate,
    seen: &SettlementSeen,
    institution: Option<&Institution>,
) {
    let Some(told) = told(seen) else { return };
    output.object("setlinfo", |row| {
        row.text("setl_id", told.id).shown("mdtrt_id", &seen.stay).text("psn_no", person.key.number());
        let order = ["psn_name", "psn_cert_type", "certno"];
        write_person(row, person_then, order, seen.record.at.day());
        write_insurance(row, person, person_then, told.settlement);
        write_place(row, told.settlement, institution);
        write_course(row, seen, told.settlement);
        write_amounts(row, &told.breakdown, told.balance);
        write_end(row, person, seen, &told);
    });
    setlinfo::write_details(output, told.settlement, &told.breakdown);
}

/// From `insutype` to `emp_name`.
fn write_insurance(
    row: &mut Object<'_>,
    person: &PersonSeen,
    person_then: &PersonPrivate,
    settlement: &Settlement,
) {
    let kind = settlement.person_type.as_str();
    row.text("insutype", &settlement.insutype).text("psn_type", kind);
    row.flag("cvlserv_flag", settlement.civil_servant);
    row.flag("flxempe_flag", ["1103", "1203"].contains(&kind)).flag("nwb_flag", kind == "1401");
    row.shown("insu_optins", person.key.pool).known("emp_name", &person_then.employer);
}

/// From `pay_loc` to `dedc_hosp_lv`.
fn write_place(row: &mut Object<'_>, settlement: &Settlement, institution: Option<&Institution>) {
    let (home, care) = (settlement.insured_pool, settlement.institution_pool);
    let pay_loc = match () {
        () if home == care => AT_INSTITUTION,
        () if home.province() == care.province() => OTHER_CITY,
        () => OTHER_PROVINCE,
    };
    let level = institution.map(|institution| institution.hospital_level.as_str());
    row.text("pay_loc", pay_loc).shown("fixmedins_code", &settlement.institution);
    row.maybe_text("fixmedins_name", institution.map(|institution| institution.name.as_str()));
    row.maybe_text("hosp_lv", level).shown("fixmedins_poolarea", care);
    row.maybe_text("lmtpric_hosp_lv", level).maybe_text("dedc_hosp_lv", level.and_then(deductible_level));
}

/// 起付线医院等级.
fn deductible_level(level: &str) -> Option<&'static str> {
    Some(match hospital_level(level)? {
        HospitalLevel::Primary | HospitalLevel::One => "1",
        HospitalLevel::Two => "2",
        HospitalLevel::Three => "3",
    })
}

/// From `begndate` to `clr_optins`.
fn write_course(row: &mut Object<'_>, seen: &SettlementSeen, settlement: &Settlement) {
    row.day("begndate", settlement.admitted).day("enddate", settlement.policy_day);
    row.moment("setl_time", seen.record.at.moment());
    row.known("mdtrt_cert_type", &settlement.credential_type).text("med_type", &settlement.med_type);
    row.text("clr_type", &settlement.clearing_type).text("clr_way", &settlement.clearing_way);
    row.shown("clr_optins", settlement.clearing_agency);
}

/// The amounts of 2304 with `psn_pay` and `cash_payamt` for `psn_part_amt` and `psn_cash_pay`.
fn write_amounts(row: &mut Object<'_>, breakdown: &Breakdown, balance: Fen) {
    setlinfo::write_until_assistance(row, breakdown);
    row.fen("hosp_part_amt", breakdown.hosp_part_amt).fen("oth_pay", breakdown.oth_pay);
    row.fen("hifdm_pay", breakdown.hifdm_pay).fen("fund_pay_sumamt", breakdown.fund_pay_sumamt);
    row.fen("psn_pay", breakdown.psn_part_amt).fen("acct_pay", breakdown.acct_pay);
    row.fen("cash_payamt", breakdown.psn_cash_pay).fen("balc", balance);
    row.fen("acct_mulaid_pay", breakdown.acct_mulaid_pay);
}

/// From `medins_setl_id` to `opt_time`.
fn write_end(row: &mut Object<'_>, person: &PersonSeen, seen: &SettlementSeen, told: &Told<'_>) {
    let meta = &seen.record.meta;
    let is_reversal = matches!(seen.record.body, Body::Reversed(_));
    let stay = person.stays.iter().find(|stay| stay.id == seen.stay);
    let disease = stay.map(|stay| Kept::read_all([stay.discharge.raw.as_str(), stay.admission.raw.as_str()]));
    row.shown("medins_setl_id", &meta.key.message).flag("refd_setl_flag", is_reversal || !seen.stands);
    row.text("setl_type", setlinfo::AT_INSTITUTION).shown("year", told.settlement.year.0);
    disease.unwrap_or_default().texts(row, &["dise_codg", "dise_name"]);
    row.known("invono", &told.settlement.invoice).known("opter_id", &meta.operator).null("opter_name");
    row.moment("opt_time", seen.record.at.moment());
}
