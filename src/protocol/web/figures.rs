//! Owns the pictures of pages: the bar of who pays what, as inline SVG, with the same figures as text beside it.

use maud::Markup;
use maud::html;

use crate::domain::money::Fen;
use crate::protocol::web::form::Said;
use crate::protocol::web::words::both;
use crate::protocol::web::words::yuan;

/// One part of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    pub label: Said,
    pub amount: Fen,
    pub payer: Payer,
}

/// Decides colour and pattern; both, so that no one depends on colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    Fund,
    OtherFund,
    Account,
    Cash,
}

impl Payer {
    fn class(self) -> &'static str {
        match self {
            Payer::Fund => "fund",
            Payer::OtherFund => "other-fund",
            Payer::Account => "account",
            Payer::Cash => "cash",
        }
    }
}

/// Whole width in units of the picture.
const WIDTH: i64 = 1_000;

/// Who pays what: a bar, and a list with the amounts that the bar shows. Shares of nothing are left out.
pub fn who_pays(shares: &[Share]) -> Markup {
    let shares: Vec<&Share> = shares.iter().filter(|share| share.amount > Fen::ZERO).collect();
    let edges = edges(&shares);
    html! {
        div.who-pays {
            svg.bar viewBox="0 0 1000 56" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
                @for (share, (from, to)) in shares.iter().zip(&edges) {
                    rect class=(share.payer.class()) x=(from) y="0" width=(to - from) height="56" {}
                }
                @for (_, to) in edges.iter().take(edges.len().saturating_sub(1)) {
                    rect.gap x=(to - 2) y="0" width="4" height="56" {}
                }
            }
            ul.legend {
                @for share in &shares {
                    li {
                        span.key.(share.payer.class()) aria-hidden="true" {}
                        span.label { (both(&share.label)) }
                        span.amount { (yuan(share.amount)) }
                    }
                }
            }
        }
    }
}

/// Where each share begins and ends. Running sums, so that the last one ends at the edge of the picture.
fn edges(shares: &[&Share]) -> Vec<(i64, i64)> {
    let total: i64 = shares.iter().map(|share| share.amount.0).sum();
    let place =
        |sum: i64| if total == 0 { 0 } else { i128::from(sum) * i128::from(WIDTH) / i128::from(total) };
    let mut sum = 0;
    let mut edges = Vec::with_capacity(shares.len());
    for share in shares {
        let from = place(sum);
        sum += share.amount.0;
        edges.push((i64::try_from(from).unwrap_or(0), i64::try_from(place(sum)).unwrap_or(WIDTH)));
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(amount: i64) -> Share {
        Share { label: Said::new("甲", "A"), amount: Fen(amount), payer: Payer::Cash }
    }

    #[test]
    fn shares_fill_the_bar_without_gap_or_overlap() {
        let shares = [share(1), share(2), share(10_000_000_000_000)];
        let edges = edges(&shares.iter().collect::<Vec<_>>());
        assert_eq!(edges.first().map(|e| e.0), Some(0));
        assert_eq!(edges.last().map(|e| e.1), Some(WIDTH));
        assert!(edges.windows(2).all(|pair| pair[0].1 == pair[1].0), "{edges:?}");
    }

    #[test]
    fn a_share_of_nothing_is_not_drawn() {
        let page = who_pays(&[share(0), share(5)]).into_string();
        assert_eq!(page.matches("<li>").count(), 1);
        assert!(page.contains("¥0.05"));
    }
}
