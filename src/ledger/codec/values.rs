//! Owns how identifiers, days, money and coded words are kept.

use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::codes::AssistanceCategory;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::PersonType;
use crate::domain::codes::Scheme;
use crate::domain::codes::WorkStatus;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::LineNo;
use crate::domain::ids::MessageId;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::ledger::codec::shapes::text;
use crate::ledger::codec::text::Keep;
use crate::ledger::codec::text::Text;

identifier!(InstitutionCode, MessageId, StayId, SettlementId, FilingId, LineNo);

plain!(RegionCode: u32, |region| region.0, |code| Some(RegionCode(code)));
plain!(Fen: i64, |fen| fen.0, fen_of);
plain!(Instant: i64, |at| at.0, |ms| Some(Instant(ms)));
plain!(BenefitYear: i32, |year| year.0, |year| Some(BenefitYear(year)));
plain!(Day: i32, |day| day.number(), Day::from_number);
plain!(Moment: i64, |moment| moment.number(), moment_of);
plain!(MaternityKind: u8, |kind| kind.0, |code| Some(MaternityKind(code)));
plain!(PersonType: u32, |kind| kind.code(), PersonType::new);
plain!(AssistanceCategory: u32, |category| category.code(), AssistanceCategory::from_code);

/// Whole numbers beyond 2⁵³ are not read exactly by every reader of JSON, and no sum of money comes near.
fn fen_of(number: i64) -> Option<Fen> {
    const EXACT_MAX: u64 = 1 << 53;
    (number.unsigned_abs() <= EXACT_MAX).then_some(Fen(number))
}

impl Keep for Rate {
    fn keep(&self, to: &mut Text) {
        self.0.keep(to);
    }
}

impl<'de> serde::Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text(from, "Rate", |text| text.parse().ok().map(Rate))
    }
}

/// From [`Moment::number`].
fn moment_of(number: i64) -> Option<Moment> {
    let day = Day::from_number(i32::try_from(number.div_euclid(1_000_000)).ok()?)?;
    let part = |divisor: i64| i8::try_from(number.rem_euclid(1_000_000) / divisor % 100).ok();
    Moment::new(day, part(10_000)?, part(100)?, part(1)?)
}

word!(Scheme {
    Employee = "employee",
    Resident = "resident",
    Maternity = "maternity",
    WorkInjury = "work_injury",
});

word!(HospitalLevel { Primary = "primary", One = "one", Two = "two", Three = "three" });

word!(WorkStatus { Active = "active", Retired = "retired" });

word!(BenefitLevel {
    Local = "local",
    LongTermHome = "long_term_home",
    InProvince = "in_province",
    LongTerm = "long_term",
    Referral = "referral",
    Emergency = "emergency",
    OtherTemporary = "other_temporary",
    Unfiled = "unfiled",
});

row!(MessageKey { institution: InstitutionCode, transaction: u16, message: MessageId });

row!(ContentHash { recipe: u8, digest: [u8; 32] as "crate::ledger::codec::bytes" });
