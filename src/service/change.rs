//! 2403: changes what an admission said.

use crate::domain::admission;
use crate::domain::calendar::Moment;
use crate::domain::record::Admission;
use crate::domain::record::AdmissionPrivate;
use crate::domain::record::Body;
use crate::domain::record::Private;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

/// What 2403 may change. `None`, or empty text: as it was. Insurance, person and institution cannot be changed.
#[derive(Clone, Debug)]
pub struct Change {
    pub stay: StayRef,
    pub begun: Moment,
    pub med_type: String,
    /// Emergency flag. Each change is recorded and listed to the center, since it decides a rate.
    pub emergency: Option<bool>,
    pub third_party: Option<bool>,
    pub commitment: Option<bool>,
    pub work_injury: Option<bool>,
    pub matn_type: Option<String>,
    pub credential_type: String,
    pub inpatient_no: String,
    pub department: String,
    pub department_name: String,
    pub bed: String,
    /// Other business fields as sent, one JSON object, without personal data.
    pub raw: String,
    pub private: AdmissionPrivate,
}

impl Service {
    /// The record is `AdmissionChanged`.
    ///
    /// # Errors
    /// `StayUnknown`, `PersonDiffers`, `OutOfOrder`, `InFuture`, `TooLate`, `ChangeAfterPart`, `ChangeWouldSplitAnew`,
    /// and of admission `NotDesignated`, `NotCovered`, `NoPolicy`, `NotRecognised` on the new day.
    pub async fn change(&self, call: &Call, order: Change) -> Result<Answered, ServiceError> {
        let wanted = Wanted::of(order.stay.who());
        self.done(call, &wanted, |load| self.decide_change(call, &order, load)).await
    }

    fn decide_change(&self, call: &Call, order: &Change, load: &Load) -> Result<Decision, ServiceError> {
        let stay = self.own_stay(call.institution(), call.insured_region, &order.stay, &load.facts)?;
        let reference = self.reference.load();
        let facts = self.admission_facts(&reference, &load.facts);
        let changed = admission::change(&facts, stay.in_hand(), order.applied(&stay.state.admission))?;
        let body = Body::AdmissionChanged(changed.admission);
        let private = Private::Admission(order.private.clone());
        Ok(Decision { private, cautions: changed.cautions, ..Decision::at(body, &stay.id) })
    }
}

impl Change {
    /// The admission as it shall stand.
    fn applied(&self, was: &Admission) -> Admission {
        let text = |new: &String, old: &String| if new.is_empty() { old.clone() } else { new.clone() };
        let med_type = text(&self.med_type, &was.med_type);
        Admission {
            institution: was.institution.clone(),
            institution_region: was.institution_region,
            insutype: was.insutype.clone(),
            begun: self.begun,
            emergency: self.emergency(was, &med_type),
            third_party: self.third_party.unwrap_or(was.third_party),
            injury_cleared: self.injury_cleared(was, &med_type),
            matn_type: self.matn_type.clone().unwrap_or_else(|| was.matn_type.clone()),
            work_injury: self.work_injury.unwrap_or(was.work_injury),
            credential_type: text(&self.credential_type, &was.credential_type),
            inpatient_no: text(&self.inpatient_no, &was.inpatient_no),
            department: text(&self.department, &was.department),
            department_name: text(&self.department_name, &was.department_name),
            bed: text(&self.bed, &was.bed),
            raw: text(&self.raw, &was.raw),
            med_type,
        }
    }

    /// A flag that was not sent stays as it was; what only the old kind of care made an emergency does not.
    fn emergency(&self, was: &Admission, med_type: &str) -> bool {
        let by_kind = admission::is_emergency(&was.med_type, false);
        admission::is_emergency(med_type, self.emergency.unwrap_or(was.emergency && !by_kind))
    }

    /// A commitment once on file stays there.
    fn injury_cleared(&self, was: &Admission, med_type: &str) -> bool {
        let was_injury = !admission::is_injury_cleared(&was.med_type, false);
        let on_file = was_injury && was.injury_cleared;
        admission::is_injury_cleared(med_type, self.commitment.unwrap_or(on_file))
    }
}
