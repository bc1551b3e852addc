//! Owns what two breakdowns of the same stay say beside each other: what not filing cost, what filing saves.

use crate::domain::breakdown::Breakdown;
use crate::domain::codes::BenefitLevel;
use crate::domain::money::Fen;
use crate::protocol::explanation::Sentence;
use crate::protocol::explanation::words;

/// The same stay under another level.
#[derive(Clone, Copy, Debug)]
pub struct Alternative<'a> {
    pub level: BenefitLevel,
    pub breakdown: &'a Breakdown,
}

/// What she pays in both, account included, and which is less. `settled`: the first figure stands already.
pub fn compare(now: Alternative<'_>, other: Alternative<'_>, settled: bool) -> Sentence {
    let (pays, would) = (now.breakdown.psn_part_amt, other.breakdown.psn_part_amt);
    let ((now_zh, now_en), (other_zh, other_en)) = (words::level(now.level), words::level(other.level));
    let difference = pays - would;
    let head_zh = format!("按“{now_zh}”您负担{pays}元，按“{other_zh}”您负担{would}元");
    let head_en = format!("As “{now_en}” you pay {pays} yuan, as “{other_en}” {would}");
    let (tail_zh, tail_en) = match (difference.cmp(&Fen::ZERO), settled) {
        (core::cmp::Ordering::Equal, _) => ("，两者相同。".to_owned(), ": no difference.".to_owned()),
        (core::cmp::Ordering::Greater, true) => {
            (format!("，您多付了{difference}元。"), format!(": this cost you {difference} yuan more."))
        }
        (core::cmp::Ordering::Greater, false) => (
            format!("，出院结算前办好备案可少付{difference}元。"),
            format!(": filing before the settlement saves you {difference} yuan."),
        ),
        (core::cmp::Ordering::Less, _) => {
            let saved = -difference;
            (format!("，少付了{saved}元。"), format!(": {saved} yuan less."))
        }
    };
    Sentence::new("saving", head_zh + &tail_zh, head_en + &tail_en)
}
