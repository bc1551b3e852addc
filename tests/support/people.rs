//! People made to order: each differs from an ordinary employee of Jiangmen in what her story needs, and in nothing else.

use banyan::domain::accumulators::Accumulators;
use banyan::domain::calendar::BenefitYear;
use banyan::domain::calendar::Day;
use banyan::domain::calendar::Instant;
use banyan::domain::codes::Scheme;
use banyan::domain::filing::FilingCategory;
use banyan::domain::filing::FilingProof;
use banyan::domain::ids::MessageId;
use banyan::domain::ids::PersonKey;
use banyan::domain::ids::RegionCode;
use banyan::domain::money::Fen;
use banyan::domain::person::AssistanceSpan;
use banyan::domain::person::Balance;
use banyan::domain::person::Coverage;
use banyan::domain::person::CoverageStatus;
use banyan::domain::person::PersonPrivate;
use banyan::domain::person::Recognition;
use banyan::domain::person::Register;
use banyan::domain::record::FilingPrivate;
use banyan::domain::record::OutsideEvent;
use banyan::domain::record::OutsideKind;
use banyan::protocol::files::persons::check_digit;
use banyan::sandbox::population::Insured;
use banyan::service::import::incoming::BalanceEntry;
use banyan::service::import::incoming::FilingEntry;
use banyan::service::import::incoming::IdentityEntry;
use banyan::service::import::incoming::Incoming;
use banyan::service::import::incoming::OutsideEntry;
use banyan::service::import::incoming::PersonEntry;

/// Who is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub pool: u32,
    pub region: u32,
    pub insutype: &'static str,
    pub person_type: &'static str,
    pub civil_servant: bool,
    pub born: i32,
    /// 医疗救助 category, such as 2303.
    pub assistance: Option<&'static str>,
    /// Account balance in fen.
    pub balance: Option<i64>,
    /// What she used of this year before the gateway began.
    pub used: Option<Accumulators>,
    /// Category and place, made long before the stay.
    pub filing: Option<(FilingCategory, u32)>,
    pub recognised: bool,
    /// Insured until this day only.
    pub until: Option<Day>,
}

pub(crate) const EMPLOYEE: Wanted = Wanted {
    pool: 440_700,
    region: 440_703,
    insutype: "310",
    person_type: "1101",
    civil_servant: false,
    born: 19_810_405,
    assistance: None,
    balance: None,
    used: None,
    filing: None,
    recognised: false,
    until: None,
};

pub(crate) const RETIRED: Wanted = Wanted { person_type: "1201", born: 19_550_405, ..EMPLOYEE };

pub(crate) const RESIDENT: Wanted = Wanted { insutype: "390", person_type: "1501", ..EMPLOYEE };

impl Wanted {
    pub(crate) const fn of(self, pool: u32, region: u32) -> Wanted {
        Wanted { pool, region, ..self }
    }

    pub(crate) const fn filed(self, category: FilingCategory, target: u32) -> Wanted {
        Wanted { filing: Some((category, target)), ..self }
    }

    pub(crate) const fn assisted(self, category: &'static str) -> Wanted {
        Wanted { assistance: Some(category), ..self }
    }

    pub(crate) const fn with_balance(self, fen: i64) -> Wanted {
        Wanted { balance: Some(fen), ..self }
    }

    pub(crate) const fn having_used(self, used: Accumulators) -> Wanted {
        Wanted { used: Some(used), ..self }
    }
}

/// The person of a serial number, and what the register of her region is told about her.
pub(crate) fn person(serial: u64, wanted: &Wanted, today: Day) -> (Insured, Vec<Incoming>) {
    let insured = insured(serial, wanted, today);
    let mut entries = vec![Incoming::Person(Box::new(entry(&insured)))];
    if let Some(fen) = wanted.balance {
        let taken_at = Instant(Instant::start_of(today).0 - 22 * 3_600_000);
        let balance = Balance { amount: Fen(fen), taken_at };
        entries.push(Incoming::Balance(BalanceEntry { person: insured.person.clone(), balance }));
    }
    if let Some(used) = wanted.used {
        entries.push(Incoming::Outside(Box::new(opening(serial, &insured, wanted, used, today))));
    }
    if let Some((category, target)) = wanted.filing {
        entries.push(Incoming::Filing(Box::new(filing(serial, &insured, category, target, today))));
    }
    (insured, entries)
}

fn insured(serial: u64, wanted: &Wanted, today: Day) -> Insured {
    let birth = day(wanted.born);
    let coverage = Coverage {
        insutype: wanted.insutype.into(),
        person_type: wanted.person_type.into(),
        status: CoverageStatus::Active,
        civil_servant: wanted.civil_servant,
        region: RegionCode(wanted.region),
        from: day(20_150_101),
        to: wanted.until,
    };
    let assistance = wanted.assistance.map(|category| AssistanceSpan {
        category: category.into(),
        from: day(20_240_101),
        to: None,
    });
    let recognition = wanted.recognised.then(|| Recognition {
        number: format!("SBX-GS-{serial}"),
        from: today.plus_days(-40),
        to: None,
    });
    let pool = RegionCode(wanted.pool);
    let psn_no = format!("{pool}7{serial:09}");
    Insured {
        person: PersonKey::parse(pool, &psn_no).unwrap(),
        private: PersonPrivate {
            name: "钟样测试".into(),
            certificate_type: "01".into(),
            certificate_number: identity_number(serial, wanted),
            gender: "2".into(),
            ethnicity: "01".into(),
            birth: Some(birth),
            phone: format!("1007777{serial:04}"),
            card_number: format!("SBX{pool}7{serial:08}"),
            employer: String::new(),
        },
        register: Register {
            coverages: vec![coverage],
            assistance: assistance.into_iter().collect(),
            recognitions: recognition.into_iter().collect(),
        },
        age: today.years_since(birth),
    }
}

/// Of a county code that was never given out, with a check digit that is right.
fn identity_number(serial: u64, wanted: &Wanted) -> String {
    let body =
        format!("{:04}{:02}{:08}{:03}", wanted.pool / 100, 97 - serial / 1000, wanted.born, serial % 1000);
    format!("{body}{}", check_digit(&body).unwrap())
}

fn entry(insured: &Insured) -> PersonEntry {
    let (private, register) = (&insured.private, &insured.register);
    PersonEntry {
        person: insured.person.clone(),
        identity: IdentityEntry {
            name: Some(private.name.clone()),
            certificate_type: Some(private.certificate_type.clone()),
            certificate_number: Some(private.certificate_number.clone()),
            gender: Some(private.gender.clone()),
            ethnicity: Some(private.ethnicity.clone()),
            birth: Some(private.birth),
            phone: Some(private.phone.clone()),
            card_number: Some(private.card_number.clone()),
            employer: Some(private.employer.clone()),
        },
        coverages: Some(register.coverages.clone()),
        assistance: Some(register.assistance.clone()),
        recognitions: Some(register.recognitions.clone()),
    }
}

fn opening(serial: u64, insured: &Insured, wanted: &Wanted, used: Accumulators, today: Day) -> OutsideEntry {
    let scheme = if wanted.insutype == "390" { Scheme::Resident } else { Scheme::Employee };
    OutsideEntry {
        person: insured.person.clone(),
        source_id: MessageId::parse(&format!("KTEST{serial:06}")).unwrap(),
        event: OutsideEvent {
            kind: OutsideKind::Opening,
            scheme,
            year: BenefitYear(today.year()),
            used,
            on: day(today.year() * 10_000 + 101),
        },
    }
}

fn filing(serial: u64, insured: &Insured, category: FilingCategory, target: u32, today: Day) -> FilingEntry {
    let from = today.plus_days(if category.is_long_term() { -400 } else { -30 });
    FilingEntry {
        person: insured.person.clone(),
        source_id: MessageId::parse(&format!("BTEST{serial:06}")).unwrap(),
        category,
        target: RegionCode(target),
        from,
        to: (!category.is_long_term()).then(|| from.plus_months(6)),
        made_on: from,
        proof: FilingProof::Documents,
        ended_from: None,
        private: FilingPrivate::default(),
    }
}

pub(crate) fn day(number: i32) -> Day {
    Day::from_number(number).unwrap()
}
