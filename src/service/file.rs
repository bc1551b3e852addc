//! 2501, 2501A and 2502, and the filings of center and person: makes and ends 备案.

use crate::domain::calendar::Day;
use crate::domain::filing::FiledBy;
use crate::domain::filing::Filing;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::filing_maker;
use crate::domain::filing_maker::Wish;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::record::Body;
use crate::domain::record::FilingPrivate;
use crate::domain::record::MessageKey;
use crate::domain::record::Private;
use crate::domain::reference::Reference;
use crate::domain::refusal::Refusal;
use crate::ledger::Who;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::deed::Decision;
use crate::service::deed::Wanted;
use crate::service::error::ServiceError;

/// 2501: a referral by a hospital of the insured region.
#[derive(Clone, Debug)]
pub struct Refer {
    /// `psn_no`
    pub number: String,
    /// `mdtrtarea_admdvs`; a district stands for its city.
    pub target: RegionCode,
    /// `hosp_agre_refl_flag` is 0.
    pub disagreed: bool,
    /// `reflin_medins_no`, where it can be the code of an institution.
    pub receiver: Option<InstitutionCode>,
    /// `refl_date`
    pub referred_on: Day,
    /// `begndate`
    pub from: Option<Day>,
    /// `enddate`
    pub to: Option<Day>,
    pub private: FilingPrivate,
}

/// A filing made by the center or by the person herself.
#[derive(Clone, Debug)]
pub struct MakeFiling {
    pub person: PersonKey,
    pub category: FilingCategory,
    pub target: RegionCode,
    /// `None`: today.
    pub from: Option<Day>,
    pub to: Option<Day>,
    pub proof: FilingProof,
    pub by: Desk,
    pub private: FilingPrivate,
}

/// Who files, other than a hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Desk {
    Center,
    Person,
    Import,
}

#[derive(Clone, Debug)]
pub struct EndFilingOrder {
    pub person: PersonKey,
    pub filing: FilingId,
    /// The first day on which it stands no longer; `None`: today.
    pub from: Option<Day>,
    pub reason: String,
    pub by: Desk,
}

/// 2502.
#[derive(Clone, Debug)]
pub struct CancelReferral {
    /// `psn_no`
    pub number: String,
    /// `trt_dcla_detl_sn`
    pub filing: FilingId,
    /// `memo`
    pub reason: String,
}

impl Service {
    /// 2501. The record is `FilingMade`; its id is the `trt_dcla_detl_sn`.
    ///
    /// # Errors
    /// Region and person, `InstitutionUnknown`, `NotDesignated` (suspension counts), `FilingPlaceUnknown`,
    /// `FilingNotInsured`, `ReferralNotAgreed`, `ReferralPlaceDiffers`, `Filing`.
    pub async fn refer(&self, call: &Call, order: Refer) -> Result<Answered, ServiceError> {
        let person = self.person_key(&call.caller(), &order.number)?;
        let reference = self.reference.load_full();
        let by = filing_maker::hospital(&reference, call.institution(), person.pool, self.today())?;
        let today = self.today();
        // A referral of an earlier day counts for the stay all the same, since it was made before settlement.
        let from = order.from.unwrap_or(order.referred_on.max(today));
        let wish = Wish {
            category: FilingCategory::Referral,
            target: order.target,
            from,
            to: order.to,
            proof: FilingProof::Documents,
            by,
        };
        let check = |reference: &Reference| check_referral(reference, &order, today);
        self.make(call, person, wish, order.private.clone(), check).await
    }

    /// A filing of any category. The record is `FilingMade`.
    ///
    /// # Errors
    /// As `refer`, the institution apart.
    pub async fn make_filing(&self, call: &Call, order: MakeFiling) -> Result<Answered, ServiceError> {
        self.pool(order.person.pool)?;
        let wish = Wish {
            category: order.category,
            target: order.target,
            from: order.from.unwrap_or_else(|| self.today()),
            to: order.to,
            proof: order.proof,
            by: order.by.filed_by(),
        };
        self.make(call, order.person, wish, order.private, |_| Ok(())).await
    }

    /// 2502. The record is `FilingEnded`.
    ///
    /// # Errors
    /// Region and person, `FilingUnknown`, `FilingOfAnother`, `Filing`.
    pub async fn cancel_referral(
        &self,
        call: &Call,
        order: CancelReferral,
    ) -> Result<Answered, ServiceError> {
        let person = self.person_key(&call.caller(), &order.number)?;
        let own = |filing: &Filing| matches!(&filing.by, FiledBy::Hospital { code, .. } if code == call.institution());
        let end = End { filing: order.filing, from: None, reason: order.reason };
        self.end(call, person, end, own).await
    }

    /// The record is `FilingEnded`.
    ///
    /// # Errors
    /// As `cancel_referral`.
    pub async fn end_filing(&self, call: &Call, order: EndFilingOrder) -> Result<Answered, ServiceError> {
        self.pool(order.person.pool)?;
        let end = End { filing: order.filing, from: order.from, reason: order.reason };
        self.end(call, order.person, end, |_| true).await
    }

    async fn make(
        &self,
        call: &Call,
        person: PersonKey,
        wish: Wish,
        private: FilingPrivate,
        check: impl Fn(&Reference) -> Result<(), Refusal> + Send + Sync,
    ) -> Result<Answered, ServiceError> {
        let id = self.new_filing_id(self.ledger.bucket(&person));
        let wanted = Wanted::of(Who::Person(person));
        self.done(call, &wanted, |load| {
            let reference = self.reference.load();
            check(&reference)?;
            let facts = filing_maker::Facts {
                reference: &reference,
                home: load.facts.key.pool,
                person: &load.facts.person,
                today: self.today(),
            };
            let filing = filing_maker::make(&facts, id.clone(), &wish)?;
            let private = Private::Filing(private.clone());
            Ok(Decision { private, ..Decision::of(Body::FilingMade(filing)) })
        })
        .await
    }

    async fn end(
        &self,
        call: &Call,
        person: PersonKey,
        order: End,
        may_end: impl Fn(&Filing) -> bool + Send + Sync,
    ) -> Result<Answered, ServiceError> {
        let made_by = self.maker_message(&person, &order.filing).await?;
        let wanted = Wanted::of(Who::Person(person));
        self.done(call, &wanted, |load| {
            let reference = self.reference.load();
            let facts = filing_maker::Facts {
                reference: &reference,
                home: load.facts.key.pool,
                person: &load.facts.person,
                today: self.today(),
            };
            let filing = filing_maker::find(&facts, &order.filing)?;
            if !may_end(filing) {
                return Err(Refusal::FilingOfAnother { filing: order.filing.clone() }.into());
            }
            let from = order.from.unwrap_or(facts.today);
            let ended = filing_maker::end(&facts, filing, from, &order.reason, made_by.clone())?;
            Ok(Decision::of(Body::FilingEnded(ended)))
        })
        .await
    }

    /// The message that made a filing, so that its replay can be refused once the filing is cancelled whole.
    async fn maker_message(
        &self,
        person: &PersonKey,
        filing: &FilingId,
    ) -> Result<Option<MessageKey>, ServiceError> {
        let records = self.records_between(person, 1, u64::MAX).await?;
        let made = records
            .into_iter()
            .find(|record| matches!(&record.body, Body::FilingMade(made) if made.id == *filing));
        Ok(made.map(|record| record.meta.key.clone()))
    }
}

fn check_referral(reference: &Reference, order: &Refer, today: Day) -> Result<(), Refusal> {
    if order.disagreed {
        return Err(Refusal::ReferralNotAgreed);
    }
    let receiver = order.receiver.as_ref();
    receiver.map_or(Ok(()), |code| filing_maker::check_receiver(reference, code, order.target, today))
}

struct End {
    filing: FilingId,
    from: Option<Day>,
    reason: String,
}

impl Desk {
    fn filed_by(self) -> FiledBy {
        match self {
            Desk::Center => FiledBy::Center,
            Desk::Person => FiledBy::Person,
            Desk::Import => FiledBy::Import,
        }
    }
}
