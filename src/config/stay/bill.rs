//! Owns the split of a written bill: each line by its facts, refunds by the line that they refund.

use std::collections::HashMap;

use crate::config::stay::LineFacts;
use crate::config::stay::Refused;
use crate::config::stay::WrittenLine;
use crate::config::stay::WrittenStay;
use crate::domain::breakdown::BillTotals;
use crate::domain::calendar::Day;
use crate::domain::catalogue::CareParties;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::codes::Scheme;
use crate::domain::money::Fen;
use crate::domain::split::Charge;
use crate::domain::split::Cut;
use crate::domain::split::FullOwnPay;
use crate::domain::split::Left;
use crate::domain::split::Scope;

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
            .ok_or_else(|| Refused::line(line, "amount", "price × count is out of range".to_owned()))?;
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
            .map_err(|cause| Refused::line(line, cause.field(), cause.to_string()))?;
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
            .map_err(|cause| Refused::line(line, cause.field(), cause.to_string()))?;
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
        match &line.facts {
            LineFacts::Inline { class, first_pay, limit, restricted, injury_catalogue } => {
                Ok(CatalogueItem {
                    name: "".into(),
                    charge_level: *class,
                    self_pay: *first_pay,
                    price_limit: *limit,
                    restricted: *restricted,
                    charge_category: 14,
                    list_type: 0,
                    basic_drug: false,
                    negotiated: false,
                    child: false,
                    special: false,
                    injury: *injury_catalogue,
                })
            }
            LineFacts::Code(code) => self.look_up(line, code, day),
            LineFacts::OfRefunded => unreachable!("a refund is cut by the line that it refunds"),
        }
    }

    fn look_up(&self, line: &WrittenLine, code: &str, day: Day) -> Result<CatalogueItem, Refused> {
        let Some(catalogue) = self.catalogue else {
            let message =
                format!("{code} is a code, but no catalogue was given: name one with --catalogue FILE");
            return Err(Refused::line(line, "code", message));
        };
        let parties = CareParties { hospital: self.stay.hospital, person: self.stay.person.person_type };
        let found = catalogue.find(code, day, parties);
        found.cloned().map_err(|cause| Refused::line(line, "code", cause.to_string()))
    }
}
