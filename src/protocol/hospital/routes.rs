//! Owns which transaction is performed by which file: one line each.

use crate::domain::calendar::Instant;
use crate::protocol::envelope::ReferenceId;
use crate::protocol::hospital::admit;
use crate::protocol::hospital::cancel_admission;
use crate::protocol::hospital::cancel_discharge;
use crate::protocol::hospital::change;
use crate::protocol::hospital::discharge;
use crate::protocol::hospital::entitle;
use crate::protocol::hospital::file;
use crate::protocol::hospital::identify;
use crate::protocol::hospital::institution;
use crate::protocol::hospital::look;
use crate::protocol::hospital::look_catalogue;
use crate::protocol::hospital::message::Message;
use crate::protocol::hospital::quote;
use crate::protocol::hospital::reverse;
use crate::protocol::hospital::settle;
use crate::protocol::hospital::sign;
use crate::protocol::hospital::sign::SignKey;
use crate::protocol::hospital::transaction::Transaction;
use crate::protocol::hospital::turn::NotDone;
use crate::protocol::hospital::turn::Turn;
use crate::protocol::hospital::undo;
use crate::protocol::hospital::upload;
use crate::protocol::hospital::withdraw;
use crate::service::Service;
use crate::telemetry::metrics::Outcome;

/// What every transaction needs beside its message.
#[derive(Clone, Debug)]
pub struct Context {
    pub reference: ReferenceId,
    pub received: Instant,
    /// Makes and checks `sign_no`.
    pub sign_key: SignKey,
}

/// How a call ended, for metrics and logs.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    pub outcome: Outcome,
    /// Stable code of a refusal.
    pub code: Option<&'static str>,
}

/// Performs a message and writes the whole answer into the buffer.
pub(crate) async fn perform(
    service: &Service,
    context: &Context,
    message: &Message<'_>,
    buffer: &mut Vec<u8>,
) -> Done {
    let mut turn = Turn::new(service, context, message, buffer);
    match route(&mut turn).await {
        Ok(outcome) => Done { outcome, code: None },
        Err(error) => turn.refuse(&error),
    }
}

async fn route(turn: &mut Turn<'_, '_>) -> Result<Outcome, NotDone> {
    use Transaction as T;
    match turn.message.transaction {
        T::SignIn => sign::sign_in(turn),
        T::SignOut => sign::sign_out(turn),
        T::Identify => identify::identify(turn).await,
        T::Institution => institution::find(turn),
        T::Entitlement => entitle::entitle(turn).await,
        T::CatalogueItems => look_catalogue::items(turn),
        T::CatalogueMatches => look_catalogue::matches(turn),
        T::InstitutionMatches => look_catalogue::institution_matches(turn),
        T::PriceLimits => look_catalogue::price_limits(turn),
        T::FirstPayRates => look_catalogue::first_pay_rates(turn),
        T::UploadLines => upload::upload(turn).await,
        T::WithdrawLines => withdraw::withdraw(turn).await,
        T::Quote => quote::quote(turn).await,
        T::Settle => settle::settle(turn).await,
        T::CancelSettlement => reverse::reverse(turn).await,
        T::Admit => admit::admit(turn).await,
        T::Discharge => discharge::discharge(turn).await,
        T::ChangeStay => change::change(turn).await,
        T::CancelAdmission => cancel_admission::cancel_admission(turn).await,
        T::CancelDischarge => cancel_discharge::cancel_discharge(turn).await,
        T::FileReferral => file::refer(turn).await,
        T::WithdrawReferral => file::withdraw(turn).await,
        T::Undo => undo::undo(turn).await,
        T::QueryVisits => look::visits(turn).await,
        T::QueryDiagnoses => look::diagnoses(turn).await,
        T::QuerySettlement => look::settlement(turn).await,
        T::QueryLines => look::lines(turn).await,
        T::QueryChronicDrugs => look::chronic_drugs(turn).await,
        T::QueryTotals => look::totals(turn).await,
        T::QueryChronicFilings => look::chronic_filings(turn).await,
        T::QueryChosenInstitutions => look::chosen_institutions(turn).await,
        T::QueryInHospital => look::in_hospital(turn).await,
        T::QueryReferrals => look::referrals(turn).await,
    }
}
