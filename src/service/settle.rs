//! 2304: settles a stay, or a part of it.

use crate::domain::calendar::Day;
use crate::domain::money::Fen;
use crate::service::Service;
use crate::service::call::Answered;
use crate::service::call::Call;
use crate::service::call::StayRef;
use crate::service::credential::Credential;
use crate::service::error::ServiceError;

/// 2303 and 2304 alike.
#[derive(Clone, Debug)]
pub struct Settle {
    pub stay: StayRef,
    /// Must be the stay's person's.
    pub credential: Option<Credential>,
    /// Kept with the settlement, `mdtrt_cert_type`.
    pub credential_type: String,
    /// Empty: not told.
    pub insutype: String,
    /// `medfee_sumamt`: must equal the sum of the lines.
    pub fee: Fen,
    pub totals: GivenTotals,
    pub psn_setlway: String,
    /// `acct_used_flag` 1
    pub account_used: bool,
    /// `mid_setl_flag` 1
    pub part: bool,
    /// `dscg_time`: last day of a part. Ignored by a final settlement, which goes by 2402.
    pub up_to: Option<Day>,
    /// `invono`
    pub invoice: String,
}

/// Totals that the hospital sent. Compared and warned about, never used; all zero means "not supplied".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenTotals {
    pub full_own_pay: Fen,
    pub over_limit: Fen,
    pub first_pay: Fen,
    pub in_scope: Fen,
}

impl Service {
    /// The record is `Settled`; its `at` is the `setl_time`.
    ///
    /// # Errors
    /// In this order: `StayUnknown`, `PersonDiffers`, credential refusals, `InsuranceDiffers`, `OutOfOrder`, days,
    /// `NothingToSettle`, `TotalDiffers`, region and institution, `NotCovered`, `ThirdParty`, `CommitmentMissing`,
    /// `NotRecognised`, `NoPolicy`, `UnfiledRefused`, maternity kind, `NegativeTotal`, `QuoteAgain`.
    pub async fn settle(&self, _call: &Call, _order: Settle) -> Result<Answered, ServiceError> {
        unimplemented!()
    }
}
