//! 5201–5206 and 5301–5304: a hospital looks things up of its own stays.

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::calendar::Month;
use crate::domain::codes::Scheme;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::refusal::Bound;
use crate::domain::refusal::Refusal;
use crate::domain::state::YearUse;
use crate::domain::stay::State;
use crate::protocol::error::Trouble;
use crate::protocol::hospital::look_filing;
use crate::protocol::hospital::look_line;
use crate::protocol::hospital::look_settlement;
use crate::protocol::hospital::look_stay;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::tables::query;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::turn::identifier;
use crate::protocol::hospital::turn::stay_ref;
use crate::service::look::PersonSeen;
use crate::service::look::StayFilter;
use crate::service::look::Viewer;
use crate::telemetry::metrics::Outcome;

/// The person of a look-up, with what the calling institution may see.
async fn person(turn: &Turn<'_, '_>, number: &str) -> Result<PersonSeen, NotDone> {
    let caller = turn.caller();
    let key = turn.service.person_key(&caller, number)?;
    Ok(turn.service.look_at_person(&key, &Viewer::Institution(caller.institution)).await?)
}

/// A period that ends before it begins holds nothing: an empty answer would pass for "no such stay".
fn check_period(from: Day, to: Option<Day>) -> Result<(), Refusal> {
    match to {
        Some(day) if day < from => {
            let because = Bound::PeriodBegin;
            Err(Refusal::TooEarly { field: "endtime", day, earliest: from, because })
        }
        Some(_) | None => Ok(()),
    }
}

/// 5201.
pub(super) async fn visits(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::Visits>();
    let stay = row.get(&query::VISITS.mdtrt_id);
    let (from, to) = (row.get(&query::VISITS.begntime).day(), row.get(&query::VISITS.endtime).day());
    check_period(from, Some(to))?;
    let filter = StayFilter {
        from: Some(from),
        to: Some(to),
        med_type: row.get(&query::VISITS.med_type).to_owned(),
        stay: stay.map(|id| identifier("mdtrt_id", "就诊ID", id, StayId::parse)).transpose()?,
        open_only: false,
    };
    let seen = person(turn, row.get(&query::VISITS.psn_no)).await?;
    Ok(turn.answer(|output| {
        let stays = seen.stays_where(&filter).filter(|stay| stay.state.state != State::Cancelled);
        output.list("mdtrtinfo", stays, |row, stay| look_stay::write_visit(row, &seen, stay));
    }))
}

/// 5202.
pub(super) async fn diagnoses(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::Diagnoses>();
    let wanted = stay_ref(row.get(&query::DIAGNOSES.mdtrt_id), row.get(&query::DIAGNOSES.psn_no))?;
    let seen = turn.service.look_at_stay(&turn.caller(), &wanted).await?;
    let stay = look_stay::own(&seen, &wanted)?;
    let rows = look_stay::diagnoses(stay);
    Ok(turn.answer(|output| {
        output.list("diseinfo", rows, |row, diagnosis| {
            look_stay::write_diagnosis(row, &seen, stay, &diagnosis);
        });
    }))
}

/// 5203.
pub(super) async fn settlement(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::Settlement>();
    let stay = stay_ref(row.get(&query::SETTLEMENT.mdtrt_id), row.get(&query::SETTLEMENT.psn_no))?;
    let id = identifier("setl_id", "结算ID", row.get(&query::SETTLEMENT.setl_id), SettlementId::parse)?;
    let caller = turn.caller();
    let (person, seen) = turn.service.look_at_settlement(&caller, &stay, &id).await?;
    let record = &seen.record;
    let person_then = turn.service.private_at(&record.person, record.version, None).await?;
    let where_treated = look_settlement::place(turn.service, &seen);
    Ok(turn.answer(|output| {
        look_settlement::write(output, &person, &person_then, &seen, where_treated.as_ref());
    }))
}

/// 5204: a list straight under `output`.
pub(super) async fn lines(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::Settlement>();
    let stay = stay_ref(row.get(&query::SETTLEMENT.mdtrt_id), row.get(&query::SETTLEMENT.psn_no))?;
    let id = identifier("setl_id", "结算ID", row.get(&query::SETTLEMENT.setl_id), SettlementId::parse)?;
    let caller = turn.caller();
    let lines = turn.service.look_at_lines(&caller, &stay, Some(&id)).await?;
    Ok(turn.answer_list(&lines, |row, standing| look_line::write(row, &stay.stay, standing)))
}

/// 5205 and 5301: chronic outpatients are no business of this gateway. The person must be known all the same, so that
/// an empty answer means "nothing here" and not "nobody".
pub(super) async fn chronic_drugs(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::ChronicDrugs>();
    person(turn, row.get(&query::CHRONIC_DRUGS.psn_no)).await?;
    Ok(turn.answer(|output| _ = output.list("feedetail", [(); 0], |_, ()| {})))
}

pub(super) async fn chronic_filings(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::ChronicFilings>();
    person(turn, row.get(&query::CHRONIC_FILINGS.psn_no)).await?;
    Ok(turn.answer(|output| _ = output.list("feedetail", [(); 0], |_, ()| {})))
}

/// 5302: inpatient care needs no chosen institution.
pub(super) async fn chosen_institutions(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::ChosenInstitutions>();
    person(turn, row.get(&query::CHOSEN_INSTITUTIONS.psn_no)).await?;
    Ok(turn.answer(|output| _ = output.list("psnfixmedin", [(); 0], |_, ()| {})))
}

/// 5206: as of now, or of the end of `cum_ym`.
pub(super) async fn totals(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::Totals>();
    let asked = row.get(&query::TOTALS.cum_ym).map(month).transpose()?;
    let key = turn.service.person_key(&turn.caller(), row.get(&query::TOTALS.psn_no))?;
    let years = turn.service.look_at_totals(&key, asked).await?;
    // Benefit years are named by the calendar year in which they begin.
    let wanted = |year: &&YearUse| asked.is_none_or(|month| year.year.0 == month.first_day().year());
    let asked = asked.map(|month| month.to_string());
    Ok(turn.answer(|output| {
        let rows = years.iter().filter(wanted).flat_map(year_rows);
        output.list("cuminfo", rows, |row, (year, code, total)| {
            row.maybe_text("insutype", insutype(year.scheme)).shown("year", year.year.0);
            row.maybe_text("cum_ym", asked.as_deref()).text("cum_type_code", &code);
            row.fen("cum", total);
        });
    }))
}

/// yyyyMM.
fn month(sent: &str) -> Result<Month, NotDone> {
    let number = sent.parse().ok().filter(|_| sent.len() == 6 && !sent.starts_with('+'));
    number.and_then(Month::from_number).ok_or_else(|| {
        let trouble = Trouble::NotMonth { got: sent.chars().take(10).collect() };
        Message::unusable::<query::Totals>(query::TOTALS.cum_ym.index(), trouble).into()
    })
}

/// 累计类别 of a year: visits, deductible, and what each fund paid.
fn year_rows(year: &YearUse) -> impl Iterator<Item = (&YearUse, String, Fen)> {
    let used = &year.used;
    let (pool, large, illness) = match year.scheme {
        Scheme::Employee => (Some("D310101"), Some("D330101"), Some("D310301")),
        Scheme::Resident => (Some("D390101"), None, Some("D390201")),
        Scheme::Maternity => (Some("D510101"), None, None),
        Scheme::WorkInjury => (None, None, None),
    };
    // Visits are a count; the field has two decimals like every total.
    const HUNDREDTHS: i64 = 100;
    let rows = [
        (Some("C0000"), Fen(used.admissions.saturating_mul(HUNDREDTHS))),
        (Some("Q0000"), used.deductible),
        (pool, used.hifp),
        (large, used.hifob),
        (illness, used.hifmi),
        (Some("D610101"), used.maf),
    ];
    rows.into_iter().filter_map(move |(code, total)| Some((year, code?.to_owned(), total)))
}

fn insutype(scheme: Scheme) -> Option<&'static str> {
    match scheme {
        Scheme::Employee => Some("310"),
        Scheme::Resident => Some("390"),
        Scheme::Maternity => Some("510"),
        Scheme::WorkInjury => None,
    }
}

/// 5303.
pub(super) async fn in_hospital(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::Period>();
    let from = row.get(&query::PERIOD.begntime).day();
    let to = row.get(&query::PERIOD.endtime).map(Moment::day);
    check_period(from, to)?;
    let filter = StayFilter { from: Some(from), to, open_only: true, ..StayFilter::default() };
    let seen = person(turn, row.get(&query::PERIOD.psn_no)).await?;
    let away = is_away(turn, &seen);
    Ok(turn.answer(|output| {
        output.list("data", seen.stays_where(&filter), |row, stay| {
            look_stay::write_open(row, &seen, stay, away);
        });
    }))
}

/// 异地标志: the calling institution lies outside her pool.
fn is_away(turn: &Turn<'_, '_>, seen: &PersonSeen) -> bool {
    let institution: &InstitutionCode = &turn.message.envelope.institution;
    pool_of(turn, institution).is_some_and(|pool| pool != seen.key.pool)
}

fn pool_of(turn: &Turn<'_, '_>, institution: &InstitutionCode) -> Option<RegionCode> {
    let (reference, today) = (turn.service.reference.load(), turn.service.today());
    let region = reference.institution(institution, today)?.region;
    reference.regions.pool_of(region, today)
}

/// 5304.
pub(super) async fn referrals(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    let row = turn.message.one::<query::Period>();
    let from = row.get(&query::PERIOD.begntime).day();
    let to = row.get(&query::PERIOD.endtime).map(Moment::day);
    let seen = person(turn, row.get(&query::PERIOD.psn_no)).await?;
    Ok(turn.answer(|output| {
        let filings = seen.filings.iter().filter(|filing| look_filing::is_wanted(filing, from, to));
        output.list("refmedin", filings, |row, filing| look_filing::write(row, &seen, filing));
    }))
}
