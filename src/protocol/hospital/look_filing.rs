//! How 5304 tells a referral.

use crate::domain::calendar::Day;
use crate::domain::filing::FiledBy;
use crate::domain::filing::FilingCategory;
use crate::protocol::hospital::kept::Kept;
use crate::protocol::hospital::person::write_names;
use crate::protocol::hospital::writer::Object;
use crate::service::look::FilingSeen;
use crate::service::look::PersonSeen;

/// A referral that was good for a day of the period and was not withdrawn whole.
pub(super) fn is_wanted(seen: &FilingSeen, from: Day, to: Option<Day>) -> bool {
    let filing = &seen.filing;
    let last = [filing.to, filing.ended_from.map(Day::previous)].into_iter().flatten().min();
    filing.category == FilingCategory::Referral
        && last.is_none_or(|last| last >= filing.from && last >= from)
        && to.is_none_or(|to| filing.from <= to)
}

pub(super) fn write(row: &mut Object<'_>, person: &PersonSeen, seen: &FilingSeen) {
    let (filing, private) = (&seen.filing, &seen.private);
    let kept = Kept::read(&private.raw);
    kept.texts(row, &["insutype"]);
    row.text("dcla_souc", source(&filing.by)).text("psn_no", person.key.number());
    write_names(row, &person.person, ["psn_cert_type", "certno", "psn_name"]);
    row.known("gend", &person.person.gender).maybe_day("brdy", person.person.birth);
    row.known("tel", &private.phone).known("addr", &private.address);
    row.shown("insu_optins", person.key.pool).known("emp_name", &person.person.employer);
    row.known("diag_code", &private.diagnosis_code).known("diag_name", &private.diagnosis_name);
    kept.texts(row, &["dise_cond_dscr", "reflin_medins_no", "reflin_medins_name"]);
    row.shown("mdtrtarea_admdvs", filing.target).flag("out_flag", filing.target != person.key.pool);
    kept.texts(row, &["refl_date", "refl_rea", "refl_opnn"]);
    row.day("begndate", filing.from).maybe_day("enddate", filing.to);
    kept.texts(row, &["hosp_agre_refl_flag"]);
    row.shown("trt_dcla_detl_sn", &filing.id).known("opter_id", &seen.operator).null("opter_name");
    row.moment("opt_time", seen.made_at.moment());
}

/// 申报来源.
fn source(by: &FiledBy) -> &'static str {
    match by {
        FiledBy::Hospital { .. } => "01",
        FiledBy::Center | FiledBy::Import => "02",
        FiledBy::Person => "03",
    }
}
