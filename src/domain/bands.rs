//! Owns step functions over an axis of money: the segments of a ratio, the tiers of 大病.

use crate::domain::money::Fen;

/// One step: everything above the edge below, up to and including `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band<T> {
    /// `None`: without end.
    pub to: Option<Fen>,
    pub value: T,
}

/// Why a list of steps is no step function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBands {
    #[error("at least one step is needed")]
    Empty,
    #[error("the edge {0} is not above the edge before it: list the steps from the lowest up")]
    NotRising(Fen),
    #[error("the last step must have no end: give it no `to`, with rate 0 where nothing more is paid")]
    LastIsClosed,
    #[error("only the last step may have no end")]
    OpenInTheMiddle,
}

/// Steps from zero up without a gap, the last without end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bands<T>(Box<[Band<T>]>);

/// The part of a stretch that lies in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<T> {
    pub from: Fen,
    pub to: Fen,
    pub value: T,
}

impl<T> Piece<T> {
    pub fn width(&self) -> Fen {
        self.to - self.from
    }
}

impl<T: Copy> Bands<T> {
    /// Every edge above the one before it (the first above zero), the last step without an edge.
    pub fn new(steps: Vec<Band<T>>) -> Result<Bands<T>, NotBands> {
        let (last, inner) = steps.split_last().ok_or(NotBands::Empty)?;
        if last.to.is_some() {
            return Err(NotBands::LastIsClosed);
        }
        let mut below = Fen::ZERO;
        for step in inner {
            let edge = step.to.ok_or(NotBands::OpenInTheMiddle)?;
            if edge <= below {
                return Err(NotBands::NotRising(edge));
            }
            below = edge;
        }
        Ok(Bands(steps.into()))
    }

    /// One value on the whole axis.
    pub fn flat(value: T) -> Bands<T> {
        Bands([Band { to: None, value }].into())
    }

    pub fn steps(&self) -> &[Band<T>] {
        &self.0
    }

    /// The step that holds an amount; an amount on an edge belongs to the step below it.
    pub fn at(&self, amount: Fen) -> T {
        let step = self.0.iter().find(|step| step.to.is_none_or(|edge| amount <= edge));
        step.expect("the last step has no end").value
    }

    /// The stretch `from..to` cut at the edges, from the lowest up; nothing where `to` is not above `from`.
    pub fn cut(&self, from: Fen, to: Fen) -> impl Iterator<Item = Piece<T>> {
        let mut below = Fen::ZERO;
        self.0.iter().filter_map(move |step| {
            let edge = step.to.unwrap_or(to);
            let piece = Piece { from: below.max(from), to: edge.min(to), value: step.value };
            below = edge;
            (piece.from < piece.to).then_some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(edges: &[i64]) -> Result<Bands<usize>, NotBands> {
        let inner = edges.iter().enumerate().map(|(value, edge)| Band { to: Some(Fen(*edge)), value });
        Bands::new(inner.chain([Band { to: None, value: edges.len() }]).collect())
    }

    fn cut(bands: &Bands<usize>, from: i64, to: i64) -> Vec<(i64, i64, usize)> {
        bands.cut(Fen(from), Fen(to)).map(|piece| (piece.from.0, piece.to.0, piece.value)).collect()
    }

    #[test]
    fn a_stretch_is_cut_at_the_edges() {
        let bands = steps(&[100, 200]).unwrap();
        for (from, to, pieces) in [
            (0, 0, vec![]),
            (0, 1, vec![(0, 1, 0)]),
            (0, 100, vec![(0, 100, 0)]),
            (0, 101, vec![(0, 100, 0), (100, 101, 1)]),
            (99, 201, vec![(99, 100, 0), (100, 200, 1), (200, 201, 2)]),
            (100, 200, vec![(100, 200, 1)]),
            (200, 900, vec![(200, 900, 2)]),
            (500, 900, vec![(500, 900, 2)]),
            (500, 500, vec![]),
            (500, 400, vec![]),
            (150, 120, vec![]),
        ] {
            assert_eq!(cut(&bands, from, to), pieces, "{from}..{to}");
        }
        assert_eq!(bands.cut(Fen(99), Fen(101)).map(|piece| piece.width()).sum::<Fen>(), Fen(2));
        assert_eq!(bands.steps().len(), 3);
    }

    #[test]
    fn an_amount_on_an_edge_belongs_below() {
        let bands = steps(&[100, 200]).unwrap();
        for (amount, value) in [(0, 0), (100, 0), (101, 1), (200, 1), (201, 2), (1_000_000, 2)] {
            assert_eq!(bands.at(Fen(amount)), value, "{amount}");
        }
        assert_eq!(Bands::flat(5).at(Fen(7)), 5);
    }

    #[test]
    fn steps_rise_and_end_open() {
        let closed = Band { to: Some(Fen(5)), value: () };
        let open = Band { to: None, value: () };
        assert_eq!(Bands::<()>::new(vec![]), Err(NotBands::Empty));
        assert_eq!(Bands::new(vec![closed]), Err(NotBands::LastIsClosed));
        assert_eq!(Bands::new(vec![open, open]), Err(NotBands::OpenInTheMiddle));
        assert_eq!(Bands::new(vec![closed, closed, open]), Err(NotBands::NotRising(Fen(5))));
        assert_eq!(steps(&[0]), Err(NotBands::NotRising(Fen(0))));
        assert_eq!(steps(&[9, 8]), Err(NotBands::NotRising(Fen(8))));
        assert!(steps(&[1, 2]).is_ok());
    }
}
