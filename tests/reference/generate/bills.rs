//! The catalogue of the place of care, and bills that aim at an amount in scope.
use super::super::counts::Met;
use super::super::lines::{Entry, Item, Line, Split, priced, splits};
use super::super::number::{Chance, Fen, Parts};
use jiff::civil::{Date, date};

fn entry(first_pay: Parts, limit: Option<Parts>) -> Entry {
    Entry { from: date(2020, 1, 1), class_c: false, first_pay, limit, restricted: false, injury: true }
}

fn item(code: &str, entries: Vec<Entry>) -> Item {
    Item { code: code.to_owned(), entries }
}

/// One for all histories; the first item is of class A for every fund.
pub(crate) fn catalogue() -> Vec<Item> {
    let class_a = entry(0, None);
    let later = Entry { from: date(2024, 9, 1), ..entry(2_000, Some(900_000)) };
    vec![
        item("REF-A", vec![class_a.clone()]),
        item("REF-A-NOT-INJURY", vec![Entry { injury: false, ..class_a.clone() }]),
        item("REF-B05", vec![entry(500, None)]),
        item("REF-B10-LIMIT", vec![entry(1_000, Some(1_234_500))]),
        item("REF-B20-LIMIT", vec![entry(2_000, Some(85_000_000))]),
        item("REF-B15", vec![entry(1_500, None)]),
        item("REF-B-DATED", vec![entry(1_000, None), later]),
        item("REF-C", vec![Entry { class_c: true, injury: false, ..entry(10_000, None) }]),
        item("REF-RESTRICTED", vec![Entry { restricted: true, ..entry(1_000, None) }]),
        item("REF-NO-LIMIT-LEFT", vec![entry(0, Some(0))]),
    ]
}

fn line(chance: &mut Chance, items: &[Item], day: Date) -> Line {
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
    Line { no: 0, item, day, price, count, amount: amount + off, approved: chance.percent(50), refunds: None }
}

/// A part of what is left, or all of it to the fen.
fn refund(chance: &mut Chance, lines: &[Line], of: usize) -> Option<Line> {
    let original = &lines[of];
    let earlier = lines.iter().filter(|line| line.refunds == Some(of));
    let (count, amount) =
        earlier.fold((original.count, original.amount), |(c, a), line| (c + line.count, a + line.amount));
    let taken =
        if count >= 200 && chance.percent(60) { chance.between(1, count / 100 - 1) * 100 } else { count };
    let fen = if taken == count { amount } else { priced(original.price, taken).min(amount) };
    let fits = (fen - priced(original.price, taken)).abs() <= 1;
    let (count, amount) = (-taken, -fen);
    (taken > 0 && fen > 0 && fits).then(|| Line { count, amount, refunds: Some(of), ..original.clone() })
}

fn in_scope(lines: &[Line], injury: bool) -> Fen {
    splits(lines, injury, &mut Met::default()).into_iter().fold(Split::default(), Split::plus).in_scope
}

/// Lines on the days, numbered from `no` on, with `target` in scope where the aim asks for it.
pub(crate) fn lines(
    chance: &mut Chance,
    days: &[Date],
    target: Option<Fen>,
    injury: bool,
    no: usize,
) -> Vec<Line> {
    let mut found = unnumbered(chance, days, target, injury);
    for (line, no) in found.iter_mut().zip(no..) {
        line.no = no;
    }
    found
}

fn unnumbered(chance: &mut Chance, days: &[Date], target: Option<Fen>, injury: bool) -> Vec<Line> {
    let items = catalogue();
    let mut found = Vec::new();
    for _ in 0..chance.between(1, 5) {
        let day = chance.pick(days);
        found.push(line(chance, &items, day));
    }
    for _ in 0..3 {
        let of = chance.between(0, 4) as usize;
        if chance.percent(40)
            && of < found.len()
            && found[of].refunds.is_none()
            && let Some(line) = refund(chance, &found, of)
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
            price,
            count: 100,
            amount: filler,
            approved: true,
            refunds: None,
        });
    }
    if found.is_empty() {
        let item = items[7].clone();
        found.push(Line {
            no: 0,
            item,
            day: days[0],
            price: 5_000,
            count: 100,
            amount: 50,
            approved: true,
            refunds: None,
        });
    }
    found
}
