//! Owns what an import would change in a person, field by field, with personal values masked.

use std::collections::BTreeMap;

use crate::domain::calendar::Day;
use crate::domain::person::AssistanceSpan;
use crate::domain::person::Coverage;
use crate::domain::person::CoverageStatus;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Recognition;
use crate::domain::person::Register;

/// One field of one person, before and after. Names, numbers and the like are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The column as files name it.
    pub field: &'static str,
    pub before: String,
    pub after: String,
}

/// How often each field differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldCounts(pub BTreeMap<&'static str, u64>);

impl FieldCounts {
    /// Counts a field once per person, however many of its rows differ.
    pub fn take(&mut self, differences: &[Difference]) {
        let mut last = None;
        for difference in differences {
            if last != Some(difference.field) {
                *self.0.entry(difference.field).or_default() += 1;
            }
            last = Some(difference.field);
        }
    }
}

/// Everything that differs, in the order of a file's columns.
pub fn between(
    (held, held_private): (&Register, &PersonPrivate),
    (new, new_private): (&Register, &PersonPrivate),
) -> Vec<Difference> {
    let mut found = of_identity(held_private, new_private);
    of_rows("insutype", &held.coverages, &new.coverages, coverage, &mut found);
    of_rows("psn_idet_type", &held.assistance, &new.assistance, assistance, &mut found);
    of_rows("recognition_no", &held.recognitions, &new.recognitions, recognition, &mut found);
    found
}

fn of_identity(held: &PersonPrivate, new: &PersonPrivate) -> Vec<Difference> {
    let birth = |private: &PersonPrivate| private.birth.map(|day| day.to_string()).unwrap_or_default();
    let (held_birth, new_birth) = (birth(held), birth(new));
    let mut found = Vec::new();
    let mut compare = |field, before: &str, after: &str, mask: fn(&str) -> String| {
        if before != after {
            found.push(Difference { field, before: mask(before), after: mask(after) });
        }
    };
    compare("psn_name", &held.name, &new.name, mask_name);
    compare("psn_cert_type", &held.certificate_type, &new.certificate_type, str::to_owned);
    compare("certno", &held.certificate_number, &new.certificate_number, mask_number);
    compare("gend", &held.gender, &new.gender, str::to_owned);
    compare("naty", &held.ethnicity, &new.ethnicity, mask_all);
    compare("brdy", &held_birth, &new_birth, mask_birth);
    compare("tel", &held.phone, &new.phone, mask_number);
    compare("card_no", &held.card_number, &new.card_number, mask_number);
    compare("emp_name", &held.employer, &new.employer, mask_name);
    found
}

/// Rows that only one side has: gone before, come after. Pairs that begin on the same day are one change.
fn of_rows<T: PartialEq>(
    field: &'static str,
    held: &[T],
    new: &[T],
    show: fn(&T) -> String,
    found: &mut Vec<Difference>,
) {
    let gone = held.iter().filter(|row| !new.contains(row)).map(show);
    let come = new.iter().filter(|row| !held.contains(row)).map(show);
    let (mut gone, mut come) = (gone.fuse(), come.fuse());
    loop {
        match (gone.next(), come.next()) {
            (None, None) => return,
            (before, after) => found.push(Difference {
                field,
                before: before.unwrap_or_default(),
                after: after.unwrap_or_default(),
            }),
        }
    }
}

fn span(from: Day, to: Option<Day>) -> String {
    to.map_or_else(|| format!("from {from}"), |to| format!("{from} to {to}"))
}

fn coverage(row: &Coverage) -> String {
    let status = match row.status {
        CoverageStatus::Active => "active",
        CoverageStatus::Paused => "paused",
        CoverageStatus::Ended => "ended",
    };
    let servant = if row.civil_servant { ", civil servant" } else { "" };
    let (insutype, kind, region) = (&row.insutype, &row.person_type, row.region);
    format!("{insutype} type {kind} {status} in {region}{servant}, {}", span(row.from, row.to))
}

fn assistance(row: &AssistanceSpan) -> String {
    format!("{}, {}", row.category, span(row.from, row.to))
}

fn recognition(row: &Recognition) -> String {
    format!("{}, {}", mask_number(&row.number), span(row.from, row.to))
}

/// 陈某某 → 陈**.
pub fn mask_name(name: &str) -> String {
    let mut characters = name.chars();
    let first: String = characters.next().into_iter().collect();
    first + &"*".repeat(characters.count())
}

/// The last two characters stay, so that two changed numbers can be told apart.
pub fn mask_number(number: &str) -> String {
    let length = number.chars().count();
    let shown: String = number.chars().skip(length.saturating_sub(2)).collect();
    if length <= 4 { mask_all(number) } else { "*".repeat(length - 2) + &shown }
}

fn mask_birth(day: &str) -> String {
    day.split_once('-').map_or_else(String::new, |(year, _)| format!("{year}-**-**"))
}

fn mask_all(text: &str) -> String {
    "*".repeat(text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RegionCode;

    fn row(person_type: &str, from: i32) -> Coverage {
        Coverage {
            insutype: "310".into(),
            person_type: person_type.into(),
            status: CoverageStatus::Active,
            civil_servant: false,
            region: RegionCode(440_703),
            from: Day::from_number(from).unwrap(),
            to: None,
        }
    }

    #[test]
    fn personal_values_are_masked() {
        assert_eq!(mask_name("陈样甲子"), "陈***");
        assert_eq!(mask_number("440799196803120019"), "****************19");
        assert_eq!(mask_number("1234"), "****");
        assert_eq!(mask_birth("1968-03-12"), "1968-**-**");
        assert_eq!(mask_name(""), "");
    }

    #[test]
    fn a_changed_row_and_a_changed_name_are_told_field_by_field() {
        let held = Register { coverages: vec![row("11", 20_200_101)], ..Register::default() };
        let new =
            Register { coverages: vec![row("11", 20_200_101), row("12", 20_260_101)], ..Register::default() };
        let (before, after) = (
            PersonPrivate { name: "陈样甲".into(), ..PersonPrivate::default() },
            PersonPrivate { name: "陈样乙".into(), ..PersonPrivate::default() },
        );
        let found = between((&held, &before), (&new, &after));
        assert_eq!(found.iter().map(|d| d.field).collect::<Vec<_>>(), ["psn_name", "insutype"]);
        assert_eq!((found[0].before.as_str(), found[0].after.as_str()), ("陈**", "陈**"));
        assert_eq!(found[1].before, "");
        assert_eq!(found[1].after, "310 type 12 active in 440703, from 2026-01-01");
        let mut counts = FieldCounts::default();
        counts.take(&found);
        counts.take(&found[1..]);
        assert_eq!(counts.0.into_iter().collect::<Vec<_>>(), [("insutype", 2), ("psn_name", 1)]);
    }
}
