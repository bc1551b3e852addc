//! Owns what every message carries around its business: who sends, for which region, under which number.

use core::fmt;
use std::borrow::Cow;

use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::digits::Digits;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::RegionCode;

/// The checked head of a hospital's request.
#[derive(Clone, Debug)]
pub struct Envelope<'m> {
    /// `infno` as sent, e.g. `2304A`.
    pub infno: Cow<'m, str>,
    pub message: MessageId,
    pub institution: InstitutionCode,
    pub institution_name: Option<Cow<'m, str>>,
    /// `mdtrtarea_admvs`: the region of the hospital.
    pub place_of_care: RegionCode,
    /// `insuplc_admdvs`, here or inside the business; present whenever the business names a `psn_no`.
    pub insured_region: Option<RegionCode>,
    /// `recer_sys_code`: the system that the sender means.
    pub receiver: Option<Cow<'m, str>>,
    pub operator: Operator<'m>,
    /// `inf_time`, when it can be read; decides nothing.
    pub sent_at: Option<Moment>,
    /// `sign_no` of 9001; missing or expired it only warns.
    pub sign_no: Option<Cow<'m, str>>,
    pub sign_type: Option<Cow<'m, str>>,
    pub seal: Option<Cow<'m, str>>,
    pub interface_version: Option<Cow<'m, str>>,
}

impl Envelope<'_> {
    /// Sent to the work-injury system (工伤): known by `recer_sys_code` alone, since the lists of `insutype` disagree.
    pub fn is_work_injury(&self) -> bool {
        const WORK_INJURY: &str = "GSXT";
        self.receiver.as_deref().is_some_and(|receiver| receiver.eq_ignore_ascii_case(WORK_INJURY))
    }
}

/// The person or machine at the hospital's desk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator<'m> {
    /// `opter_type`: 1 clerk, 2 self-service terminal, 3 mobile.
    pub kind: Option<Cow<'m, str>>,
    pub number: Option<Cow<'m, str>>,
    pub name: Option<Cow<'m, str>>,
}

/// `inf_refmsgid`: region (6) + yyyyMMddHHmmss (14) + sequence (10), 30 digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceId {
    pub region: RegionCode,
    pub received: Instant,
    /// Taken modulo 10^10.
    pub sequence: u64,
}

impl ReferenceId {
    /// Reads one back that was kept as text, with the instant at which its message was received.
    pub fn read(text: &str, received: Instant) -> Option<ReferenceId> {
        let region = RegionCode::parse(text.get(..6)?).ok()?;
        let sequence = text.get(20..)?.parse().ok()?;
        Some(ReferenceId { region, received, sequence })
    }
}

impl fmt::Display for ReferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.region.fmt(f)?;
        f.write_str(second(self.received).as_str())?;
        f.write_str(Digits::<10>::of(self.sequence).as_str())
    }
}

/// yyyyMMddHHmmssSSS in Asia/Shanghai, 17 digits: `refmsg_time`, `respond_time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub Instant);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(second(self.0).as_str())?;
        f.write_str(Digits::<3>::of(self.0.millisecond().into()).as_str())
    }
}

/// yyyyMMddHHmmss
fn second(at: Instant) -> Digits<14> {
    Digits::of(at.moment().number().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_and_reference_ids_have_their_fixed_lengths() {
        let received = Instant(1_767_196_800_007);
        assert_eq!(Stamp(received).to_string(), "20260101000000007");
        let id = ReferenceId { region: RegionCode(440_700), received, sequence: 10_000_000_042 };
        assert_eq!(id.to_string(), "440700202601010000000000000042");
        assert_eq!(id.to_string().len(), 30);
        let back = ReferenceId::read(&id.to_string(), received).map(|id| id.to_string());
        assert_eq!(back, Some(id.to_string()));
        assert_eq!(ReferenceId::read("4407", received), None);
    }
}
