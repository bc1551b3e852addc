//! Owns the insured of the sandbox: any number of them, each made from the seed and her own number alone.
//!
//! Nobody here is real, and none can be mistaken for it: names contain 样 ("sample"), identity numbers begin with a county
//! code that was never given out (the pool's first four digits and 99) though their check digits are right, phone numbers
//! begin with 100.

use crate::domain::accumulators::Accumulators;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::codes::Scheme;
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
use crate::domain::record::OutsideEvent;
use crate::domain::record::OutsideKind;
use crate::domain::region::Region;
use crate::protocol::files::persons::check_digit;
use crate::sandbox::dice::Dice;
use crate::sandbox::dice::Topic;
use crate::sandbox::geography::CITIES;
use crate::sandbox::geography::City;
use crate::sandbox::geography::districts;
use crate::service::import::incoming::BalanceEntry;
use crate::service::import::incoming::OutsideEntry;

/// One insured person of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Insured {
    pub person: PersonKey,
    pub private: PersonPrivate,
    pub register: Register,
    pub age: i32,
}

impl Insured {
    pub fn scheme(&self) -> Scheme {
        let employee = self.register.coverages.iter().any(|coverage| coverage.insutype == "310");
        if employee { Scheme::Employee } else { Scheme::Resident }
    }

    pub fn insutype(&self) -> &str {
        self.register.coverages.last().map_or("390", |coverage| &coverage.insutype)
    }

    pub fn retired(&self) -> bool {
        self.register.coverages.last().is_some_and(Coverage::retired)
    }
}

/// A pool's share of the numbers.
#[derive(Clone, Debug)]
struct Share {
    city: City,
    districts: Vec<RegionCode>,
    first: u64,
    count: u64,
}

/// All insured of the province, by number.
#[derive(Clone, Debug)]
pub struct Population {
    seed: u64,
    today: Day,
    total: u64,
    shares: Vec<Share>,
}

/// Ages in steps of five years, of a thousand: 0–4, 5–9, … 85–89. Invented, in the shape of the province.
const AGES: [u64; 18] = [55, 68, 62, 52, 66, 84, 94, 92, 82, 74, 70, 58, 44, 38, 26, 17, 11, 7];
const SURNAMES: [&str; 20] = [
    "陈", "李", "黄", "张", "梁", "林", "吴", "刘", "谭", "何", "冯", "周", "伍", "余", "邓", "曾", "区",
    "甄", "司徒", "关",
];
const STEMS: [&str; 10] = ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸"];
const BRANCHES: [&str; 12] = ["子", "丑", "寅", "卯", "辰", "巳", "午", "未", "申", "酉", "戌", "亥"];

impl Population {
    /// `persons` insured over the 21 pools in proportion, as they are on a day.
    pub fn new(seed: u64, persons: u64, today: Day, regions: &[Region]) -> Population {
        let weights: u64 = CITIES.iter().map(|city| city.weight).sum();
        let (mut shares, mut cumulative, mut first) = (Vec::new(), 0, 0);
        for city in CITIES {
            cumulative += city.weight;
            let end = persons * cumulative / weights;
            shares.push(Share { city, districts: districts(regions, city.pool), first, count: end - first });
            first = end;
        }
        Population { seed, today, total: persons, shares }
    }

    pub fn len(&self) -> u64 {
        self.total
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = Insured> + '_ {
        (0..self.total).map(|number| self.insured(number))
    }

    fn dice(&self, topic: Topic, number: u64) -> Dice {
        Dice::new(self.seed, topic, number)
    }

    fn share(&self, number: u64) -> &Share {
        let at = self.shares.partition_point(|share| share.first + share.count <= number);
        &self.shares[at.min(self.shares.len() - 1)]
    }

    /// The person of a number below `len`.
    pub fn insured(&self, number: u64) -> Insured {
        let share = self.share(number);
        let mut dice = self.dice(Topic::Person, number);
        let in_pool = number - share.first;
        let life = Life::draw(in_pool, self.today, &mut dice);
        let district = *dice.pick(&share.districts);
        let register = self.register(share, district, &life, &mut dice);
        let employer = employer(&register, &mut dice);
        let private = PersonPrivate {
            name: sample_name(&mut dice),
            certificate_type: "01".into(),
            certificate_number: life.identity_number(share.city.pool),
            gender: if life.male { "1" } else { "2" }.into(),
            ethnicity: "01".into(),
            birth: Some(life.birth),
            phone: format!("100{:08}", number % 100_000_000),
            card_number: format!("SBX{}{:09}", share.city.pool, in_pool),
            employer,
        };
        let psn_no = format!("{}9{in_pool:09}", share.city.pool);
        let person = PersonKey::parse(share.city.pool, &psn_no).expect("digits are a person number");
        Insured { person, private, register, age: life.age }
    }

    fn register(&self, share: &Share, region: RegionCode, life: &Life, dice: &mut Dice) -> Register {
        let since = life.birth.plus_months(12 * 16).max(day(2010, 1, 1));
        let adult = life.age >= 16;
        let employed = adult && dice.chance(share.city.employees_per_mille);
        let coverages = if employed {
            self.employee_coverages(region, life, since, dice)
        } else {
            vec![resident_coverage(region, life, self.today)]
        };
        let assisted = dice.chance(if employed { 4 } else { 28 });
        let assistance = if assisted { vec![self.assistance(dice)] } else { Vec::new() };
        let injured = employed && !coverages.iter().any(Coverage::retired) && dice.chance(3);
        let recognitions = if injured { vec![self.recognition(life, dice)] } else { Vec::new() };
        Register { coverages, assistance, recognitions }
    }

    /// In work, then retired; a few are paused, a few are civil servants.
    fn employee_coverages(
        &self,
        region: RegionCode,
        life: &Life,
        since: Day,
        dice: &mut Dice,
    ) -> Vec<Coverage> {
        let servant = dice.chance(70);
        let (active, pensioner) = if servant { ("1102", "1202") } else { ("1101", "1201") };
        let retirement = life.birth.plus_months(12 * if life.male { 60 } else { 55 });
        let row = |kind: &str, status, from, to| Coverage {
            insutype: "310".into(),
            person_type: kind.into(),
            status,
            civil_servant: servant,
            region,
            from,
            to,
        };
        if retirement <= self.today {
            let retired = row(pensioner, CoverageStatus::Active, retirement, None);
            if retirement <= since {
                return vec![retired];
            }
            return vec![row(active, CoverageStatus::Active, since, Some(retirement.previous())), retired];
        }
        let mut rows = vec![row(active, CoverageStatus::Active, since, None)];
        let paused_on = self.today.plus_days(-20);
        if !servant && since < paused_on && dice.chance(12) {
            rows[0].to = Some(paused_on.previous());
            rows.push(row(active, CoverageStatus::Paused, paused_on, None));
        }
        rows
    }

    fn assistance(&self, dice: &mut Dice) -> AssistanceSpan {
        const CATEGORIES: [(&str, u64); 6] =
            [("2303", 520), ("2304", 140), ("2305", 190), ("2306", 90), ("2302", 40), ("2301", 20)];
        let from = day(self.today.year(), 1, 1).plus_days(-i32::try_from(dice.below(700)).unwrap_or(0));
        let ends = dice.chance(150);
        let to = ends.then(|| self.today.plus_days(-30)).filter(|to| *to > from);
        AssistanceSpan { category: (*dice.weighted(&CATEGORIES)).into(), from, to }
    }

    fn recognition(&self, life: &Life, dice: &mut Dice) -> Recognition {
        let days = i32::try_from(dice.below(200)).unwrap_or(0);
        let from = self.today.plus_days(-days);
        let number = format!("SBX-GS-{}-{:06}", from.year(), dice.below(1_000_000));
        Recognition { number, from: from.max(life.birth), to: Some(from.plus_months(12)) }
    }

    /// The account extract of an employee, taken the night before.
    pub fn balance(&self, number: u64) -> Option<BalanceEntry> {
        let insured = self.insured(number);
        (insured.scheme() == Scheme::Employee).then(|| self.balance_of(&insured.person, number))
    }

    fn balance_of(&self, person: &PersonKey, number: u64) -> BalanceEntry {
        let mut dice = self.dice(Topic::Balance, number);
        let fen = dice.between(0, 400_000) + if dice.chance(200) { dice.between(0, 2_600_000) } else { 0 };
        let taken_at = Instant(Instant::start_of(self.today).0 - 22 * 3_600_000);
        BalanceEntry { person: person.clone(), balance: Balance { amount: Fen(fen), taken_at } }
    }

    /// What she used of this year's caps before and outside the gateway: usually nothing.
    pub fn year(&self, number: u64) -> Vec<OutsideEntry> {
        let mut dice = self.dice(Topic::Year, number);
        let (opened, happened) = (dice.chance(90), dice.chance(40));
        if !opened && !happened {
            return Vec::new();
        }
        let insured = self.insured(number);
        let mut events = Vec::new();
        if opened {
            events.push(self.event(&insured, OutsideKind::Opening, "K", &mut dice));
        }
        if happened {
            let kinds =
                [OutsideKind::LocalStay, OutsideKind::ChronicOutpatient, OutsideKind::ManualReimbursement];
            events.push(self.event(&insured, *dice.pick(&kinds), "E", &mut dice));
        }
        events
    }

    fn event(&self, insured: &Insured, kind: OutsideKind, prefix: &str, dice: &mut Dice) -> OutsideEntry {
        let year = self.today.year();
        let first = day(year, 1, 1);
        let so_far = u64::try_from(self.today.days_since(first)).unwrap_or(0);
        let on = if kind == OutsideKind::Opening {
            first
        } else {
            first.plus_days(i32::try_from(dice.below(so_far.max(1))).unwrap_or(0))
        };
        let paid = dice.between(80_000, 1_900_000);
        let used = Accumulators {
            admissions: i64::from(kind != OutsideKind::ChronicOutpatient),
            deductible: Fen(if kind == OutsideKind::ChronicOutpatient { 0 } else { 60_000 }),
            hifp: Fen(paid),
            burden: Fen(paid / 5),
            ..Accumulators::ZERO
        };
        let id = format!("{prefix}{}", insured.person.number());
        OutsideEntry {
            person: insured.person.clone(),
            source_id: MessageId::parse(&id).expect("letters and digits are an id"),
            event: OutsideEvent { kind, scheme: insured.scheme(), year: BenefitYear(year), used, on },
        }
    }
}

/// Birth, gender and the serial by which people of one birthday differ.
struct Life {
    birth: Day,
    age: i32,
    male: bool,
    serial: u64,
}

impl Life {
    /// Spreads the persons of a pool over ages and days so that no two share birthday and serial: the number in the
    /// pool decides age (its remainder by 1,000), day of the year, and serial.
    fn draw(in_pool: u64, today: Day, dice: &mut Dice) -> Life {
        let slot = in_pool * 389 % 1000;
        let (mut band, mut before) = (0, 0);
        while band + 1 < AGES.len() && slot >= before + AGES[band] {
            before += AGES[band];
            band += 1;
        }
        let in_band = slot - before;
        let age = i32::try_from(band).unwrap_or(0) * 5 + i32::try_from(in_band % 5).unwrap_or(0);
        let day_of_year = i32::try_from(in_pool / 1000 % 365).unwrap_or(0);
        let birth = today.plus_months(-12 * age).plus_days(-day_of_year);
        let serial = in_pool / 365_000 * 20 + in_band / 5;
        let male = dice.chance(515);
        Life { birth, age: today.years_since(birth), male, serial }
    }

    /// Eighteen characters with a valid check digit, of a county code that was never given out.
    fn identity_number(&self, pool: RegionCode) -> String {
        let sequence = (2 * self.serial + u64::from(self.male)) % 1000;
        let body = format!("{:04}99{:08}{sequence:03}", pool.0 / 100, self.birth.number());
        let check = check_digit(&body).unwrap_or('0');
        format!("{body}{check}")
    }
}

fn resident_coverage(region: RegionCode, life: &Life, today: Day) -> Coverage {
    let kind = match life.age {
        i32::MIN..=5 => "1402",
        6..=15 => "1403",
        16..=59 => "1501",
        60.. => "16",
    };
    // Residents pay by the calendar year; last year's row has been renewed.
    let from = life.birth.max(day(today.year() - 1, 1, 1));
    Coverage {
        insutype: "390".into(),
        person_type: kind.into(),
        status: CoverageStatus::Active,
        civil_servant: false,
        region,
        from,
        to: None,
    }
}

fn employer(register: &Register, dice: &mut Dice) -> String {
    let employed = register.coverages.iter().any(|coverage| coverage.insutype == "310");
    if employed { format!("沙盒样本单位{:05}", dice.below(60_000)) } else { String::new() }
}

fn sample_name(dice: &mut Dice) -> String {
    let (surname, stem, branch) = (dice.pick(&SURNAMES), dice.pick(&STEMS), dice.pick(&BRANCHES));
    format!("{surname}样{stem}{branch}")
}

fn day(year: i32, month: i8, of_month: i8) -> Day {
    i16::try_from(year).ok().and_then(|year| Day::new(year, month, of_month)).expect("a day of the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::geography::HOME;
    use crate::sandbox::geography::regions;
    use std::collections::HashSet;

    fn population(seed: u64, persons: u64) -> Population {
        Population::new(seed, persons, day(2026, 11, 24), &regions())
    }

    #[test]
    fn a_person_is_the_same_whenever_she_is_made() {
        let (first, again) = (population(7, 5000), population(7, 5000));
        for number in [0, 17, 2500, 4999] {
            assert_eq!(first.insured(number), again.insured(number));
            assert_eq!(first.year(number), again.year(number));
        }
        assert_ne!(first.insured(17), population(8, 5000).insured(17));
    }

    #[test]
    fn nobody_shares_a_number_and_every_identity_number_checks() {
        let all: Vec<Insured> = population(1, 40_000).iter().collect();
        let numbers: HashSet<&str> = all.iter().map(|i| i.private.certificate_number.as_str()).collect();
        assert_eq!(numbers.len(), all.len());
        for insured in all.iter().step_by(97) {
            let number = &insured.private.certificate_number;
            assert_eq!(check_digit(&number[..17]), number.chars().last(), "{number}");
            assert_eq!(&number[4..6], "99");
            assert!(insured.private.name.contains('样'));
        }
    }

    #[test]
    fn a_large_pool_still_has_a_serial_for_everybody() {
        let people = population(1, 40_000_000);
        let share = people.share(0).clone();
        let numbers: HashSet<String> = (0..40)
            .flat_map(|step| (0..250).map(move |offset| (share.count - 1) / 40 * step + offset))
            .map(|number| people.insured(number).private.certificate_number)
            .collect();
        assert_eq!(numbers.len(), 40 * 250);
        let last = Life::draw(share.count - 1, people.today, &mut people.dice(Topic::Person, 0));
        assert!(2 * last.serial + 1 < 1000, "{}", last.serial);
    }

    #[test]
    fn the_province_has_the_shape_of_a_province() {
        let all: Vec<Insured> = population(1, 20_000).iter().collect();
        let share =
            |wanted: fn(&Insured) -> bool| all.iter().filter(|i| wanted(i)).count() * 1000 / all.len();
        let employees = share(|i| i.scheme() == Scheme::Employee);
        assert!((350..450).contains(&employees), "employees {employees} ‰");
        let retired = share(|i| i.retired());
        assert!((40..120).contains(&retired), "retired {retired} ‰");
        let assisted = share(|i| !i.register.assistance.is_empty());
        assert!((10..30).contains(&assisted), "assisted {assisted} ‰");
        let at_home = share(|i| i.person.pool == HOME);
        assert!((34..42).contains(&at_home), "Jiangmen {at_home} ‰");
        assert!(all.iter().all(|i| i.register.coverages.iter().all(|c| c.to.is_none_or(|to| c.from <= to))));
    }
}
