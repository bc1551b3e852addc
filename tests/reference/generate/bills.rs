//! The catalogue of the place of care, and bills that aim at an amount in scope.
use super::super::counts::Met;
use super::super::lines::{Entry, Item, Line, Split, priced, splits};
use super::super::number::{Chance, Fen, Parts};
use jiff::civil::{Date, date};
use std::sync::Arc;

fn entry(first_pay: Parts, limit: Option<Parts>) -> Entry {
    Entry {
        from: date(2020, 1, 1),
        level: None,
        class_c: false,
        first_pay,
        limit,
        restricted: false,
        injury: true,
    }
}

fn item(code: &str, entries: Vec<Entry>) -> Arc<Item> {
    Arc::new(Item { code: code.to_owned(), entries })
}

/// One for all histories; the first item is of class A for every fund.
pub(crate) fn catalogue() -> Vec<Arc<Item>> {
    let class_a = entry(0, None);
    let later = Entry { from: date(2024, 9, 1), ..entry(2_000, Some(900_000)) };
    vec![
        item("REF-A", vec![class_a.clone()]),
        item("REF-A-NOT-INJURY", vec![Entry { injury: false, ..class_a.clone() }]),
        item("REF-B05", vec![entry(500, None)]),
        item("REF-B10-LIMIT", vec![entry(1_000, Some(1_234_500))]),
        item("REF-B20-LIMIT", vec![entry(2_000, Some(85_000_000))]),
        item("REF-B15", vec![entry(1_500, None)]),
        item("REF-B-LEVEL", vec![entry(1_000, Some(500_000)), Entry { level: Some(2), ..entry(500, None) }]),
        item("REF-B-DATED", vec![entry(1_000, None), later]),
        item("REF-C", vec![Entry { class_c: true, injury: false, ..entry(10_000, None) }]),
        item("REF-RESTRICTED", vec![Entry { restricted: true, ..entry(1_000, None) }]),
        item("REF-NO-LIMIT-LEFT", vec![entry(0, Some(0))]),
    ]
}

fn line(chance: &mut Chance, items: &[Arc<Item>], day: Date, level: usize) -> Line {
    let item = chance.pick(&items[1..]);
    let price = match chance.between(0, 3) {
        0 => chance.between(1, 300_000),
        1 => chance.between(1, 20_000) * 100,
        2 => chance.between(100, 2_000) * 5_000,
        _ => chance.between(1, 9) * 10_000_000 + 5_000,
    };
    let count = chance.pick(&[100, 100, 200, 300, 700, 1_400, 150, 33]);
    let amount = priced(price, count);
    let off = if amount > 1 && chance.percent(12) { chance.pick(&[-1, 1]) } else { 0 };
    Line {
        no: 0,
        item,
        day,
        level,
        price,
        count,
        amount: amount + off,
        approved: chance.percent(50),
        refunds: None,
    }
}

/// A part of what is left, or all of it to the fen.
fn refund(chance: &mut Chance, lines: &[Line], of: usize, last: Date) -> Option<Line> {
    let original = &lines[of];
    let earlier = lines.iter().filter(|line| line.refunds == Some(of));
    let (count, amount) =
        earlier.fold((original.count, original.amount), |(c, a), line| (c + line.count, a + line.amount));
    let taken =
        if count >= 200 && chance.percent(60) { chance.between(1, count / 100 - 1) * 100 } else { count };
    let fen = if taken == count { amount } else { priced(original.price, taken).min(amount) };
    let day = chance.pick(&[original.day, last]);
    let (count, amount) = (-taken, -fen);
    (taken > 0 && fen > 0).then(|| Line { day, count, amount, refunds: Some(of), ..original.clone() })
}

fn in_scope(lines: &[Line], injury: bool) -> Fen {
    splits(lines, injury, &mut Met::default()).into_iter().fold(Split::default(), Split::plus).in_scope
}

/// What a bill shall be like.
pub(crate) struct Wish<'a> {
    pub(crate) items: &'a [Arc<Item>],
    pub(crate) days: &'a [Date],
    /// In scope, to the fen, where the lines allow it.
    pub(crate) target: Option<Fen>,
    pub(crate) injury: bool,
    pub(crate) level: usize,
    /// Number of its first line.
    pub(crate) first_no: usize,
}

pub(crate) fn lines(chance: &mut Chance, wish: &Wish<'_>) -> Vec<Line> {
    let mut found = unnumbered(chance, wish);
    for (line, no) in found.iter_mut().zip(wish.first_no..) {
        line.no = no;
    }
    found
}

fn unnumbered(chance: &mut Chance, wish: &Wish<'_>) -> Vec<Line> {
    let Wish { items, days, target, injury, level, .. } = *wish;
    let mut found = Vec::new();
    for _ in 0..chance.between(1, 5) {
        let day = chance.pick(days);
        found.push(line(chance, items, day, level));
    }
    for _ in 0..3 {
        let of = chance.between(0, 4) as usize;
        if chance.percent(40)
            && of < found.len()
            && found[of].refunds.is_none()
            && let Some(line) = refund(chance, &found, of, days[days.len() - 1])
        {
            found.push(line);
        }
    }
    let Some(target) = target else { return found };
    if in_scope(&found, injury) > target {
        found.retain(|line| line.item.code == "REF-C" && line.refunds.is_none());
    }
    let filler = target - in_scope(&found, injury);
    if filler > 0 {
        let (price, day) = (filler * 100, days[0]);
        let item = items[0].clone();
        found.push(Line {
            no: 0,
            item,
            day,
            level,
            price,
            count: 100,
            amount: filler,
            approved: true,
            refunds: None,
        });
    }
    if found.is_empty() {
        let item = items[8].clone();
        found.push(Line {
            no: 0,
            item,
            day: days[0],
            level,
            price: 5_000,
            count: 100,
            amount: 50,
            approved: true,
            refunds: None,
        });
    }
    found
}
