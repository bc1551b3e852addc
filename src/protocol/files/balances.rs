//! Owns the file of account extracts: a balance is worth nothing without the instant at which it was taken.

use crate::domain::person::Balance;
use crate::protocol::files::cell::Cells;
use crate::protocol::files::cell::write_instant;
use crate::protocol::files::columns::columns;
use crate::protocol::files::faults::Findings;
use crate::protocol::files::table::Header;
use crate::protocol::files::table::Row;
use crate::service::import::incoming::BalanceEntry;

columns! {
    /// The columns of a balances file.
    BalanceColumn {
        Pool = "poolarea_no" ["统筹区", "统筹区编码"] Key Open;
        Number = "psn_no" ["人员编号"] Key Personal;
        Amount = "balc" ["余额", "账户余额"] Key Personal;
        TakenAt = "taken_at" ["提取时间", "余额时间"] Key Open;
    }
}

use BalanceColumn as C;

pub(crate) fn read(header: &Header, row: &Row, findings: &mut Findings) -> Option<BalanceEntry> {
    let mut cells = Cells::new(header, row, findings);
    let person = cells.person(C::Pool, C::Number);
    let amount = cells.yuan(C::Amount);
    let amount = amount.and_then(|amount| {
        if amount.is_negative() {
            cells.fault(C::Amount, "expected a balance that is not negative");
        }
        (!amount.is_negative()).then_some(amount)
    });
    let taken_at = cells.instant(C::TakenAt);
    Some(BalanceEntry { person: person?, balance: Balance { amount: amount?, taken_at: taken_at? } })
}

/// The row that reads back as this extract, in the order of `BalanceColumn::ALL`.
pub fn write(entry: &BalanceEntry) -> Vec<String> {
    vec![
        entry.person.pool.to_string(),
        entry.person.number().to_owned(),
        entry.balance.amount.to_string(),
        write_instant(entry.balance.taken_at),
    ]
}
