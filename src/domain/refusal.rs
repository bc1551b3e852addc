//! Owns the reasons for which an order is refused, each with the facts that a sentence about it needs.
//!
//! A refusal changes nothing and binds no message key: put right what it names and send again.

use rust_decimal::Decimal;

use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Moment;
use crate::domain::catalogue::NotMapped;
use crate::domain::codes::Scheme;
use crate::domain::filing_change::FilingRefusal;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::LineNo;
use crate::domain::ids::MessageId;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::institution::NotDesignated;
use crate::domain::money::Fen;
use crate::domain::pack::NoPolicy;
use crate::domain::split::NoSplit;
use crate::domain::stay::OutOfOrder;

/// Why an order is refused. Grouped by what it is about; where several apply, the first of the decision is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    // Institution.
    /// The register of designated institutions does not hold the code.
    InstitutionUnknown {
        institution: InstitutionCode,
    },
    NotDesignated {
        institution: InstitutionCode,
        day: Day,
        cause: NotDesignated,
    },
    /// Its `hosp_lv` is none that the rules know: the register must be put right.
    LevelUnknown {
        institution: InstitutionCode,
        level: String,
    },

    // Region.
    /// `insuplc_admdvs` is needed: `psn_no` is unique only within a pool.
    InsuredRegionMissing,
    RegionUnknown {
        region: RegionCode,
    },
    /// The gateway holds no pack, register and accumulators of that pool: call its agency.
    RegionNotConnected {
        /// `insuplc_admdvs` as it was sent: perhaps a district.
        given: RegionCode,
        pool: RegionCode,
        name: String,
        agency: RegionCode,
        agency_name: String,
    },
    /// `insuplc_admdvs` is not where the stay's person is insured.
    InsuredRegionDiffers {
        given: RegionCode,
    },
    /// The credential leads to a person who is held, and `insuplc_admdvs` to another pool than hers. Where she is insured
    /// stays untold.
    InsuredRegionMistaken {
        given: RegionCode,
    },
    /// No catalogue is held for this place of care.
    PlaceNotServed {
        place: RegionCode,
        name: String,
    },

    // Person.
    PersonUnknown {
        pool: RegionCode,
    },
    /// Nobody in the register has this credential.
    CredentialUnknown {
        kind: String,
    },
    /// It is a credential of somebody else.
    CredentialOfAnother {
        kind: String,
    },
    /// Electronic vouchers (01) are not resolved here: use identity card or social security card.
    TokenNotServed,
    /// The credential belongs to persons of several pools: say `insuplc_admdvs`.
    PersonAmbiguous {
        pools: Vec<RegionCode>,
    },
    NotCovered {
        insutype: String,
        day: Day,
        gap: CoverageGap,
        /// 险种 under which she is covered on that day.
        others: Vec<String>,
    },

    // Stay.
    /// No such stay of a person with this `psn_no` at the calling institution. Says nothing about stays elsewhere.
    StayUnknown {
        stay: StayId,
    },
    /// `psn_no` is not the stay's: a second door behind the ledger's own.
    PersonDiffers {
        stay: StayId,
    },
    /// `insutype` is not that of the admission.
    InsuranceDiffers {
        given: String,
        admitted: String,
    },
    OutOfOrder {
        stay: StayId,
        cause: OutOfOrder,
        /// The settlement that stands, and the hospital's own message of it.
        settled: Option<SettledAs>,
    },
    /// 在院: one open stay per person anywhere.
    OpenStay {
        institution: InstitutionCode,
        name: String,
        since: Moment,
        /// Whether it is the caller's own.
        own: bool,
        stay: Option<StayId>,
        /// Whether an earlier stay was to go on (2405) and not a new one to begin.
        resuming: bool,
    },
    /// Fee lines stand: withdraw them first (2302, "0000").
    LinesStand {
        count: u32,
    },
    /// The change would split lines otherwise while lines stand.
    ChangeWouldSplitAnew {
        count: u32,
    },
    /// A settled part was computed with this; reverse it first.
    ChangeAfterPart {
        field: &'static str,
    },

    /// 医疗类别 `med_type` of outpatients or of a pharmacy: no stay in hospital.
    NotInpatient {
        med_type: String,
    },

    // Days.
    /// A day lies in the future.
    InFuture {
        field: &'static str,
        day: Day,
        today: Day,
    },
    /// A day lies before another that it must not precede.
    TooEarly {
        field: &'static str,
        day: Day,
        earliest: Day,
        because: Bound,
    },
    /// A day lies after another that it must not follow.
    TooLate {
        field: &'static str,
        day: Day,
        latest: Day,
        because: Bound,
    },

    // Lines.
    /// Nothing of the call was taken; each faulty line with its fault.
    Lines(Vec<LineFault>),
    TooManyLines {
        given: usize,
        max: usize,
        /// Of the whole stay, or of this call.
        of_stay: bool,
    },
    NothingToSettle(NothingLeft),

    // Settlement.
    /// `medfee_sumamt` is not the sum of the lines.
    TotalDiffers {
        given: Fen,
        lines: Fen,
        count: u32,
        /// Up to this day, for a mid-stay part.
        up_to: Option<Day>,
    },
    NoPolicy(NoPolicy),
    /// The insurance of the admission says nothing that can be read as a scheme.
    InsuranceUnknown {
        insutype: String,
        med_type: String,
    },
    PersonTypeUnknown {
        person_type: String,
    },
    /// The first quote of an unfiled stay: what she pays now and what she would pay after filing today.
    Unfiled(UnfiledTold),
    /// No filing covers the stay and her region does not settle such claims.
    UnfiledRefused,
    /// The same of an emergency inside the province that was not filed within the days that her region gives.
    EmergencyNotFiled {
        days: u16,
    },
    /// A third party is liable (`ttp_resp` 1): the fund does not pay.
    ThirdParty,
    /// An injury without the signed commitment that no third party is liable.
    CommitmentMissing,
    /// 工伤认定 is missing: pay, and claim after the decision.
    NotRecognised {
        day: Day,
    },
    MaternityKindMissing,
    MaternityKindNotRuled {
        matn_type: String,
    },
    /// What is left of the lines is negative: a refund is settled without its original.
    NegativeTotal {
        field: &'static str,
        amount: Fen,
    },
    /// An amount is out of range.
    OutOfRange,
    /// Cash differs from the last quote (or there was none), and this institution wants to be asked again.
    QuoteAgain {
        quoted: Option<Fen>,
        now: Fen,
    },
    /// A result of ours breaks an identity, or a stored pack is missing: nothing is settled, someone must look.
    Broken {
        what: String,
    },

    // Reversal and undo.
    SettlementUnknown {
        settlement: SettlementId,
    },
    /// The id is that of a reversal.
    IsReversal {
        settlement: SettlementId,
    },
    AlreadyReversed {
        settlement: SettlementId,
    },
    /// Last in, first out: a later settlement of the same year stands. Its day and region, nothing more.
    LaterStands {
        scheme: Scheme,
        year: BenefitYear,
        day: Day,
        region: RegionCode,
        region_name: String,
    },
    /// A later part of the same stay stands: reverse that first.
    LaterPartStands {
        settlement: SettlementId,
    },
    /// 2601 does not undo this transaction: send it again with the same msgid, or use its own cancel.
    NotUndoable {
        transaction: u16,
        cancel: Option<u16>,
    },
    /// 2601 names a message of the institution that was done for another person and stands: nothing of hers would be
    /// undone.
    UndoOfAnother {
        transaction: u16,
        message: MessageId,
    },
    /// 2601 names a message of hers by another transaction than the one that it was.
    UndoOfOtherTransaction {
        given: u16,
        was: u16,
        message: MessageId,
    },
    /// The reversal cannot be taken back, since something came between: settle again.
    SettleAgain {
        settlement: SettlementId,
        since: Since,
    },

    // Filing.
    Filing(FilingRefusal),
    FilingUnknown {
        filing: FilingId,
    },
    /// Another institution, the center or she herself made it.
    FilingOfAnother {
        filing: FilingId,
    },
    /// A filing is for a city, a municipality or a province.
    FilingPlaceUnknown {
        region: RegionCode,
    },
    /// `hosp_agre_refl_flag` 0: the hospital does not agree to the referral.
    ReferralNotAgreed,
    /// The hospital named in a referral lies elsewhere than the place of the referral.
    ReferralPlaceDiffers {
        hospital: InstitutionCode,
        name: String,
        region: RegionCode,
        target: RegionCode,
    },
    /// Nothing insures her on the day.
    FilingNotInsured {
        day: Day,
    },
}

/// A settlement as its hospital knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledAs {
    pub settlement: SettlementId,
    pub message: MessageId,
}

/// Why nothing is there to settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NothingLeft {
    /// No line stands: lines are missing, or she left without cost.
    NoLines { discharged: bool },
    /// Parts have settled every line; this one last.
    AllSettled { settlement: SettlementId, up_to: Day },
    /// The lines that are left lie after the last day of the part.
    OnlyLater { up_to: Day, first: Day },
}

/// Which day bounds another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Admission,
    Discharge,
    /// The first day that the region table knows.
    RegionTable,
    LastLine,
    FirstLine,
    LastPart,
    Today,
    /// `begntime` of the same look-up.
    PeriodBegin,
}

/// Why no row of the register covers a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoverageGap {
    /// Never insured under this 险种.
    Never,
    /// Coverage begins later.
    NotYet { from: Day },
    /// It ended, and nothing followed.
    Ended { to: Day },
    /// Between two rows.
    Between { ended: Day, from: Day },
    /// 暂停 since that day.
    Paused { from: Day },
    /// 终止 since that day.
    Terminated { from: Day },
}

/// A line with its fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    pub no: LineNo,
    pub cause: LineRefusal,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineRefusal {
    /// The number stands with other content: withdraw it first, or use another number.
    OtherContent,
    /// The number means all lines in 2302: the line could not be withdrawn alone.
    MeansAll,
    /// Twice in one call with different content.
    TwiceInCall,
    NotMapped(NotMapped),
    NoSplit(NoSplit),
    /// The day of the fee lies outside the stay.
    OutsideStay {
        day: Day,
        first: Day,
        last: Day,
    },
    /// A settled part covers the day of the fee: reverse that part first.
    DaySettled {
        day: Day,
        up_to: Day,
        settlement: SettlementId,
    },
    /// Names a line to refund that does not stand.
    RefundOfUnknown {
        original: LineNo,
    },
    /// Refunds a refund.
    RefundOfRefund {
        original: LineNo,
    },
    /// The refunded line is in a settled part: reverse that part first.
    RefundOfSettled {
        original: LineNo,
        settlement: SettlementId,
    },
    /// Negative without `init_feedetl_sn`.
    RefundWithoutOriginal {
        count: Decimal,
    },
    /// 2302 of a line that does not stand.
    Unknown,
    /// 2302 of a line in a settled part.
    Settled {
        settlement: SettlementId,
    },
    /// 2302 of a line that a standing refund names: withdraw the refund too.
    Refunded {
        by: LineNo,
    },
}

/// Both figures of an unfiled stay, so that she can decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnfiledTold {
    /// Cash without a filing; absent where her region does not settle unfiled claims.
    pub cash_unfiled: Option<Fen>,
    /// Cash after filing today as 其他临时外出就医.
    pub cash_filed: Fen,
    /// The place that a filing must be for.
    pub place: RegionCode,
}

/// What came between a reversal and the wish to take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    DischargeCancelled,
    SettledAgain,
    /// Her sums of the year were changed by another stay or by an outside event.
    YearMoved,
    /// Fee lines or what is known of the stay.
    StayMoved,
    /// Less is left of the account than the settlement took.
    AccountShort,
    /// It was withdrawn, or ended before the admission.
    FilingGone,
}

/// What is told beside an answer. Never the only word about something that a cashier must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// Cash differs from the last quote.
    CashDiffers { quoted: Fen, now: Fen },
    /// A total sent by the hospital differs from ours, which counts.
    TotalIgnored { field: &'static str, given: Fen, ours: Fen },
    /// A third party is marked liable: the settlement will be refused.
    ThirdParty,
    /// The commitment for the injury is missing: the settlement will be refused until it is sent (2403).
    CommitmentMissing,
    /// It begins within another stay of hers that is settled: its days and where it was, nothing more.
    StaysOverlap { from: Day, to: Day, region: RegionCode, region_name: String },
    /// No filing covers the stay so far.
    Unfiled { place: RegionCode },
    /// No filing covers the stay, and it is priced so: a filing made now would still count.
    QuotedUnfiled,
    /// The same of what stands: a filing counts once it is settled again.
    SettledUnfiled,
    /// The message to undo never came, or was refused; it will be refused if it comes again.
    NeverDone,
    /// The reversal to undo was undone before.
    ReversalUndone,
    /// The message to undo was undone or fenced off before.
    NothingToUndo,
}
