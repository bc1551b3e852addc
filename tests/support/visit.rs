//! One stay at its hospital, step by step, each step a call over the wire.

use banyan::domain::codes::HospitalLevel;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::sandbox::play;
use banyan::sandbox::population::Insured;
use banyan::sandbox::stays;
use banyan::sandbox::stays::Charge;
use banyan::sandbox::stays::Stay;
use banyan::sandbox::stays::StayLine;
use serde_json::Value;

use crate::support::answer::Answer;
use crate::support::world::World;
use crate::support::world::today;

pub(crate) struct Visit<'w> {
    world: &'w World,
    pub stay: Stay,
    pub mdtrt_id: String,
    /// Changed in every envelope before it is sent, e.g. `recer_sys_code`.
    pub envelope: Vec<(&'static str, &'static str)>,
}

impl World {
    /// A stay of the fifteen days before today, not begun yet.
    pub(crate) fn visit(
        &self,
        insured: &Insured,
        place: u32,
        level: HospitalLevel,
        charges: &[Charge],
    ) -> Visit<'_> {
        let when = stays::Visit {
            hospital: self.hospital(place, level),
            admitted: today().plus_days(-15),
            discharged: today().plus_days(-1),
        };
        let stay = stays::stay(insured, &when, charges, &format!("Z{}", insured.person.number()));
        Visit { world: self, stay, mdtrt_id: String::new(), envelope: Vec::new() }
    }
}

impl Visit<'_> {
    pub(crate) fn person(&self) -> PersonKey {
        PersonKey::parse(RegionCode(self.stay.pool), &self.stay.psn_no).unwrap()
    }

    pub(crate) fn message(&self, infno: &str, input: &Value) -> Value {
        let stay = &self.stay;
        let mut message = self.world.message(&stay.fixmedins_code, infno, &stay.insuplc_admdvs, input);
        for (field, value) in &self.envelope {
            message[*field] = (*value).into();
        }
        message
    }

    pub(crate) async fn call(&self, infno: &str, input: Value) -> Answer {
        self.world.send(&self.message(infno, &input)).await
    }

    pub(crate) async fn identify(&self) -> Answer {
        self.call("1101", play::identify(&self.stay)).await
    }

    pub(crate) async fn entitle(&self) -> Answer {
        self.call("2001", play::entitle(&self.stay)).await
    }

    pub(crate) async fn admit(&mut self) -> Answer {
        let answer = self.call("2401", play::admit(&self.stay)).await;
        if answer.ok() {
            self.mdtrt_id = answer.mdtrt_id();
        }
        answer
    }

    pub(crate) async fn upload(&self) -> Answer {
        self.upload_lines(&self.stay.lines).await
    }

    pub(crate) async fn upload_lines(&self, lines: &[StayLine]) -> Answer {
        self.call("2301", play::upload(&self.stay, &self.mdtrt_id, lines)).await
    }

    pub(crate) async fn discharge(&self) -> Answer {
        self.call("2402", play::discharge(&self.stay, &self.mdtrt_id)).await
    }

    /// The input of 2303 and 2304 for the whole stay.
    pub(crate) fn bill(&self) -> Value {
        play::settle(&self.stay, &self.mdtrt_id, &self.stay.medfee_sumamt)
    }

    pub(crate) async fn quote(&self) -> Answer {
        self.call("2303", self.bill()).await
    }

    pub(crate) async fn settle(&self) -> Answer {
        self.call("2304", self.bill()).await
    }

    pub(crate) async fn reverse(&self, setl_id: &str) -> Answer {
        self.call("2305", play::reverse(&self.stay, &self.mdtrt_id, setl_id)).await
    }

    pub(crate) async fn undo(&self, infno: &str, msgid: &str) -> Answer {
        self.call("2601", play::undo(&self.stay, infno, msgid)).await
    }

    /// Admitted, lines up, discharged.
    pub(crate) async fn until_discharge(&mut self) {
        self.admit().await.done();
        if !self.stay.lines.is_empty() {
            self.upload().await.done();
        }
        self.discharge().await.done();
    }

    /// From the door to the settlement.
    pub(crate) async fn through(&mut self) -> Answer {
        self.until_discharge().await;
        self.settle().await.done()
    }
}
