//! Owns the fold: what a person and a stay are after each record. The same function at commit and at replay, so that
//! every table of the ledger can be proved from its records.

use std::sync::Arc;

use crate::domain::accumulators::Accumulators;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::codes::Scheme;
use crate::domain::filing::Filing;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::person::Balance;
use crate::domain::person::Register;
use crate::domain::record::Admission;
use crate::domain::record::Body;
use crate::domain::record::Discharge;
use crate::domain::record::Line;
use crate::domain::record::LineTotals;
use crate::domain::record::MessageKey;
use crate::domain::record::Reversal;
use crate::domain::record::Settlement;
use crate::domain::stay::Act;
use crate::domain::stay::OutOfOrder;
use crate::domain::stay::State;
use crate::domain::stay::next;

/// All that decisions about a person read, guarded by the version of her row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonState {
    pub register: Register,
    pub balance: Option<Balance>,
    /// Account payments since the extract was taken; reversals negative.
    pub debits: Vec<Debit>,
    pub years: Vec<YearUse>,
    pub filings: Vec<Filing>,
    pub open: Option<OpenStay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debit {
    pub at: Instant,
    pub amount: Fen,
}

/// The accumulators of one scheme and benefit year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YearUse {
    pub scheme: Scheme,
    pub year: BenefitYear,
    pub used: Accumulators,
    /// Deductible paid so far at each institution.
    pub deductibles: Vec<(InstitutionCode, Fen)>,
    /// The person's version at which this year last changed.
    pub touched: u64,
    /// Settlements that stand.
    pub live: Vec<Live>,
}

/// 在院: the one open stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenStay {
    pub stay: StayId,
    pub institution: InstitutionCode,
    pub since: Moment,
}

/// A settlement that stands: no more of it than others are held to, since her row carries all of them through every deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Person's version of its record.
    pub version: u64,
    pub institution_region: RegionCode,
    pub admitted: Day,
    pub policy_day: Day,
    /// Where the filing that counted for it stands among hers, of which none is ever taken out.
    pub filing: Option<u32>,
}

/// All that decisions about a stay read beside the person, guarded by the version of its row. Its lines lie in the
/// records; here stand their totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayState {
    pub state: State,
    /// Shared: a stay changes often, its admission hardly ever.
    pub admission: Arc<Admission>,
    /// Person's version of the admission: the records of this stay lie from here on.
    pub admitted_version: u64,
    pub admitted_by: MessageKey,
    pub discharge: Option<Discharge>,
    pub discharged_by: Option<MessageKey>,
    /// Standing lines that are not settled, by the day under which they count, in order.
    pub unsettled: Vec<(Day, LineTotals)>,
    pub parts: Vec<Part>,
    pub settled: Option<SettlementId>,
    pub settled_by: Option<MessageKey>,
}

/// A settled mid-stay part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub settlement: SettlementId,
    pub settled_by: MessageKey,
    pub up_to: Day,
    pub year: BenefitYear,
    pub totals: LineTotals,
    /// Deductible that it bore, and the year's admissions before it: later parts go on from there.
    pub act_pay_dedc: Fen,
    pub admissions_before: i64,
}

/// A record does not fit what came before it: the ledger is broken there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenFold {
    #[error("a record of a stay without its admission")]
    NoStay,
    #[error("the stay's state forbids it: {0:?}")]
    OutOfOrder(OutOfOrder),
    #[error("undoes a settlement that does not stand")]
    NotLive,
    #[error("ends or counts a filing that is not there")]
    NoFiling,
    #[error("settles or withdraws lines that are not there")]
    NoLines,
}

impl From<OutOfOrder> for BrokenFold {
    fn from(cause: OutOfOrder) -> Self {
        BrokenFold::OutOfOrder(cause)
    }
}

/// What a record is folded with, beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Person's version after the record.
    pub version: u64,
    pub key: &'a MessageKey,
    pub received_at: Instant,
    pub stay: Option<&'a StayId>,
}

/// A person and, where the deed belongs to one, a stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    pub person: PersonState,
    pub stay: Option<StayState>,
}

impl Folded {
    /// Takes one record in. On an error nothing may be kept of `self`.
    pub fn apply(&mut self, told: Told<'_>, body: &Body) -> Result<(), BrokenFold> {
        match body {
            Body::Registered(register) => self.person.register = register.clone(),
            Body::BalanceTaken(balance) => self.person.take_balance(*balance),
            Body::OutsideEvent(event) => {
                let year = self.person.year(event.scheme, event.year, told.version);
                year.used = year.used + event.used;
            }
            Body::FilingMade(filing) => self.person.filings.push(filing.clone()),
            Body::FilingEnded(ended) => {
                self.person.filing(&ended.filing)?.ended_from = Some(ended.last_day.next());
            }
            Body::Admitted(admission) => self.admit(told, admission)?,
            Body::AdmissionChanged(admission) => {
                let stay = self.stay_after(Act::Change)?;
                stay.admission = Arc::new(admission.clone());
            }
            Body::AdmissionCancelled => {
                self.stay_after(Act::CancelAdmission)?;
                self.person.open = None;
            }
            Body::Discharged(discharge) => {
                let stay = self.stay_after(Act::Discharge)?;
                stay.discharge = Some(discharge.clone());
                stay.discharged_by = Some(told.key.clone());
                self.person.open = None;
            }
            Body::DischargeCancelled => self.cancel_discharge(told)?,
            Body::LinesUploaded(lines) => {
                let stay = self.stay_after(Act::Upload)?;
                lines.iter().for_each(|line| stay.add(line.counts_on, &LineTotals::of(line)));
            }
            Body::LinesWithdrawn(withdrawal) => {
                let stay = self.stay_after(Act::Withdraw)?;
                for (day, totals) in &withdrawal.days {
                    stay.take(*day, totals)?;
                }
            }
            Body::Settled(settlement) => self.settle(told, settlement, told.version, told.key)?,
            Body::Reversed(reversal) => self.reverse(told, reversal)?,
            Body::Revived(revival) => {
                self.settle(told, &revival.settlement, revival.original_version, &revival.restores)?;
            }
            Body::Fenced(_) | Body::UndoneWithoutEffect(_) => {}
        }
        Ok(())
    }

    fn admit(&mut self, told: Told<'_>, admission: &Admission) -> Result<(), BrokenFold> {
        let id = told.stay.ok_or(BrokenFold::NoStay)?;
        self.person.open = Some(OpenStay {
            stay: id.clone(),
            institution: admission.institution.clone(),
            since: admission.begun,
        });
        self.stay = Some(StayState {
            state: State::InHospital,
            admission: Arc::new(admission.clone()),
            admitted_version: told.version,
            admitted_by: told.key.clone(),
            discharge: None,
            discharged_by: None,
            unsettled: Vec::new(),
            parts: Vec::new(),
            settled: None,
            settled_by: None,
        });
        Ok(())
    }

    fn cancel_discharge(&mut self, told: Told<'_>) -> Result<(), BrokenFold> {
        let stay = self.stay_after(Act::CancelDischarge)?;
        stay.discharge = None;
        stay.discharged_by = None;
        let (institution, since) = (stay.admission.institution.clone(), stay.admission.begun);
        let id = told.stay.ok_or(BrokenFold::NoStay)?;
        self.person.open = Some(OpenStay { stay: id.clone(), institution, since });
        Ok(())
    }

    /// The stay with its state moved on.
    fn stay_after(&mut self, act: Act) -> Result<&mut StayState, BrokenFold> {
        let stay = self.stay.as_mut().ok_or(BrokenFold::NoStay)?;
        stay.state = next(stay.state, act, stay.parts.len())?;
        Ok(stay)
    }

    fn settle(
        &mut self,
        told: Told<'_>,
        settlement: &Settlement,
        version: u64,
        key: &MessageKey,
    ) -> Result<(), BrokenFold> {
        let revived = version != told.version;
        let act = match (settlement.part, revived) {
            (true, false) => Act::SettlePart,
            (false, false) => Act::Settle,
            (true, true) => Act::RevivePart,
            (false, true) => Act::Revive,
        };
        let stay = self.stay_after(act)?;
        for (day, totals) in &settlement.days {
            stay.take(*day, totals)?;
        }
        if settlement.part {
            stay.parts.push(Part {
                settlement: settlement.id.clone(),
                settled_by: key.clone(),
                up_to: settlement.up_to,
                year: settlement.year,
                totals: settlement.days.iter().map(|(_, totals)| *totals).sum(),
                act_pay_dedc: settlement.breakdown.act_pay_dedc,
                admissions_before: settlement.breakdown.before.admissions,
            });
        } else {
            stay.settled = Some(settlement.id.clone());
            stay.settled_by = Some(key.clone());
        }
        let filing = settlement.filing.as_ref().map(|id| self.person.place_of(id)).transpose()?;
        self.person.debit(told.received_at, settlement.breakdown.acct_pay);
        self.person.count(settlement, told.version, 1).live.push(Live {
            version,
            institution_region: settlement.institution_region,
            admitted: settlement.admitted,
            policy_day: settlement.policy_day,
            filing,
        });
        Ok(())
    }

    fn reverse(&mut self, told: Told<'_>, reversal: &Reversal) -> Result<(), BrokenFold> {
        let settlement = &reversal.settlement;
        let stay = self.stay.as_mut().ok_or(BrokenFold::NoStay)?;
        if settlement.part {
            stay.parts.retain(|part| part.settlement != reversal.original);
            self.stay_after(Act::ReversePart)?;
        } else {
            let stay = self.stay_after(Act::Reverse)?;
            (stay.settled, stay.settled_by) = (None, None);
        }
        let stay = self.stay.as_mut().ok_or(BrokenFold::NoStay)?;
        settlement.days.iter().for_each(|(day, totals)| stay.add(*day, totals));
        self.person.debit(told.received_at, -settlement.breakdown.acct_pay);
        let year = self.person.count(settlement, told.version, -1);
        let at = year.live.iter().position(|live| live.version == reversal.original_version);
        year.live.remove(at.ok_or(BrokenFold::NotLive)?);
        Ok(())
    }
}

impl PersonState {
    /// What may be paid from the personal account now: the extract less what was debited after it was taken.
    pub fn available_balance(&self) -> Fen {
        let Some(balance) = self.balance else { return Fen::ZERO };
        let later: Fen = self.debits.iter().filter(|d| d.at > balance.taken_at).map(|d| d.amount).sum();
        balance.amount.less(later)
    }

    /// Accumulators of a scheme and year, as a claim reads them: assistance counts over all schemes. Nothing used when
    /// the year is new.
    pub fn used(&self, scheme: Scheme, year: BenefitYear) -> Accumulators {
        let own = self.find_year(scheme, year).map(|y| y.used).unwrap_or_default();
        Accumulators { maf: self.assistance_used(year), ..own }
    }

    pub fn find_year(&self, scheme: Scheme, year: BenefitYear) -> Option<&YearUse> {
        self.years.iter().find(|y| y.scheme == scheme && y.year == year)
    }

    /// 医疗救助 counts per year over all schemes.
    pub fn assistance_used(&self, year: BenefitYear) -> Fen {
        self.years.iter().filter(|y| y.year == year).map(|y| y.used.maf).sum()
    }

    /// Deductible already paid at one institution in that scheme and year.
    pub fn deductible_at(&self, scheme: Scheme, year: BenefitYear, institution: &InstitutionCode) -> Fen {
        let rows = self.find_year(scheme, year).map(|y| y.deductibles.as_slice()).unwrap_or_default();
        rows.iter().filter(|(code, _)| code == institution).map(|(_, paid)| *paid).sum()
    }

    /// The settlement that stands last in that scheme and year: the only one that may be reversed.
    pub fn last_live(&self, scheme: Scheme, year: BenefitYear) -> Option<&Live> {
        self.find_year(scheme, year)?.live.iter().max_by_key(|live| live.version)
    }

    /// Settlements that stand, of all schemes and years.
    pub fn live(&self) -> impl Iterator<Item = &Live> {
        self.years.iter().flat_map(|year| &year.live)
    }

    /// The last admission for which a filing counted, of settlements that stand.
    pub fn last_admitted_under(&self, filing: &FilingId) -> Option<Day> {
        let at = self.place_of(filing).ok()?;
        self.live().filter(|live| live.filing == Some(at)).map(|live| live.admitted).max()
    }

    fn take_balance(&mut self, balance: Balance) {
        self.debits.retain(|d| d.at > balance.taken_at);
        self.balance = Some(balance);
    }

    fn debit(&mut self, at: Instant, amount: Fen) {
        if !amount.is_zero() {
            self.debits.push(Debit { at, amount });
        }
    }

    fn place_of(&self, id: &FilingId) -> Result<u32, BrokenFold> {
        let at = self.filings.iter().position(|filing| filing.id == *id);
        at.and_then(|at| u32::try_from(at).ok()).ok_or(BrokenFold::NoFiling)
    }

    fn filing(&mut self, id: &FilingId) -> Result<&mut Filing, BrokenFold> {
        self.filings.iter_mut().find(|f| f.id == *id).ok_or(BrokenFold::NoFiling)
    }

    fn year(&mut self, scheme: Scheme, year: BenefitYear, version: u64) -> &mut YearUse {
        let at = match self.years.iter().position(|y| y.scheme == scheme && y.year == year) {
            Some(at) => at,
            None => {
                let used = Accumulators::default();
                let (deductibles, live) = (Vec::new(), Vec::new());
                self.years.push(YearUse { scheme, year, used, deductibles, touched: version, live });
                self.years.len() - 1
            }
        };
        let year = &mut self.years[at];
        year.touched = version;
        year
    }

    /// Adds (`sign` 1) or takes back (−1) what a settlement used.
    fn count(&mut self, settlement: &Settlement, version: u64, sign: i64) -> &mut YearUse {
        let year = self.year(settlement.scheme, settlement.year, version);
        let change = settlement.breakdown.change;
        year.used = if sign < 0 { year.used - change } else { year.used + change };
        let paid = Fen(settlement.breakdown.act_pay_dedc.0 * sign);
        match year.deductibles.iter_mut().find(|(code, _)| *code == settlement.institution) {
            Some((_, so_far)) => *so_far += paid,
            None => year.deductibles.push((settlement.institution.clone(), paid)),
        }
        year.deductibles.retain(|(_, paid)| !paid.is_zero());
        year
    }
}

impl StayState {
    /// Whether a settlement of this stay stands.
    pub fn is_settled_by(&self, settlement: &SettlementId) -> bool {
        self.settled.as_ref() == Some(settlement)
            || self.parts.iter().any(|part| part.settlement == *settlement)
    }

    /// The settlement that stands last, and its message.
    pub fn last_settled(&self) -> Option<(&SettlementId, &MessageKey)> {
        let last_part = self.parts.last().map(|part| (&part.settlement, &part.settled_by));
        self.settled.as_ref().zip(self.settled_by.as_ref()).or(last_part)
    }

    /// Totals of the standing lines that are not settled.
    pub fn open_totals(&self) -> LineTotals {
        self.unsettled.iter().map(|(_, totals)| *totals).sum()
    }

    /// The open days up to and with a day: what a mid-stay part settles.
    pub fn open_days(&self, up_to: Day) -> Vec<(Day, LineTotals)> {
        self.unsettled.iter().filter(|(day, _)| *day <= up_to).copied().collect()
    }

    pub fn last_line_day(&self) -> Option<Day> {
        self.unsettled.last().map(|(day, _)| *day)
    }

    fn add(&mut self, day: Day, totals: &LineTotals) {
        match self.unsettled.binary_search_by_key(&day, |(day, _)| *day) {
            Ok(at) => self.unsettled[at].1 = [self.unsettled[at].1, *totals].into_iter().sum(),
            Err(at) => self.unsettled.insert(at, (day, *totals)),
        }
    }

    fn take(&mut self, day: Day, totals: &LineTotals) -> Result<(), BrokenFold> {
        let at =
            self.unsettled.binary_search_by_key(&day, |(day, _)| *day).map_err(|_| BrokenFold::NoLines)?;
        let left = self.unsettled[at].1.minus(totals).ok_or(BrokenFold::NoLines)?;
        if left.count == 0 {
            self.unsettled.remove(at);
        } else {
            self.unsettled[at].1 = left;
        }
        Ok(())
    }
}

impl LineTotals {
    pub fn of(line: &Line) -> LineTotals {
        LineTotals {
            amount: line.amount,
            class_c: line.split.parts.full_own_pay,
            over_limit: line.split.parts.over_limit,
            first_pay: line.split.parts.first_pay,
            in_scope: line.split.parts.in_scope,
            count: 1,
        }
    }

    /// `None` when more lines would be taken than are there.
    fn minus(&self, other: &LineTotals) -> Option<LineTotals> {
        Some(LineTotals {
            amount: self.amount - other.amount,
            class_c: self.class_c - other.class_c,
            over_limit: self.over_limit - other.over_limit,
            first_pay: self.first_pay - other.first_pay,
            in_scope: self.in_scope - other.in_scope,
            count: self.count.checked_sub(other.count)?,
        })
    }
}

impl core::iter::Sum for LineTotals {
    fn sum<I: Iterator<Item = LineTotals>>(rows: I) -> LineTotals {
        rows.fold(LineTotals::default(), |a, b| LineTotals {
            amount: a.amount + b.amount,
            class_c: a.class_c + b.class_c,
            over_limit: a.over_limit + b.over_limit,
            first_pay: a.first_pay + b.first_pay,
            in_scope: a.in_scope + b.in_scope,
            count: a.count + b.count,
        })
    }
}
