//! Owns the deeds: what is written into the append-only ledger, one record a deed, and nothing else ever.
//!
//! A record is whole: every table of the ledger is a fold of records (`state.rs`), the same at commit and at replay.
//! What names a person or a disease stands apart in [`Private`], so that it can be encrypted and forgotten.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::domain::accumulators::Accumulators;
use crate::domain::accumulators::EarlierParts;
use crate::domain::benefit::Account;
use crate::domain::benefit::Claim;
use crate::domain::benefit::Insured;
use crate::domain::breakdown::BillTotals;
use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::codes::BenefitLevel;
use crate::domain::codes::HospitalLevel;
use crate::domain::codes::MaternityKind;
use crate::domain::codes::Scheme;
use crate::domain::filing::Filing;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::LineNo;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::pack::Policy;
use crate::domain::person::Balance;
use crate::domain::person::PersonPrivate;
use crate::domain::person::Register;
use crate::domain::posting::Entry;
use crate::domain::split::Cut;
use crate::domain::split::LineSplit;

/// What makes a call the same call: (institution, four digits of `infno`, `msgid`).
///
/// Events from outside use the same rule: their source system stands for the institution, their source id for the msgid.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey {
    pub institution: InstitutionCode,
    /// Four digits: 2304A keys as 2304.
    pub transaction: u16,
    pub message: MessageId,
}

/// What one row of a message says, as the first half of its SM3: tells a line that is sent again from another one under
/// the same number.
pub type RowDigest = [u8; 16];

/// SM3 over the typed business fields of a message, with the version of the recipe that chose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentHash {
    pub recipe: u8,
    pub digest: [u8; 32],
}

/// Who sent what, and what it was answered beside its figures. Kept so that a replay is answered byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub key: MessageKey,
    pub content: ContentHash,
    /// 接收方报文ID `inf_refmsgid` of the first answer.
    pub reference: String,
    pub received_at: Instant,
    /// 经办人 `opter`, a number of the institution's own.
    pub operator: String,
    /// `warn_msg` of the first answer, empty when there was none.
    pub warning: String,
    /// Version of the writer that wrote the first answer.
    pub writer: u16,
}

/// One append-only record, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub person: PersonKey,
    /// The person's version after this deed: the order of truth.
    pub version: u64,
    /// The stay it belongs to and that stay's version after it.
    pub stay: Option<(StayId, u64)>,
    /// Given by the ledger's lane at commit; never decreasing per person and per lane. The `setl_time` of settlements.
    pub at: Instant,
    pub meta: Meta,
    pub body: Body,
    pub private: Private,
}

/// What was done. Amounts in fen; days in China.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The register's row of a person as it stands from now on (import).
    Registered(Register),
    /// An account extract.
    BalanceTaken(Balance),
    /// Opening totals or something settled elsewhere that used the year's caps.
    OutsideEvent(OutsideEvent),
    FilingMade(Filing),
    FilingEnded(FilingEnded),
    Admitted(Admission),
    AdmissionChanged(Admission),
    AdmissionCancelled,
    Discharged(Discharge),
    DischargeCancelled,
    LinesUploaded(Vec<Line>),
    LinesWithdrawn(Withdrawal),
    Settled(Box<Settlement>),
    Reversed(Box<Reversal>),
    /// 2601 of 2305: the settlement stands again, as a positive row with an id of its own.
    Revived(Box<Revival>),
    /// 2601 of a message that never arrived: if it arrives later it is refused.
    Fenced(MessageKey),
    /// 2601 of something that does not stand: succeeded without effect.
    UndoneWithoutEffect(MessageKey),
}

/// Personal data of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Private {
    #[default]
    None,
    Person(PersonPrivate),
    Admission(AdmissionPrivate),
    Filing(FilingPrivate),
    Discharge(DischargePrivate),
    /// Was kept once and forgotten on purpose when its term had passed.
    Erased,
}

/// 2401, and 2403 for what it may change. Coded fields of the wire are kept as text; what decides money is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    pub institution: InstitutionCode,
    /// The institution's own region on the day of admission.
    pub institution_region: RegionCode,
    /// 险种类型 `insutype`
    pub insutype: String,
    /// 医疗类别 `med_type`
    pub med_type: String,
    /// 入院时间 `begntime`
    pub begun: Moment,
    /// Emergency: `med_type` 24 or an emergency flag. Watched, because it decides a rate.
    pub emergency: bool,
    /// Injury with a liable third party (`ttp_resp` 1): the fund does not pay.
    pub third_party: bool,
    /// Injury (`med_type` 22) for which the signed commitment is on file, or no injury at all.
    pub injury_cleared: bool,
    /// 生育类别 `matn_type`, empty when not maternity
    pub matn_type: String,
    /// Sent for work injury (`recer_sys_code` GSXT or the pool's insutype for it).
    pub work_injury: bool,
    /// 就诊凭证类型 `mdtrt_cert_type`
    pub credential_type: String,
    /// 住院号 `ipt_no`
    pub inpatient_no: String,
    /// 入院科室编码 `adm_dept_codg`, 名称 `adm_dept_name`, 床位 `adm_bed`
    pub department: String,
    pub department_name: String,
    pub bed: String,
    /// Other business fields of the message as sent, one JSON object, without personal data.
    pub raw: String,
}

/// What of an admission names a person or a disease.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AdmissionPrivate {
    pub contact_name: String,
    pub contact_phone: String,
    pub main_diagnosis_code: String,
    pub main_diagnosis_name: String,
    /// 入院诊断描述 `adm_diag_dscr`
    pub description: String,
    /// `diseinfo` rows as sent, one JSON array.
    pub diagnoses: String,
    /// Other fields of the message that may name a person, one JSON object.
    pub raw: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discharge {
    /// 出院时间 `endtime`
    pub ended: Moment,
    /// 离院方式 `dscg_way`
    pub way: String,
    /// 出院科室 `dscg_dept_codg`, `dscg_dept_name`, 床位 `dscg_bed`
    pub department: String,
    pub department_name: String,
    pub bed: String,
    /// 生育类别, when told at discharge; empty leaves what the admission said.
    pub matn_type: String,
    /// Other business fields as sent, one JSON object, without personal data.
    pub raw: String,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct DischargePrivate {
    /// `diseinfo` rows as sent, one JSON array.
    pub diagnoses: String,
    /// Other fields that may name a person or a disease, one JSON object.
    pub raw: String,
}

/// Contact data and diagnosis of a filing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FilingPrivate {
    pub phone: String,
    pub address: String,
    pub diagnosis_code: String,
    pub diagnosis_name: String,
    /// Reason, opinion and other fields as sent, one JSON object.
    pub raw: String,
}

macro_rules! hidden_debug {
    ($($name:ident),*) => {$(
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}
hidden_debug!(AdmissionPrivate, DischargePrivate, FilingPrivate);

/// One fee line (2301) with its split, fixed when it was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `feedetl_sn`
    pub no: LineNo,
    /// The line it refunds, `init_feedetl_sn`.
    pub refunds: Option<LineNo>,
    /// `fee_ocur_time`
    pub at: Moment,
    /// The day under which it counts in mid-stay parts: its own, for a refund never before its original's.
    pub counts_on: Day,
    /// 医疗目录编码 `med_list_codg`
    pub code: SmolStr,
    /// 医药机构目录编码 `medins_list_codg`
    pub own_code: SmolStr,
    /// `pric`, six decimals; `cnt`, four decimals, negative in a refund
    pub price: Decimal,
    pub count: Decimal,
    /// `hosp_appr_flag` is 1
    pub approved: bool,
    /// `det_item_fee_sumamt`; negative in a refund
    pub amount: Fen,
    /// SM3 of its business fields, to tell a resent line from another one under the same number.
    pub content: RowDigest,
    pub split: LineSplit,
    /// How it was cut, so that a refund of it is cut alike.
    pub cut: Cut,
    /// What the catalogue said of it, for the answer.
    pub item: LineItem,
    /// Other business fields as sent (departments, doctors, flags), one JSON object.
    pub raw: SmolStr,
}

/// What a catalogue entry said of a line beside its cut, as answers tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineItem {
    /// 收费项目等级 `chrgitm_lv`
    pub charge_level: ChargeLevel,
    /// 医疗收费项目类别 `med_chrgitm_type`, 1–14
    pub charge_category: u8,
    /// 目录类别 `list_type`
    pub list_type: u16,
    /// 限制使用 `lmt_used_flag`
    pub restricted: bool,
    /// 基本药物 `bas_medn_flag`
    pub basic_drug: bool,
    /// 医保谈判药品 `hi_nego_drug_flag`
    pub negotiated: bool,
    /// 儿童用药 `chld_medc_flag`
    pub child: bool,
    /// 目录特项 `list_sp_item_flag`
    pub special: bool,
}

/// 2302: which lines were withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub lines: Vec<LineNo>,
    /// Their totals, by the day under which they counted.
    pub days: Vec<(Day, LineTotals)>,
    /// Uploads that held one of them: their messages are no longer answered with success.
    pub uploads: Vec<MessageKey>,
}

/// Totals of a set of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineTotals {
    pub amount: Fen,
    pub class_c: Fen,
    pub over_limit: Fen,
    pub first_pay: Fen,
    pub in_scope: Fen,
    pub count: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilingEnded {
    pub filing: FilingId,
    /// Last day on which it covers; the day before its first when it is cancelled whole.
    pub last_day: Day,
    pub reason: String,
    /// The message that made it, when it is cancelled whole.
    pub cancels: Option<MessageKey>,
}

/// Something that used the year's caps without being settled here, with a source id of its own (the message key).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideEvent {
    pub kind: OutsideKind,
    pub scheme: Scheme,
    pub year: BenefitYear,
    /// Added to the accumulators; a withdrawal at the source is an event with negative figures.
    pub used: Accumulators,
    /// Day on which it happened.
    pub on: Day,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutsideKind {
    /// Totals of the year before the gateway began.
    Opening,
    /// Stay settled locally.
    LocalStay,
    /// 门慢/门特
    ChronicOutpatient,
    /// 手工报销
    ManualReimbursement,
    Other,
}

/// What a computation was given, the policy apart (that is named by pack hash, scheme and day).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimFacts {
    pub hospital: HospitalLevel,
    pub insured: Insured,
    pub level: BenefitLevel,
    pub totals: BillTotals,
    pub year: Accumulators,
    pub earlier: Option<EarlierParts>,
    pub closes_stay: bool,
    pub institution_deductible: Fen,
    pub account: Account,
    pub maternity: Option<MaternityKind>,
}

impl ClaimFacts {
    pub fn claim<'a>(&self, policy: &'a Policy) -> Claim<'a> {
        Claim {
            policy,
            hospital: self.hospital,
            insured: self.insured,
            level: self.level,
            totals: self.totals,
            year: self.year,
            earlier: self.earlier,
            closes_stay: self.closes_stay,
            institution_deductible: self.institution_deductible,
            account: self.account,
            maternity: self.maternity,
        }
    }
}

/// 2304: everything that the answer, the explanation, the clearing and an audit need, for 30 years.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub id: SettlementId,
    /// A mid-stay part, with the last day whose lines it settles.
    pub part: bool,
    pub up_to: Day,
    pub scheme: Scheme,
    pub insutype: String,
    pub med_type: String,
    pub person_type: String,
    pub civil_servant: bool,
    pub year: BenefitYear,
    pub admitted: Day,
    /// The day by which policy was chosen: discharge, or the last day of a part.
    pub policy_day: Day,
    /// Content hash of the policy pack.
    pub pack: String,
    pub institution: InstitutionCode,
    pub institution_region: RegionCode,
    pub institution_pool: RegionCode,
    pub insured_region: RegionCode,
    pub insured_pool: RegionCode,
    pub clearing_agency: RegionCode,
    /// 清算类别 `clr_type`, 清算方式 `clr_way`
    pub clearing_type: String,
    pub clearing_way: String,
    pub filing: Option<FilingId>,
    /// What the computation was given: run again with the same pack it must give the same breakdown.
    pub facts: ClaimFacts,
    pub breakdown: Breakdown,
    /// Lines settled, by the day under which they count.
    pub days: Vec<(Day, LineTotals)>,
    /// Account balance left, told as `balc`.
    pub balance_left: Fen,
    pub psn_setlway: String,
    pub credential_type: String,
    pub invoice: String,
    pub entries: Vec<Entry>,
}

/// 2305, or 2601 of 2304: the exact negative of a settlement, with an id of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    pub id: SettlementId,
    pub original: SettlementId,
    /// Person's version of the record that is undone.
    pub original_version: u64,
    pub original_at: Instant,
    pub settlement: Settlement,
    /// The message whose answer no longer stands.
    pub undoes: MessageKey,
    pub balance_left: Fen,
    /// Sides swapped.
    pub entries: Vec<Entry>,
}

/// 2601 of 2305.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revival {
    pub id: SettlementId,
    /// The settlement that stands again.
    pub settlement: Settlement,
    /// Its own first message: answered with its first success again.
    pub restores: MessageKey,
    /// Person's version of the record of that settlement.
    pub original_version: u64,
    pub reversal: SettlementId,
    /// The message of the reversal, undone by this.
    pub undoes: MessageKey,
    pub balance_left: Fen,
    pub entries: Vec<Entry>,
}
