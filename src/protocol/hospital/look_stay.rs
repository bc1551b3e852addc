//! How 5201, 5202 and 5303 tell a stay.

use crate::domain::calendar::Day;
use crate::domain::person::Coverage;
use crate::domain::refusal::Refusal;
use crate::protocol::hospital::kept::Kept;
use crate::protocol::hospital::person::AgeInTenths;
use crate::protocol::hospital::person::write_names;
use crate::protocol::hospital::person::write_person;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::writer::Object;
use crate::service::call::StayRef;
use crate::service::look::PersonSeen;
use crate::service::look::StaySeen;

const IDENTITY_ORDER: [&str; 3] = ["psn_cert_type", "certno", "psn_name"];
/// 人员类别: 灵活就业, in work and retired.
const FLEXIBLE: [&str; 2] = ["1103", "1203"];
/// 人员类别: 新生儿.
const NEWBORN: &str = "1401";

/// The caller's own stay of that number.
pub(super) fn own<'s>(seen: &'s PersonSeen, wanted: &StayRef) -> Result<&'s StaySeen, NotDone> {
    let unknown = || Refusal::StayUnknown { stay: wanted.stay.clone() };
    Ok(seen.stays.iter().find(|stay| stay.id == wanted.stay).ok_or_else(unknown)?)
}

/// One row of 5201.
pub(super) fn write_visit(row: &mut Object<'_>, seen: &PersonSeen, stay: &StaySeen) {
    let admitted = stay.state.admission.begun.day();
    let coverage = seen.register.coverage(&stay.state.admission.insutype, admitted);
    let kept = Kept::read_all([
        stay.discharge.raw.as_str(),
        stay.admission.raw.as_str(),
        stay.state.admission.raw.as_str(),
    ]);
    row.shown("mdtrt_id", &stay.id).text("psn_no", seen.key.number());
    write_person(row, &seen.person, IDENTITY_ORDER, admitted);
    write_insurance(row, seen, stay, coverage);
    write_course(row, stay);
    write_admission(row, stay, &kept);
    write_discharge(row, stay);
    write_disease(row, stay, &kept);
    row.known("opter_id", &stay.operator).null("opter_name");
    row.moment("opt_time", stay.changed_at.moment()).null("memo");
}

/// From `coner_name` to `emp_name`.
fn write_insurance(row: &mut Object<'_>, seen: &PersonSeen, stay: &StaySeen, coverage: Option<&Coverage>) {
    let admitted = stay.state.admission.begun.day();
    let person_type = coverage.map(|coverage| coverage.person_type.as_str());
    row.known("coner_name", &stay.admission.contact_name).known("tel", &stay.admission.contact_phone);
    row.text("insutype", &stay.state.admission.insutype).maybe_text("psn_type", person_type);
    row.flag("maf_psn_flag", seen.register.assistance_on(admitted).is_some());
    row.maybe_flag("cvlserv_flag", coverage.map(|coverage| coverage.civil_servant));
    row.maybe_flag("flxempe_flag", person_type.map(|kind| FLEXIBLE.contains(&kind)));
    row.maybe_flag("nwb_flag", person_type.map(|kind| kind == NEWBORN));
    row.shown("insu_optins", seen.key.pool).known("emp_name", &seen.person.employer);
}

/// From `begntime` to `pre_pay_flag`.
fn write_course(row: &mut Object<'_>, stay: &StaySeen) {
    let admission = &stay.state.admission;
    let ended = stay.state.discharge.as_ref().map(|discharge| discharge.ended);
    row.moment("begntime", admission.begun).maybe_moment("endtime", ended);
    row.known("mdtrt_cert_type", &admission.credential_type).text("med_type", &admission.med_type);
    let over_new_year = ended.map(|ended| ended.day().year() != admission.begun.day().year());
    row.maybe_flag("ars_year_ipt_flag", over_new_year).null("pre_pay_flag");
}

/// From `ipt_otp_no` to `dscg_maindiag_name`.
fn write_admission(row: &mut Object<'_>, stay: &StaySeen, kept: &Kept) {
    let (admission, private) = (&stay.state.admission, &stay.admission);
    row.known("ipt_otp_no", &admission.inpatient_no);
    kept.texts(row, &["medrcdno", "atddr_no", "chfpdr_name"]);
    row.known("adm_dept_codg", &admission.department).known("adm_dept_name", &admission.department_name);
    row.known("adm_bed", &admission.bed).known("dscg_maindiag_code", &private.main_diagnosis_code);
    row.known("dscg_maindiag_name", &private.main_diagnosis_name);
}

/// From `dscg_dept_codg` to `dscg_way`.
fn write_discharge(row: &mut Object<'_>, stay: &StaySeen) {
    let Some(discharge) = &stay.state.discharge else {
        row.nulls(&["dscg_dept_codg", "dscg_dept_name", "dscg_bed", "dscg_way"]);
        return;
    };
    row.known("dscg_dept_codg", &discharge.department).known("dscg_dept_name", &discharge.department_name);
    row.known("dscg_bed", &discharge.bed).known("dscg_way", &discharge.way);
}

/// From `main_cond_dscr` to `cop_flag`.
fn write_disease(row: &mut Object<'_>, stay: &StaySeen, kept: &Kept) {
    let admitted = stay.state.admission.begun.day();
    let discharge = stay.state.discharge.as_ref();
    kept.texts(
        row,
        &["main_cond_dscr", "dise_codg", "dise_name", "oprn_oprt_code", "oprn_oprt_name", "otp_diag_info"],
    );
    row.flag("inhosp_stas", discharge.is_none());
    kept.texts(row, &["die_date"]);
    let days = discharge.map(|discharge| days_between(admitted, discharge.ended.day()));
    row.maybe_whole("ipt_days", days);
    kept.texts(row, &["fpsc_no"]);
    row.known("matn_type", maternity_kind(stay));
    kept.texts(row, &["birctrl_type", "latechb_flag"]);
    kept.wholes(row, &["geso_val", "fetts", "fetus_cnt"]);
    kept.texts(row, &["pret_flag", "birctrl_matn_date", "cop_flag"]);
}

/// What discharge told counts before what admission said.
fn maternity_kind(stay: &StaySeen) -> &str {
    let told = stay.state.discharge.as_ref().map(|discharge| discharge.matn_type.as_str());
    told.filter(|kind| !kind.is_empty()).unwrap_or(&stay.state.admission.matn_type)
}

/// 住院天数: nights, and one for a stay of less than a night.
fn days_between(admitted: Day, discharged: Day) -> i64 {
    i64::from(discharged.days_since(admitted)).max(1)
}

/// A diagnosis and whether discharge told it.
pub(super) struct Diagnosis {
    row: Kept,
    at_discharge: bool,
}

/// Those of admission (as changed last), then those of discharge.
pub(super) fn diagnoses(stay: &StaySeen) -> Vec<Diagnosis> {
    let of = |text: &str, at_discharge| {
        Kept::rows(text).into_iter().map(move |row| Diagnosis { row, at_discharge })
    };
    of(&stay.admission.diagnoses, false).chain(of(&stay.discharge.diagnoses, true)).collect()
}

/// One row of 5202.
pub(super) fn write_diagnosis(
    row: &mut Object<'_>,
    seen: &PersonSeen,
    stay: &StaySeen,
    diagnosis: &Diagnosis,
) {
    let kept = &diagnosis.row;
    row.null("diag_info_id").shown("mdtrt_id", &stay.id).text("psn_no", seen.key.number());
    row.text("inout_diag_type", if diagnosis.at_discharge { "2" } else { "1" });
    kept.texts(row, &["diag_type", "maindiag_flag"]);
    kept.wholes(row, &["diag_srt_no"]);
    kept.texts(
        row,
        &["diag_code", "diag_name", "adm_cond", "diag_dept", "dise_dor_no", "dise_dor_name", "diag_time"],
    );
    row.known("opter_id", &stay.operator).null("opter_name");
    row.moment("opt_time", stay.changed_at.moment());
}

/// One row of 5303.
pub(super) fn write_open(row: &mut Object<'_>, seen: &PersonSeen, stay: &StaySeen, away: bool) {
    let admission = &stay.state.admission;
    row.shown("mdtrt_id", &stay.id).text("psn_no", seen.key.number());
    write_names(row, &seen.person, IDENTITY_ORDER);
    row.known("gend", &seen.person.gender).maybe_day("brdy", seen.person.birth);
    AgeInTenths::on(seen.person.birth, admission.begun.day()).write(row);
    row.text("insutype", &admission.insutype).day("begndate", admission.begun.day());
    row.text("med_type", &admission.med_type).known("ipt_otp_no", &admission.inpatient_no);
    row.flag("out_flag", away);
}
