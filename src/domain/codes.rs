//! Owns the coded words by which the law tells persons, institutions and kinds of care apart.

use core::fmt;

/// The scheme whose rules and accumulators a claim runs on. Chosen by `Pack::scheme_of` from 险种 and 医疗类别.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// 职工基本医疗保险, `insutype` 310.
    Employee,
    /// 城乡居民基本医疗保险, `insutype` 390.
    Resident,
    /// 生育: `insutype` 510, or 310 or 390 with a 医疗类别 that the pack names.
    Maternity,
    /// 工伤: the `insutype` that the pack names.
    WorkInjury,
}

impl Scheme {
    pub const ALL: [Scheme; 4] = [Scheme::Employee, Scheme::Resident, Scheme::Maternity, Scheme::WorkInjury];
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scheme::Employee => "employee",
            Scheme::Resident => "resident",
            Scheme::Maternity => "maternity",
            Scheme::WorkInjury => "work_injury",
        })
    }
}

/// 险种类型 `insutype` as the wire says it, e.g. 310.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InsuranceCode(pub u32);

impl InsuranceCode {
    pub const EMPLOYEE: InsuranceCode = InsuranceCode(310);
    pub const RESIDENT: InsuranceCode = InsuranceCode(390);
    pub const MATERNITY: InsuranceCode = InsuranceCode(510);
}

impl fmt::Display for InsuranceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// 医疗类别 `med_type`, e.g. 21 ordinary inpatient, 24 emergency turned inpatient, 52 delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CareKind(pub u32);

impl CareKind {
    pub const INPATIENT: CareKind = CareKind(21);
    pub const EMERGENCY: CareKind = CareKind(24);
    pub const DELIVERY: CareKind = CareKind(52);
}

impl fmt::Display for CareKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// 生育类别 `matn_type`, e.g. 1 natural, 3 Caesarean, 4 dystocia.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaternityKind(pub u8);

impl fmt::Display for MaternityKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The level of a hospital that deductible and ratio go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HospitalLevel {
    /// 基层: community centers and township hospitals. Falls back to level one where a pack has no figure of
    /// its own.
    Primary,
    /// 一级.
    One,
    /// 二级.
    Two,
    /// 三级.
    Three,
}

impl HospitalLevel {
    pub const ALL: [HospitalLevel; 4] =
        [HospitalLevel::Primary, HospitalLevel::One, HospitalLevel::Two, HospitalLevel::Three];
}

/// One value for each level of hospital.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByLevel<T> {
    /// `None`: as level one.
    pub primary: Option<T>,
    pub one: T,
    pub two: T,
    pub three: T,
}

impl<T: Copy> ByLevel<T> {
    /// The same value at every level.
    pub const fn all(value: T) -> Self {
        Self { primary: None, one: value, two: value, three: value }
    }

    pub const fn new(one: T, two: T, three: T) -> Self {
        Self { primary: None, one, two, three }
    }

    pub fn at(&self, level: HospitalLevel) -> T {
        match level {
            HospitalLevel::Primary => self.primary.unwrap_or(self.one),
            HospitalLevel::One => self.one,
            HospitalLevel::Two => self.two,
            HospitalLevel::Three => self.three,
        }
    }

    /// Every value that the pack gives, for checks.
    pub fn values(&self) -> impl Iterator<Item = T> {
        self.primary.into_iter().chain([self.one, self.two, self.three])
    }
}

/// Whether retirement changes her rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkStatus {
    /// In work, or a resident of any age.
    Active,
    Retired,
}

/// 人员类别 `psn_type`: two digits of a group (11 in work, 12 retired, 14–16 residents), or more digits that
/// refine it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonType(u32);

impl PersonType {
    /// Two to six digits that begin with a group. `None` for any other number.
    pub fn new(code: u32) -> Option<PersonType> {
        (10..1_000_000).contains(&code).then_some(PersonType(code))
    }

    pub fn code(self) -> u32 {
        self.0
    }

    /// The first two digits.
    pub fn group(self) -> u32 {
        let mut group = self.0;
        while group >= 100 {
            group /= 10;
        }
        group
    }

    /// Groups 12 (退休) and 13 (离休) are retired.
    pub fn status(self) -> WorkStatus {
        if matches!(self.group(), 12 | 13) { WorkStatus::Retired } else { WorkStatus::Active }
    }

    /// Whether `wider` is this type or a group that holds it: 1101 is within 11 and 1101, not within 1102.
    pub fn is_within(self, wider: PersonType) -> bool {
        let mut code = self.0;
        while code > wider.0 {
            code /= 10;
        }
        code == wider.0
    }
}

impl fmt::Display for PersonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// 人员身份类别 `psn_idet_type` that entitles to medical assistance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssistanceCategory {
    /// 2301 三无.
    NoSupport,
    /// 2302 建档立卡.
    RegisteredPoor,
    /// 2303 低保.
    MinimumLiving,
    /// 2304 特困.
    ExtremeHardship,
    /// 2305 低收入.
    LowIncome,
    /// 2306 因病致贫.
    ImpoverishedByIllness,
}

impl AssistanceCategory {
    pub const ALL: [AssistanceCategory; 6] = [
        AssistanceCategory::NoSupport,
        AssistanceCategory::RegisteredPoor,
        AssistanceCategory::MinimumLiving,
        AssistanceCategory::ExtremeHardship,
        AssistanceCategory::LowIncome,
        AssistanceCategory::ImpoverishedByIllness,
    ];

    pub fn code(self) -> u32 {
        match self {
            AssistanceCategory::NoSupport => 2301,
            AssistanceCategory::RegisteredPoor => 2302,
            AssistanceCategory::MinimumLiving => 2303,
            AssistanceCategory::ExtremeHardship => 2304,
            AssistanceCategory::LowIncome => 2305,
            AssistanceCategory::ImpoverishedByIllness => 2306,
        }
    }

    pub fn from_code(code: u32) -> Option<AssistanceCategory> {
        AssistanceCategory::ALL.into_iter().find(|category| category.code() == code)
    }
}

/// What each category of assistance gets; most packs give something to a few of them only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByCategory<T>([Option<T>; 6]);

impl<T: Copy> ByCategory<T> {
    pub const fn none() -> Self {
        Self([None; 6])
    }

    pub fn with(mut self, category: AssistanceCategory, value: T) -> Self {
        self.0[Self::slot(category)] = Some(value);
        self
    }

    pub fn get(&self, category: AssistanceCategory) -> Option<T> {
        self.0[Self::slot(category)]
    }

    pub fn values(&self) -> impl Iterator<Item = T> {
        self.0.into_iter().flatten()
    }

    fn slot(category: AssistanceCategory) -> usize {
        match category {
            AssistanceCategory::NoSupport => 0,
            AssistanceCategory::RegisteredPoor => 1,
            AssistanceCategory::MinimumLiving => 2,
            AssistanceCategory::ExtremeHardship => 3,
            AssistanceCategory::LowIncome => 4,
            AssistanceCategory::ImpoverishedByIllness => 5,
        }
    }
}

/// The row of the pack that her filing, or the want of one, leads to. Decided by `filing::decide`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BenefitLevel {
    /// Treated in her own pool, without a long-term filing elsewhere.
    Local,
    /// Treated in her own pool while a long-term filing elsewhere is valid.
    LongTermHome,
    /// Another pool of her province, where the pack needs no filing or gives filed care this row.
    InProvince,
    LongTerm,
    Referral,
    Emergency,
    OtherTemporary,
    Unfiled,
}

impl BenefitLevel {
    pub const ALL: [BenefitLevel; 8] = [
        BenefitLevel::Local,
        BenefitLevel::LongTermHome,
        BenefitLevel::InProvince,
        BenefitLevel::LongTerm,
        BenefitLevel::Referral,
        BenefitLevel::Emergency,
        BenefitLevel::OtherTemporary,
        BenefitLevel::Unfiled,
    ];

    /// The key under which packs and answers name it.
    pub fn name(self) -> &'static str {
        match self {
            BenefitLevel::Local => "local",
            BenefitLevel::LongTermHome => "long_term_home",
            BenefitLevel::InProvince => "in_province",
            BenefitLevel::LongTerm => "long_term",
            BenefitLevel::Referral => "referral",
            BenefitLevel::Emergency => "emergency",
            BenefitLevel::OtherTemporary => "other_temporary",
            BenefitLevel::Unfiled => "unfiled",
        }
    }
}

impl fmt::Display for BenefitLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_level_falls_back_to_level_one() {
        let plain = ByLevel::new(1, 2, 3);
        assert_eq!(HospitalLevel::ALL.map(|level| plain.at(level)), [1, 1, 2, 3]);
        let own = ByLevel { primary: Some(7), ..plain };
        assert_eq!(HospitalLevel::ALL.map(|level| own.at(level)), [7, 1, 2, 3]);
        assert_eq!(own.values().collect::<Vec<_>>(), [7, 1, 2, 3]);
        assert_eq!(ByLevel::all(4).values().collect::<Vec<_>>(), [4, 4, 4]);
    }

    #[test]
    fn person_types_group_by_two_digits() {
        for (code, group, status) in [
            (11, 11, WorkStatus::Active),
            (1102, 11, WorkStatus::Active),
            (116_032, 11, WorkStatus::Active),
            (12, 12, WorkStatus::Retired),
            (1203, 12, WorkStatus::Retired),
            (1300, 13, WorkStatus::Retired),
            (16, 16, WorkStatus::Active),
            (100, 10, WorkStatus::Active),
        ] {
            let kind = PersonType::new(code).unwrap();
            assert_eq!((kind.code(), kind.group(), kind.status()), (code, group, status), "{code}");
            assert_eq!(kind.to_string(), code.to_string());
        }
        assert_eq!([0, 9, 1_000_000].map(PersonType::new), [None; 3]);
        assert!(PersonType::new(10).is_some() && PersonType::new(999_999).is_some());
    }

    #[test]
    fn a_narrow_person_type_lies_within_its_group() {
        let kind = |code| PersonType::new(code).unwrap();
        for (narrow, wide, within) in
            [(1101, 11, true), (1101, 1101, true), (1101, 1102, false), (11, 1101, false), (1201, 11, false)]
        {
            assert_eq!(kind(narrow).is_within(kind(wide)), within, "{narrow} in {wide}");
        }
    }

    #[test]
    fn assistance_categories_read_back_from_their_codes() {
        for (category, code) in AssistanceCategory::ALL.into_iter().zip(2301..) {
            assert_eq!(category.code(), code);
            assert_eq!(AssistanceCategory::from_code(code), Some(category));
        }
        assert_eq!([2300, 2307].map(AssistanceCategory::from_code), [None; 2]);
    }

    #[test]
    fn each_category_keeps_its_own_value() {
        let mut table = ByCategory::none();
        for (category, value) in AssistanceCategory::ALL.into_iter().zip(1..) {
            assert_eq!(table.get(category), None);
            table = table.with(category, value);
        }
        assert_eq!(AssistanceCategory::ALL.map(|category| table.get(category)), [1, 2, 3, 4, 5, 6].map(Some));
        assert_eq!(table.values().sum::<i32>(), 21);
    }

    #[test]
    fn levels_and_schemes_have_names() {
        assert_eq!(InsuranceCode::EMPLOYEE.to_string(), "310");
        assert_eq!((CareKind::DELIVERY.to_string(), MaternityKind(3).to_string()), ("52".into(), "3".into()));
        assert_eq!(Scheme::ALL.map(|s| s.to_string()), ["employee", "resident", "maternity", "work_injury"]);
        assert_eq!(
            BenefitLevel::ALL.map(|level| level.to_string()),
            [
                "local",
                "long_term_home",
                "in_province",
                "long_term",
                "referral",
                "emergency",
                "other_temporary",
                "unfiled"
            ]
        );
    }
}
