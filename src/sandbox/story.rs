//! Owns the few people of the sandbox whom its story is about, each with what she needs and one written stay.
//!
//! The first bills are those of the worked examples (a knee, 42,069.45 yuan), so that their sums can be checked by hand.

use crate::domain::accumulators::Accumulators;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::Scheme;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::person::AssistanceSpan;
use crate::domain::person::Balance;
use crate::domain::person::Coverage;
use crate::domain::person::CoverageStatus;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Recognition;
use crate::domain::person::Register;
use crate::domain::record::FilingPrivate;
use crate::domain::record::OutsideEvent;
use crate::domain::record::OutsideKind;
use crate::protocol::files::persons::check_digit;
use crate::sandbox::catalogue::codes;
use crate::sandbox::institutions::Hospital;
use crate::sandbox::population::Insured;
use crate::sandbox::stays::Charge;
use crate::sandbox::stays::Stay;
use crate::sandbox::stays::Visit;
use crate::sandbox::stays::stay;
use crate::service::import::incoming::BalanceEntry;
use crate::service::import::incoming::FilingEntry;
use crate::service::import::incoming::OutsideEntry;

/// Who a person of the story is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Of Jiangmen, posted to Changsha and filed for it.
    LongTerm,
    /// Of Jiangmen, retired, in Nanning for one treatment, filed as other temporary.
    Temporary,
    /// Of Jiangmen, in Changsha, not filed.
    Unfiled,
    /// Of Jiangmen, in Guangzhou.
    InProvince,
    /// Of Jiangmen, treated at home.
    Local,
    /// Of Guangzhou, treated in Jiangmen: a visitor of a pool that the gateway holds.
    Visitor,
    /// Of Changsha, treated in Jiangmen: a visitor of a pool that it does not hold.
    Stranger,
    /// Of Jiangmen, resident, 低保, referred to Changsha, second admission of the year.
    Assisted,
    /// Of Jiangmen, civil servant, filed for Shanghai.
    CivilServant,
    /// Of Jiangmen, gives birth in Guangzhou.
    Maternity,
    /// Of Jiangmen, hurt at work, recognised, treated in Guangzhou.
    WorkInjury,
    /// Of Jiangmen, an emergency in Beijing, not filed.
    Emergency,
}

impl Role {
    pub const ALL: [Role; 12] = [
        Role::LongTerm,
        Role::Temporary,
        Role::Unfiled,
        Role::InProvince,
        Role::Local,
        Role::Visitor,
        Role::Stranger,
        Role::Assisted,
        Role::CivilServant,
        Role::Maternity,
        Role::WorkInjury,
        Role::Emergency,
    ];

    /// The name by which files and pages call her.
    pub fn name(self) -> &'static str {
        match self {
            Role::LongTerm => "long_term",
            Role::Temporary => "temporary",
            Role::Unfiled => "unfiled",
            Role::InProvince => "in_province",
            Role::Local => "local",
            Role::Visitor => "visitor",
            Role::Stranger => "stranger",
            Role::Assisted => "assisted",
            Role::CivilServant => "civil_servant",
            Role::Maternity => "maternity",
            Role::WorkInjury => "work_injury",
            Role::Emergency => "emergency",
        }
    }
}

/// A person of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub role: Role,
    pub insured: Insured,
    /// Whether the gateway holds her pool: others stand in no file.
    pub held: bool,
    pub filing: Option<FilingEntry>,
    pub balance: Option<BalanceEntry>,
    pub year: Vec<OutsideEntry>,
    pub stay: Stay,
}

/// What differs from one figure to the next.
struct Part {
    role: Role,
    name: &'static str,
    pool: u32,
    region: u32,
    insutype: &'static str,
    person_type: &'static str,
    born: i32,
    male: bool,
    /// Where she is treated, and at which level.
    care: u32,
    level: HospitalLevel,
    filing: Option<(FilingCategory, u32)>,
    charges: &'static [Charge],
}

/// Bill M of the worked examples: 42,069.45 yuan.
pub const KNEE: [Charge; 5] = [
    Charge::new(codes::BED, 12_000, 14),
    Charge::new(codes::DRUG_B10, 26_850, 30),
    Charge::new(codes::IMPLANT, 980_000, 1),
    Charge::new(codes::SURGERY, 2_130_000, 1),
    Charge::new(codes::OWN, 123_445, 1),
];

/// The bill of example E08: 51,900.00 yuan.
pub const HEART: [Charge; 3] = [
    Charge::new(codes::SURGERY, 3_500_000, 1),
    Charge::new(codes::DRUG_B15, 1_600_000, 1),
    Charge::new(codes::OWN, 90_000, 1),
];

/// The bill of example E11 with its bed lines: 8,850.51 yuan.
pub const LUNG: [Charge; 4] = [
    Charge::new(codes::TREATMENT, 520_000, 1),
    Charge::new(codes::DRUG_B05, 7_777, 33),
    Charge::new(codes::OWN, 31_010, 1),
    Charge::new(codes::BED, 8_600, 9),
];

const BIRTH: [Charge; 4] = [
    Charge::new(codes::DELIVERY, 280_000, 1),
    Charge::new(codes::BED, 9_000, 4),
    Charge::new(codes::LABORATORY, 12_000, 5),
    Charge::new(codes::DRUG_B05, 4_500, 12),
];

const HAND: [Charge; 4] = [
    Charge::new(codes::SURGERY, 1_860_000, 1),
    Charge::new(codes::BED, 6_000, 12),
    Charge::new(codes::DRUG_B10, 8_840, 20),
    Charge::new(codes::PROSTHESIS, 740_000, 1),
];

const fn part(role: Role, name: &'static str, charges: &'static [Charge]) -> Part {
    Part {
        role,
        name,
        pool: 440_700,
        region: 440_703,
        insutype: "310",
        person_type: "1101",
        born: 19_820_614,
        male: true,
        care: 430_100,
        level: HospitalLevel::Three,
        filing: None,
        charges,
    }
}

fn parts() -> [Part; 12] {
    use FilingCategory as F;
    [
        Part { filing: Some((F::LongTermWorker, 430_100)), ..part(Role::LongTerm, "陈样长居", &KNEE) },
        Part {
            person_type: "1201",
            born: 19_570_302,
            care: 450_100,
            filing: Some((F::OtherTemporary, 450_100)),
            ..part(Role::Temporary, "李样临时", &KNEE)
        },
        Part { born: 19_790_923, region: 440_781, ..part(Role::Unfiled, "黄样未备", &KNEE) },
        Part { born: 19_880_111, care: 440_100, ..part(Role::InProvince, "梁样省内", &KNEE) },
        Part {
            born: 19_900_507,
            care: 440_700,
            level: HospitalLevel::Two,
            ..part(Role::Local, "谭样本地", &LUNG)
        },
        Part {
            pool: 440_100,
            region: 440_104,
            born: 19_750_819,
            male: false,
            care: 440_700,
            ..part(Role::Visitor, "何样来访", &KNEE)
        },
        Part { pool: 430_100, region: 430_102, care: 440_700, ..part(Role::Stranger, "刘样外省", &KNEE) },
        Part {
            insutype: "390",
            person_type: "1501",
            born: 19_700_420,
            male: false,
            filing: Some((F::Referral, 430_000)),
            ..part(Role::Assisted, "吴样低保", &HEART)
        },
        Part {
            person_type: "1102",
            born: 19_760_228,
            care: 310_000,
            filing: Some((F::LongTermResident, 310_000)),
            ..part(Role::CivilServant, "邓样公务", &KNEE)
        },
        Part {
            born: 19_950_715, male: false, care: 440_100, ..part(Role::Maternity, "冯样生育", &BIRTH)
        },
        Part { born: 19_850_130, care: 440_100, ..part(Role::WorkInjury, "周样工伤", &HAND) },
        Part { born: 19_681_009, care: 110_000, ..part(Role::Emergency, "伍样急诊", &KNEE) },
    ]
}

/// Everybody of the story, as they are on a day. The hospitals are those of the sandbox.
pub fn figures(today: Day, hospitals: &[Hospital]) -> Vec<Figure> {
    (1..).zip(parts()).map(|(serial, part)| figure(serial, &part, today, hospitals)).collect()
}

fn figure(serial: u64, part: &Part, today: Day, hospitals: &[Hospital]) -> Figure {
    let insured = insured(serial, part, today);
    let visit = Visit {
        hospital: hospital(part, hospitals),
        admitted: today.plus_days(-15),
        discharged: today.plus_days(-1),
    };
    let mut stay = stay(&insured, &visit, part.charges, &format!("STORY{serial:03}"));
    match part.role {
        Role::Maternity => (stay.med_type, stay.matn_type) = ("52".into(), "1".into()),
        Role::WorkInjury => stay.work_injury = true,
        Role::Emergency => (stay.med_type, stay.emergency) = ("24".into(), true),
        Role::CivilServant => stay.use_account = true,
        Role::LongTerm
        | Role::Temporary
        | Role::Unfiled
        | Role::InProvince
        | Role::Local
        | Role::Visitor
        | Role::Stranger
        | Role::Assisted => {}
    }
    let held = part.role != Role::Stranger;
    let filing = part.filing.map(|(category, target)| filing(serial, &insured, category, target, today));
    let balance = (held && part.insutype == "310").then(|| balance(&insured, today));
    let year = if part.role == Role::Assisted { vec![opening(&insured, today)] } else { Vec::new() };
    Figure { role: part.role, insured, held, filing, balance, year, stay }
}

/// The first of the level in the city where she is treated.
fn hospital<'h>(part: &Part, hospitals: &'h [Hospital]) -> &'h Hospital {
    let wanted = |h: &&Hospital| h.pool == RegionCode(part.care) && h.level == part.level;
    hospitals.iter().find(wanted).unwrap_or(&hospitals[0])
}

fn insured(serial: u64, part: &Part, today: Day) -> Insured {
    let birth = day(part.born);
    let pool = RegionCode(part.pool);
    let (from, servant) = (day(20_150_101), part.role == Role::CivilServant);
    let coverage = Coverage {
        insutype: part.insutype.into(),
        person_type: part.person_type.into(),
        status: CoverageStatus::Active,
        civil_servant: servant,
        region: RegionCode(part.region),
        from,
        to: None,
    };
    let assisted = part.role == Role::Assisted;
    let assistance =
        assisted.then(|| AssistanceSpan { category: "2303".into(), from: day(20_240_101), to: None });
    let recognised = (part.role == Role::WorkInjury).then(|| Recognition {
        number: "SBX-GS-STORY-1".into(),
        from: today.plus_days(-20),
        to: Some(today.plus_months(12)),
    });
    // 999 and 998 are serials that the population does not reach.
    let body = format!("{:04}99{:08}{}", part.pool / 100, part.born, if part.male { 999 } else { 998 });
    let check = check_digit(&body).unwrap_or('0');
    let psn_no = format!("{}8{serial:09}", part.pool);
    Insured {
        person: PersonKey::parse(pool, &psn_no).expect("digits are a person number"),
        private: PersonPrivate {
            name: part.name.into(),
            certificate_type: "01".into(),
            certificate_number: format!("{body}{check}"),
            gender: if part.male { "1" } else { "2" }.into(),
            ethnicity: "01".into(),
            birth: Some(birth),
            phone: format!("1008888{serial:04}"),
            card_number: format!("SBX{}8{serial:08}", part.pool),
            employer: if part.insutype == "310" { "沙盒故事单位".into() } else { String::new() },
        },
        register: Register {
            coverages: vec![coverage],
            assistance: assistance.into_iter().collect(),
            recognitions: recognised.into_iter().collect(),
        },
        age: today.years_since(birth),
    }
}

fn filing(serial: u64, insured: &Insured, category: FilingCategory, target: u32, today: Day) -> FilingEntry {
    let from = today.plus_days(if category.is_long_term() { -400 } else { -20 });
    FilingEntry {
        person: insured.person.clone(),
        source_id: MessageId::parse(&format!("BSTORY{serial:03}")).expect("letters and digits are an id"),
        category,
        target: RegionCode(target),
        from,
        to: (!category.is_long_term()).then(|| from.plus_months(6)),
        made_on: from,
        proof: FilingProof::Documents,
        ended_from: None,
        private: FilingPrivate { phone: insured.private.phone.clone(), ..FilingPrivate::default() },
    }
}

fn balance(insured: &Insured, today: Day) -> BalanceEntry {
    let taken_at = Instant(Instant::start_of(today).0 - 22 * 3_600_000);
    BalanceEntry { person: insured.person.clone(), balance: Balance { amount: Fen(286_050), taken_at } }
}

/// What example E08 has used before: one admission, 9,000.00 from the pool, a burden of 3,500.00.
fn opening(insured: &Insured, today: Day) -> OutsideEntry {
    let used = Accumulators { admissions: 1, hifp: Fen(900_000), burden: Fen(350_000), ..Accumulators::ZERO };
    OutsideEntry {
        person: insured.person.clone(),
        source_id: MessageId::parse("KSTORY008").expect("letters and digits are an id"),
        event: OutsideEvent {
            kind: OutsideKind::Opening,
            scheme: Scheme::Resident,
            year: BenefitYear(today.year()),
            used,
            on: day(today.year() * 10_000 + 101),
        },
    }
}

fn day(number: i32) -> Day {
    Day::from_number(number).expect("a day of the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::geography::regions;
    use crate::sandbox::institutions::hospitals;
    use std::collections::HashSet;

    fn all() -> Vec<Figure> {
        let today = day(20_261_124);
        figures(today, &hospitals(1, today, &regions()))
    }

    #[test]
    fn every_role_has_a_person_of_her_own() {
        let figures = all();
        assert_eq!(figures.iter().map(|f| f.role).collect::<Vec<_>>(), Role::ALL);
        let numbers: HashSet<&str> =
            figures.iter().map(|f| f.insured.private.certificate_number.as_str()).collect();
        assert_eq!(numbers.len(), figures.len());
        assert_eq!(figures.iter().filter(|f| !f.held).count(), 1);
    }

    #[test]
    fn the_bills_are_those_of_the_worked_examples() {
        let sum = |role| all().into_iter().find(|f| f.role == role).unwrap().stay.medfee_sumamt;
        assert_eq!(sum(Role::LongTerm), "42069.45");
        assert_eq!(sum(Role::Assisted), "51900.00");
        assert_eq!(sum(Role::Local), "8850.51");
    }

    #[test]
    fn each_is_treated_where_her_story_says() {
        for (role, care) in [
            (Role::LongTerm, "43"),
            (Role::Temporary, "45"),
            (Role::InProvince, "4401"),
            (Role::Visitor, "4407"),
            (Role::CivilServant, "31"),
            (Role::Emergency, "11"),
        ] {
            let figure = all().into_iter().find(|f| f.role == role).unwrap();
            assert!(figure.stay.mdtrtarea_admdvs.starts_with(care), "{role:?}");
            assert_eq!(figure.stay.level, 3);
        }
    }
}
