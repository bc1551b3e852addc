//! Owns how answers name a person: the same fields, from the register as it stood when the deed was done.

use rust_decimal::Decimal;

use crate::domain::calendar::Day;
use crate::domain::person::PersonPrivate;
use crate::protocol::hospital::writer::Object;

/// 年龄 `age`, N(4,1): years and completed tenths of a year. Absent without a date of birth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AgeInTenths(Option<i64>);

impl AgeInTenths {
    pub(super) fn on(birth: Option<Day>, day: Day) -> AgeInTenths {
        AgeInTenths(birth.filter(|birth| *birth <= day).map(|birth| {
            const DAYS_OF_A_YEAR_MAX: i32 = 366;
            let years = day.years_since(birth);
            let birthday = birth.plus_months(years * 12);
            let tenths = day.days_since(birthday) * 10 / DAYS_OF_A_YEAR_MAX;
            i64::from(years * 10 + tenths.clamp(0, 9))
        }))
    }

    pub(super) fn write(self, row: &mut Object<'_>) {
        row.maybe_decimal("age", self.0.map(|tenths| Decimal::new(tenths, 1)), 1);
    }
}

/// Name and certificate, in the order that the answer has them.
pub(super) fn write_names(row: &mut Object<'_>, person: &PersonPrivate, order: [&'static str; 3]) {
    for wire in order {
        let text = match wire {
            "psn_name" => &person.name,
            "psn_cert_type" => &person.certificate_type,
            _ => &person.certificate_number,
        };
        row.known(wire, text);
    }
}

/// Name, certificate, sex, people, birth and age, as settlements and stays list them.
pub(super) fn write_person(row: &mut Object<'_>, person: &PersonPrivate, order: [&'static str; 3], on: Day) {
    write_names(row, person, order);
    row.known("gend", &person.gender).known("naty", &person.ethnicity).maybe_day("brdy", person.birth);
    AgeInTenths::on(person.birth, on).write(row);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_completed_tenths_of_a_year() {
        let day = |number| Day::from_number(number).unwrap();
        for (birth, on, tenths) in [
            (19_560_101, 20_260_101, Some(700)),
            (19_560_101, 20_251_231, Some(699)),
            (19_560_101, 20_260_206, Some(700)),
            (19_560_101, 20_260_207, Some(701)),
            (20_261_124, 20_261_124, Some(0)),
            (20_040_229, 20_250_228, Some(209)),
            (20_261_125, 20_261_124, None),
        ] {
            assert_eq!(AgeInTenths::on(Some(day(birth)), day(on)).0, tenths, "{birth} {on}");
        }
        assert_eq!(AgeInTenths::on(None, day(20_260_101)).0, None);
    }
}
