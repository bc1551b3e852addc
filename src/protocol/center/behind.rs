//! Owns the rows behind a figure of a month: settlements, reversals and revivals, as CSV and JSON. No names.

use serde_json::Value;

use crate::domain::calendar::Month;
use crate::domain::money::Fen;
use crate::protocol::center::month_state::MonthState;
use crate::protocol::center::spreadsheet::Sheet;
use crate::service::month::Behind;
use crate::service::month::Kind;

const COLUMNS: [&str; 15] = [
    "month",
    "insured_pool",
    "care_pool",
    "hospital",
    "settlement",
    "kind",
    "original",
    "at",
    "medfee",
    "fund",
    "account",
    "owed",
    "cash",
    "crosses_border",
    "month_state",
];

const IDS: [&str; 3] = ["hospital", "settlement", "original"];

/// Amounts in yuan with two decimals; those of a reversal are negative.
pub fn csv(month: Month, state: MonthState, rows: &[Behind]) -> String {
    let mut sheet = Sheet::with_head(&COLUMNS, &IDS);
    rows.iter().for_each(|row| sheet.push(&cells(month, state, row)));
    sheet.text()
}

/// The same as the CSV; amounts are texts.
pub fn json(month: Month, state: MonthState, rows: &[Behind]) -> Value {
    let objects = rows.iter().map(|row| {
        let pairs = COLUMNS.iter().zip(cells(month, state, row));
        let mut value: Value = pairs.map(|(name, cell)| ((*name).to_owned(), Value::from(cell))).collect();
        value["crosses_border"] = (!row.row.is_local()).into();
        value
    });
    objects.collect()
}

/// What pools owe each other by these rows, and what was paid for care at home, which nobody owes over a border. Nothing
/// where there are no such rows.
pub fn owed(rows: &[Behind]) -> (Option<Fen>, Option<Fen>) {
    let of = |local: bool| {
        let amounts = rows.iter().filter(|behind| behind.row.is_local() == local);
        amounts.map(|behind| behind.row.owed()).reduce(|sum, amount| sum + amount)
    };
    (of(false), of(true))
}

fn cells(month: Month, state: MonthState, behind: &Behind) -> [String; COLUMNS.len()] {
    let row = &behind.row;
    [
        month.to_string(),
        row.insured_pool.to_string(),
        row.care_pool.to_string(),
        row.institution.to_string(),
        behind.id.to_string(),
        code(behind.kind()).to_owned(),
        behind.original.as_ref().map(ToString::to_string).unwrap_or_default(),
        behind.at.moment().to_string(),
        row.medfee.to_string(),
        row.fund.to_string(),
        row.account.to_string(),
        row.owed().to_string(),
        row.cash.to_string(),
        u8::from(!row.is_local()).to_string(),
        state.code().to_owned(),
    ]
}

/// Stable, for programs.
pub fn code(kind: Kind) -> &'static str {
    match kind {
        Kind::Settlement => "settlement",
        Kind::Reversal => "reversal",
        Kind::Revival => "revival",
    }
}
