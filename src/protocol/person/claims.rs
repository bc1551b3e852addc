//! Her claims as a list: where, when, how it stands, who paid what.

use hyper::StatusCode;
use maud::Markup;
use maud::html;

use crate::domain::admission::filing_of;
use crate::domain::calendar::Day;
use crate::domain::calendar::Month;
use crate::domain::codes::BenefitLevel;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::record::Admission;
use crate::domain::record::Body;
use crate::domain::record::Settlement;
use crate::domain::reference::Reference;
use crate::domain::scene::Scene;
use crate::domain::stay::State;
use crate::protocol::person::PersonFace;
use crate::protocol::web::answer;
use crate::protocol::web::error::PageError;
use crate::protocol::web::exchange::Exchange;
use crate::protocol::web::form::Said;
use crate::protocol::web::session::Session;
use crate::protocol::web::words::both;
use crate::protocol::web::words::day_zh;
use crate::protocol::web::words::month_en;
use crate::protocol::web::words::month_zh;
use crate::protocol::web::words::pair;
use crate::protocol::web::words::yuan;
use crate::service::look::PersonSeen;
use crate::service::look::SettlementSeen;
use crate::service::look::StaySeen;
use crate::service::look::Viewer;
use crate::transport::Answer;

/// One line of the list: a settlement, or a stay of which nothing is settled yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClaimRow {
    /// `setl_id`, or `mdtrt_id` where nothing is settled.
    pub(super) id: String,
    pub(super) hospital: String,
    pub(super) place: String,
    pub(super) place_code: RegionCode,
    pub(super) admitted: Day,
    /// Discharge, or the last day of a part.
    pub(super) until: Option<Day>,
    /// Settles a part of a stay.
    pub(super) part: bool,
    pub(super) status: Status,
    pub(super) settled: Option<SettledRow>,
    /// What her filings make of a stay that is not settled, as they stand today.
    pub(super) coming: Option<Coming>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coming {
    pub(super) level: BenefitLevel,
    pub(super) filing: Option<FilingId>,
}

/// The figures of a settlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SettledRow {
    pub(super) on: Day,
    pub(super) month: Month,
    pub(super) fee: Fen,
    pub(super) funds: Fen,
    pub(super) person: Fen,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    InHospital,
    /// Discharged, not settled.
    AwaitsSettlement,
    Settled,
    /// Reversed, and nothing in its place.
    Reversed {
        on: Day,
        /// Where the stay is followed that waits to be settled again.
        stay: Option<String>,
    },
    Replaced {
        on: Day,
        by: String,
    },
}

impl Status {
    /// Stable, for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Status::InHospital => "in-hospital",
            Status::AwaitsSettlement => "awaits-settlement",
            Status::Settled => "settled",
            Status::Reversed { .. } => "reversed",
            Status::Replaced { .. } => "replaced",
        }
    }

    pub(super) fn said(&self) -> Said {
        match self {
            Status::InHospital => Said::new("住院中", "In hospital"),
            Status::AwaitsSettlement => Said::new("已出院，未结算", "Discharged, not settled"),
            Status::Settled => Said::new("已结算", "Settled"),
            Status::Reversed { .. } => Said::new("已撤销", "Reversed"),
            Status::Replaced { .. } => Said::new("已撤销并重新结算", "Reversed and settled again"),
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Status::Settled => "good",
            Status::InHospital | Status::AwaitsSettlement => "open",
            Status::Reversed { .. } | Status::Replaced { .. } => "off",
        }
    }

    pub(super) fn tag(&self) -> Markup {
        html! { span.tag.(self.class()) { (both(&self.said())) } }
    }
}

/// All of hers, the latest admission first.
pub(super) fn rows(seen: &PersonSeen, reference: &Reference, today: Day) -> Vec<ClaimRow> {
    let settled = seen.settlements.iter().filter_map(|one| settled_row(one, seen, reference));
    let awaiting = seen.stays.iter().filter(|stay| awaits(stay, seen));
    let open = awaiting.map(|stay| open_row(stay, seen, reference, today));
    let mut rows: Vec<ClaimRow> = settled.chain(open).collect();
    let settled_on = |row: &ClaimRow| row.settled.as_ref().map(|settled| settled.on);
    rows.sort_by(|a, b| (b.admitted, settled_on(b), &b.id).cmp(&(a.admitted, settled_on(a), &a.id)));
    rows
}

pub(super) fn as_settlement(seen: &SettlementSeen) -> Option<&Settlement> {
    match &seen.record.body {
        Body::Settled(settlement) => Some(settlement),
        _ => None,
    }
}

fn settled_row(one: &SettlementSeen, seen: &PersonSeen, reference: &Reference) -> Option<ClaimRow> {
    let settlement = as_settlement(one)?;
    let on = one.record.at.day();
    let breakdown = &settlement.breakdown;
    Some(ClaimRow {
        id: settlement.id.as_str().to_owned(),
        hospital: hospital(reference, &settlement.institution, settlement.admitted),
        place: reference.regions.name(settlement.institution_pool, settlement.policy_day),
        place_code: settlement.institution_pool,
        admitted: settlement.admitted,
        until: Some(settlement.policy_day),
        part: settlement.part,
        status: status(one, settlement, seen),
        settled: Some(SettledRow {
            on,
            month: on.month(),
            fee: breakdown.medfee_sumamt,
            funds: breakdown.fund_pay_sumamt,
            person: breakdown.psn_part_amt,
        }),
        coming: None,
    })
}

fn status(one: &SettlementSeen, settlement: &Settlement, seen: &PersonSeen) -> Status {
    if one.stands {
        return Status::Settled;
    }
    let on = one.reversed_by.as_ref().map_or(one.record.at, |record| record.at).day();
    let later = seen
        .settlements
        .iter()
        .filter(|other| other.stay == one.stay && other.stands && other.record.version > one.record.version);
    let by = later.filter_map(as_settlement).find(|other| other.part == settlement.part);
    match by {
        Some(by) => Status::Replaced { on, by: by.id.as_str().to_owned() },
        None => {
            let open = seen.stays.iter().find(|stay| stay.id == one.stay && awaits(stay, seen));
            Status::Reversed { on, stay: open.map(|stay| stay.id.as_str().to_owned()) }
        }
    }
}

/// Whether something of a stay is left to settle.
fn awaits(stay: &StaySeen, seen: &PersonSeen) -> bool {
    let whole = |one: &SettlementSeen| as_settlement(one).is_some_and(|settlement| !settlement.part);
    let settled = seen.settlements.iter().any(|one| one.stay == stay.id && one.stands && whole(one));
    stay.state.state != State::Cancelled && !settled
}

fn open_row(stay: &StaySeen, seen: &PersonSeen, reference: &Reference, today: Day) -> ClaimRow {
    let admission = &stay.state.admission;
    let admitted = admission.begun.day();
    let discharge = stay.state.discharge.as_ref().map(|discharge| discharge.ended.day());
    let pool = reference.regions.pool_of(admission.institution_region, admitted);
    let place_code = pool.unwrap_or(admission.institution_region);
    ClaimRow {
        id: stay.id.as_str().to_owned(),
        hospital: hospital(reference, &admission.institution, admitted),
        place: reference.regions.name(place_code, admitted),
        place_code,
        admitted,
        until: discharge,
        part: false,
        status: if discharge.is_some() { Status::AwaitsSettlement } else { Status::InHospital },
        settled: None,
        coming: coming(admission, seen, reference, today),
    }
}

fn coming(admission: &Admission, seen: &PersonSeen, reference: &Reference, today: Day) -> Option<Coming> {
    let day = admission.begun.day();
    let scene = Scene::set(reference, seen.key.pool, &admission.institution, day).ok()?;
    let decision = filing_of(&scene, admission, &seen.state.filings, today)?;
    Some(Coming { level: decision.level, filing: decision.filing.map(|filing| filing.id.clone()) })
}

fn hospital(reference: &Reference, code: &InstitutionCode, day: Day) -> String {
    reference.institution(code, day).map_or_else(|| code.to_string(), |row| row.name.clone())
}

impl PersonFace {
    /// What she may see: everything of hers and nothing of anybody else.
    pub(super) async fn seen(&self, session: &Session) -> Result<PersonSeen, PageError> {
        Ok(self.service.look_at_person(&session.person, &Viewer::Person).await?)
    }

    pub(super) async fn show_claims(&self, x: Exchange) -> Result<Answer, PageError> {
        let session = self.session(&x).await?;
        let seen = self.seen(&session).await?;
        let reference = self.service.reference.load();
        let pool = reference.regions.name(seen.key.pool, self.service.today());
        let rows = rows(&seen, &reference, self.service.today());
        let content = list(&seen.person.name, &pool, &rows);
        let page = self.inside(&session, "/me", &Said::new("就医结算", "Claims"), content);
        Ok(answer::page(StatusCode::OK, page))
    }
}

fn list(name: &str, pool: &str, rows: &[ClaimRow]) -> Markup {
    html! {
        h1 { (pair("我的就医结算", "My claims")) }
        p { (name) "，参保地：" (pool) " " span.en lang="en" { "Insured in " (pool) } }
        @if rows.is_empty() {
            div.panel { p { (pair(
                "还没有异地住院结算记录。出院结算后会显示在这里。",
                "No stays yet. A stay appears here once a hospital has admitted you.")) } }
        }
        ul.cards { @for row in rows { (card(row)) } }
    }
}

fn card(row: &ClaimRow) -> Markup {
    html! {
        li.card {
            h2 { a href={ "/me/claims/" (row.id) } { (row.hospital) } }
            p { (row.place) " · " (stay_days(row)) @if row.part { " · " (pair("中途结算", "part of a stay")) } }
            p { (row.status.tag()) }
            @if let Some(settled) = &row.settled {
                div.figures {
                    div { span { (pair("总费用", "Bill")) } b { (yuan(settled.fee)) } }
                    div { span { (pair("医保支付", "Insurance")) } b { (yuan(settled.funds)) } }
                    div { span { (pair("您支付", "You")) } b { (yuan(settled.person)) } }
                }
            }
        }
    }
}

pub(super) fn stay_days(row: &ClaimRow) -> Markup {
    html! {
        (day_zh(row.admitted)) "入院"
        @match row.until {
            Some(until) if row.part => { "，结算至" (day_zh(until)) }
            Some(until) => { "，" (day_zh(until)) "出院" }
            None => {}
        }
    }
}

/// Into which month the centers take it.
pub(super) fn cleared_in(month: Month, status: &Status) -> Markup {
    let zh = format!("归入{}清算月", month_zh(month));
    let en = format!("in the clearing month {}", month_en(month));
    match status {
        Status::Reversed { .. } | Status::Replaced { .. } => {
            pair(&format!("{zh}；撤销另行记账"), &format!("{en}; the reversal is booked on its own"))
        }
        Status::Settled | Status::InHospital | Status::AwaitsSettlement => pair(&zh, &en),
    }
}
