use std::fmt::Debug;

use proptest::prelude::*;
use rand::SeedableRng as _;
use serde::de::DeserializeOwned;

use super::sample::Chance;
use super::sample::Sample;
use super::sample::bodies;
use super::*;
use crate::domain::benefit::Account;
use crate::domain::calendar::BenefitYear;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::institution::Institution;
use crate::domain::money::Fen;
use crate::domain::person::PersonPrivate;
use crate::domain::record::Body;
use crate::domain::record::MessageKey;
use crate::domain::record::Meta;
use crate::domain::record::Private;
use crate::domain::record::Settlement;
use crate::domain::region::Region;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::ledger::PackText;

/// One body of each kind as the first released format wrote it: a line is the kind, a blank and the text.
const FORMAT_1: &str = include_str!("format_1.txt");

fn reads_back<T: Sample + Keep + DeserializeOwned + PartialEq + Debug>(chance: &mut Chance) {
    let value = T::sample(chance);
    let text = encode(&value);
    let read: T = decode("sample", &text).unwrap();
    assert_eq!(read, value, "{text}");
}

proptest! {
    #[test]
    fn everything_that_is_kept_reads_back(seed in any::<u64>()) {
        let chance = &mut Chance::seed_from_u64(seed);
        reads_back::<PersonState>(chance);
        reads_back::<StayState>(chance);
        reads_back::<PersonPrivate>(chance);
        reads_back::<Private>(chance);
        reads_back::<Region>(chance);
        reads_back::<Institution>(chance);
        reads_back::<CatalogueEntry>(chance);
        reads_back::<PackText>(chance);
        for body in bodies(chance) {
            let text = encode_body(&body);
            prop_assert_eq!(decode_body(kind(&body), &text).unwrap(), body);
        }
    }

    #[test]
    fn what_was_told_reads_back(seed in any::<u64>()) {
        let chance = &mut Chance::seed_from_u64(seed);
        let meta = Meta {
            key: MessageKey::sample(chance),
            content: Sample::sample(chance),
            reference: Sample::sample(chance),
            received_at: Sample::sample(chance),
            operator: Sample::sample(chance),
            warning: Sample::sample(chance),
            writer: Sample::sample(chance),
        };
        let told = encode_told(&meta);
        prop_assert_eq!(decode_told(meta.key.clone(), &told).unwrap(), meta);
    }

    #[test]
    fn a_text_of_another_kind_or_cut_short_is_refused(seed in any::<u64>()) {
        let settled = &bodies(&mut Chance::seed_from_u64(seed))[12];
        let text = encode_body(settled);
        let cut: String = text.chars().take(text.chars().count() / 2).collect();
        prop_assert!(decode_body("settled", &cut).is_err());
        prop_assert!(decode_body("reversed", &text).is_err());
        prop_assert!(matches!(decode_body("guessed", &text), Err(CodecError::UnknownKind(_))));
    }
}

/// Whoever renames or removes a field, or lets a new one be written where it has its default, fails here. A field may
/// be added, with a default; never mend `format_1.txt`.
#[test]
fn the_first_format_is_read_and_written_for_ever() {
    let lines: Vec<(&str, &str)> = FORMAT_1.lines().filter_map(|line| line.split_once(' ')).collect();
    let mut kinds: Vec<&str> = lines.iter().map(|(kind, _)| *kind).collect();
    kinds.dedup();
    let known = bodies(&mut Chance::seed_from_u64(1));
    assert_eq!(kinds, known.iter().map(kind).collect::<Vec<_>>());
    for (kind, text) in lines {
        let body = decode_body(kind, text).unwrap_or_else(|refused| panic!("{kind}: {refused:?}"));
        assert_eq!(plain(&encode_body(&body)).unwrap(), text, "{kind}");
    }
}

/// A bill of seven days with two funds, in hospital outside of her own pool, with nothing that is not its own.
const SETTLED: &str = concat!(
    r#"{"id":"BCA261126133833404000000200000","up_to":20261117,"admitted":20261111,"scheme":"resident","#,
    r#""insutype":"390","med_type":"21","person_type":"1501","#,
    r#""pack":"78232845d4e1e7f921d95ab2a7dc734ce3329d8b4d1cb75483df84cae31b2b58","institution":"H44070400002","#,
    r#""regions":[440704,440700,440903,440900,440700],"clearing_type":"21","clearing_way":"1","#,
    r#""facts":{"hospital":"two","status":"active","age":36,"level":"in_province","year":[0,0,0,0,0,200000]},"#,
    r#""breakdown":{"medfee_sumamt":4277651,"fund_pay_sumamt":3046547,"psn_cash_pay":1231104,"dedc_std":60000,"#,
    r#""pool_rate":"0.70","funds":[[390100,2926666,4240951,60000000],[390200,119881,1314285,40000000]]},"#,
    r#""days":[[20261111,[1,520000]],[20261112,[2,243809,12832]],[20261113,[1,0,0,0,23868]],"#,
    r#"[20261114,[4,869285]],[20261115,[4,869285]],[20261116,[4,869285]],[20261117,[4,869287]]],"#,
    r#""balance_left":286050,"psn_setlway":"01","credential_type":"02"}"#
);

#[test]
fn what_follows_from_the_rest_of_a_settlement_takes_no_room_and_comes_back() {
    let body = decode_body("settled", SETTLED).unwrap();
    assert_eq!(encode_body(&body), SETTLED);
    let Body::Settled(settlement) = body else { panic!("{body:?}") };
    let breakdown = &settlement.breakdown;
    breakdown.check().unwrap();
    assert_eq!((settlement.policy_day, settlement.year), (settlement.up_to, BenefitYear(2026)));
    assert_eq!(settlement.facts.totals, breakdown.totals());
    assert_eq!((settlement.facts.closes_stay, settlement.facts.account), (true, Account::NotUsed));
    assert_eq!((breakdown.inscp_scp_amt, breakdown.fulamt_ownpay_amt), (Fen(4_240_951), Fen(23_868)));
    assert_eq!((breakdown.hifp_pay, breakdown.hifmi_pay), (Fen(2_926_666), Fen(119_881)));
    assert_eq!((breakdown.act_pay_dedc, breakdown.psn_part_amt), (Fen(60_000), Fen(1_231_104)));
    assert_eq!(breakdown.before, settlement.facts.year);
    assert_eq!(breakdown.change.burden, Fen(4_240_951 - 2_926_666));
    assert_eq!(breakdown.change.admissions, 1);
    let amounts: Vec<i64> = settlement.entries.iter().map(|entry| entry.amount.0).collect();
    let owed = 3_046_547;
    assert_eq!(amounts, [2_926_666, 119_881, -owed, owed, -owed, 1_231_104, -1_231_104]);
}

#[test]
fn what_does_not_follow_is_kept() {
    let Body::Settled(settlement) = decode_body("settled", SETTLED).unwrap() else { panic!("settled") };
    let others: [fn(&mut Settlement); 9] = [
        |it| it.part = true,
        |it| it.year = BenefitYear(2025),
        |it| it.facts.totals.in_scope = Fen(1),
        |it| it.facts.insured.civil_servant = true,
        |it| it.breakdown.hifp_pay = Fen(0),
        |it| it.breakdown.change.admissions = 0,
        |it| it.breakdown.before.burden = Fen(0),
        |it| it.days[0].1.amount = Fen(0),
        |it| it.entries.clear(),
    ];
    for (at, change) in others.into_iter().enumerate() {
        let mut other = settlement.clone();
        change(&mut other);
        let kept = encode_body(&Body::Settled(other.clone()));
        assert_eq!(decode_body("settled", &kept).unwrap(), Body::Settled(other), "{at}: {kept}");
    }
}

#[test]
fn what_has_its_default_takes_no_room() {
    assert_eq!(encode(&PersonState::default()), "{}");
    assert_eq!(encode(&PersonPrivate::default()), "{}");
    assert_eq!(decode::<PersonState>("person", "{}").unwrap(), PersonState::default());
}

#[test]
fn fields_of_a_later_version_are_passed_over() {
    let text = r#"{"years":[],"invented_later":{"x":1}}"#;
    assert_eq!(decode::<PersonState>("person", text).unwrap(), PersonState::default());
}
