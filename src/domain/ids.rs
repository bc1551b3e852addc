//! Owns identifiers: each parses once, at the edge, and cannot be mistaken for another afterwards.

use core::fmt;

use smol_str::SmolStr;

use crate::domain::digits::Digits;

/// Why a text is not the identifier it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnId {
    #[error("must not be empty")]
    Empty,
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("must be six digits")]
    NotSixDigits,
    #[error("must not hold control characters or blanks")]
    BadCharacter,
}

/// Identifiers from outside are opaque text: no blanks, no control characters, at most 30 characters on the wire.
/// They are copied wherever they are told, remembered and written: a copy takes no memory of its own.
fn opaque(text: &str) -> Result<SmolStr, NotAnId> {
    const LENGTH_MAX: usize = 30;
    if text.is_empty() {
        return Err(NotAnId::Empty);
    }
    if text.chars().count() > LENGTH_MAX {
        return Err(NotAnId::TooLong(LENGTH_MAX));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(NotAnId::BadCharacter);
    }
    Ok(text.into())
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                opaque(text).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id! {
    /// 定点医药机构编号 `fixmedins_code`: a designated institution, e.g. `H44070300001`.
    InstitutionCode
}
opaque_id! {
    /// 发送方报文ID `msgid`: made by the caller, unique per institution and transaction number.
    MessageId
}
opaque_id! {
    /// 就诊ID `mdtrt_id`: one stay. Made by the gateway, ends with the person's bucket.
    StayId
}
opaque_id! {
    /// 结算ID `setl_id`: one settlement or one reversal. Made by the gateway, ends with the person's bucket.
    SettlementId
}
opaque_id! {
    /// 待遇申报明细流水号 `trt_dcla_detl_sn`: one filing (备案). Made by the gateway, ends with the person's bucket.
    FilingId
}
opaque_id! {
    /// 费用明细流水号 `feedetl_sn`: one fee line, unique inside its stay.
    LineNo
}

/// 医保区划 `admdvs`: a six-digit code of GB/T 2260, of a province, a city or a district.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(pub u32);

impl RegionCode {
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
        if !digits {
            return Err(NotAnId::NotSixDigits);
        }
        text.parse().map(Self).map_err(|_| NotAnId::NotSixDigits)
    }

    /// 440703 → 440000. The province by code; pooling regions come from the region table, never from digits.
    pub fn province(self) -> RegionCode {
        RegionCode(self.0 / 10_000 * 10_000)
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Digits::<6>::of(self.0.into()).as_str())
    }
}

/// 人员编号 `psn_no`, unique only inside a pool, so always beside its pool. `Debug` is masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey {
    /// The pooling region (统筹区) that insures her.
    pub pool: RegionCode,
    number: SmolStr,
}

impl PersonKey {
    pub fn parse(pool: RegionCode, number: &str) -> Result<Self, NotAnId> {
        opaque(number).map(|number| Self { pool, number })
    }

    pub fn number(&self) -> &str {
        &self.number
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…{}", self.pool, self.number.chars().rev().take(2).collect::<String>())
    }
}

/// 0–4095: the first 12 bits of a keyed hash of the person. Decides where all that belongs to her lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u16);

impl Bucket {
    pub const COUNT: u16 = 4096;

    pub fn new(value: u16) -> Option<Bucket> {
        (value < Bucket::COUNT).then_some(Bucket(value))
    }

    pub fn get(self) -> u16 {
        self.0
    }

    /// Reads the bucket back out of an id that the gateway made: its last three hexadecimal digits.
    pub fn of_id(id: &str) -> Option<Bucket> {
        let tail = id.get(id.len().checked_sub(3)?..)?;
        u16::from_str_radix(tail, 16).ok().and_then(Bucket::new)
    }
}

/// Three upper-case hexadecimal digits, as ids carry it.
impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Digits::<3>::in_base(self.0.into(), 16).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_refuse_what_no_id_holds() {
        assert_eq!(StayId::parse(""), Err(NotAnId::Empty));
        assert_eq!(StayId::parse("a b"), Err(NotAnId::BadCharacter));
        assert_eq!(StayId::parse(&"9".repeat(31)), Err(NotAnId::TooLong(30)));
        assert_eq!(StayId::parse(&"9".repeat(30)).map(|id| id.as_str().len()), Ok(30));
    }

    #[test]
    fn a_region_is_six_digits() {
        assert_eq!(RegionCode::parse("440703"), Ok(RegionCode(440_703)));
        for bad in ["44070", "4407033", "44070x", "+44070", ""] {
            assert_eq!(RegionCode::parse(bad), Err(NotAnId::NotSixDigits), "{bad}");
        }
        assert_eq!(RegionCode(440_703).province(), RegionCode(440_000));
        assert_eq!(RegionCode(110_101).to_string(), "110101");
    }

    #[test]
    fn a_person_is_masked_in_debug() {
        let person = PersonKey::parse(RegionCode(440_700), "44070000123456").unwrap();
        assert_eq!(format!("{person:?}"), "440700/…65");
    }

    #[test]
    fn a_bucket_travels_in_the_tail_of_an_id() {
        let bucket = Bucket::new(0xA7F).unwrap();
        assert_eq!(Bucket::of_id(&format!("0123{bucket}")), Some(bucket));
        assert_eq!(Bucket::new(4096), None);
        assert_eq!(Bucket::of_id("zz"), None);
        assert_eq!(Bucket::of_id("就诊号"), None);
    }

    #[test]
    fn a_person_gives_back_her_number_and_an_id_its_bucket() {
        let person = PersonKey::parse(RegionCode(440_700), "4407001").unwrap();
        assert_eq!(person.number(), "4407001");
        assert_eq!(format!("{person:?}"), "440700/…10");
        assert_eq!(Bucket::new(4_095).unwrap().get(), 4_095);
        assert_eq!(Bucket::of_id("restFFF").map(Bucket::get), Some(4_095));
        assert_eq!(Bucket::of_id("rest01A").map(Bucket::get), Some(26));
    }
}
