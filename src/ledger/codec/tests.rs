use std::fmt::Debug;

use proptest::prelude::*;
use rand::SeedableRng as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::sample::Chance;
use super::sample::Sample;
use super::sample::bodies;
use super::*;
use crate::domain::catalogue::CatalogueEntry;
use crate::domain::institution::Institution;
use crate::domain::person::PersonPrivate;
use crate::domain::record::MessageKey;
use crate::domain::record::Meta;
use crate::domain::record::Private;
use crate::domain::region::Region;
use crate::domain::state::PersonState;
use crate::domain::state::StayState;
use crate::ledger::PackText;

/// One body of each kind as the first released format wrote it: a line is the kind, a blank and the text.
const FORMAT_1: &str = include_str!("format_1.txt");

fn reads_back<T: Sample + Serialize + DeserializeOwned + PartialEq + Debug>(chance: &mut Chance) {
    let value = T::sample(chance);
    let text = encode("sample", &value).unwrap();
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
            let text = encode_body(&body).unwrap();
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
        let told = encode_told(&meta).unwrap();
        prop_assert_eq!(decode_told(meta.key.clone(), &told).unwrap(), meta);
    }

    #[test]
    fn a_text_of_another_kind_or_cut_short_is_refused(seed in any::<u64>()) {
        let settled = &bodies(&mut Chance::seed_from_u64(seed))[12];
        let text = encode_body(settled).unwrap();
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
        assert_eq!(plain(&encode_body(&body).unwrap()).unwrap(), text, "{kind}");
    }
}

#[test]
fn what_has_its_default_takes_no_room() {
    assert_eq!(encode("person", &PersonState::default()).unwrap(), "{}");
    assert_eq!(encode("private", &PersonPrivate::default()).unwrap(), "{}");
    assert_eq!(decode::<PersonState>("person", "{}").unwrap(), PersonState::default());
}

#[test]
fn fields_of_a_later_version_are_passed_over() {
    let text = r#"{"live":[],"invented_later":{"x":1}}"#;
    assert_eq!(decode::<PersonState>("person", text).unwrap(), PersonState::default());
}
