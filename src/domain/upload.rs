//! Owns what 2301 does with fee lines.

use rust_decimal::Decimal;

use crate::domain::calendar::Moment;
use crate::domain::ids::LineNo;
use crate::domain::money::Fen;

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
    pub code: String,
    /// `medins_list_codg`
    pub own_code: String,
    pub price: Decimal,
    pub count: Decimal,
    /// `hosp_appr_flag` is 1
    pub approved: bool,
    pub amount: Fen,
    /// SM3 of its business fields, to tell a resent line from another one under the same number.
    pub content: [u8; 32],
    /// Other business fields as sent, one JSON object.
    pub raw: String,
}
