//! Owns what a spreadsheet may not do to the desk's CSV: run a name as a formula, or read an id as a number.

use std::borrow::Cow;

/// Rows of text that begin with the mark by which Excel knows UTF-8.
pub(super) struct Sheet {
    rows: csv::Writer<Vec<u8>>,
    /// Of each column, whether ids stand in it.
    holds_ids: Vec<bool>,
}

impl Sheet {
    /// `ids`: the columns whose cells stay text whatever they look like.
    pub(super) fn with_head(head: &[&str], ids: &[&str]) -> Sheet {
        let rows = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
        let mut sheet = Sheet { rows, holds_ids: vec![false; head.len()] };
        sheet.push(head);
        sheet.holds_ids = head.iter().map(|column| ids.contains(column)).collect();
        sheet
    }

    pub(super) fn push(&mut self, cells: &[impl AsRef<str>]) {
        let safe = cells.iter().zip(&self.holds_ids).map(|(cell, is_id)| {
            let cell = harmless(cell.as_ref());
            if *is_id { as_text(cell) } else { cell }
        });
        let safe: Vec<Cow<'_, str>> = safe.collect();
        let safe = safe.iter().map(|cell| cell.as_bytes());
        self.rows.write_record(safe).expect("a vector takes all, and rows are equally long");
    }

    pub(super) fn text(self) -> String {
        let bytes = self.rows.into_inner().expect("a vector takes all");
        String::from_utf8(bytes).expect("text in, text out")
    }
}

/// `=cmd()` as a hospital's name would be run by a spreadsheet; a negative amount would not.
fn harmless(cell: &str) -> Cow<'_, str> {
    let formula = cell.starts_with(['=', '@', '+', '\t', '\r'])
        || (cell.starts_with('-') && !cell[1..].starts_with(|c: char| c.is_ascii_digit()));
    if formula { format!("'{cell}").into() } else { cell.into() }
}

/// Read as a number, with E as its exponent, an id loses all but fifteen digits, for good once the sheet is saved. With a
/// tab behind it, it is text; programs trim that.
fn as_text(id: Cow<'_, str>) -> Cow<'_, str> {
    let digits = id.bytes().filter(u8::is_ascii_digit).count();
    let exponents = id.bytes().filter(|byte| byte.eq_ignore_ascii_case(&b'E')).count();
    let number = digits > 0 && exponents <= 1 && digits + exponents == id.len();
    if number { format!("{id}\t").into() } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, written) in
            [("=1+1", "'=1+1"), ("@x", "'@x"), ("-1.50", "-1.50"), ("-x", "'-x"), ("一院", "一院")]
        {
            assert_eq!(harmless(cell), written);
        }
    }

    #[test]
    fn an_id_that_looks_like_a_number_stays_text_and_an_amount_stays_a_number() {
        let mut sheet = Sheet::with_head(&["id", "amount"], &["id"]);
        let ids = ["261127190718764000000200001E52", "261127190718764000000200001052", "44070300001", "12e5"];
        ids.iter().for_each(|id| sheet.push(&[id, "12"]));
        for as_it_is in ["261127190718764000000200001A52", "1E2E3", "H44070300001", "一院1", ""] {
            sheet.push(&[as_it_is, "-12.00"]);
        }
        sheet.push(&["=1", "1"]);
        let text = sheet.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "\u{feff}id,amount");
        for (line, id) in lines[1..].iter().zip(ids) {
            assert_eq!(*line, format!("{id}\t,12"));
        }
        let rest = [
            "261127190718764000000200001A52,-12.00",
            "1E2E3,-12.00",
            "H44070300001,-12.00",
            "一院1,-12.00",
            ",-12.00",
            "'=1,1",
        ];
        assert_eq!(lines[5..], rest);
    }
}
