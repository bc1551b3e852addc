//! Owns how persons, stays, records and settlements are read out of their rows, whatever database gave them.

use std::sync::Arc;

use crate::domain::breakdown::Breakdown;
use crate::domain::calendar::Instant;
use crate::domain::clearing::MonthRow;
use crate::domain::ids::Bucket;
use crate::domain::ids::InstitutionCode;
use crate::domain::ids::MessageId;
use crate::domain::ids::PersonKey;
use crate::domain::ids::RegionCode;
use crate::domain::ids::SettlementId;
use crate::domain::ids::StayId;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::record::ContentHash;
use crate::domain::record::MessageKey;
use crate::domain::record::Private;
use crate::domain::record::Record;
use crate::ledger::ClearingRow;
use crate::ledger::Facts;
use crate::ledger::LedgerError;
use crate::ledger::StayFacts;
use crate::ledger::codec;
use crate::ledger::codec::CodecError;
use crate::ledger::effect;
use crate::ledger::row::Row;
use crate::ledger::row::column;
use crate::ledger::row::damaged;
use crate::ledger::row::misread;
use crate::ledger::row::parsed;
use crate::ledger::row::person;
use crate::ledger::row::text;
use crate::ledger::seal::merkle::Hash;
use crate::ledger::secrets::Secrets;

type Read<T> = Result<T, LedgerError>;

/// The columns of a record, in the order in which [`kept_record`] takes them.
pub(super) const RECORD: &str = "person, version, stay, stay_version, kind, at_ms, institution, infno, msgid, \
                                 format, told, body, private, keyed, lane, lane_sequence, commitment";

/// The columns of a person, in the order in which [`kept_person`] takes them.
pub(super) const PERSON: &str = "version, last_ms, state, private, person";

/// The columns of a stay, in the order in which [`kept_stay`] takes them.
pub(super) const STAY: &str = "person, version, state";

/// The columns of a message, in the order in which [`MessageState::kept`] takes them.
pub(super) const MESSAGE: &str = "person, version, undone_by, fence, recipe, content";

/// The columns of a row of a month, in the order in which [`clearing_row`] takes them.
pub(super) const CLEARING: &str = "setl_id, original, person, version, at_ms, insured_pool, care_pool, institution, \
                                   medfee, fund, account + mutual_aid, cash, kind";

/// A person, without a stay, from the columns of [`PERSON`].
pub(super) fn kept_person<R: Row + ?Sized>(
    secrets: &Secrets,
    row: &R,
    bucket: Bucket,
    person: PersonKey,
) -> Read<Facts> {
    let known = of_the_register(private(secrets, row, (4, 3), None)?)
        .ok_or_else(|| damaged(&format!("{person:?}"), "her row keeps what is not hers"))?;
    Ok(Facts {
        bucket,
        version: column(row, 0)?,
        last_at: Instant(column(row, 1)?),
        person: Arc::new(decoded(row, 2, "person", &person)?),
        private: Arc::new(known),
        key: person,
        stay: None,
        lines: None,
        settlement: None,
    })
}

/// A stay and whose it is, from the columns of [`STAY`].
pub(super) fn kept_stay<R: Row + ?Sized>(row: &R, id: &StayId) -> Read<(PersonKey, StayFacts)> {
    let person = person(row, 0)?;
    let state = Arc::new(decoded(row, 2, "stay", &person)?);
    Ok((person, StayFacts { id: id.clone(), version: column(row, 1)?, state }))
}

/// What a message's row tells: which records it is about.
#[derive(Clone, Debug)]
pub(super) struct MessageState {
    pub(super) person: String,
    pub(super) version: i64,
    /// 0 while it stands.
    pub(super) undone_by: i64,
    pub(super) fence: bool,
    pub(super) content: ContentHash,
}

impl MessageState {
    /// From the columns of [`MESSAGE`].
    pub(super) fn kept<R: Row + ?Sized>(row: &R) -> Read<MessageState> {
        Ok(MessageState {
            person: column(row, 0)?,
            version: column(row, 1)?,
            undone_by: column(row, 2)?,
            fence: column(row, 3)?,
            content: ContentHash { recipe: column(row, 4)?, digest: column(row, 5)? },
        })
    }
}

/// A record from the columns of [`RECORD`], with its money held to the identities once more.
pub(super) fn kept_record<R: Row + ?Sized>(secrets: &Secrets, row: &R) -> Read<Record> {
    let format: i64 = column(row, 9)?;
    if format > codec::FORMAT {
        return Err(misread(row, &CodecError::NewerFormat(format)));
    }
    let key = MessageKey {
        institution: parsed(row, 6, InstitutionCode::parse)?,
        transaction: column(row, 7)?,
        message: parsed(row, 8, MessageId::parse)?,
    };
    let stay_id = row.text(2)?.map(StayId::parse).transpose().map_err(|cause| misread(row, &cause))?;
    let body = codec::decode_body(text(row, 4)?, text(row, 11)?).map_err(|cause| misread(row, &cause))?;
    effect::verify(&body).map_err(|cause| misread(row, &cause))?;
    Ok(Record {
        person: person(row, 0)?,
        version: column(row, 1)?,
        stay: stay_id.map(|id| Ok::<_, LedgerError>((id, column(row, 3)?))).transpose()?,
        at: Instant(column(row, 5)?),
        meta: codec::decode_told(key, text(row, 10)?).map_err(|cause| misread(row, &cause))?,
        body,
        private: private(secrets, row, (0, 12), column(row, 16)?)?,
    })
}

/// Personal data, from the columns of whose it is and of its ciphertext.
fn private<R: Row + ?Sized>(
    secrets: &Secrets,
    row: &R,
    (whose, at): (usize, usize),
    commitment: Option<Hash>,
) -> Read<Private> {
    secrets.private(text(row, whose)?, row.bytes(at)?, commitment.as_ref())
}

/// What a person's row keeps of her. Nothing is left of it once it was forgotten.
fn of_the_register(private: Private) -> Option<PersonPrivate> {
    match private {
        Private::Person(known) => Some(known),
        Private::None | Private::Erased => Some(PersonPrivate::default()),
        Private::Filing(_) | Private::Admission(_) | Private::Discharge(_) => None,
    }
}

/// From the columns of [`CLEARING`].
pub(super) fn clearing_row<R: Row + ?Sized>(row: &R) -> Read<ClearingRow> {
    let original = row.text(1)?.map(SettlementId::parse).transpose();
    let sign = if text(row, 12)? == "reversed" { -1 } else { 1 };
    Ok(ClearingRow {
        settlement: parsed(row, 0, SettlementId::parse)?,
        original: original.map_err(|cause| misread(row, &cause))?,
        person: person(row, 2)?,
        version: column(row, 3)?,
        at: Instant(column(row, 4)?),
        row: MonthRow {
            insured_pool: RegionCode(column(row, 5)?),
            care_pool: RegionCode(column(row, 6)?),
            institution: parsed(row, 7, InstitutionCode::parse)?,
            medfee: Fen(column(row, 8)?),
            fund: Fen(column(row, 9)?),
            account: Fen(column(row, 10)?),
            cash: Fen(column(row, 11)?),
            sign,
        },
    })
}

/// Amounts of a breakdown in the order of the columns `medfee` to `cash`.
pub(super) fn amounts(b: &Breakdown) -> [Fen; 15] {
    [
        b.medfee_sumamt,
        b.hifp_pay,
        b.hifob_pay,
        b.hifmi_pay,
        b.hifes_pay,
        b.cvlserv_pay,
        b.maf_pay,
        b.hifdm_pay,
        b.oth_pay,
        b.fund_pay_sumamt,
        b.hosp_part_amt,
        b.psn_part_amt,
        b.acct_pay,
        b.acct_mulaid_pay,
        b.psn_cash_pay,
    ]
}

fn decoded<T: serde::de::DeserializeOwned, R: Row + ?Sized>(
    row: &R,
    at: usize,
    what: &'static str,
    person: &PersonKey,
) -> Read<T> {
    codec::decode(what, text(row, at)?).map_err(|cause| damaged(&format!("{person:?}"), &chain(&cause)))
}

fn chain(cause: &dyn std::error::Error) -> String {
    match cause.source() {
        Some(below) => format!("{cause}: {below}"),
        None => cause.to_string(),
    }
}
