//! Owns the split of a written bill: each line by its facts, refunds by the line that they refund.

use std::collections::HashMap;

use rust_decimal::Decimal;

use crate::config::stay::LineFacts;
use crate::config::stay::Refused;
use crate::config::stay::WrittenLine;
use crate::config::stay::WrittenStay;
use crate::config::stay::lines::FIRST_PAY_MISSING;
use crate::config::stay::lines::LINE_NAMES;
use crate::domain::breakdown::BillTotals;
use crate::domain::calendar::Day;
use crate::domain::catalogue::CareParties;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::catalogue::NotMapped;
use crate::domain::codes::Scheme;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::split::Charge;
use crate::domain::split::Cut;
use crate::domain::split::FullOwnPay;
use crate::domain::split::Left;
use crate::domain::split::Scope;

/// What the wire's name of a key is in a written stay.
fn own_name(wire: &'static str) -> &'static str {
    LINE_NAMES.iter().find(|(_, name)| *name == wire).map_or(wire, |(own, _)| own)
}

/// By how much an amount may differ from price × count: rules.md §2.1.
const TOLERANCE: Fen = Fen(1);

/// A line with its four parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitLine {
    pub no: String,
    /// The day on which it counts; of discharge where the line names none.
    pub day: Day,
    pub amount: Fen,
    pub parts: BillTotals,
    /// Why all of it is hers.
    pub full_own_pay: Option<FullOwnPay>,
    pub refund_of: Option<String>,
}

/// Splits every line in the order of the file.
///
/// # Errors
/// The first line that cannot be split, with the field at fault.
pub(super) fn split(
    stay: &WrittenStay,
    lines: &[WrittenLine],
    scheme: Scheme,
    catalogue: Option<&Catalogue>,
) -> Result<Vec<SplitLine>, Refused> {
    let mut splitter = Splitter { stay, scheme, catalogue, left: HashMap::new() };
    lines.iter().map(|line| splitter.line(line)).collect()
}

struct Splitter<'a> {
    stay: &'a WrittenStay,
    scheme: Scheme,
    catalogue: Option<&'a Catalogue>,
    /// What is left of each line that is no refund, and by what it is cut.
    left: HashMap<&'a str, (Cut, Left)>,
}

impl<'a> Splitter<'a> {
    fn line(&mut self, line: &'a WrittenLine) -> Result<SplitLine, Refused> {
        let charge = self.charge(line)?;
        let day = line.day.or(self.stay.discharged).unwrap_or(self.stay.admitted);
        if let Some(discharged) = self.stay.discharged.filter(|discharged| day > *discharged) {
            let message =
                format!("is {day}, after the discharge on {discharged}: correct one of the two days");
            return Err(Refused::line(line, "date", message));
        }
        match &line.refund_of {
            Some(original) => self.refund(line, original, &charge, day),
            None => self.forward(line, &charge, day),
        }
    }

    fn charge(&self, line: &WrittenLine) -> Result<Charge, Refused> {
        let product = || Fen::round(line.price.checked_mul(line.count)?).ok();
        let amount = line
            .amount
            .or_else(product)
            .ok_or_else(|| Refused::line(line, "amount", "price × count is out of range"))?;
        Ok(Charge { price: line.price, count: line.count, amount })
    }

    fn forward(&mut self, line: &'a WrittenLine, charge: &Charge, day: Day) -> Result<SplitLine, Refused> {
        if self.left.contains_key(line.no.as_str()) {
            return Err(Refused::line(
                line,
                "no",
                format!("{} stands twice: number the lines apart", line.no),
            ));
        }
        let cut = self.cut(line, day)?;
        let split = cut
            .split(charge, TOLERANCE)
            .map_err(|cause| Refused::line(line, own_name(cause.field()), cause.to_string()))?;
        self.left.insert(&line.no, (cut, Left { count: charge.count, amount: charge.amount }));
        Ok(self.done(line, day, split.amount, split.parts, cut.full_own_pay))
    }

    fn refund(
        &mut self,
        line: &WrittenLine,
        original: &str,
        charge: &Charge,
        day: Day,
    ) -> Result<SplitLine, Refused> {
        let (cut, left) = self.left.get_mut(original).ok_or_else(|| {
            Refused::line(
                line,
                "refund_of",
                format!("names {original}, which is no earlier line of this stay"),
            )
        })?;
        let split = cut
            .refund(*left, charge, TOLERANCE)
            .map_err(|cause| Refused::line(line, own_name(cause.field()), cause.to_string()))?;
        *left = Left { count: left.count + charge.count, amount: left.amount + charge.amount };
        let full_own_pay = cut.full_own_pay;
        Ok(self.done(line, day, split.amount, split.parts, full_own_pay))
    }

    fn done(
        &self,
        line: &WrittenLine,
        day: Day,
        amount: Fen,
        parts: BillTotals,
        full_own_pay: Option<FullOwnPay>,
    ) -> SplitLine {
        SplitLine { no: line.no.clone(), day, amount, parts, full_own_pay, refund_of: line.refund_of.clone() }
    }

    fn cut(&self, line: &WrittenLine, day: Day) -> Result<Cut, Refused> {
        let item = self.item(line, day)?;
        let scope = match self.scheme {
            Scheme::WorkInjury => Scope::Injury,
            Scheme::Employee | Scheme::Resident | Scheme::Maternity => Scope::Medical,
        };
        Ok(Cut::of(&item, line.price, line.approved, scope))
    }

    fn item(&self, line: &WrittenLine, day: Day) -> Result<CatalogueItem, Refused> {
        match (&line.facts.code, self.catalogue) {
            (Some(code), Some(catalogue)) => self.look_up(line, code, catalogue, day),
            (Some(_) | None, _) => written_item(line),
        }
    }

    fn look_up(
        &self,
        line: &WrittenLine,
        code: &str,
        catalogue: &Catalogue,
        day: Day,
    ) -> Result<CatalogueItem, Refused> {
        let parties = CareParties { hospital: self.stay.hospital, person: self.stay.person.person_type };
        let item = catalogue.find(code, day, parties).map_err(|cause| {
            let unmapped = matches!(cause, NotMapped::UnknownCode { .. });
            let message = if unmapped { format!("未对照: {cause}") } else { cause.to_string() };
            Refused::line(line, "code", message)
        })?;
        match differing(&line.facts, item) {
            Some((field, written, held)) => {
                let message = format!(
                    "is {written}, but the entry of {code} in the catalogue says {held}: leave it out, or correct one of the two"
                );
                Err(Refused::line(line, field, message))
            }
            None => Ok(item.clone()),
        }
    }
}

/// The first fact that is written beside a code and differs from the entry in force: its key, what is written, what
/// the catalogue says.
fn differing(written: &LineFacts, item: &CatalogueItem) -> Option<(&'static str, String, String)> {
    let limit = |limit: Option<Decimal>| limit.map_or("none".to_owned(), |limit| limit.to_string());
    let differs = |field, written: Option<String>, held: String| {
        written.filter(|written| *written != held).map(|written| (field, written, held))
    };
    let normal = |number: Decimal| number.normalize();
    differs("class", written.class.map(class_word), class_word(item.charge_level))
        .or_else(|| {
            let share = written.first_pay.map(|share| normal(share.0).to_string());
            differs("first_pay", share, normal(item.self_pay.0).to_string())
        })
        .or_else(|| {
            let held = limit(item.price_limit.map(normal));
            differs("limit", written.limit.map(|price| limit(Some(normal(price)))), held)
        })
        .or_else(|| {
            differs(
                "restricted",
                written.restricted.map(|flag| flag.to_string()),
                item.restricted.to_string(),
            )
        })
        .or_else(|| {
            let flag = written.injury_catalogue.map(|flag| flag.to_string());
            differs("injury_catalogue", flag, item.injury.to_string())
        })
}

fn class_word(class: ChargeLevel) -> String {
    let word = match class {
        ChargeLevel::A => "A",
        ChargeLevel::B => "B",
        ChargeLevel::C => "C",
    };
    word.to_owned()
}

/// What the line itself says of its item; a code is a mere label then.
fn written_item(line: &WrittenLine) -> Result<CatalogueItem, Refused> {
    let facts = &line.facts;
    let Some(class) = facts.class else {
        let code = facts.code.as_deref().unwrap_or_default();
        let message = format!(
            "{code} is a code, but no catalogue was given: name one with --catalogue FILE, or write its class beside it"
        );
        return Err(Refused::line(line, "code", message));
    };
    let self_pay = match (class, facts.first_pay) {
        (ChargeLevel::A | ChargeLevel::B, Some(share)) => share,
        (ChargeLevel::A, None) => Rate::ZERO,
        (ChargeLevel::C, _) => Rate::ONE,
        (ChargeLevel::B, None) => {
            return Err(Refused::line(line, "first_pay", format!("is missing: {FIRST_PAY_MISSING}")));
        }
    };
    Ok(CatalogueItem {
        name: "".into(),
        charge_level: class,
        self_pay,
        price_limit: facts.limit,
        restricted: facts.restricted.unwrap_or(false),
        charge_category: 14,
        list_type: 0,
        basic_drug: false,
        negotiated: false,
        child: false,
        special: false,
        injury: facts.injury_catalogue.unwrap_or(class != ChargeLevel::C),
    })
}
