//! Owns the stays of the sandbox: who is treated where, and a bill whose mean by scheme is that of the national bulletin
//! of 2023 (12,175 yuan for employees, 7,674 for residents).

use rust_decimal::Decimal;
use serde::Serialize;

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::Scheme;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::sandbox::catalogue::codes;
use crate::sandbox::dice::Dice;
use crate::sandbox::dice::Topic;
use crate::sandbox::filings;
use crate::sandbox::geography::AWAY;
use crate::sandbox::geography::CITIES;
use crate::sandbox::institutions::Hospital;
use crate::sandbox::population::Insured;
use crate::sandbox::population::Population;

/// One stay, as its hospital would send it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stay {
    /// 统筹区 that insures her, and her number there.
    pub pool: u32,
    pub psn_no: String,
    pub psn_name: String,
    /// Identity number: a credential of type 02.
    pub certno: String,
    pub insuplc_admdvs: String,
    pub insutype: String,
    pub psn_type: String,
    pub fixmedins_code: String,
    pub fixmedins_name: String,
    /// 就医地: region of the hospital.
    pub mdtrtarea_admdvs: String,
    /// 1, 2 or 3: the level that rates go by.
    pub level: u8,
    pub med_type: String,
    pub matn_type: String,
    pub ipt_no: String,
    /// `yyyy-MM-dd HH:mm:ss`
    pub begntime: String,
    pub endtime: String,
    pub diag_code: String,
    pub diag_name: String,
    pub emergency: bool,
    /// Sent for work injury.
    pub work_injury: bool,
    /// She wants to pay from her account (`acct_used_flag`).
    pub use_account: bool,
    pub lines: Vec<StayLine>,
    /// Sum of the lines, yuan.
    pub medfee_sumamt: String,
}

/// One fee line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StayLine {
    pub feedetl_sn: String,
    pub fee_ocur_time: String,
    pub med_list_codg: String,
    pub medins_list_codg: String,
    /// Yuan.
    pub pric: String,
    pub cnt: String,
    pub det_item_fee_sumamt: String,
    /// `hosp_appr_flag`: 1 approved, 0 not; only restricted items need it.
    pub hosp_appr_flag: String,
}

/// A line before it is dated and numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    pub code: &'static str,
    pub price: Fen,
    pub count: i64,
    pub approved: bool,
}

impl Charge {
    pub const fn new(code: &'static str, price_fen: i64, count: i64) -> Charge {
        Charge { code, price: Fen(price_fen), count, approved: true }
    }

    pub fn amount(&self) -> Fen {
        Fen(self.price.0 * self.count)
    }
}

/// When a stay was, and where.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    pub hospital: &'a Hospital,
    pub admitted: Day,
    pub discharged: Day,
}

/// Makes stays: at most one a person and round, the old more often than the young.
#[derive(Clone, Copy, Debug)]
pub struct Stays<'a> {
    pub seed: u64,
    pub today: Day,
    pub population: &'a Population,
    pub hospitals: &'a [Hospital],
}

/// Each round lies this many days before the one after it, so that nobody is in two hospitals at once.
const ROUND_DAYS: i32 = 45;
/// Rounds that stay inside the coverage of the register.
const ROUNDS_MAX: u64 = 7;

impl<'a> Stays<'a> {
    /// All of them, as far as they are asked for: about one for six insured in a round, seven rounds.
    pub fn iter(self) -> impl Iterator<Item = Stay> + 'a {
        let total = self.population.len();
        let step = coprime_step(total);
        (0..ROUNDS_MAX).flat_map(move |round| {
            (0..total).filter_map(move |at| {
                let number =
                    u64::try_from(u128::from(at) * u128::from(step) % u128::from(total)).unwrap_or(0);
                self.stay(number, round)
            })
        })
    }

    /// The stay of a person in a round, if she has one.
    pub fn stay(self, number: u64, round: u64) -> Option<Stay> {
        let mut dice = Dice::new(self.seed, Topic::Stay, (round << 48) | number);
        let drawn = dice.below(1000);
        // Most are not drawn whatever their age: decide before making the person.
        if drawn >= ADMITTED_MAX {
            return None;
        }
        let insured = self.population.insured(number);
        (drawn < admitted_per_mille(insured.age)).then(|| self.draw(number, round, &insured, &mut dice))
    }

    fn draw(self, number: u64, round: u64, insured: &Insured, dice: &mut Dice) -> Stay {
        let level = level(insured.scheme(), dice);
        let place = self.place(number, insured, dice);
        let hospital = self.hospital(place, level, dice);
        let days = i32::try_from(dice.between(3, 16)).unwrap_or(7);
        let back =
            i32::try_from(round).unwrap_or(0) * ROUND_DAYS + i32::try_from(dice.between(1, 25)).unwrap_or(1);
        let discharged = self.today.plus_days(-back);
        let visit = Visit { hospital, admitted: discharged.plus_days(-days), discharged };
        let charges = bill(target(insured.scheme(), level, dice), days, dice);
        let mut stay = stay(insured, &visit, &charges, &format!("SBX{round}{number:09}"));
        stay.emergency = dice.chance(60);
        if stay.emergency {
            stay.med_type = "24".into();
        }
        stay.use_account = insured.scheme() == Scheme::Employee && dice.chance(300);
        stay
    }

    /// At home, in another city, or in another province: who has filed goes there more often.
    fn place(self, number: u64, insured: &Insured, dice: &mut Dice) -> RegionCode {
        let filed = filings::is_filed(self.seed, number);
        let filing = filed.then(|| filings::filing(self.seed, number, self.today, insured)).flatten();
        if let Some(filing) = filing.filter(|_| dice.chance(700)) {
            return AWAY
                .into_iter()
                .find(|away| away.province() == filing.target.province())
                .unwrap_or(AWAY[0]);
        }
        match *dice.weighted(&[(0, 450), (1, 400), (2, 150)]) {
            0 => insured.person.pool,
            1 => dice.pick(&CITIES).pool,
            _ => *dice.pick(&AWAY),
        }
    }

    /// One that serves whoever comes, of the level where the city has one.
    fn hospital(self, pool: RegionCode, level: HospitalLevel, dice: &mut Dice) -> &'a Hospital {
        let open = |hospital: &&Hospital| {
            let institution = &hospital.institution;
            let serves = institution.in_province && institution.cross_province;
            hospital.pool == pool && institution.to.is_none() && institution.suspended.is_none() && serves
        };
        let all: Vec<&'a Hospital> = self.hospitals.iter().filter(open).collect();
        let of_level: Vec<&'a Hospital> = all.iter().copied().filter(|h| h.level == level).collect();
        let drawn: &&Hospital = if of_level.is_empty() { dice.pick(&all) } else { dice.pick(&of_level) };
        drawn
    }
}

/// A step that visits every number once: near the golden section, and without a common divisor.
fn coprime_step(total: u64) -> u64 {
    const GOLDEN_PER_MILLE: u64 = 618;
    let divides = |mut a: u64, mut b: u64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let near = (total / 1000 * GOLDEN_PER_MILLE).max(1);
    (near..).find(|step| divides(*step, total.max(1)) == 1).unwrap_or(1)
}

/// Admissions of a thousand in one round.
fn admitted_per_mille(age: i32) -> u64 {
    match age {
        i32::MIN..=15 => 80,
        16..=59 => 120,
        60.. => ADMITTED_MAX,
    }
}

const ADMITTED_MAX: u64 = 420;

fn level(scheme: Scheme, dice: &mut Dice) -> HospitalLevel {
    use HospitalLevel as L;
    match scheme {
        Scheme::Employee => *dice.weighted(&[(L::Three, 55), (L::Two, 33), (L::One, 12)]),
        Scheme::Resident | Scheme::Maternity | Scheme::WorkInjury => {
            *dice.weighted(&[(L::Three, 32), (L::Two, 43), (L::One, 25)])
        }
    }
}

/// What the bill shall sum to: a mean by scheme and level whose mean by scheme is the bulletin's, times a factor whose
/// mean is one: many small bills, few large ones.
fn target(scheme: Scheme, level: HospitalLevel, dice: &mut Dice) -> Fen {
    // Percent of the mean in each twentieth of all stays. They sum to 2,000.
    const TWENTIETHS: [i64; 20] =
        [18, 24, 29, 34, 39, 44, 49, 54, 60, 66, 72, 79, 87, 96, 107, 121, 140, 172, 240, 469];
    let mean = match (scheme, level) {
        (Scheme::Employee, HospitalLevel::Three) => 1_490_000,
        (Scheme::Employee, HospitalLevel::Two) => 960_000,
        (Scheme::Employee, HospitalLevel::One | HospitalLevel::Primary) => 676_700,
        (_, HospitalLevel::Three) => 1_090_000,
        (_, HospitalLevel::Two) => 700_000,
        (_, HospitalLevel::One | HospitalLevel::Primary) => 470_400,
    };
    let percent = *dice.pick(&TWENTIETHS);
    let jitter = dice.between(-80, 80);
    Fen(mean * percent / 100 * (1000 + jitter) / 1000)
}

/// What one kind of item is of a bill, in thousandths, and what a piece of it costs, in fen.
struct Part {
    code: &'static str,
    per_mille: i64,
    price: (i64, i64),
}

const fn part(code: &'static str, per_mille: i64, price: (i64, i64)) -> Part {
    Part { code, per_mille, price }
}

const PARTS: [Part; 14] = [
    part(codes::BED, 55, (3_000, 12_000)),
    part(codes::NURSING, 40, (1_200, 4_500)),
    part(codes::EXAMINATION, 120, (4_000, 38_000)),
    part(codes::LABORATORY, 115, (500, 9_000)),
    part(codes::TREATMENT, 95, (800, 16_000)),
    part(codes::DRUG_A, 130, (150, 6_800)),
    part(codes::DRUG_B05, 60, (800, 12_000)),
    part(codes::DRUG_B10, 70, (1_500, 21_000)),
    part(codes::DRUG_B15, 30, (2_000, 30_000)),
    part(codes::CONSUMABLE, 50, (700, 7_500)),
    part(codes::IMPLANT, 40, (90_000, 980_000)),
    part(codes::HERBS, 25, (300, 2_500)),
    part(codes::RESTRICTED, 15, (2_000, 45_000)),
    part(codes::OWN, 25, (500, 24_000)),
];

/// Lines that sum to `total` exactly: what the parts leave over is the operation.
fn bill(total: Fen, days: i32, dice: &mut Dice) -> Vec<Charge> {
    let mut charges = Vec::new();
    let mut left = total.0;
    for part in &PARTS {
        let share = total.0 * part.per_mille / 1000 * dice.between(600, 1400) / 1000;
        let price = dice.between(part.price.0, part.price.1);
        let daily = part.code == codes::BED || part.code == codes::NURSING;
        let count = if daily { i64::from(days).min(share / price) } else { share / price };
        if count == 0 || count * price > left {
            continue;
        }
        left -= count * price;
        let approved = part.code != codes::RESTRICTED || dice.chance(800);
        charges.extend(spread(Charge { approved, ..Charge::new(part.code, price, count) }, dice));
    }
    if left > 0 {
        charges.push(Charge::new(codes::SURGERY, left, 1));
    }
    charges
}

/// One line, or several for what is given over and over.
fn spread(charge: Charge, dice: &mut Dice) -> Vec<Charge> {
    let pieces = dice.between(1, 4).min(charge.count);
    let each = charge.count / pieces;
    let mut lines = vec![Charge { count: each, ..charge }; usize::try_from(pieces).unwrap_or(1)];
    lines[0].count += charge.count - each * pieces;
    lines
}

/// Dates and numbers the charges of a person's visit.
pub fn stay(insured: &Insured, visit: &Visit<'_>, charges: &[Charge], ipt_no: &str) -> Stay {
    let coverage = insured.register.coverages.last();
    let institution = &visit.hospital.institution;
    let total: Fen = charges.iter().map(Charge::amount).sum();
    Stay {
        pool: insured.person.pool.0,
        psn_no: insured.person.number().to_owned(),
        psn_name: insured.private.name.clone(),
        certno: insured.private.certificate_number.clone(),
        insuplc_admdvs: coverage.map_or(insured.person.pool, |coverage| coverage.region).to_string(),
        insutype: insured.insutype().to_owned(),
        psn_type: coverage.map(|coverage| coverage.person_type.clone()).unwrap_or_default(),
        fixmedins_code: institution.code.to_string(),
        fixmedins_name: institution.name.clone(),
        mdtrtarea_admdvs: institution.region.to_string(),
        level: match visit.hospital.level {
            HospitalLevel::Primary | HospitalLevel::One => 1,
            HospitalLevel::Two => 2,
            HospitalLevel::Three => 3,
        },
        med_type: "21".into(),
        matn_type: String::new(),
        ipt_no: ipt_no.to_owned(),
        begntime: at(visit.admitted, 9),
        endtime: at(visit.discharged, 15),
        diag_code: "SBX.001".into(),
        diag_name: "沙盒样本诊断".into(),
        emergency: false,
        work_injury: false,
        use_account: false,
        lines: charges.iter().enumerate().map(|(no, charge)| line(charge, no, visit)).collect(),
        medfee_sumamt: total.to_string(),
    }
}

fn line(charge: &Charge, no: usize, visit: &Visit<'_>) -> StayLine {
    let days = visit.discharged.days_since(visit.admitted).max(1);
    let day = visit.admitted.plus_days(i32::try_from(no).unwrap_or(0) % days);
    StayLine {
        feedetl_sn: format!("{:04}", no + 1),
        fee_ocur_time: at(day, 10),
        med_list_codg: charge.code.to_owned(),
        medins_list_codg: format!("Y{}", charge.code),
        pric: charge.price.to_string(),
        cnt: Decimal::new(charge.count, 0).to_string(),
        det_item_fee_sumamt: charge.amount().to_string(),
        hosp_appr_flag: if charge.approved { "1" } else { "0" }.into(),
    }
}

fn at(day: Day, hour: i8) -> String {
    Moment::new(day, hour, 0, 0).unwrap_or_else(|| Moment::start_of(day)).to_string()
}

#[cfg(test)]
mod tests;
