//! The filing that counts for a stay: the decision order of rules.md §1.3.
use super::counts::Met;
use super::pack::Benefit;
use jiff::civil::Date;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Category {
    LongTerm,
    Referral,
    OtherTemporary,
}

/// Region codes of six digits: a city ends in 00, a municipality (直辖市) in 0000.
pub(crate) type Region = u32;

#[derive(Clone, Debug)]
pub(crate) struct Filing {
    pub(crate) category: Category,
    pub(crate) place: Region,
    pub(crate) from: Date,
    pub(crate) until: Option<Date>,
    pub(crate) made: Date,
}

fn inside(filed: Region, hospital: Region) -> bool {
    let municipality = filed.is_multiple_of(10_000);
    if municipality { filed / 10_000 == hospital / 10_000 } else { filed / 100 == hospital / 100 }
}

/// A filing made after admission and before settlement counts as from admission (§2.7). Days are all we
/// know, so one made on the day of admission is such a one; and it must have begun by the settlement.
fn covers(filing: &Filing, case: &Case<'_>) -> bool {
    let made_in_time = filing.made >= case.admission && filing.from <= case.settled_on;
    let begun = filing.from <= case.admission || made_in_time;
    begun && filing.until.is_none_or(|last| case.admission <= last)
}

pub(crate) struct Case<'a> {
    pub(crate) home: Region,
    pub(crate) hospital: Region,
    pub(crate) admission: Date,
    pub(crate) settled_on: Date,
    pub(crate) emergency: bool,
    pub(crate) in_province_free: bool,
    pub(crate) filings: &'a [Filing],
}

pub(crate) fn benefit(case: &Case<'_>, met: &mut Met) -> Benefit {
    let known = case.filings.iter().filter(|f| f.made <= case.settled_on);
    let covering: Vec<&Filing> = known.filter(|f| covers(f, case)).collect();
    let at_place = |category| {
        let mut found = covering.iter().filter(|f| f.category == category && inside(f.place, case.hospital));
        found.any(|_| true)
    };
    if inside(case.home, case.hospital) {
        let away = covering.iter().any(|f| f.category == Category::LongTerm);
        return if away { Benefit::LongTermHome } else { Benefit::Local };
    }
    if case.in_province_free && case.home / 10_000 == case.hospital / 10_000 {
        return Benefit::InProvince;
    }
    met.when(
        covering.iter().any(|f| f.made > case.admission && inside(f.place, case.hospital)),
        "filing: made after admission, before settlement",
    );
    if at_place(Category::LongTerm) {
        return Benefit::LongTerm;
    }
    if at_place(Category::Referral) {
        met.when(case.emergency, "filing: a referral goes before the emergency flag");
        return Benefit::Referral;
    }
    if case.emergency {
        met.when(at_place(Category::OtherTemporary), "filing: emergency beats other temporary");
        return Benefit::Emergency;
    }
    if at_place(Category::OtherTemporary) { Benefit::OtherTemporary } else { Benefit::Unfiled }
}
