//! Owns what the register knows of an insured person: coverage as dated intervals, status, recognitions, balance.

use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;

/// What names a person. Kept apart from everything else in every record, so that it can be encrypted and forgotten
/// on its own. `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PersonPrivate {
    /// 姓名 `psn_name`
    pub name: String,
    /// 人员证件类型 `psn_cert_type`, e.g. `01` identity card
    pub certificate_type: String,
    /// 证件号码 `certno`
    pub certificate_number: String,
    /// 性别 `gend`: 1, 2, 9 or 0
    pub gender: String,
    /// 民族 `naty`
    pub ethnicity: String,
    /// 出生日期 `brdy`
    pub birth: Option<Day>,
    /// 联系电话 `tel`
    pub phone: String,
    /// 社会保障卡卡号, a credential of type 03
    pub card_number: String,
    /// 单位名称 `emp_name`
    pub employer: String,
}

impl core::fmt::Debug for PersonPrivate {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PersonPrivate(…)")
    }
}

/// 人员参保状态 `psn_insu_stas`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CoverageStatus {
    /// 1 正常
    Active,
    /// 2 暂停
    Paused,
    /// 4 终止
    Ended,
}

/// One row of the register: insured under one scheme from a day on. A change of type or status is a new row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// 险种类型 `insutype`, e.g. `310`
    pub insutype: String,
    /// 人员类别 `psn_type`, two or four digits; `12…` is retired
    pub person_type: String,
    pub status: CoverageStatus,
    /// 公务员标志 `cvlserv_flag`
    pub civil_servant: bool,
    /// 参保地医保区划 `insuplc_admdvs`, often a district of the pool
    pub region: RegionCode,
    pub from: Day,
    /// Last day, inclusive; open when absent.
    pub to: Option<Day>,
}

impl Coverage {
    pub fn covers(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }

    /// Retired (退休人员) by person type: `12` and its four-digit forms.
    pub fn retired(&self) -> bool {
        self.person_type.starts_with("12")
    }
}

/// 医疗救助对象: a category of `psn_idet_type` (2301 … 2306) for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssistanceSpan {
    pub category: String,
    pub from: Day,
    /// Last day, inclusive; open when absent.
    pub to: Option<Day>,
}

impl AssistanceSpan {
    pub fn covers(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// 工伤认定: care on these days is for a recognised work injury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// Number of the decision.
    pub number: String,
    pub from: Day,
    /// Last day, inclusive; open when absent.
    pub to: Option<Day>,
}

impl Recognition {
    pub fn covers(&self, day: Day) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// 个人账户 balance as an extract gave it. What is available is this less the debits made after it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    pub amount: Fen,
    pub taken_at: Instant,
}

/// Everything the register holds of one person, private part apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    pub coverages: Vec<Coverage>,
    pub assistance: Vec<AssistanceSpan>,
    pub recognitions: Vec<Recognition>,
}

impl Register {
    /// The row in force for a scheme on a day: the latest that covers it.
    pub fn coverage(&self, insutype: &str, day: Day) -> Option<&Coverage> {
        self.coverages.iter().filter(|c| c.insutype == insutype && c.covers(day)).max_by_key(|c| c.from)
    }

    pub fn assistance_on(&self, day: Day) -> Option<&AssistanceSpan> {
        self.assistance.iter().filter(|a| a.covers(day)).max_by_key(|a| a.from)
    }

    pub fn recognition_on(&self, day: Day) -> Option<&Recognition> {
        self.recognitions.iter().find(|r| r.covers(day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    #[test]
    fn what_is_dated_holds_from_its_first_day_to_its_last() {
        let (from, to) = (day(20_260_301), Some(day(20_260_331)));
        let span = |to| AssistanceSpan { category: "2301".into(), from, to };
        let recognition = |to| Recognition { number: "R1".into(), from, to };
        let table = [
            (20_260_228, false, false),
            (20_260_301, true, true),
            (20_260_331, true, true),
            (20_260_401, false, true),
        ];
        for (on, closed, open) in table {
            let on = day(on);
            assert_eq!((span(to).covers(on), span(None).covers(on)), (closed, open), "{on}");
            assert_eq!((recognition(to).covers(on), recognition(None).covers(on)), (closed, open), "{on}");
            let register = Register { recognitions: vec![recognition(to)], ..Register::default() };
            assert_eq!(register.recognition_on(on).is_some(), closed, "{on}");
        }
    }

    #[test]
    fn retired_is_a_person_type_of_group_12() {
        let of = |kind: &str| Coverage {
            insutype: "310".into(),
            person_type: kind.into(),
            status: CoverageStatus::Active,
            civil_servant: false,
            region: RegionCode(440_703),
            from: day(20_260_101),
            to: None,
        };
        assert_eq!(["11", "12", "1201", "1101"].map(|kind| of(kind).retired()), [false, true, true, false]);
    }

    #[test]
    fn nothing_of_a_person_is_printed() {
        let person =
            PersonPrivate {
                name: "陈样甲".into(), phone: "10012345678".into(), ..PersonPrivate::default()
            };
        assert_eq!(format!("{person:?}"), "PersonPrivate(…)");
    }
}
