//! Owns the course of a written stay: its settlements and reversals one after the other, each by the domain's own rules.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::stay::Age;
use crate::config::stay::SchemeChoice;
use crate::config::stay::SplitLine;
use crate::config::stay::WrittenBill;
use crate::config::stay::WrittenInjury;
use crate::config::stay::WrittenKind;
use crate::config::stay::WrittenLine;
use crate::config::stay::WrittenSettlement;
use crate::config::stay::WrittenStay;
use crate::config::stay::YearSoFar;
use crate::config::stay::bill;
use crate::config::stay::lines::LINE_NAMES;
use crate::config::stay::place;
use crate::config::stay::place::Decided;
use crate::domain::accumulators::EarlierParts;
use crate::domain::accumulators::SettledPart;
use crate::domain::benefit::Account;
use crate::domain::benefit::Claim;
use crate::domain::benefit::Insured;
use crate::domain::benefit::NoBenefit;
use crate::domain::benefit::compute;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::catalogue::Catalogue;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::Scheme;
use crate::domain::explain::Step;
use crate::domain::explain::Steps;
use crate::domain::filing::Reason;
use crate::domain::money::Fen;
use crate::domain::pack::NoPolicy;
use crate::domain::pack::Pack;
use crate::domain::pack::Policy;
use crate::domain::pack::SchemeRules;

/// Why a stay gives no figures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    NoPolicy(#[from] NoPolicy),
    #[error(transparent)]
    NoBenefit(#[from] NoBenefit),
    #[error(
        "inside the province her region counts an emergency only when it is filed within {days} days of admission, here until {last_day}, and this one was not: before the settlement file as other temporary care, by the App 国家医保服务平台, the mini-program 国家异地就医备案 or at her region's office; or pay and claim by hand"
    )]
    EmergencyNotFiled { days: u16, last_day: Day },
    #[error("line {no}: {field}: {message}")]
    Line { no: String, field: &'static str, message: String },
    #[error("{field}: {message}")]
    Stay { field: String, message: String },
    #[error(
        "no recognition of the work injury covers the admission: not recognised yet; pay, and claim after the decision"
    )]
    NotRecognised,
    #[error("a third party is liable for the injury: the funds pay nothing; claim from the third party")]
    ThirdPartyLiable,
    #[error("the commitment that no third party is liable is not signed: sign it, then the funds pay")]
    NoCommitment,
}

impl Refused {
    /// `field` is our own name of a key. It and the wire's names in the message become those that the line was written
    /// with.
    pub(super) fn line(line: &WrittenLine, field: &'static str, message: impl AsRef<str>) -> Refused {
        let as_written = |own: &'static str, wire: &'static str| {
            if line.wire_names.contains(&wire) { wire } else { own }
        };
        let words = message.as_ref().split(' ').map(|word| {
            let name = LINE_NAMES.iter().find(|(_, wire)| *wire == word);
            name.map_or(word, |(own, wire)| as_written(own, wire))
        });
        let message = words.collect::<Vec<&str>>().join(" ");
        let name = LINE_NAMES.iter().find(|(own, _)| *own == field);
        let field = name.map_or(field, |(own, wire)| as_written(own, wire));
        Refused::Line { no: line.no.clone(), field, message }
    }

    fn stay(field: impl Into<String>, message: impl Into<String>) -> Refused {
        Refused::Stay { field: field.into(), message: message.into() }
    }

    /// A stable word for scripts.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::NoPolicy(NoPolicy::NotYetInForce { .. }) => "no-policy-yet",
            Refused::NoPolicy(NoPolicy::UnknownInsurance { .. } | NoPolicy::SchemeNotRuled { .. }) => {
                "scheme-not-ruled"
            }
            Refused::NoBenefit(NoBenefit::UnfiledRefused) | Refused::EmergencyNotFiled { .. } => "unfiled",
            Refused::NoBenefit(NoBenefit::MaternityKindMissing) => "matn-type-missing",
            Refused::NoBenefit(NoBenefit::MaternityKindNotRuled(_)) => "matn-type-not-ruled",
            Refused::NoBenefit(NoBenefit::NegativeTotal { .. }) => "negative-total",
            Refused::NoBenefit(NoBenefit::OutOfRange(_)) => "out-of-range",
            Refused::NoBenefit(NoBenefit::Broken(_)) => "internal",
            Refused::Line { .. } => "line",
            Refused::Stay { .. } => "stay",
            Refused::NotRecognised => "not-recognised",
            Refused::ThirdPartyLiable => "third-party-liable",
            Refused::NoCommitment => "no-commitment",
        }
    }

    /// Whether the stay is written wrongly, rather than refused by a rule.
    pub fn is_bad_input(&self) -> bool {
        matches!(self, Refused::Line { .. } | Refused::Stay { .. })
    }

    /// Whether this is a fault of the calculator itself.
    pub fn is_ours(&self) -> bool {
        matches!(self, Refused::NoBenefit(NoBenefit::Broken(_)))
    }

    /// What is wrong, without the field that [`Refused::field`] names.
    pub fn message(&self) -> String {
        match self {
            Refused::Line { message, .. } | Refused::Stay { message, .. } => message.clone(),
            other => other.to_string(),
        }
    }

    /// The field that is at fault, where there is one.
    pub fn field(&self) -> Option<String> {
        match self {
            Refused::Line { no, field, .. } => Some(format!("lines[no {no}].{field}")),
            Refused::Stay { field, .. } => Some(field.clone()),
            Refused::NoPolicy(NoPolicy::UnknownInsurance { .. }) => Some("insutype".to_owned()),
            Refused::NoPolicy(_) => Some("scheme".to_owned()),
            Refused::NoBenefit(NoBenefit::MaternityKindMissing | NoBenefit::MaternityKindNotRuled(_)) => {
                Some("matn_type".to_owned())
            }
            Refused::NoBenefit(NoBenefit::NegativeTotal { field, .. }) => Some((*field).to_owned()),
            Refused::NoBenefit(_)
            | Refused::EmergencyNotFiled { .. }
            | Refused::NotRecognised
            | Refused::ThirdPartyLiable
            | Refused::NoCommitment => None,
        }
    }
}

/// What kind of settlement it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettledKind {
    Part,
    Final,
    /// Of the settlement with this index.
    Reversal(usize),
}

/// One settlement or reversal.
#[derive(Clone, Debug)]
pub struct Settled {
    pub kind: SettledKind,
    /// The day that policy and benefit year go by.
    pub day: Day,
    pub policy: Arc<Policy>,
    pub year: BenefitYear,
    pub level: BenefitLevel,
    /// Index in the stay's filings.
    pub filing: Option<usize>,
    /// `None` where the stay names its level itself.
    pub reason: Option<Reason>,
    pub breakdown: Breakdown,
    /// None for a reversal: it turns the signs of the original.
    pub steps: Vec<Step>,
    /// False once a reversal undid it, and for reversals.
    pub stands: bool,
}

/// What a pack makes of a stay.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub scheme: Scheme,
    /// In the order in which they were made; never empty.
    pub settlements: Vec<Settled>,
    /// Empty where the bill was written as totals.
    pub lines: Vec<SplitLine>,
}

impl Outcome {
    pub fn standing(&self) -> impl Iterator<Item = &Settled> {
        self.settlements.iter().filter(|settled| settled.stands)
    }
}

/// Settles a stay by a pack.
///
/// # Errors
/// See [`Refused`].
pub fn settle(stay: &WrittenStay, pack: &Pack, catalogue: Option<&Catalogue>) -> Result<Outcome, Refused> {
    let last_day = last_day(stay);
    let scheme = match stay.scheme {
        SchemeChoice::Scheme(scheme) => scheme,
        SchemeChoice::Insurance(code) => pack.scheme_of(code, stay.care, last_day)?,
    };
    check_injury(stay.injury, scheme)?;
    let lines = match &stay.bill {
        WrittenBill::Totals(_) => Vec::new(),
        WrittenBill::Lines(lines) => bill::split(stay, lines, scheme, catalogue)?,
    };
    let mut course = Course::new(stay, pack, scheme, &lines);
    let whole = [WrittenSettlement {
        kind: WrittenKind::Final { totals: None },
        settled_on: None,
        level: None,
        use_account: None,
    }];
    let written = if stay.settlements.is_empty() { &whole } else { &stay.settlements[..] };
    for (settlement, n) in written.iter().zip(1..) {
        course.take(settlement, n)?;
    }
    let settlements = course.settled;
    Ok(Outcome { scheme, settlements, lines })
}

fn last_day(stay: &WrittenStay) -> Day {
    let through = stay.settlements.iter().filter_map(|settlement| match settlement.kind {
        WrittenKind::Part { through, .. } => Some(through),
        WrittenKind::Final { .. } | WrittenKind::Reverse => None,
    });
    stay.discharged.into_iter().chain(through).max().unwrap_or(stay.admitted)
}

fn check_injury(injury: Option<WrittenInjury>, scheme: Scheme) -> Result<(), Refused> {
    match (scheme, injury) {
        (Scheme::WorkInjury, None) => Err(Refused::NotRecognised),
        (Scheme::WorkInjury, Some(injury)) if !injury.recognised => Err(Refused::NotRecognised),
        (_, Some(injury)) if injury.third_party => Err(Refused::ThirdPartyLiable),
        (Scheme::WorkInjury, Some(_)) => Ok(()),
        (_, Some(injury)) if injury.traumatic && !injury.commitment => Err(Refused::NoCommitment),
        (_, Some(_) | None) => Ok(()),
    }
}

/// The state of the stay between two settlements.
struct Course<'a> {
    stay: &'a WrittenStay,
    pack: &'a Pack,
    scheme: Scheme,
    lines: &'a [SplitLine],
    years: HashMap<BenefitYear, YearSoFar>,
    balance: Fen,
    settled: Vec<Settled>,
    /// Indices of the settlements that stand, with what each holds of the bill.
    standing: Vec<Holding>,
}

struct Holding {
    index: usize,
    totals: BillTotals,
    /// The last day of a part that was cut by day.
    through: Option<Day>,
}

/// What one settlement takes of the bill.
struct Slice {
    totals: BillTotals,
    day: Day,
    through: Option<Day>,
    kind: SettledKind,
}

impl<'a> Course<'a> {
    fn new(stay: &'a WrittenStay, pack: &'a Pack, scheme: Scheme, lines: &'a [SplitLine]) -> Self {
        let years = stay.other_years.iter().copied().collect();
        let balance = stay.person.account_balance;
        Course { stay, pack, scheme, lines, years, balance, settled: Vec::new(), standing: Vec::new() }
    }

    /// `n` is the settlement's number in the file.
    fn take(&mut self, written: &WrittenSettlement, n: usize) -> Result<(), Refused> {
        let field = |key: &str| format!("settlements[{n}].{key}");
        match &written.kind {
            WrittenKind::Reverse => self.reverse().map_err(|message| Refused::stay(field("kind"), message)),
            WrittenKind::Part { .. } | WrittenKind::Final { .. } => {
                if self.is_finally_settled() {
                    let message = "comes after the final settlement: reverse that first";
                    return Err(Refused::stay(field("kind"), message));
                }
                let slice =
                    self.slice(&written.kind).map_err(|(key, message)| Refused::stay(field(key), message))?;
                self.settle(written, slice)
            }
        }
    }

    fn is_finally_settled(&self) -> bool {
        self.standing.last().is_some_and(|last| self.settled[last.index].kind == SettledKind::Final)
    }

    fn slice(&self, kind: &WrittenKind) -> Result<Slice, (&'static str, String)> {
        self.check_refunds()?;
        match kind {
            WrittenKind::Part { through, totals } => {
                let (totals, cut_by_day) = match totals {
                    Some(totals) => (*totals, None),
                    None => (self.lines_through(*through)?, Some(*through)),
                };
                self.check_part_day(*through)?;
                Ok(Slice { totals, day: *through, through: cut_by_day, kind: SettledKind::Part })
            }
            WrittenKind::Final { totals } => {
                let day = self.stay.discharged.ok_or(("kind", "needs a discharge".to_owned()))?;
                let totals = totals.unwrap_or(self.rest()?);
                Ok(Slice { totals, day, through: None, kind: SettledKind::Final })
            }
            WrittenKind::Reverse => Err(("kind", "is no settlement".to_owned())),
        }
    }

    fn check_part_day(&self, through: Day) -> Result<(), (&'static str, String)> {
        let stay = self.stay;
        if through < stay.admitted || stay.discharged.is_some_and(|discharged| discharged < through) {
            return Err(("through", format!("is {through}, outside the stay")));
        }
        let last = self.standing.last().map(|last| self.settled[last.index].day);
        match last.filter(|last| through < *last) {
            Some(last) => Err(("through", format!("is {through}, before the part through {last}"))),
            None => Ok(()),
        }
    }

    /// Lines up to a day that no standing part holds.
    fn lines_through(&self, through: Day) -> Result<BillTotals, (&'static str, String)> {
        if self.lines.is_empty() {
            return Err(("totals", "is missing: the bill has no lines that the day could cut".to_owned()));
        }
        let held = self.held_through();
        let in_part = |day: Day| day <= through && held.is_none_or(|held| day > held);
        let lines = self.lines.iter().filter(|line| in_part(line.day));
        Ok(lines.map(|line| line.parts).sum())
    }

    /// The last day whose lines a standing part holds.
    fn held_through(&self) -> Option<Day> {
        self.standing.iter().filter_map(|holding| holding.through).max()
    }

    /// A refund of a line that a standing part holds would move money that is settled.
    fn check_refunds(&self) -> Result<(), (&'static str, String)> {
        let Some(held) = self.held_through() else {
            return Ok(());
        };
        let day_of = |no: &str| self.lines.iter().find(|line| line.no == no).map(|line| line.day);
        let late = self
            .lines
            .iter()
            .filter(|line| line.day > held)
            .find(|line| line.refund_of.as_deref().and_then(day_of).is_some_and(|day| day <= held));
        match late {
            Some(line) => {
                let message = format!(
                    "finds line {} refunding a line of a settled part: reverse that part first",
                    line.no
                );
                Err(("kind", message))
            }
            None => Ok(()),
        }
    }

    /// What no standing part holds.
    fn rest(&self) -> Result<BillTotals, (&'static str, String)> {
        let whole = match &self.stay.bill {
            WrittenBill::Totals(totals) => *totals,
            WrittenBill::Lines(_) => self.lines.iter().map(|line| line.parts).sum(),
        };
        let rest = whole - self.standing.iter().map(|part| part.totals).sum();
        let parts = [rest.full_own_pay, rest.over_limit, rest.first_pay, rest.in_scope];
        if parts.iter().any(|part| part.is_negative()) {
            return Err(("kind", "finds less in the bill than the parts before it took".to_owned()));
        }
        Ok(rest)
    }

    fn settle(&mut self, written: &WrittenSettlement, slice: Slice) -> Result<(), Refused> {
        let policy = self.pack.policy(self.scheme, slice.day)?;
        let year = policy.year_start.year_of(slice.day);
        let asked_on = written.settled_on.unwrap_or(slice.day);
        let decided = match written.level {
            Some(level) => Decided { level, filing: None, reason: None },
            None => place::decided(self.stay, self.pack.region(), &policy.filing_terms, asked_on),
        };
        let so_far = self.year(year)?;
        let earlier = self.earlier(&policy, year);
        let mut steps = Steps::default();
        let claim = Claim {
            policy: &policy,
            hospital: self.stay.hospital,
            insured: self.insured(&policy)?,
            level: decided.level,
            totals: slice.totals,
            year: so_far.totals,
            earlier,
            closes_stay: slice.kind == SettledKind::Final,
            institution_deductible: so_far.deductible_here,
            account: self.account(written),
            maternity: self.stay.maternity,
        };
        let breakdown =
            compute(&claim, &mut steps).map_err(|cause| self.refused(cause, &decided, &policy))?;
        self.stand(&breakdown, year);
        self.standing.push(Holding {
            index: self.settled.len(),
            totals: slice.totals,
            through: slice.through,
        });
        self.settled.push(Settled {
            kind: slice.kind,
            day: slice.day,
            policy: Arc::clone(&policy),
            year,
            level: decided.level,
            filing: decided.filing,
            reason: decided.reason,
            breakdown,
            steps: steps.0,
            stands: true,
        });
        Ok(())
    }

    fn refused(&self, cause: NoBenefit, decided: &Decided, policy: &Policy) -> Refused {
        let late = decided.reason == Some(Reason::EmergencyNotFiledInTime);
        match (cause, policy.filing_terms.emergency_window_days) {
            (NoBenefit::UnfiledRefused, Some(days)) if late => {
                let last_day = self.stay.admitted.plus_days(i32::from(days));
                Refused::EmergencyNotFiled { days, last_day }
            }
            (cause, _) => Refused::NoBenefit(cause),
        }
    }

    fn account(&self, written: &WrittenSettlement) -> Account {
        let used = written.use_account.unwrap_or(self.stay.use_account);
        if used { Account::Used { balance: self.balance } } else { Account::NotUsed }
    }

    fn insured(&self, policy: &Policy) -> Result<Insured, Refused> {
        let person = &self.stay.person;
        let age = match person.age {
            Age::Years(age) => age,
            Age::Born(birth) => self.stay.admitted.years_since(birth),
            Age::Unknown if needs_age(policy) => {
                return Err(Refused::stay("person.age", "is missing: this pack pays a bonus by age"));
            }
            Age::Unknown => 0,
        };
        let (status, civil_servant, assistance) = (person.status, person.civil_servant, person.assistance);
        Ok(Insured { status, age, civil_servant, assistance })
    }

    /// The year's totals; what the file gives for `year` belongs to the year of the first settlement.
    fn year(&mut self, year: BenefitYear) -> Result<YearSoFar, Refused> {
        let (first, written) = (self.settled.is_empty(), self.stay.year);
        if first && written != YearSoFar::default() && self.years.contains_key(&year) {
            let message = format!("says the same as year, which is {year}: keep one");
            return Err(Refused::stay(format!("other_years.{year}"), message));
        }
        Ok(*self.years.entry(year).or_insert_with(|| if first { written } else { YearSoFar::default() }))
    }

    fn earlier(&self, policy: &Policy, year: BenefitYear) -> Option<EarlierParts> {
        let parts: Vec<SettledPart> = self
            .standing
            .iter()
            .map(|holding| &self.settled[holding.index])
            .map(|settled| SettledPart {
                year: settled.year,
                in_scope: settled.breakdown.inscp_scp_amt,
                act_pay_dedc: settled.breakdown.act_pay_dedc,
                admissions_before: settled.breakdown.before.admissions,
            })
            .collect();
        EarlierParts::on_axis(&parts, year, policy.stays.new_year_is_new_axis)
    }

    /// Moves the year's totals and the account by a settlement or a reversal.
    fn stand(&mut self, breakdown: &Breakdown, year: BenefitYear) {
        let so_far = self.years.entry(year).or_default();
        so_far.totals = so_far.totals + breakdown.change;
        so_far.deductible_here += breakdown.act_pay_dedc;
        self.balance = self.balance - breakdown.acct_pay;
    }

    fn reverse(&mut self) -> Result<(), &'static str> {
        let last = self.standing.pop().ok_or("finds no settlement that stands")?;
        self.settled[last.index].stands = false;
        let original = self.settled[last.index].clone();
        let breakdown = original.breakdown.negated();
        self.stand(&breakdown, original.year);
        let kind = SettledKind::Reversal(last.index);
        self.settled.push(Settled { kind, breakdown, steps: Vec::new(), stands: false, ..original });
        Ok(())
    }
}

fn needs_age(policy: &Policy) -> bool {
    match &policy.rules {
        SchemeRules::Basic(rules) => !rules.ratios.age_bonuses.values().is_empty(),
        SchemeRules::Maternity(_) | SchemeRules::WorkInjury(_) => false,
    }
}
