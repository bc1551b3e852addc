//! Owns how the bodies of records, what was told with them and their personal data are kept.

use crate::domain::accumulators::Accumulators;
use crate::domain::breakdown::BillTotals;
use crate::domain::calendar::BenefitYear;
use crate::domain::calendar::Day;
use crate::domain::calendar::Instant;
use crate::domain::calendar::Moment;
use crate::domain::catalogue::ChargeLevel;
use crate::domain::codes::Scheme;
use crate::domain::ids::FilingId;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::LineNo;
use crate::domain::ids::RegionCode;
use crate::domain::money::Fen;
use crate::domain::money::Rate;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Admission;
use crate::domain::record::AdmissionPrivate;
use crate::domain::record::Body;
use crate::domain::record::ContentHash;
use crate::domain::record::Discharge;
use crate::domain::record::DischargePrivate;
use crate::domain::record::FilingEnded;
use crate::domain::record::FilingPrivate;
use crate::domain::record::Line;
use crate::domain::record::LineItem;
use crate::domain::record::LineTotals;
use crate::domain::record::MessageKey;
use crate::domain::record::Meta;
use crate::domain::record::OutsideEvent;
use crate::domain::record::OutsideKind;
use crate::domain::record::Private;
use crate::domain::record::RowDigest;
use crate::domain::record::Withdrawal;
use crate::domain::split::Cut;
use crate::domain::split::FullOwnPay;
use crate::domain::split::LineSplit;
use crate::ledger::codec::CodecError;
use crate::ledger::codec::decode;
use crate::ledger::codec::encode;
use crate::ledger::codec::packing;
use crate::ledger::codec::text::Keep;
use crate::ledger::codec::text::Text;
use rust_decimal::Decimal;
use smol_str::SmolStr;

/// The word under which a body is kept.
pub fn kind(body: &Body) -> &'static str {
    match body {
        Body::Registered(_) => "registered",
        Body::BalanceTaken(_) => "balance_taken",
        Body::OutsideEvent(_) => "outside_event",
        Body::FilingMade(_) => "filing_made",
        Body::FilingEnded(_) => "filing_ended",
        Body::Admitted(_) => "admitted",
        Body::AdmissionChanged(_) => "admission_changed",
        Body::AdmissionCancelled => "admission_cancelled",
        Body::Discharged(_) => "discharged",
        Body::DischargeCancelled => "discharge_cancelled",
        Body::LinesUploaded(_) => "lines_uploaded",
        Body::LinesWithdrawn(_) => "lines_withdrawn",
        Body::Settled(_) => "settled",
        Body::Reversed(_) => "reversed",
        Body::Revived(_) => "revived",
        Body::Fenced(_) => "fenced",
        Body::UndoneWithoutEffect(_) => "undone_without_effect",
    }
}

pub fn encode_body(body: &Body) -> String {
    match body {
        Body::Registered(register) => encode(register),
        Body::BalanceTaken(balance) => encode(balance),
        Body::OutsideEvent(event) => encode(event),
        Body::FilingMade(filing) => encode(filing),
        Body::FilingEnded(ended) => encode(ended),
        Body::Admitted(admission) | Body::AdmissionChanged(admission) => encode(admission),
        Body::AdmissionCancelled | Body::DischargeCancelled => "{}".into(),
        Body::Discharged(discharge) => encode(discharge),
        Body::LinesUploaded(lines) => packing::pack(encode(lines)),
        Body::LinesWithdrawn(withdrawal) => encode(withdrawal),
        Body::Settled(settlement) => encode(settlement.as_ref()),
        Body::Reversed(reversal) => encode(reversal.as_ref()),
        Body::Revived(revival) => encode(revival.as_ref()),
        Body::Fenced(key) | Body::UndoneWithoutEffect(key) => encode(key),
    }
}

pub fn decode_body(kind: &str, text: &str) -> Result<Body, CodecError> {
    Ok(match kind {
        "registered" => Body::Registered(decode("registered", text)?),
        "balance_taken" => Body::BalanceTaken(decode("balance_taken", text)?),
        "outside_event" => Body::OutsideEvent(decode("outside_event", text)?),
        "filing_made" => Body::FilingMade(decode("filing_made", text)?),
        "filing_ended" => Body::FilingEnded(decode("filing_ended", text)?),
        "admitted" => Body::Admitted(decode("admitted", text)?),
        "admission_changed" => Body::AdmissionChanged(decode("admission_changed", text)?),
        "admission_cancelled" => Body::AdmissionCancelled,
        "discharged" => Body::Discharged(decode("discharged", text)?),
        "discharge_cancelled" => Body::DischargeCancelled,
        "lines_uploaded" => Body::LinesUploaded(decode("lines_uploaded", &packing::unpack(text)?)?),
        "lines_withdrawn" => Body::LinesWithdrawn(decode("lines_withdrawn", text)?),
        "settled" => Body::Settled(Box::new(decode("settled", text)?)),
        "reversed" => Body::Reversed(Box::new(decode("reversed", text)?)),
        "revived" => Body::Revived(Box::new(decode("revived", text)?)),
        "fenced" => Body::Fenced(decode("fenced", text)?),
        "undone_without_effect" => Body::UndoneWithoutEffect(decode("undone_without_effect", text)?),
        unknown => return Err(CodecError::UnknownKind(unknown.into())),
    })
}

object!(Admission {
    institution: InstitutionCode,
    institution_region: RegionCode,
    insutype: String,
    med_type: String,
    begun: Moment,
    emergency: bool = default,
    third_party: bool = default,
    injury_cleared: bool = default,
    matn_type: String = default,
    work_injury: bool = default,
    credential_type: String = default,
    inpatient_no: String = default,
    department: String = default,
    department_name: String = default,
    bed: String = default,
    raw: String = default,
});

object!(AdmissionPrivate {
    contact_name: String = default,
    contact_phone: String = default,
    main_diagnosis_code: String = default,
    main_diagnosis_name: String = default,
    description: String = default,
    diagnoses: String = default,
    raw: String = default,
});

object!(Discharge {
    ended: Moment,
    way: String = default,
    department: String = default,
    department_name: String = default,
    bed: String = default,
    matn_type: String = default,
    raw: String = default,
});

object!(DischargePrivate { diagnoses: String = default, raw: String = default });

object!(FilingPrivate {
    phone: String = default,
    address: String = default,
    diagnosis_code: String = default,
    diagnosis_name: String = default,
    raw: String = default,
});

object!(LineSplit { amount: Fen, parts: BillTotals });

word!(FullOwnPay {
    ClassC = "class_c",
    RestrictedWithoutApproval = "restricted_without_approval",
    NotInInjuryCatalogue = "not_in_injury_catalogue",
});

object!(Cut {
    price: Decimal as "crate::ledger::codec::decimal",
    price_limit: Option<Decimal> = default as "crate::ledger::codec::decimal_option",
    self_pay: Rate,
    full_own_pay: Option<FullOwnPay> = default,
});

object!(LineItem {
    charge_level: ChargeLevel,
    charge_category: u8,
    list_type: u16,
    restricted: bool = default,
    basic_drug: bool = default,
    negotiated: bool = default,
    child: bool = default,
    special: bool = default,
});

object!(Line {
    no: LineNo,
    refunds: Option<LineNo> = default,
    at: Moment,
    counts_on: Day,
    code: SmolStr,
    own_code: SmolStr = default,
    price: Decimal as "crate::ledger::codec::decimal",
    count: Decimal as "crate::ledger::codec::decimal",
    approved: bool = default,
    amount: Fen,
    content: RowDigest as "crate::ledger::codec::bytes",
    split: LineSplit,
    cut: Cut,
    item: LineItem,
    raw: SmolStr = default,
});

object!(Withdrawal { lines: Vec<LineNo>, days: Vec<(Day, LineTotals)>, uploads: Vec<MessageKey> });

object!(FilingEnded {
    filing: FilingId,
    last_day: Day,
    reason: String = default,
    cancels: Option<MessageKey> = default,
});

word!(OutsideKind {
    Opening = "opening",
    LocalStay = "local_stay",
    ChronicOutpatient = "chronic_outpatient",
    ManualReimbursement = "manual_reimbursement",
    Other = "other",
});

object!(OutsideEvent { kind: OutsideKind, scheme: Scheme, year: BenefitYear, used: Accumulators, on: Day });

impl Keep for Private {
    fn keep(&self, to: &mut Text) {
        match self {
            // What was forgotten is never written: its ciphertext stays where it is.
            Private::None | Private::Erased => to.nothing(),
            Private::Person(data) => to.object(|to| to.field("\"person\":", data)),
            Private::Admission(data) => to.object(|to| to.field("\"admission\":", data)),
            Private::Filing(data) => to.object(|to| to.field("\"filing\":", data)),
            Private::Discharge(data) => to.object(|to| to.field("\"discharge\":", data)),
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeptPrivate {
    Person(PersonPrivate),
    Admission(AdmissionPrivate),
    Filing(FilingPrivate),
    Discharge(DischargePrivate),
}

impl<'de> serde::Deserialize<'de> for Private {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match <Option<KeptPrivate> as serde::Deserialize>::deserialize(from)? {
            None => Private::None,
            Some(KeptPrivate::Person(data)) => Private::Person(data),
            Some(KeptPrivate::Admission(data)) => Private::Admission(data),
            Some(KeptPrivate::Filing(data)) => Private::Filing(data),
            Some(KeptPrivate::Discharge(data)) => Private::Discharge(data),
        })
    }
}

/// What was told with a deed, its message key apart (that has columns of its own).
#[derive(serde::Deserialize)]
struct Told {
    content: ContentHash,
    #[serde(default)]
    reference: String,
    received_at: Instant,
    #[serde(default)]
    operator: String,
    #[serde(default)]
    warning: String,
    writer: u16,
}

struct ToldOf<'m>(&'m Meta);

impl Keep for ToldOf<'_> {
    fn keep(&self, to: &mut Text) {
        let ToldOf(meta) = self;
        to.object(|to| {
            to.field("\"content\":", &meta.content);
            to.unless_default("\"reference\":", &meta.reference);
            to.field("\"received_at\":", &meta.received_at);
            to.unless_default("\"operator\":", &meta.operator);
            to.unless_default("\"warning\":", &meta.warning);
            to.field("\"writer\":", &meta.writer);
        });
    }
}

pub fn encode_told(meta: &Meta) -> String {
    encode(&ToldOf(meta))
}

pub fn decode_told(key: MessageKey, text: &str) -> Result<Meta, CodecError> {
    let Told { content, reference, received_at, operator, warning, writer } = decode("told", text)?;
    Ok(Meta { key, content, reference, received_at, operator, warning, writer })
}
