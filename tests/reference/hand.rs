//! Every worked figure of rules.md, held against the reference.
use super::book::{Book, Care, Live, Order, Person, Refusal, Stay, holds};
use super::counts::Met;
use super::filing::{Category, Filing};
use super::identities::{Wire, faults};
use super::lines::{Entry, Item, Line, Split, splits};
use super::number::{Fen, Parts, round, whole};
use super::pack::{Band, Benefit, FilingRow, MaternityRule, Pack, Reduction, Scheme, tp1};
use super::share::Totals;
use jiff::civil::{Date, date};
use std::sync::Arc;

const DISCHARGE: Date = date(2024, 5, 20);
const ADMITTED: Date = date(2024, 5, 10);

/// `yuan_hundredths` of price, hundredths of a count; the code names the terms.
fn line(price: Parts, count: i64, class_c: bool, first_pay: Parts, limit: Option<Parts>) -> Line {
    let entry = Entry {
        from: date(2020, 1, 1),
        level: None,
        class_c,
        first_pay,
        limit,
        restricted: false,
        injury: true,
    };
    let item = Arc::new(Item { code: "hand".to_owned(), entries: vec![entry] });
    let amount = super::lines::priced(price, count);
    Line { no: 0, item, day: DISCHARGE, level: 2, price, count, amount, approved: true, refunds: None }
}

fn bill_m() -> Vec<Line> {
    vec![
        line(1_200_000, 1_400, false, 0, None),
        line(2_685_000, 3_000, false, 1_000, None),
        line(98_000_000, 100, false, 2_000, Some(85_000_000)),
        line(213_000_000, 100, false, 0, None),
        line(12_344_500, 100, true, 0, None),
    ]
}

fn one(amount: Fen) -> Vec<Line> {
    vec![line(amount * 100, 100, false, 0, None)]
}

fn person(scheme: Scheme) -> Person {
    Person {
        home: 440_700,
        born: date(1980, 1, 1),
        scheme: vec![(date(2020, 1, 1), scheme)],
        retired_from: None,
        civil_servant: false,
        category: None,
        balance: 0,
    }
}

fn filed(category: Category) -> Filing {
    let (from, made) = (date(2024, 1, 1), date(2024, 1, 1));
    Filing { category, place: 450_100, from, until: None, made }
}

fn book(scheme: Scheme, filings: &[Filing]) -> Book {
    let mut book = Book::new(vec![Arc::new(tp1())], person(scheme));
    book.filings = filings.to_vec();
    book
}

fn order(number: usize, level: usize, lines: Vec<Line>) -> Order {
    let stay = Stay {
        number,
        institution: 0,
        place: 450_100,
        level: level - 1,
        admission: ADMITTED,
        emergency: false,
        care: Care::General,
    };
    Order { stay, until: DISCHARGE, last_part: true, lines, use_account: false, settled_on: DISCHARGE }
}

fn settle(book: &mut Book, order: &Order) -> Live {
    let live = book.settle(order, &mut Met::default()).unwrap();
    holds(&live.share);
    live
}

fn with_row(book: &mut Book, benefit: Benefit, reduction: Reduction) {
    let rules = Arc::make_mut(&mut book.packs[0]).schemes.get_mut(&Scheme::Employee).unwrap();
    rules.filing.insert(benefit, FilingRow { reduction, deductible_factor: 10_000 });
}

#[test]
fn half_a_fen_goes_up_on_the_absolute_value() {
    let half = whole(1) / whole(2);
    assert_eq!([round(&half), round(&-half), round(&(whole(49) / whole(100)))], [1, -1, 0]);
}

#[test]
fn bill_m_splits_as_worked() {
    let met = &mut Met::default();
    let found = splits(&bill_m(), false, met);
    assert_eq!(found[1], Split { first_pay: 80_550, in_scope: 724_950, ..Split::default() });
    assert_eq!(found[2], Split { over_limit: 130_000, first_pay: 170_000, in_scope: 680_000, full_own: 0 });
    let total = found.into_iter().fold(Split::default(), Split::plus);
    let worked = Split { full_own: 123_445, over_limit: 130_000, first_pay: 250_550, in_scope: 3_702_950 };
    assert_eq!((total, total.total()), (worked, 4_206_945));
}

#[test]
fn e01_e04_and_e08_come_out_to_the_fen() {
    let e01 = settle(&mut book(Scheme::Employee, &[filed(Category::LongTerm)]), &order(1, 3, bill_m())).share;
    assert_eq!(
        (e01.deductible, e01.pool, e01.burden, e01.fund(), e01.cash),
        (90_000, 2_998_749, 704_201, 2_998_749, 1_208_196)
    );

    let e04 = settle(&mut book(Scheme::Employee, &[]), &order(1, 3, bill_m())).share;
    assert_eq!(
        (e04.deductible, e04.pool, e04.burden, e04.fund(), e04.cash),
        (135_000, 1_891_014, 1_811_936, 1_891_014, 2_315_931)
    );

    let mut e08 = book(Scheme::Resident, &[filed(Category::Referral)]);
    e08.outside(
        Scheme::Resident,
        2024,
        Totals { admissions: 1, pool: 900_000, burden: 350_000, ..Totals::default() },
    );
    let lines = vec![
        line(350_000_000, 100, false, 0, None),
        line(160_000_000, 100, false, 1_500, None),
        line(9_000_000, 100, true, 0, None),
    ];
    let live = settle(&mut e08, &order(1, 3, lines));
    let share = live.share;
    let worked = Split { full_own: 90_000, over_limit: 0, first_pay: 240_000, in_scope: 4_860_000 };
    assert_eq!((share.split, share.split.total()), (worked, 5_190_000));
    assert_eq!((share.deductible, share.pool, share.burden), (45_000, 2_985_300, 1_874_700));
    assert_eq!((share.serious, share.fund(), share.cash), (614_820, 3_600_120, 1_589_880));
    assert_eq!(e08.totals(live.fund, 2024).burden, 2_224_700);
}

#[test]
fn e11_settles_reverses_and_settles_again() {
    let mut book = book(Scheme::Employee, &[filed(Category::LongTerm)]);
    let fund = settle(&mut book, &order(1, 3, bill_m())).fund;
    let mut lines = vec![
        line(52_000_000, 100, false, 0, None),
        line(777_700, 3_300, false, 500, None),
        line(3_101_000, 100, true, 0, None),
    ];
    let figures = |live: &Live| {
        let share = live.share;
        [share.split.total(), share.split.in_scope, share.deductible, share.pool, share.personal()]
    };
    let totals = |book: &Book| {
        let now = book.totals(fund, 2024);
        [now.admissions, now.pool, now.burden]
    };
    let first = settle(&mut book, &order(2, 2, lines.clone()));
    assert_eq!(figures(&first), [807_651, 763_809, 30_000, 660_428, 147_223]);
    assert_eq!(totals(&book), [2, 3_659_177, 807_582]);

    let undone = book.reverse(first.serial, &mut Met::default()).unwrap();
    assert_eq!(undone, first.share.negated());
    assert_eq!(totals(&book), [1, 2_998_749, 704_201]);

    lines.push(line(860_000, 900, false, 0, None));
    let again = settle(&mut book, &order(2, 2, lines));
    assert_eq!(figures(&again), [885_051, 841_209, 30_000, 730_088, 154_963]);
    assert_eq!(totals(&book), [2, 3_728_837, 815_322]);
    assert_eq!(book.reverse(0, &mut Met::default()), Err(Refusal::LaterLive));
}

#[test]
fn prepay_takes_its_share_before_the_deductible() {
    let mut book = book(Scheme::Employee, &[filed(Category::OtherTemporary)]);
    with_row(&mut book, Benefit::OtherTemporary, Reduction::Prepay(2_000));
    let share = settle(&mut book, &order(1, 3, bill_m())).share;
    assert_eq!(
        (share.prepay, share.deductible, share.pool, share.personal()),
        (740_590, 90_000, 2_384_059, 1_822_886)
    );
}

#[test]
fn a_multiplier_is_not_points_off() {
    let mut book = book(Scheme::Employee, &[filed(Category::Referral)]);
    with_row(&mut book, Benefit::Referral, Reduction::Times(8_000));
    // (37,029.50 − 900.00) × .83 × .80
    assert_eq!(settle(&mut book, &order(1, 3, bill_m())).share.pool, 2_398_999);
}

#[test]
fn bill_m_cut_in_two_pays_what_the_whole_pays() {
    let part = |lines, last_part| Order { last_part, ..order(1, 3, lines) };
    for (between, second) in [(None, 1_413_449), (Some(Category::Referral), 1_243_154)] {
        let mut book = book(Scheme::Employee, &[filed(Category::LongTerm)]);
        let first = settle(&mut book, &part(one(2_000_000), false));
        assert_eq!(
            (first.share.deductible_standard, first.share.deductible, first.share.pool),
            (90_000, 90_000, 1_585_300)
        );
        if let Some(category) = between {
            book.filings = vec![filed(category)];
        }
        let last = settle(&mut book, &part(one(1_702_950), true));
        assert_eq!((last.share.deductible_standard, last.share.deductible, last.share.pool), (0, 0, second));
        assert_eq!(book.totals(last.fund, 2024).admissions, 1);
    }
}

#[test]
fn segment_edges_lie_on_the_axis_with_the_deductible_included() {
    let mut book = book(Scheme::Employee, &[filed(Category::LongTerm)]);
    let rules = Arc::make_mut(&mut book.packs[0]).schemes.get_mut(&Scheme::Employee).unwrap();
    rules.deductible[2] = 130_000;
    let ends = [(Some(3_000_000), 8_500), (Some(4_000_000), 9_000), (Some(10_000_000), 9_500), (None, 8_500)];
    rules.segments[2] = ends.map(|(to, rate)| Band { to, rate }).to_vec();
    // 28,700 × .85 + 10,000 × .90 + 5,000 × .95
    assert_eq!(settle(&mut book, &order(1, 3, one(4_500_000))).share.pool, 2_439_500 + 900_000 + 475_000);
}

#[test]
fn above_the_pool_cap_the_large_amount_fund_pays() {
    let mut book = book(Scheme::Employee, &[filed(Category::LongTerm)]);
    book.outside(Scheme::Employee, 2024, Totals { admissions: 1, pool: 59_170_000, ..Totals::default() });
    // rem 8,300.00 buys 10,000.00 at .83; of 20,450 − 450 the other 10,000.00 goes to 90 %
    let share = settle(&mut book, &order(1, 3, one(2_045_000))).share;
    assert_eq!((share.pool, share.large, share.burden), (830_000, 900_000, 315_000));
}

#[test]
fn subsidy_assistance_and_account_see_what_is_left() {
    let mut book = book(Scheme::Employee, &[filed(Category::LongTerm)]);
    book.person.civil_servant = true;
    book.person.category = Some((date(2020, 1, 1), 1));
    book.person.balance = 100_000;
    let share = settle(&mut book, &Order { use_account: true, ..order(1, 3, bill_m()) }).share;
    // b 7,042.01: (b − 900.00) × .5 = 3,071.01; × .7 of 3,971.00; due 2,505.50 + 1,191.30
    assert_eq!((share.civil_servant, share.assistance, share.account), (307_101, 277_970, 100_000));
    assert_eq!(share.cash, share.personal() - 100_000);
}

#[test]
fn the_sums_for_births_are_those_of_the_notice() {
    let sums = |from, natural, difficult| {
        Arc::new(Pack {
            from,
            maternity: [[MaternityRule::Fixed(natural); 4], [MaternityRule::Fixed(difficult); 4]],
            ..tp1()
        })
    };
    for (day, kind, sum) in [
        (date(1993, 1, 1), 0, 150_000),
        (date(1993, 1, 1), 1, 180_000),
        (date(1996, 1, 1), 0, 180_000),
        (date(1996, 1, 1), 1, 230_000),
    ] {
        let mut book = book(Scheme::Employee, &[]);
        book.packs = vec![sums(date(1992, 8, 1), 150_000, 180_000), sums(date(1995, 1, 1), 180_000, 230_000)];
        let mut birth = order(1, 3, one(100_000));
        birth.lines[0].day = date(2020, 1, 1);
        birth.stay.care = Care::Maternity(kind);
        (birth.stay.admission, birth.until) = (day, day);
        let share = settle(&mut book, &birth).share;
        assert_eq!((share.pool, share.owed, share.cash), (100_000, sum - 100_000, 0));
    }
}

#[test]
fn an_injury_pays_all_in_scope_once_recognised() {
    let mut book = book(Scheme::Employee, &[]);
    let injured = |recognised, third_party| {
        let mut order = order(1, 3, one(2_000_000));
        order.stay.care = Care::Injury { recognised, third_party };
        order
    };
    assert_eq!(book.quote(&injured(false, false), &mut Met::default()).unwrap_err(), Refusal::NotRecognised);
    assert_eq!(book.quote(&injured(true, true), &mut Met::default()).unwrap_err(), Refusal::ThirdParty);
    let share = settle(&mut book, &injured(true, false)).share;
    assert_eq!((share.other, share.deductible, share.fund(), share.cash), (2_000_000, 0, 2_000_000, 0));
}

#[test]
fn filings_are_tried_in_the_written_order() {
    let (all, met) =
        ([Category::OtherTemporary, Category::Referral, Category::LongTerm].map(filed), &mut Met::default());
    let level = |filings: &[Filing], place, emergency| {
        let mut order = order(1, 3, one(100));
        (order.stay.place, order.stay.emergency) = (place, emergency);
        book(Scheme::Employee, filings).benefit(&order, met)
    };
    let mut level = level;
    assert_eq!(level(&all, 450_103, true), Benefit::LongTerm);
    assert_eq!(level(&all[..2], 450_103, true), Benefit::Referral);
    assert_eq!(level(&all[..1], 450_103, true), Benefit::Emergency);
    assert_eq!(level(&all[..1], 450_103, false), Benefit::OtherTemporary);
    assert_eq!(level(&all, 450_200, false), Benefit::Unfiled);
    assert_eq!(level(&all, 440_703, false), Benefit::LongTermHome);
    assert_eq!(level(&all[..2], 440_703, false), Benefit::Local);
    assert_eq!(level(&all, 440_103, false), Benefit::InProvince);
}

#[test]
fn a_filing_made_in_hospital_counts_and_one_made_after_settlement_does_not() {
    let made = |made| Filing { made, from: made, ..filed(Category::Referral) };
    let met = &mut Met::default();
    let mut level = |filing| book(Scheme::Employee, &[filing]).benefit(&order(1, 3, one(100)), met);
    assert_eq!(level(made(date(2024, 5, 15))), Benefit::Referral);
    assert_eq!(level(made(date(2024, 5, 21))), Benefit::Unfiled);
    assert_eq!(level(Filing { until: Some(date(2024, 5, 9)), ..made(date(2024, 1, 1)) }), Benefit::Unfiled);
}

#[test]
fn a_full_refund_cancels_its_line() {
    let mut lines = vec![line(3_333, 300, false, 1_000, Some(3_000))];
    for (count, amount) in [(-100, -33), (-200, -67)] {
        lines.push(Line { count, amount, refunds: Some(0), ..lines[0].clone() });
    }
    let total = splits(&lines, false, &mut Met::default()).into_iter().fold(Split::default(), Split::plus);
    assert_eq!(total, Split::default());
}

#[test]
fn under_the_referral_the_stay_and_its_first_stretch_come_out_as_worked() {
    for (lines, pool) in [(bill_m(), 2_637_454), (one(2_000_000), 1_394_300)] {
        let mut book = book(Scheme::Employee, &[filed(Category::Referral)]);
        assert_eq!(settle(&mut book, &order(1, 3, lines)).share.pool, pool);
    }
}

#[test]
fn the_first_cross_province_bill_of_the_province_balances() {
    let (total, fund) = (599_989, 474_229);
    let split = Split { in_scope: total, ..Split::default() };
    let wire = Wire { total, split, pool: fund, fund, personal: 125_760, cash: 125_760, ..Wire::default() };
    assert_eq!(faults(&wire), Vec::<&str>::new());
    assert_eq!(faults(&Wire { cash: 125_759, ..wire }), ["I5"]);
    assert_eq!(faults(&Wire { total: total + 1, ..wire }), ["I1", "I4"]);
}
