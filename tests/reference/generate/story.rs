//! One person's years, told step by step, each with what the reference says of it.
use super::super::book::{Book, Care, Fund, Live, Order, Person, Refusal, Stay, holds};
use super::super::counts::Met;
use super::super::filing::{Category, Filing, Region};
use super::super::lines::{Item, Line};
use super::super::number::{Chance, Fen, left};
use super::super::pack::{Pack, Scheme, SchemeRules};
use super::super::share::{Share, Totals};
use super::{bills, packs};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use std::sync::Arc;

pub(crate) enum Step {
    File(Filing),
    Outside { scheme: Scheme, year: i16, add: Totals, day: Date },
    Settle(Box<Order>, Result<Box<Live>, Refusal>),
    Reverse { serial: usize, day: Date, answer: Result<Box<Share>, Refusal> },
}

/// A step, and the accumulators of its fund and year after it.
pub(crate) struct Told {
    pub(crate) step: Step,
    pub(crate) fund: Fund,
    pub(crate) year: i16,
    pub(crate) after: Totals,
    pub(crate) balance: Fen,
}

pub(crate) struct History {
    pub(crate) seed: u64,
    pub(crate) packs: Vec<Arc<Pack>>,
    pub(crate) person: Person,
    pub(crate) told: Vec<Told>,
    pub(crate) met: Met,
}

pub(crate) const HOME: Region = 440_700;
/// Where the hospitals are; each with one institution of every level.
pub(crate) const PLACES: [Region; 6] = [440_703, 440_103, 450_102, 110_105, 530_102, 440_106];
const FILED: [Region; 4] = [450_100, 110_000, 530_100, 440_100];

fn later(day: Date, days: i64) -> Date {
    day.checked_add(days.days()).expect("within the calendar")
}

struct Teller {
    chance: Chance,
    book: Book,
    told: Vec<Told>,
    met: Met,
    today: Date,
    stays: usize,
    /// Lines of the stay that no settlement took yet, since it was refused.
    carried: Vec<Line>,
    lines: usize,
    catalogue: Vec<Arc<Item>>,
}

pub(crate) fn history(seed: u64) -> History {
    let mut chance = Chance(seed);
    let packs = packs::packs(&mut chance);
    let today = later(date(2024, 2, 1), chance.between(0, 200));
    let person = person(&mut chance, today);
    let book = Book::new(packs.clone(), person.clone());
    let mut teller = Teller {
        chance,
        book,
        told: Vec::new(),
        met: Met::default(),
        today,
        stays: 0,
        carried: Vec::new(),
        lines: 0,
        catalogue: bills::catalogue(),
    };
    for _ in 0..10 {
        teller.stay();
    }
    History { seed, packs, person, told: teller.told, met: teller.met }
}

fn person(chance: &mut Chance, first_admission: Date) -> Person {
    let years = i16::try_from(chance.pick(&[30, 50, 60, 70, 0])).expect("an age");
    let random = later(date(1940, 1, 1), chance.between(0, 20_000));
    let birthday = first_admission.with().year(first_admission.year() - years).day(1).build().expect("a day");
    let start = date(2020, 1, 1);
    let first = chance.pick(&[Scheme::Employee, Scheme::Employee, Scheme::Resident]);
    let mut scheme = vec![(start, first)];
    if chance.percent(15) {
        let other = if first == Scheme::Employee { Scheme::Resident } else { Scheme::Employee };
        scheme.push((later(first_admission, chance.between(30, 300)), other));
    }
    Person {
        home: HOME,
        born: if years > 0 { birthday } else { random },
        retired_from: chance.percent(40).then(|| chance.pick(&[start, later(first_admission, 90)])),
        civil_servant: chance.percent(70),
        category: chance
            .percent(50)
            .then(|| (chance.pick(&[start, later(first_admission, 60)]), chance.pick(&[1, 2, 3]))),
        balance: chance.pick(&[0, 50_000, 400_000, 3_000_000]),
        scheme,
    }
}

impl Teller {
    fn tell(&mut self, step: Step, fund: Fund, year: i16) {
        let after = self.book.totals(fund, year);
        let balance = self.book.person.balance - self.book.spent;
        self.told.push(Told { step, fund, year, after, balance });
    }

    fn stay(&mut self) {
        let stay = self.admit();
        let (fund, pack) = (self.book.fund_of(&stay), self.book.pack_on(stay.admission).clone());
        if self.chance.percent(35) {
            let made = later(stay.admission, self.chance.pick(&[-40, -3, 0, 1, 3, 10]));
            self.file(made, stay.place);
        }
        if let (Fund::Basic(scheme), true) = (fund, self.chance.percent(8)) {
            let admissions = self.chance.between(0, 1);
            let add = Totals {
                admissions,
                pool: self.chance.between(0, 300_000),
                burden: 10_000,
                ..Totals::default()
            };
            self.outside(scheme, pack.year_of(stay.admission), add);
        }
        self.carried.clear();
        let parts = self.chance.pick(&[1, 1, 1, 1, 2, 3]);
        let mut first = stay.admission;
        for part in 1..=parts {
            let mut last = later(first, self.chance.between(1, 12));
            if part == parts && self.chance.percent(if parts > 1 { 50 } else { 15 }) {
                last = self.over_the_year_end(first).unwrap_or(last);
            }
            self.part(&stay, (first, last), part == parts);
            // A day that a part has settled takes no more charges.
            first = later(last, 1);
        }
        self.today = later(self.today, self.chance.between(1, 60));
        if self.chance.percent(12) {
            self.reverse_some();
        }
    }

    fn admit(&mut self) -> Stay {
        self.stays += 1;
        let place = self.chance.pick(&PLACES);
        let level = self.chance.between(0, 3) as usize;
        let (care, chance) = (self.chance.between(0, 99), &mut self.chance);
        Stay {
            number: self.stays,
            institution: PLACES.iter().position(|known| *known == place).expect("from the list") * 4 + level,
            place,
            level,
            admission: self.today,
            emergency: chance.percent(25),
            care: match care {
                0..10 => Care::Maternity(chance.between(0, 1) as usize),
                10..18 => Care::Injury { recognised: chance.percent(70), third_party: chance.percent(25) },
                _ => Care::General,
            },
        }
    }

    /// A discharge day in the next benefit year, where that is near.
    fn over_the_year_end(&mut self, from: Date) -> Option<Date> {
        let pack = self.book.pack_on(from);
        (1..120).map(|days| later(from, days)).find(|day| pack.year_of(*day) != pack.year_of(from))
    }

    fn file(&mut self, made: Date, place: Region) {
        let category = self.chance.pick(&[Category::LongTerm, Category::Referral, Category::OtherTemporary]);
        let near = FILED.into_iter().find(|filed| filed / 10_000 == place / 10_000);
        let place = near.filter(|_| self.chance.percent(80)).unwrap_or(self.chance.pick(&FILED));
        let from = later(made, self.chance.pick(&[0, 0, 0, 2]));
        let until = (category != Category::LongTerm || self.chance.percent(50)).then(|| later(from, 60));
        let filing = Filing { category, place, from, until, made };
        self.book.filings.push(filing.clone());
        self.tell(Step::File(filing), Fund::Injury, 0);
    }

    fn outside(&mut self, scheme: Scheme, year: i16, add: Totals) {
        self.book.outside(scheme, year, add);
        let day = self.today;
        self.tell(Step::Outside { scheme, year, add, day }, Fund::Basic(scheme), year);
    }

    fn part(&mut self, stay: &Stay, days: (Date, Date), last_part: bool) {
        let target = self.target(stay, days, last_part);
        let injury = matches!(stay.care, Care::Injury { .. });
        let (level, first_no) = (stay.level, self.lines);
        let wish =
            bills::Wish { items: &self.catalogue, days: &[days.0, days.1], target, injury, level, first_no };
        let fresh = bills::lines(&mut self.chance, &wish);
        self.lines += fresh.len();
        let lines = self.with_carried(fresh);
        let settled_on = later(days.1, self.chance.pick(&[0, 0, 1, 5]));
        self.today = self.today.max(settled_on);
        if self.chance.percent(10) {
            self.today = later(self.today, 1);
            self.file(self.today, stay.place);
        }
        let settled_on = self.today;
        if let (Fund::Basic(scheme), true) = (self.book.fund_of(stay), self.chance.percent(5)) {
            let year = self.book.pack_on(days.1).year_of(days.1);
            self.outside(scheme, year, Totals { deductible: 15_000, burden: 15_000, ..Totals::default() });
        }
        let use_account = self.chance.percent(40);
        let order = Order { stay: stay.clone(), until: days.1, last_part, lines, use_account, settled_on };
        self.aim(&order);
        let settled = self.settle(&order);
        if settled.is_none() {
            self.carried.clone_from(&order.lines);
        }
        if let Some(live) = settled
            && self.chance.percent(if live.capped.is_empty() { 6 } else { 35 })
        {
            self.reverse(live.serial);
            assert_eq!(
                self.book.totals(live.fund, live.year),
                live.before,
                "I9: a reversal restores the year"
            );
            self.settle(&Order { settled_on: self.today, ..order });
        }
    }

    fn with_carried(&mut self, mut fresh: Vec<Line>) -> Vec<Line> {
        let shift = self.carried.len();
        for line in &mut fresh {
            line.refunds = line.refunds.map(|index| index + shift);
        }
        let mut all = std::mem::take(&mut self.carried);
        all.append(&mut fresh);
        all
    }

    fn settle(&mut self, order: &Order) -> Option<Live> {
        let answer = self.book.settle(order, &mut self.met);
        if let Ok(live) = &answer {
            holds(&live.share);
            self.holds_caps(order, live);
        }
        let (fund, year) =
            (self.book.fund_of(&order.stay), self.book.pack_on(order.until).year_of(order.until));
        self.tell(Step::Settle(Box::new(order.clone()), answer.clone().map(Box::new)), fund, year);
        answer.ok()
    }

    /// I9: a bill never raises an accumulator above its cap.
    fn holds_caps(&self, order: &Order, live: &Live) {
        let Fund::Basic(scheme) = live.fund else { return };
        let pack = self.book.pack_on(order.until);
        let rules = &pack.schemes[&scheme];
        let category = self.book.person.standing(order.stay.admission).category;
        let assistance =
            category.and_then(|category| pack.assistance.get(&category)).and_then(|(_, cap)| *cap);
        let serious = rules.serious_for(category).and_then(|terms| terms.cap);
        let (before, share) = (live.before, live.share);
        for (cap, used, paid) in [
            (rules.pool_cap, before.pool, share.pool),
            (rules.large.and_then(|(_, cap)| cap), before.large, share.large),
            (serious, before.serious, share.serious),
            (assistance, before.assistance, share.assistance),
        ] {
            assert!(paid <= left(cap, used), "I9: {live:?}");
        }
    }

    fn reverse(&mut self, serial: usize) {
        let live = self.book.live.iter().find(|live| live.serial == serial).expect("lives").clone();
        let answer = self.book.reverse(serial, &mut self.met);
        let step = Step::Reverse { serial, day: self.today, answer: answer.map(Box::new) };
        self.tell(step, live.fund, live.year);
    }

    /// The newest two, or one that is not the newest.
    fn reverse_some(&mut self) {
        let serials: Vec<usize> = self.book.live.iter().map(|live| live.serial).collect();
        let Some((newest, older)) = serials.split_last() else { return };
        if !older.is_empty() && self.chance.percent(40) {
            let serial = self.chance.pick(older);
            self.reverse(serial);
            return;
        }
        self.reverse(*newest);
        if let (Some(next), true) = (older.last(), self.chance.percent(40)) {
            self.reverse(*next);
        }
    }

    /// What a part of nothing would be told.
    fn deductible_left(&self, stay: &Stay, days: (Date, Date), last_part: bool) -> Fen {
        let (stay, lines, until) = (stay.clone(), self.carried.clone(), days.1);
        let settled_on = self.today.max(until);
        let order = Order { stay, until, last_part, lines, use_account: false, settled_on };
        self.book.quote(&order, &mut Met::default()).map_or(0, |live| live.share.deductible_standard)
    }

    /// An amount in scope at or about an edge.
    fn target(&mut self, stay: &Stay, days: (Date, Date), last_part: bool) -> Option<Fen> {
        let Fund::Basic(scheme) = self.book.fund_of(stay) else {
            return self.chance.percent(80).then(|| self.chance.between(20_000, 1_200_000));
        };
        let retired = self.book.person.standing(stay.admission).retired;
        let rules = &self.book.pack_on(days.1).schemes[&scheme];
        let edges: Vec<Fen> = rules.bands(stay.level, retired).iter().filter_map(|band| band.to).collect();
        let deductible = self.deductible_left(stay, days, last_part);
        Some(match self.chance.between(0, 19) {
            0 => 0,
            1 => deductible,
            2 => self.chance.between(1, deductible.max(1)),
            3 => deductible + self.chance.between(1, 5_000),
            4..8 if !edges.is_empty() => self.chance.pick(&edges),
            4..12 => self.chance.between(100_000, 2_000_000),
            12..17 => self.chance.between(1_000_000, 8_000_000),
            _ => return None,
        })
    }
}

// The aims of `aim.rs` move the year by an outside event so that this bill meets an edge.
impl Teller {
    fn aim(&mut self, order: &Order) {
        let Fund::Basic(scheme) = self.book.fund_of(&order.stay) else { return };
        let pack = self.book.pack_on(order.until).clone();
        let year = pack.year_of(order.until);
        let rules = &pack.schemes[&scheme];
        let category = self.book.person.standing(order.stay.admission).category;
        let assistance =
            category.and_then(|category| pack.assistance.get(&category)).and_then(|(_, cap)| *cap);
        for what in 0..4 {
            if !self.chance.percent(if what == 2 { 45 } else { 30 }) {
                continue;
            }
            let Ok(live) = self.book.quote(order, &mut Met::default()) else { return };
            let add = match what {
                0 => self.room(rules.pool_cap, live.before.pool, live.share.pool).map(pool_of),
                1 => self
                    .room(rules.large.and_then(|l| l.1), live.before.large, live.share.large)
                    .map(large_of),
                2 => self.aim_serious(rules, category, &live),
                _ => self.room(assistance, live.before.assistance, live.share.assistance).map(assistance_of),
            };
            if let Some(add) = add {
                self.outside(scheme, year, add);
            }
        }
    }

    /// What must come from outside so that `due` meets the cap: to the fen, across it, or nothing left.
    fn room(&mut self, cap: Option<Fen>, used: Fen, due: Fen) -> Option<Fen> {
        let leave = match self.chance.between(0, 9) {
            0..4 => due,
            4..8 => self.chance.between(0, due),
            8 => 0,
            _ => -self.chance.between(1, 100_000),
        };
        cap.map(|cap| cap - leave - used).filter(|add| due > 0 && *add > 0)
    }

    fn aim_serious(&mut self, rules: &SchemeRules, category: Option<u8>, live: &Live) -> Option<Totals> {
        let terms = rules.serious_for(category)?;
        if self.chance.percent(50) {
            return self.room(terms.cap, live.before.serious, live.share.serious).map(serious_of);
        }
        let mut edges: Vec<Fen> = terms.tiers.iter().filter_map(|tier| tier.to).collect();
        edges.extend([terms.start, terms.start]);
        let off = self.chance.pick(&[0, 0, 0, 1, -1, live.share.burden]);
        let edge = self.chance.pick(&edges) + off;
        let burden = edge - live.before.burden - live.share.burden;
        (burden > 0).then(|| Totals { burden, ..Totals::default() })
    }
}

fn pool_of(pool: Fen) -> Totals {
    Totals { pool, ..Totals::default() }
}

fn large_of(large: Fen) -> Totals {
    Totals { large, ..Totals::default() }
}

fn serious_of(serious: Fen) -> Totals {
    Totals { serious, ..Totals::default() }
}

fn assistance_of(assistance: Fen) -> Totals {
    Totals { assistance, ..Totals::default() }
}
