//! Owns what can be wrong with an entry that is well written: a region that no table knows, a day that has not come.

use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::region::Regions;
use crate::service::import::incoming::BalanceEntry;
use crate::service::import::incoming::FilingEntry;
use crate::service::import::incoming::Incoming;
use crate::service::import::incoming::OutsideEntry;
use crate::service::import::incoming::PersonEntry;

/// What an entry says against what the shared tables and the clock know. The column is named as files name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    pub column: &'static str,
    pub what: String,
}

/// What entries are held against.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub regions: &'a Regions,
    pub now: Instant,
}

impl Known<'_> {
    pub fn objections(&self, incoming: &Incoming) -> Vec<Objection> {
        let mut found = Vec::new();
        if let Some(objection) = incoming.person().and_then(|person| self.of_pool(person)) {
            return vec![objection];
        }
        match incoming {
            Incoming::Person(entry) => {
                found.extend([self.of_coverages(entry), self.of_birth(entry)].into_iter().flatten())
            }
            Incoming::Balance(entry) => found.extend(self.of_balance(entry)),
            Incoming::Outside(entry) => found.extend(self.of_event(entry)),
            Incoming::Filing(entry) => found.extend(self.of_filing(entry)),
            Incoming::Institution(institution) => found.extend(self.of_region("admdvs", institution.region)),
            Incoming::Catalogue(place, _) => found.extend(self.of_region("mdtrtarea_admdvs", *place)),
            Incoming::Region(_) => {}
        }
        found
    }

    fn today(&self) -> Day {
        self.now.day()
    }

    fn of_region(&self, column: &'static str, code: RegionCode) -> Option<Objection> {
        let unknown = self.regions.on(code, self.today()).is_none();
        unknown.then(|| Objection {
            column,
            what: format!("expected a region of the region table, which does not hold {code} today"),
        })
    }

    fn of_pool(&self, person: &PersonKey) -> Option<Objection> {
        let pool = self.regions.pool_of(person.pool, self.today());
        (pool != Some(person.pool)).then(|| Objection {
            column: "poolarea_no",
            what: match pool {
                Some(pool) => format!("expected a pooling region: {} is pooled in {pool}", person.pool),
                None => format!("expected a pooling region: the region table does not hold {}", person.pool),
            },
        })
    }

    fn of_coverages(&self, entry: &PersonEntry) -> Option<Objection> {
        let pool_of = |region| self.regions.pool_of(region, self.today());
        let coverages = entry.coverages.iter().flatten();
        let astray =
            coverages.map(|c| c.region).find(|region| pool_of(*region) != Some(entry.person.pool))?;
        let pool = entry.person.pool;
        let what = match pool_of(astray) {
            Some(other) => format!("expected a region of pool {pool}: {astray} is pooled in {other}"),
            None => format!("expected a region of pool {pool}: the region table does not hold {astray}"),
        };
        Some(Objection { column: "insuplc_admdvs", what })
    }

    fn of_birth(&self, entry: &PersonEntry) -> Option<Objection> {
        let later = entry.identity.birth.flatten().is_some_and(|birth| birth > self.today());
        later.then(|| Objection {
            column: "brdy",
            what: format!("expected a day that has come: today is {}", self.today()),
        })
    }

    /// Clocks differ a little; a day is too much.
    fn of_balance(&self, entry: &BalanceEntry) -> Option<Objection> {
        let later = entry.balance.taken_at.day() > self.today().next();
        later.then(|| Objection {
            column: "taken_at",
            what: format!("expected an instant that has come: today is {}", self.today()),
        })
    }

    fn of_event(&self, entry: &OutsideEntry) -> Option<Objection> {
        let (on, year) = (entry.event.on, entry.event.year.0);
        if on > self.today() {
            let what = format!("expected a day that has come: today is {}", self.today());
            return Some(Objection { column: "date", what });
        }
        let fits = year == on.year() || year == on.year() - 1;
        (!fits).then(|| Objection {
            column: "year",
            what: format!("expected the benefit year that holds {on}: {} or {}", on.year() - 1, on.year()),
        })
    }

    fn of_filing(&self, entry: &FilingEntry) -> Option<Objection> {
        if entry.made_on > self.today() {
            let what = format!("expected a day that has come: today is {}", self.today());
            return Some(Objection { column: "made_on", what });
        }
        self.of_region("mdtrtarea_admdvs", entry.target)
    }
}
