//! Owns the filings of the sandbox: about three in a hundred insured have one, of all six categories.

use crate::domain::calendar::Day;
use crate::domain::filing::FilingCategory;
use crate::domain::filing::FilingProof;
use crate::domain::ids::MessageId;
use crate::domain::ids::RegionCode;
use crate::domain::record::FilingPrivate;
use crate::sandbox::dice::Dice;
use crate::sandbox::dice::Topic;
use crate::sandbox::population::Insured;
use crate::service::import::incoming::FilingEntry;

/// Of a thousand insured, how many have a filing.
const FILED_PER_MILLE: u64 = 30;
/// Cities, municipalities and one whole province that people file for.
const TARGETS: [(RegionCode, u64); 6] = [
    (RegionCode(430_100), 30),
    (RegionCode(450_100), 22),
    (RegionCode(310_000), 18),
    (RegionCode(110_000), 12),
    (RegionCode(430_000), 8),
    (RegionCode(440_100), 10),
];

/// The filing of a person of the population, if she has one.
pub fn filing(seed: u64, number: u64, today: Day, insured: &Insured) -> Option<FilingEntry> {
    let mut dice = Dice::new(seed, Topic::Filing, number);
    dice.chance(FILED_PER_MILLE).then(|| draw(&mut dice, today, insured))
}

/// Whether she has one, without making her.
pub(crate) fn is_filed(seed: u64, number: u64) -> bool {
    Dice::new(seed, Topic::Filing, number).chance(FILED_PER_MILLE)
}

fn draw(dice: &mut Dice, today: Day, insured: &Insured) -> FilingEntry {
    let category = category(dice, insured);
    let target = *dice.weighted(&TARGETS);
    let ago =
        |dice: &mut Dice, days: i64| today.plus_days(-i32::try_from(dice.between(1, days)).unwrap_or(1));
    let (from, to) = if category.is_long_term() {
        (ago(dice, 900), None)
    } else {
        let from = ago(dice, 170);
        (from, Some(from.plus_months(6)))
    };
    let commitment = category.is_long_term() && dice.chance(350);
    let ended = category.is_long_term() && dice.chance(40);
    FilingEntry {
        person: insured.person.clone(),
        source_id: MessageId::parse(&format!("B{}", insured.person.number())).expect("digits are an id"),
        category,
        target,
        from,
        to,
        made_on: from,
        proof: if commitment { FilingProof::Commitment } else { FilingProof::Documents },
        ended_from: ended.then(|| today.plus_days(-3)).filter(|day| *day > from),
        private: FilingPrivate {
            phone: insured.private.phone.clone(),
            address: format!("沙盒路{}号", dice.below(900) + 1),
            ..FilingPrivate::default()
        },
    }
}

/// Who has retired settles elsewhere, who works is posted; the rest go for one treatment.
fn category(dice: &mut Dice, insured: &Insured) -> FilingCategory {
    use FilingCategory as F;
    let long_term = if insured.retired() {
        F::LongTermRetiree
    } else if insured.insutype() == "310" {
        F::LongTermWorker
    } else {
        F::LongTermResident
    };
    *dice.weighted(&[(long_term, 520), (F::Referral, 180), (F::OtherTemporary, 240), (F::Emergency, 60)])
}
