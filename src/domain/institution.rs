//! Owns designation: which institution may do what, from when to when, at which level.

use crate::domain::calendar::Day;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;

/// 定点医疗机构: one dated row of the register of designated institutions, inside or outside the province.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Institution {
    pub code: InstitutionCode,
    pub name: String,
    /// Its own region, often a district.
    pub region: RegionCode,
    /// 医院等级 `hosp_lv`, 01 … 11
    pub hospital_level: String,
    /// 定点医疗服务机构类型 `fixmedins_type`, 1 hospital
    pub kind: String,
    /// 统一社会信用代码 `uscc`
    pub credit_code: String,
    /// May settle persons of other cities of its province.
    pub in_province: bool,
    /// May settle persons of other provinces.
    pub cross_province: bool,
    /// Told, not admitted, while suspended: a patient admitted before it still settles.
    pub suspended: Option<Suspension>,
    pub from: Day,
    /// Last day of the designation, inclusive; open when absent.
    pub to: Option<Day>,
}

/// 暂停: no admission and no referral on these days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    pub from: Day,
    /// Last day, inclusive; open when absent.
    pub to: Option<Day>,
}

/// Where the person is insured, seen from the institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    OwnPool,
    OtherCity,
    OtherProvince,
}

/// Why an institution may not admit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDesignated {
    /// Its designation has not begun on the day.
    NotYet {
        from: Day,
    },
    /// It ended before the day.
    Expired {
        to: Day,
    },
    Suspended {
        from: Day,
    },
    /// Designated, but this service is not opened to it.
    NotOpened {
        reach: Reach,
    },
}

impl Institution {
    /// May it admit a person of that reach on that day? A settlement asks with the day of admission and does not ask
    /// about suspension.
    pub fn admits(&self, reach: Reach, day: Day) -> Result<(), NotDesignated> {
        self.serves(reach, day)?;
        match self.suspended {
            Some(s) if s.from <= day && s.to.is_none_or(|to| day <= to) => {
                Err(NotDesignated::Suspended { from: s.from })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Designated for that reach on that day, suspension apart.
    pub fn serves(&self, reach: Reach, day: Day) -> Result<(), NotDesignated> {
        if day < self.from {
            return Err(NotDesignated::NotYet { from: self.from });
        }
        if let Some(to) = self.to.filter(|to| day > *to) {
            return Err(NotDesignated::Expired { to });
        }
        let opened = match reach {
            Reach::OwnPool => true,
            Reach::OtherCity => self.in_province,
            Reach::OtherProvince => self.cross_province,
        };
        if opened { Ok(()) } else { Err(NotDesignated::NotOpened { reach }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i32) -> Day {
        Day::from_number(number).unwrap()
    }

    fn hospital() -> Institution {
        Institution {
            code: InstitutionCode::parse("H44070300001").unwrap(),
            name: "一院".into(),
            region: RegionCode(440_703),
            hospital_level: "02".into(),
            kind: "1".into(),
            credit_code: String::new(),
            in_province: true,
            cross_province: false,
            suspended: Some(Suspension { from: day(20_260_301), to: Some(day(20_260_331)) }),
            from: day(20_260_101),
            to: Some(day(20_261_231)),
        }
    }

    #[test]
    fn a_hospital_admits_only_inside_its_designation() {
        let (h, in_city) = (hospital(), Reach::OtherCity);
        let table = [
            (20_251_231, Err(NotDesignated::NotYet { from: day(20_260_101) })),
            (20_260_101, Ok(())),
            (20_260_228, Ok(())),
            (20_260_301, Err(NotDesignated::Suspended { from: day(20_260_301) })),
            (20_260_331, Err(NotDesignated::Suspended { from: day(20_260_301) })),
            (20_260_401, Ok(())),
            (20_261_231, Ok(())),
            (20_270_101, Err(NotDesignated::Expired { to: day(20_261_231) })),
        ];
        for (on, expected) in table {
            assert_eq!(h.admits(in_city, day(on)), expected, "{on}");
        }
    }

    #[test]
    fn a_suspended_hospital_still_settles_and_a_service_not_opened_is_refused() {
        let h = hospital();
        assert_eq!(h.serves(Reach::OtherCity, day(20_260_301)), Ok(()));
        let not_opened = Err(NotDesignated::NotOpened { reach: Reach::OtherProvince });
        assert_eq!(h.serves(Reach::OtherProvince, day(20_260_601)), not_opened);
        assert_eq!(h.admits(Reach::OwnPool, day(20_260_601)), Ok(()));
    }
}
