//! Owns the guess at what a misspelt name was to be.

/// A known key that differs in at most two letters.
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    const LETTERS_MAX: usize = 2;
    let near = known.iter().map(|key| (distance(name, key), *key)).min()?;
    (near.0 <= LETTERS_MAX && near.0 < name.len()).then_some(near.1)
}

/// Letters to insert, drop or change to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (from, to, letters) in [("", "", 0), ("a", "", 1), ("level3", "level2", 1), ("form", "from", 2)] {
            assert_eq!(distance(from, to), letters, "{from} {to}");
        }
    }
}
