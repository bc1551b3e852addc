//! 2401: begins a stay.

use crate::domain::admission;
use crate::domain::admission::AdmissionFacts;
use crate::domain::calendar::Moment;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::StayId;
use crate::domain::record::Admission;
use crate::domain::record::AdmissionPrivate;
use crate::domain::record::Body;
use crate::domain::record::Private;
use crate::domain::reference::Reference;
use crate::ledger::Facts;
use crate::ledger::Who;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::credential::Credential;
use crate::service::deed::Begun;
use crate::service::deed::Decision;
use crate::service::deed::Load;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

#[derive(Clone, Debug)]
pub struct Admit {
    /// `psn_no`
    pub number: String,
    pub credential: Credential,
    pub insutype: String,
    pub med_type: String,
    pub begun: Moment,
    /// Emergency flag; `med_type` 24 counts by itself.
    pub emergency: bool,
    /// `ttp_resp` 1
    pub third_party: bool,
    /// The signed commitment that no third party is liable is on file; needed with `med_type` 22.
    pub commitment: bool,
    pub matn_type: String,
    /// `recer_sys_code` GSXT
    pub work_injury: bool,
    pub inpatient_no: String,
    pub department: String,
    pub department_name: String,
    pub bed: String,
    /// Other business fields as sent, one JSON object, without personal data.
    pub raw: String,
    pub private: AdmissionPrivate,
}

impl Service {
    /// The record is `Admitted`; its stay is the `mdtrt_id`.
    ///
    /// # Errors
    /// In this order: `InsuredRegionMissing`, `RegionUnknown`, `RegionNotConnected`, `PersonUnknown`, credential
    /// refusals, `NotInpatient`, `InFuture`, `InstitutionUnknown`, `NotDesignated`, `LevelUnknown`, `OpenStay`, `NotCovered`,
    /// `NoPolicy`, `NotRecognised`.
    pub async fn admit(&self, call: &Call, order: Admit) -> Result<Answered, ServiceError> {
        let wanted = Wanted::of(Who::Person(self.person_key(&call.caller(), &order.number)?));
        let load = match self.begin(call, &wanted).await? {
            Begun::Replay { record, facts } => return self.replay(record, facts).await,
            Begun::Fresh(load) => *load,
        };
        self.check_credential(&load.facts, &order.credential).await?;
        let stay = self.new_stay_id(load.facts.bucket);
        self.perform(call, &wanted, load, |load| self.decide_admission(call, &order, &stay, load)).await
    }

    fn decide_admission(
        &self,
        call: &Call,
        order: &Admit,
        stay: &StayId,
        load: &Load,
    ) -> Result<Decision, ServiceError> {
        let reference = self.reference.load();
        let facts = self.admission_facts(&reference, &load.facts);
        let admitted = admission::admit(&facts, order.admission(call.institution()))?;
        let body = Body::Admitted(admitted.admission);
        let private = Private::Admission(order.private.clone());
        Ok(Decision { private, cautions: admitted.cautions, ..Decision::at(body, stay) })
    }

    pub(crate) fn admission_facts<'a>(
        &self,
        reference: &'a Reference,
        facts: &'a Facts,
    ) -> AdmissionFacts<'a> {
        AdmissionFacts { reference, key: &facts.key, person: &facts.person, today: self.today() }
    }
}

impl Admit {
    fn admission(&self, institution: &InstitutionCode) -> Admission {
        Admission {
            institution: institution.clone(),
            // Filled in from the register by the decision.
            institution_region: RegionCode(0),
            insutype: self.insutype.clone(),
            med_type: self.med_type.clone(),
            begun: self.begun,
            emergency: admission::is_emergency(&self.med_type, self.emergency),
            third_party: self.third_party,
            injury_cleared: admission::is_injury_cleared(&self.med_type, self.commitment),
            matn_type: self.matn_type.clone(),
            work_injury: self.work_injury,
            credential_type: self.credential.kind.clone(),
            inpatient_no: self.inpatient_no.clone(),
            department: self.department.clone(),
            department_name: self.department_name.clone(),
            bed: self.bed.clone(),
            raw: self.raw.clone(),
        }
    }
}
