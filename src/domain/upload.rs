//! Owns what 2301 does with fee lines: which are new, how each is split, what is wrong with the others.

use std::collections::HashMap;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::catalogue::CareParties;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CatalogueItem;
use crate::domain::ids::LineNo;
use crate::domain::lines::Lines;
use crate::domain::money::Fen;
use crate::domain::record::Line;
use crate::domain::record::LineItem;
use crate::domain::record::RowDigest;
use crate::domain::refusal::LineFault;
use crate::domain::refusal::LineRefusal;
use crate::domain::refusal::Refusal;
use crate::domain::split::Charge;
use crate::domain::split::Cut;
use crate::domain::split::Left;
use crate::domain::split::LineSplit;
use crate::domain::split::Scope;
use crate::domain::state::Part;
use crate::domain::withdraw::EVERY_LINE;

/// One line of 2301 as the hospital sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineOrder {
    /// `feedetl_sn`
    pub no: LineNo,
    /// `init_feedetl_sn`
    pub refunds: Option<LineNo>,
    /// `fee_ocur_time`
    pub at: Moment,
    /// `med_list_codg`
    pub code: SmolStr,
    /// `medins_list_codg`
    pub own_code: SmolStr,
    pub price: Decimal,
    pub count: Decimal,
    /// `hosp_appr_flag` is 1
    pub approved: bool,
    pub amount: Fen,
    /// SM3 of its business fields, to tell a resent line from another one under the same number.
    pub content: RowDigest,
    /// Other business fields as sent, one JSON object.
    pub raw: SmolStr,
}

/// What lines are held against.
#[derive(Clone, Copy, Debug)]
pub struct UploadFacts<'a> {
    pub catalogue: &'a Catalogue,
    pub parties: CareParties,
    pub scope: Scope,
    /// Standing lines of the stay.
    pub standing: &'a Lines,
    pub admitted: Day,
    pub discharged: Option<Day>,
    /// The last part that is settled.
    pub last_part: Option<&'a Part>,
    pub today: Day,
    pub tolerance: Fen,
}

/// The lines of a call once none is at fault.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Those that did not stand yet, in the order of the call.
    pub fresh: Vec<Line>,
    /// Every line of the call in its order, with its split.
    pub all: Vec<Line>,
}

/// Splits the lines of a call.
///
/// # Errors
/// `Lines` with every faulty line; then none is taken.
pub fn upload(facts: &UploadFacts<'_>, orders: &[LineOrder]) -> Result<Taken, Refusal> {
    let mut call = Uploading { facts, fresh: HashMap::new(), faults: Vec::new() };
    // Originals before refunds, so that a call may hold both in any order.
    orders.iter().filter(|order| order.refunds.is_none()).for_each(|order| call.take(order));
    orders.iter().filter(|order| order.refunds.is_some()).for_each(|order| call.take(order));
    if call.faults.is_empty() { Ok(call.taken(orders)) } else { Err(call.refused(orders)) }
}

struct Uploading<'a> {
    facts: &'a UploadFacts<'a>,
    fresh: HashMap<LineNo, Line>,
    faults: Vec<LineFault>,
}

impl Uploading<'_> {
    fn take(&mut self, order: &LineOrder) {
        match self.line(order) {
            Ok(Some(line)) => {
                self.fresh.insert(line.no.clone(), line);
            }
            Ok(None) => {}
            Err(cause) => self.faults.push(LineFault { no: order.no.clone(), cause }),
        }
    }

    /// `None`: it stands already, here or earlier in the call, with the same content.
    fn line(&self, order: &LineOrder) -> Result<Option<Line>, LineRefusal> {
        if let Some(standing) = self.facts.standing.find(&order.no) {
            let same = standing.line.content == order.content;
            return if same { Ok(None) } else { Err(LineRefusal::OtherContent) };
        }
        if let Some(earlier) = self.fresh.get(&order.no) {
            let same = earlier.content == order.content;
            return if same { Ok(None) } else { Err(LineRefusal::TwiceInCall) };
        }
        if order.no.as_str() == EVERY_LINE {
            return Err(LineRefusal::MeansAll);
        }
        match &order.refunds {
            Some(original) => self.refund(order, original).map(Some),
            None => self.charge(order).map(Some),
        }
    }

    fn charge(&self, order: &LineOrder) -> Result<Line, LineRefusal> {
        let facts = self.facts;
        if order.count.is_sign_negative() && !order.count.is_zero() {
            return Err(LineRefusal::RefundWithoutOriginal { count: order.count });
        }
        let day = order.at.day();
        self.check_day(day, facts.discharged.unwrap_or(facts.today).min(facts.today))?;
        self.check_open(day)?;
        let item = facts.catalogue.find(&order.code, day, facts.parties).map_err(LineRefusal::NotMapped)?;
        let cut = Cut::of(item, order.price, order.approved, facts.scope);
        let split = cut.split(&charge_of(order), facts.tolerance).map_err(LineRefusal::NoSplit)?;
        Ok(line(order, day, split, cut, item_of(item)))
    }

    /// Cut as its original was, and counted with it, so that no part of a stay is settled without its refunds.
    fn refund(&self, order: &LineOrder, original: &LineNo) -> Result<Line, LineRefusal> {
        let facts = self.facts;
        self.check_day(order.at.day(), facts.today)?;
        let refunded = self.original(original)?;
        let left = self.left(refunded);
        let split = refunded.cut.refund(left, &charge_of(order), facts.tolerance);
        let split = split.map_err(LineRefusal::NoSplit)?;
        Ok(line(order, refunded.counts_on, split, refunded.cut, refunded.item))
    }

    fn original(&self, no: &LineNo) -> Result<&Line, LineRefusal> {
        let standing = self.facts.standing.find(no);
        if let Some(settlement) = standing.and_then(|standing| standing.settled_by.clone()) {
            return Err(LineRefusal::RefundOfSettled { original: no.clone(), settlement });
        }
        let line = standing.map(|standing| &standing.line).or_else(|| self.fresh.get(no));
        let line = line.ok_or_else(|| LineRefusal::RefundOfUnknown { original: no.clone() })?;
        if line.refunds.is_some() {
            return Err(LineRefusal::RefundOfRefund { original: no.clone() });
        }
        Ok(line)
    }

    /// What is left of a line after the refunds that stand and those earlier in the call.
    fn left(&self, line: &Line) -> Left {
        let earlier = self.fresh.values().filter(|other| other.refunds.as_ref() == Some(&line.no));
        let refunds = self.facts.standing.refunds_of(&line.no).chain(earlier);
        refunds.fold(Left { count: line.count, amount: line.amount }, |left, refund| Left {
            count: left.count + refund.count,
            amount: left.amount + refund.amount,
        })
    }

    fn check_day(&self, day: Day, last: Day) -> Result<(), LineRefusal> {
        let first = self.facts.admitted;
        if day < first || day > last {
            return Err(LineRefusal::OutsideStay { day, first, last });
        }
        Ok(())
    }

    /// A day that a part has settled takes no more charges: they would count in the next part, perhaps in another benefit
    /// year. What is done for her on the day of the part itself goes on until that day is over, and belongs to the next one.
    fn check_open(&self, day: Day) -> Result<(), LineRefusal> {
        let Some(part) = self.facts.last_part else { return Ok(()) };
        let up_to = part.up_to;
        if day > up_to || (day == up_to && day == self.facts.today) {
            return Ok(());
        }
        Err(LineRefusal::DaySettled { day, up_to, settlement: part.settlement.clone() })
    }

    fn taken(mut self, orders: &[LineOrder]) -> Taken {
        let standing = self.facts.standing;
        let find = |no: &LineNo| standing.find(no).map(|row| &row.line).or_else(|| self.fresh.get(no));
        let all: Vec<Line> = orders.iter().filter_map(|order| find(&order.no).cloned()).collect();
        let fresh = orders.iter().filter_map(|order| self.fresh.remove(&order.no)).collect();
        Taken { fresh, all }
    }

    /// The faults in the order of the call.
    fn refused(mut self, orders: &[LineOrder]) -> Refusal {
        let place = |no: &LineNo| orders.iter().position(|order| order.no == *no);
        self.faults.sort_by_key(|fault| place(&fault.no));
        Refusal::Lines(self.faults)
    }
}

fn charge_of(order: &LineOrder) -> Charge {
    Charge { price: order.price, count: order.count, amount: order.amount }
}

fn line(order: &LineOrder, counts_on: Day, split: LineSplit, cut: Cut, item: LineItem) -> Line {
    Line {
        no: order.no.clone(),
        refunds: order.refunds.clone(),
        at: order.at,
        counts_on,
        code: order.code.clone(),
        own_code: order.own_code.clone(),
        price: order.price,
        count: order.count,
        approved: order.approved,
        amount: order.amount,
        content: order.content,
        split,
        cut,
        item,
        raw: order.raw.clone(),
    }
}

fn item_of(item: &CatalogueItem) -> LineItem {
    LineItem {
        charge_level: item.charge_level,
        charge_category: item.charge_category,
        list_type: item.list_type,
        restricted: item.restricted,
        basic_drug: item.basic_drug,
        negotiated: item.negotiated,
        child: item.child,
        special: item.special,
    }
}
