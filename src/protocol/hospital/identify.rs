//! 1101: who she is, and everything that insures her.

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::money::Fen;
use crate::domain::person::AssistanceSpan;
use crate::domain::person::Coverage;
use crate::domain::person::CoverageStatus;
use crate::domain::person::Register;
use crate::protocol::hospital::codes;
use crate::protocol::hospital::person::AgeInTenths;
use crate::protocol::hospital::person::write_names;
use crate::protocol::hospital::tables::person::IDENTIFICATION;
use crate::protocol::hospital::tables::person::Identification;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::credential;
use crate::protocol::hospital::writer::Object;
use crate::service::identify::Identified;
use crate::service::identify::Identify;
use crate::telemetry::metrics::Outcome;

/// 险种 whose members have a personal account.
const WITH_ACCOUNT: &str = "310";

pub(super) async fn identify(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<Identification>();
    let order = Identify {
        credential: credential(
            row.get(&IDENTIFICATION.mdtrt_cert_type),
            row.get(&IDENTIFICATION.mdtrt_cert_no),
        ),
        certificate_number: row.get(&IDENTIFICATION.certno).map(str::to_owned),
    };
    let person = turn.service.identify(&turn.caller(), order).await?;
    let today = turn.context.received.day();
    let since = row.get(&IDENTIFICATION.begntime).map_or(today, Moment::day).min(today);
    Ok(turn.answer(|output| write(output, &person, since, today)))
}

fn write(output: &mut Object<'_>, person: &Identified, since: Day, today: Day) {
    output.object("baseinfo", |row| {
        row.text("psn_no", person.key.number());
        write_names(row, &person.person, ["psn_cert_type", "certno", "psn_name"]);
        row.known("gend", &person.person.gender).known("naty", &person.person.ethnicity);
        row.maybe_day("brdy", person.person.birth);
        AgeInTenths::on(person.person.birth, today).write(row);
        row.null("exp_content");
    });
    output.list("insuinfo", told(&person.register, since, today), |row, coverage| {
        write_coverage(row, coverage, person, today);
    });
    let spans = person.register.assistance.iter().filter(|span| span.to.is_none_or(|to| to >= since));
    output.list("idetinfo", spans, write_assistance);
}

/// Rows since a day; of an 险种 without one, the last that it had, so that an end is seen. Those in force come first.
fn told(register: &Register, since: Day, today: Day) -> Vec<&Coverage> {
    let is_last = |row: &Coverage| {
        register
            .coverages
            .iter()
            .filter(|other| other.insutype == row.insutype)
            .all(|other| other.from <= row.from)
    };
    let recent = |row: &&Coverage| row.to.is_none_or(|to| to >= since) || is_last(row);
    let mut rows: Vec<&Coverage> = register.coverages.iter().filter(recent).collect();
    rows.sort_by_key(|row| (status(row, today) != "1", row.insutype.clone(), core::cmp::Reverse(row.from)));
    rows
}

/// 人员参保状态 on a day: a row that ran out has ended, one that has not begun does not insure yet.
fn status(row: &Coverage, today: Day) -> &'static str {
    match row.status {
        _ if today < row.from => "0",
        CoverageStatus::Ended => "4",
        _ if !row.covers(today) => "4",
        CoverageStatus::Active => "1",
        CoverageStatus::Paused => "2",
    }
}

fn write_coverage(row: &mut Object<'_>, coverage: &Coverage, person: &Identified, today: Day) {
    let register = &person.register;
    let same = register.coverages.iter().filter(|other| other.insutype == coverage.insutype);
    let first = same.map(|other| other.from).min();
    let stopped = match coverage.status {
        CoverageStatus::Active => coverage.to.filter(|to| *to < today).map(Day::next),
        CoverageStatus::Paused | CoverageStatus::Ended => Some(coverage.from),
    };
    let balance = if coverage.insutype == WITH_ACCOUNT { person.balance } else { Fen::ZERO };
    row.fen("balc", balance).text("insutype", &coverage.insutype).text("psn_type", &coverage.person_type);
    row.text("psn_insu_stas", status(coverage, today)).maybe_day("psn_insu_date", first);
    row.maybe_day("paus_insu_date", stopped).flag("cvlserv_flag", coverage.civil_servant);
    row.shown("insuplc_admdvs", coverage.region).known("emp_name", &person.person.employer);
}

fn write_assistance(row: &mut Object<'_>, span: &AssistanceSpan) {
    row.text("psn_idet_type", &span.category).null("psn_type_lv");
    row.maybe_text("memo", codes::PSN_IDET_TYPE.name(&span.category));
    row.moment("begntime", Moment::start_of(span.from))
        .maybe_moment("endtime", span.to.map(Moment::start_of));
}
