//! Owns the stays that are driven and the bytes that their hospitals send.

use std::collections::HashMap;
use std::sync::Arc;

use banyan::domain::ids::InstitutionCode;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::domain::ids::StayId;
use banyan::domain::money::Fen;
use banyan::ledger::Who;
use banyan::protocol::wire;
use banyan::sandbox::his::His;
use banyan::sandbox::his::Line;
use banyan::sandbox::institutions::Hospital;
use banyan::sandbox::play;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::stays::StayLine;
use banyan::service::seams::Clock as _;
use banyan::service::seams::SystemClock;
use serde_json::Value;
use serde_json::json;

use crate::drive::Call;
use crate::drive::Journey;
use crate::drive::MDTRT_ID;
use crate::failed::Failed;
use crate::failed::cannot;
use crate::step::Step;

/// Uploads in which a full stay sends its lines.
const UPLOADS: usize = 10;

/// A stay with the hospital that treats her.
#[derive(Clone)]
pub struct Case {
    stay: Arc<Stay>,
    his: Arc<His>,
    /// Known once she is admitted.
    mdtrt_id: Option<String>,
    /// Known once it is settled.
    setl_id: String,
}

/// The same stays, all of them in one hospital.
pub fn in_one_hospital(stays: Vec<Stay>, hospital: &Hospital) -> Vec<Stay> {
    let institution = &hospital.institution;
    let moved = |stay: Stay| Stay {
        fixmedins_code: institution.code.to_string(),
        fixmedins_name: institution.name.clone(),
        mdtrtarea_admdvs: institution.region.to_string(),
        ..stay
    };
    stays.into_iter().map(moved).collect()
}

/// The hospitals that have sent something: each numbers its messages itself, and never one number twice.
#[derive(Default)]
pub struct Hospitals(HashMap<String, Arc<His>>);

impl Hospitals {
    /// Gives each stay exactly `lines` fee lines and its hospital.
    pub fn cases(&mut self, stays: Vec<Stay>, lines: usize, line: &Line) -> Result<Vec<Case>, Failed> {
        stays.into_iter().map(|stay| self.case(stay, lines, line)).collect()
    }

    fn case(&mut self, stay: Stay, lines: usize, line: &Line) -> Result<Case, Failed> {
        let his = match self.0.get(&stay.fixmedins_code) {
            Some(his) => Arc::clone(his),
            None => {
                let his = Arc::new(his(&stay, line.clone())?);
                self.0.insert(stay.fixmedins_code.clone(), Arc::clone(&his));
                his
            }
        };
        Ok(Case { stay: Arc::new(with_lines(stay, lines)), his, mdtrt_id: None, setl_id: String::new() })
    }
}

fn his(stay: &Stay, line: Line) -> Result<His, Failed> {
    let code = InstitutionCode::parse(&stay.fixmedins_code).map_err(cannot("name a hospital"))?;
    let region = RegionCode::parse(&stay.mdtrtarea_admdvs).map_err(cannot("name a region"))?;
    Ok(His::new(code, &stay.fixmedins_name, region, line, || SystemClock.now()))
}

/// The stay with its own lines cut off, or repeated, at this number.
fn with_lines(stay: Stay, lines: usize) -> Stay {
    let numbered =
        |(at, line): (usize, &StayLine)| StayLine { feedetl_sn: format!("{:04}", at + 1), ..line.clone() };
    let lines: Vec<StayLine> = stay.lines.iter().cycle().take(lines).enumerate().map(numbered).collect();
    let total: Fen = lines.iter().filter_map(|line| wire::money(&line.det_item_fee_sumamt)).sum();
    Stay { medfee_sumamt: total.to_string(), lines, ..stay }
}

impl Case {
    pub fn admitted(self, mdtrt_id: String) -> Case {
        Case { mdtrt_id: Some(mdtrt_id), ..self }
    }

    pub fn settled(self, setl_id: String) -> Case {
        Case { setl_id, ..self }
    }

    /// Whose stay it is.
    pub fn person(&self) -> Result<PersonKey, Failed> {
        PersonKey::parse(RegionCode(self.stay.pool), &self.stay.psn_no).map_err(cannot("name a person"))
    }

    /// The admitted stay, as its hospital names it.
    pub fn whose(&self) -> Result<Who, Failed> {
        let id = self.mdtrt_id.as_deref().unwrap_or_default();
        let stay = StayId::parse(id).map_err(cannot("name a stay"))?;
        Ok(Who::Stay { stay, number: self.stay.psn_no.clone() })
    }

    /// One call of an admitted stay, or one before its admission.
    pub fn journey(&self, step: Step) -> Journey {
        let id = self.mdtrt_id.as_deref().unwrap_or(MDTRT_ID);
        Journey { calls: vec![self.call(step, id, &self.stay.lines)] }
    }

    /// The lines of an admitted stay in ten calls.
    pub fn uploads(&self) -> Vec<Journey> {
        let id = self.mdtrt_id.as_deref().unwrap_or(MDTRT_ID);
        self.in_parts(id).map(|call| Journey { calls: vec![call] }).collect()
    }

    fn in_parts(&self, id: &str) -> impl Iterator<Item = Call> {
        let each = self.stay.lines.len().div_ceil(UPLOADS).max(1);
        self.stay.lines.chunks(each).map(move |lines| self.call(Step::Upload, id, lines))
    }

    /// All calls of a stay. Those after the admission leave room for the number that it will give.
    pub fn whole_stay(&self) -> Journey {
        let mut calls = vec![self.call(Step::Admit, MDTRT_ID, &[])];
        calls.extend(self.in_parts(MDTRT_ID));
        calls.extend([Step::Discharge, Step::Quote, Step::Settle].map(|step| self.call(step, MDTRT_ID, &[])));
        Journey { calls }
    }

    /// Several calls of a stay, one after the other.
    pub fn journey_of(&self, steps: &[Step]) -> Journey {
        let id = self.mdtrt_id.as_deref().unwrap_or(MDTRT_ID);
        Journey { calls: steps.iter().map(|step| self.call(*step, id, &self.stay.lines)).collect() }
    }

    fn call(&self, step: Step, mdtrt_id: &str, lines: &[StayLine]) -> Call {
        let input = self.input(step, mdtrt_id, lines);
        let msgid = self.his.next_msgid();
        let message = self.his.envelope(step.infno(), &msgid, play::insured_region(&self.stay), &input);
        Call { step, body: message.to_string().into() }
    }

    fn input(&self, step: Step, mdtrt_id: &str, lines: &[StayLine]) -> Value {
        let stay = &self.stay;
        match step {
            Step::SignIn => json!({"signIn": {
                "opter_no": "0001", "mac": "00-00-5E-00-53-01", "ip": "192.0.2.10",
            }}),
            Step::Identify => play::identify(stay),
            Step::Entitle => play::entitle(stay),
            Step::Admit => play::admit(stay),
            Step::Upload => play::upload(stay, mdtrt_id, lines),
            Step::Discharge => play::discharge(stay, mdtrt_id),
            Step::Quote | Step::Settle => play::settle(stay, mdtrt_id, &stay.medfee_sumamt),
            Step::Look => {
                json!({"data": {"psn_no": stay.psn_no, "setl_id": self.setl_id, "mdtrt_id": mdtrt_id}})
            }
            Step::Totals => totals(stay),
            Step::Reverse => play::reverse(stay, mdtrt_id, &self.setl_id),
        }
    }
}

/// 3201 of today with sums that are not the gateway's: it has to count either way.
fn totals(stay: &Stay) -> Value {
    let today = SystemClock.now().day().to_string();
    json!({"data": {
        "insutype": stay.insutype,
        "clr_type": "21",
        "setl_optins": stay.insuplc_admdvs,
        "stmt_begndate": today,
        "stmt_enddate": today,
        "medfee_sumamt": "0.00",
        "fund_pay_sumamt": "0.00",
        "acct_pay": "0.00",
        "fixmedins_setl_cnt": "0",
    }})
}
