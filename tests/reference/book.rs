//! The years of one person: settlements, parts, reversals, what came from outside.
use super::counts::Met;
use super::filing::{self, Filing, Region};
use super::identities::{Wire, faults};
use super::lines::{Line, Split, splits};
use super::number::Fen;
use super::pack::{AccountScope, Benefit, DeductibleBasis, Pack, Scheme};
use super::share::{Claim, Share, Standing, Totals, injury, maternity, share};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fund {
    Basic(Scheme),
    Maternity,
    Injury,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    General,
    /// 0 natural, 1 difficult or multiple.
    Maternity(usize),
    Injury {
        recognised: bool,
        third_party: bool,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) home: Region,
    pub(crate) born: Date,
    pub(crate) scheme: Vec<(Date, Scheme)>,
    pub(crate) retired_from: Option<Date>,
    pub(crate) civil_servant: bool,
    pub(crate) category: Option<(Date, u8)>,
    pub(crate) balance: Fen,
}

impl Person {
    /// Everything about the person is looked up on the day of admission (§2.7).
    pub(crate) fn standing(&self, day: Date) -> Standing {
        let birthday_passed = (day.month(), day.day()) >= (self.born.month(), self.born.day());
        let years = i64::from(day.year() - self.born.year());
        Standing {
            retired: self.retired_from.is_some_and(|from| from <= day),
            age: if birthday_passed { years } else { years - 1 },
            civil_servant: self.civil_servant,
            category: self.category.filter(|(from, _)| *from <= day).map(|(_, category)| category),
        }
    }

    pub(crate) fn scheme_on(&self, day: Date) -> Scheme {
        self.scheme.iter().rev().find(|(from, _)| *from <= day).expect("covered from the first day").1
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Stay {
    pub(crate) number: usize,
    pub(crate) institution: usize,
    pub(crate) place: Region,
    pub(crate) level: usize,
    pub(crate) admission: Date,
    pub(crate) emergency: bool,
    pub(crate) care: Care,
}

impl Stay {
    pub(crate) fn is_recognised(&self) -> bool {
        matches!(self.care, Care::Injury { recognised: true, .. })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) stay: Stay,
    /// Discharge, or the day that stands for it in a part.
    pub(crate) until: Date,
    pub(crate) last_part: bool,
    pub(crate) lines: Vec<Line>,
    pub(crate) use_account: bool,
    pub(crate) settled_on: Date,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unfiled,
    NotRecognised,
    ThirdParty,
    LaterLive,
}

/// One live settlement.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) serial: usize,
    pub(crate) stay: usize,
    pub(crate) institution: usize,
    pub(crate) fund: Fund,
    pub(crate) year: i16,
    pub(crate) index: i64,
    pub(crate) benefit: Benefit,
    pub(crate) counted: bool,
    pub(crate) share: Share,
    pub(crate) before: Totals,
    /// Caps that it reached.
    pub(crate) capped: Vec<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) packs: Vec<Arc<Pack>>,
    pub(crate) person: Person,
    pub(crate) filings: Vec<Filing>,
    pub(crate) live: Vec<Live>,
    pub(crate) spent: Fen,
    totals: BTreeMap<(Fund, i16), Totals>,
    assistance: BTreeMap<i16, Fen>,
    serial: usize,
    reversed_once: Vec<usize>,
}

impl Book {
    pub(crate) fn new(packs: Vec<Arc<Pack>>, person: Person) -> Book {
        Book {
            packs,
            person,
            filings: Vec::new(),
            live: Vec::new(),
            spent: 0,
            totals: BTreeMap::new(),
            assistance: BTreeMap::new(),
            serial: 0,
            reversed_once: Vec::new(),
        }
    }

    pub(crate) fn pack_on(&self, day: Date) -> &Arc<Pack> {
        self.packs.iter().rev().find(|pack| pack.from <= day).expect("a pack from the first day")
    }

    /// The accumulators as a bill of this fund and year would find them.
    pub(crate) fn totals(&self, fund: Fund, year: i16) -> Totals {
        let assistance = self.assistance.get(&year).copied().unwrap_or(0);
        Totals { assistance, ..self.totals.get(&(fund, year)).copied().unwrap_or_default() }
    }

    /// Opening totals and outside events (§2.7).
    pub(crate) fn outside(&mut self, scheme: Scheme, year: i16, add: Totals) {
        self.move_totals(Fund::Basic(scheme), year, add, 1);
    }

    fn move_totals(&mut self, fund: Fund, year: i16, add: Totals, sign: i64) {
        let totals = self.totals.entry((fund, year)).or_default();
        totals.admissions += sign * add.admissions;
        totals.pool += sign * add.pool;
        totals.large += sign * add.large;
        totals.serious += sign * add.serious;
        totals.burden += sign * add.burden;
        totals.deductible += sign * add.deductible;
        *self.assistance.entry(year).or_default() += sign * add.assistance;
    }

    pub(crate) fn fund_of(&self, stay: &Stay) -> Fund {
        match stay.care {
            Care::General => Fund::Basic(self.person.scheme_on(stay.admission)),
            Care::Maternity(_) => Fund::Maternity,
            Care::Injury { .. } => Fund::Injury,
        }
    }

    pub(crate) fn benefit(&self, order: &Order, met: &mut Met) -> Benefit {
        let case = filing::Case {
            home: self.person.home,
            hospital: order.stay.place,
            admission: order.stay.admission,
            settled_on: order.settled_on,
            emergency: order.stay.emergency,
            in_province_free: self.pack_on(order.until).in_province_free,
            filings: &self.filings,
        };
        filing::benefit(&case, met)
    }

    /// What the settlement would be, without settling.
    pub(crate) fn quote(&self, order: &Order, met: &mut Met) -> Result<Live, Refusal> {
        let pack = self.pack_on(order.until);
        let stay = &order.stay;
        let (fund, year) = (self.fund_of(stay), pack.year_of(order.until));
        let injured = matches!(stay.care, Care::Injury { .. });
        let split = splits(&order.lines, injured, met).into_iter().fold(Split::default(), Split::plus);
        let of_stay: Vec<&Live> = self.live.iter().filter(|live| live.stay == stay.number).collect();
        let on_axis = |live: &&Live| live.year == year || !pack.new_year_new_axis;
        let axis: Vec<&Live> = of_stay.iter().copied().filter(on_axis).collect();
        let earlier: Fen = axis.iter().map(|live| live.share.split.in_scope).sum();
        let before = self.totals(fund, year);
        let index = axis.first().map_or(before.admissions, |first| first.index);
        let counted = axis.is_empty();
        let benefit = self.benefit(order, met);
        let balance = self.person.balance - self.spent;
        let share = match (stay.care, fund) {
            (Care::Injury { recognised: false, .. }, _) => return Err(Refusal::NotRecognised),
            (Care::Injury { third_party: true, .. }, _) => return Err(Refusal::ThirdParty),
            (Care::Injury { .. }, _) => injury(split, met),
            (Care::Maternity(kind), _) => {
                let rule = pack.maternity[kind][stay.level];
                maternity(rule, split, earlier, order.last_part, met)
            }
            (Care::General, Fund::Basic(scheme)) => {
                if benefit == Benefit::Unfiled && !pack.unfiled_settles {
                    return Err(Refusal::Unfiled);
                }
                let standing = self.person.standing(stay.admission);
                let rules = &pack.schemes[&scheme];
                met_stay(&order.stay, order, pack, self, benefit, &of_stay, &axis, met);
                let claim = Claim {
                    rules,
                    assistance: standing
                        .category
                        .and_then(|category| pack.assistance.get(&category))
                        .copied(),
                    standing: &standing,
                    level: stay.level,
                    benefit,
                    split,
                    earlier,
                    index,
                    deductible_paid: self.deductible_paid(fund, year, &rules.basis, stay),
                    so_far: before,
                    account: (order.use_account && rules.account != AccountScope::Nothing).then_some(balance),
                };
                share(&claim, met)
            }
            (Care::General, _) => unreachable!("general care is paid by a scheme"),
        };
        let capped = self.capped(order, fund, &before, &share);
        let (serial, institution) = (self.serial, stay.institution);
        Ok(Live {
            serial,
            stay: stay.number,
            institution,
            fund,
            year,
            index,
            benefit,
            counted,
            share,
            before,
            capped,
        })
    }

    /// The caps that a settlement reached, by what reversing it is then counted as.
    fn capped(&self, order: &Order, fund: Fund, before: &Totals, share: &Share) -> Vec<&'static str> {
        let Fund::Basic(scheme) = fund else { return Vec::new() };
        let pack = self.pack_on(order.until);
        let rules = &pack.schemes[&scheme];
        let category = self.person.standing(order.stay.admission).category;
        let large = rules.large.and_then(|(_, cap)| cap);
        let serious = rules.serious_for(category).and_then(|terms| terms.cap);
        let assistance =
            category.and_then(|category| pack.assistance.get(&category)).and_then(|(_, cap)| *cap);
        let reached = [
            ("reversal: at the pool's cap", rules.pool_cap, before.pool, share.pool),
            ("reversal: at the large amount's cap", large, before.large, share.large),
            ("reversal: at the cap of serious illness", serious, before.serious, share.serious),
            ("reversal: at the cap of assistance", assistance, before.assistance, share.assistance),
        ];
        let at_cap = reached
            .iter()
            .filter(|(_, cap, used, paid)| *paid > 0 && cap.is_some_and(|cap| used + paid >= cap));
        at_cap.map(|(name, ..)| *name).collect()
    }

    /// What other stays of the year paid, or this institution's; the year's also from outside.
    fn deductible_paid(&self, fund: Fund, year: i16, basis: &DeductibleBasis, stay: &Stay) -> Fen {
        let of_year = self.live.iter().filter(|live| live.fund == fund && live.year == year);
        let paid = |counts: &dyn Fn(&Live) -> bool| -> Fen {
            of_year.clone().filter(|live| counts(live)).map(|live| live.share.deductible).sum()
        };
        match basis {
            DeductibleBasis::Admission(_) => 0,
            DeductibleBasis::Year => {
                self.totals(fund, year).deductible - paid(&|live| live.stay == stay.number)
            }
            DeductibleBasis::InstitutionYear => {
                paid(&|live| live.stay != stay.number && live.institution == stay.institution)
            }
        }
    }

    pub(crate) fn settle(&mut self, order: &Order, met: &mut Met) -> Result<Live, Refusal> {
        let refused = |refusal: &Refusal| refusal_name(*refusal);
        let live = self.quote(order, met).inspect_err(|refusal| met.see(refused(refusal)))?;
        met.see("bill: settled");
        met.when(self.reversed_once.contains(&live.stay), "reversal: settled again afterwards");
        self.move_totals(live.fund, live.year, added(&live), 1);
        self.spent += live.share.account;
        self.serial += 1;
        self.live.push(live.clone());
        Ok(live)
    }

    /// Last in, first out per (person, scheme, year); parts last first (§2.4).
    pub(crate) fn reverse(&mut self, serial: usize, met: &mut Met) -> Result<Share, Refusal> {
        let at = self.live.iter().position(|live| live.serial == serial).expect("a live settlement");
        let live = self.live[at].clone();
        let blocks =
            |later: &Live| (later.fund, later.year) == (live.fund, live.year) || later.stay == live.stay;
        if self.live[at + 1..].iter().any(blocks) {
            met.see(refusal_name(Refusal::LaterLive));
            return Err(Refusal::LaterLive);
        }
        met.see("reversal: done");
        live.capped.iter().for_each(|cap| met.see(cap));
        met.when(
            self.live.iter().any(|other| other.stay == live.stay && other.serial != serial),
            "reversal: of a later part",
        );
        met.when(matches!(live.fund, Fund::Maternity | Fund::Injury), "reversal: maternity or injury");
        self.live.remove(at);
        self.move_totals(live.fund, live.year, added(&live), -1);
        self.spent -= live.share.account;
        self.reversed_once.push(live.stay);
        Ok(live.share.negated())
    }
}

fn added(live: &Live) -> Totals {
    Totals {
        admissions: i64::from(live.counted),
        pool: live.share.pool,
        large: live.share.large,
        serious: live.share.serious,
        assistance: live.share.assistance,
        burden: live.share.burden,
        deductible: live.share.deductible,
    }
}

fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unfiled => "refused: unfiled",
        Refusal::NotRecognised => "refused: injury not recognised",
        Refusal::ThirdParty => "refused: third party liable",
        Refusal::LaterLive => "reversal: refused, a later one lives",
    }
}

#[expect(clippy::too_many_arguments, reason = "only counts what was met")]
fn met_stay(
    stay: &Stay,
    order: &Order,
    pack: &Pack,
    book: &Book,
    benefit: Benefit,
    of_stay: &[&Live],
    axis: &[&Live],
    met: &mut Met,
) {
    met.see(match benefit {
        Benefit::Local => "filing: local",
        Benefit::InProvince => "filing: in province",
        Benefit::LongTerm => "filing: long term",
        Benefit::LongTermHome => "filing: long term, back home",
        Benefit::Referral => "filing: referral",
        Benefit::Emergency => "filing: emergency",
        Benefit::OtherTemporary => "filing: other temporary",
        Benefit::Unfiled => "filing: none",
    });
    met.when(!order.last_part, "mid-stay: a part before the last");
    met.when(!of_stay.is_empty(), "mid-stay: a later part");
    met.when(
        of_stay.last().is_some_and(|last| last.benefit != benefit),
        "mid-stay: filing changed between parts",
    );
    let (admitted, settled) = (pack.year_of(stay.admission), pack.year_of(order.until));
    met.when(admitted != settled, "year edge: admitted in one year, discharged in the next");
    met.when(
        admitted != settled && pack.year_start != 1,
        "year edge: of a year that starts within the calendar year",
    );
    met.when(!of_stay.is_empty() && axis.is_empty(), "year edge: a later part on a new axis");
    met.when(axis.iter().any(|live| live.year != settled), "year edge: a later part on the old axis");
    met.when(
        book.pack_on(stay.admission).from != pack.from,
        "pack: a new version between admission and discharge",
    );
    met.when(book.packs[0].from != pack.from, "pack: a later version");
}

/// The result by the names of the wire.
pub(crate) fn wire(share: &Share) -> Wire {
    Wire {
        total: share.split.total(),
        split: share.split,
        prepay: share.prepay,
        deductible_standard: share.deductible_standard,
        deductible: share.deductible,
        pool: share.pool,
        large: share.large,
        serious: share.serious,
        civil_servant: share.civil_servant,
        assistance: share.assistance,
        other: share.other,
        fund: share.fund(),
        personal: share.personal(),
        account: share.account,
        cash: share.cash,
    }
}

pub(crate) fn holds(share: &Share) {
    assert_eq!(faults(&wire(share)), Vec::<&str>::new(), "{share:?}");
}
