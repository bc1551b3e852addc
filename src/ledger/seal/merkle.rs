//! Owns Merkle trees over SM3: a root for many hashes, and the short proof that one of them is under it.
//!
//! The shape is that of RFC 6962: the left half of a tree is the largest power of two below its size. Leaves come
//! hashed with a prefix of their own kind; an inner node is `SM3(0x01 ‖ left ‖ right)`, so that none can pass for a leaf.

use sm3::Digest as _;
use sm3::Sm3;

/// What SM3 makes of anything.
pub type Hash = [u8; 32];

/// The root over leaves; of none, the hash of nothing.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sm3::digest([]).into(),
        [only] => *only,
        many => {
            let (left, right) = many.split_at(left_of(many.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The hashes beside the way from a leaf up to the root, the lowest first. `None` when there is no such leaf.
pub fn path(leaves: &[Hash], at: usize) -> Option<Vec<Hash>> {
    let mut beside = Vec::new();
    let (mut leaves, mut at) = (leaves, at);
    if at >= leaves.len() {
        return None;
    }
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(left_of(leaves.len()));
        if at < left.len() {
            beside.push(root(right));
            leaves = left;
        } else {
            beside.push(root(left));
            at -= left.len();
            leaves = right;
        }
    }
    beside.reverse();
    Some(beside)
}

/// The root that a leaf leads to by its path, or `None` when path, place and size do not belong together.
pub fn climb(leaf: Hash, at: usize, size: usize, path: &[Hash]) -> Option<Hash> {
    if at >= size {
        return None;
    }
    if size == 1 {
        return path.is_empty().then_some(leaf);
    }
    let (last, below) = path.split_last()?;
    let left = left_of(size);
    if at < left {
        Some(node(&climb(leaf, at, left, below)?, last))
    } else {
        Some(node(last, &climb(leaf, at - left, size - left, below)?))
    }
}

/// Leaves in the left half of a tree of that size, which is at least two.
fn left_of(size: usize) -> usize {
    size.next_power_of_two() / 2
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut sm3 = Sm3::new();
    sm3.update([1]);
    sm3.update(left);
    sm3.update(right);
    sm3.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|byte| Sm3::digest([byte]).into()).collect()
    }

    #[test]
    fn every_leaf_of_every_size_is_proven_and_no_other_place_or_leaf_is() {
        for size in 1..=17 {
            let leaves = leaves(size);
            let root = root(&leaves);
            for at in 0..leaves.len() {
                let path = path(&leaves, at).unwrap();
                assert_eq!(climb(leaves[at], at, leaves.len(), &path), Some(root));
                for other in (0..leaves.len()).filter(|other| *other != at) {
                    assert_ne!(
                        climb(leaves[at], other, leaves.len(), &path),
                        Some(root),
                        "{size} {at} {other}"
                    );
                    assert_ne!(climb(leaves[other], at, leaves.len(), &path), Some(root));
                }
                let mut longer = path.clone();
                longer.push([0; 32]);
                assert_eq!(climb(leaves[at], at, leaves.len(), &longer).filter(|found| *found == root), None);
            }
            assert_eq!(path(&leaves, leaves.len()), None);
        }
    }

    #[test]
    fn order_and_number_of_leaves_change_the_root() {
        let three = leaves(3);
        let swapped = [three[1], three[0], three[2]];
        let doubled = [three[0], three[1], three[2], three[2]];
        assert_ne!(root(&three), root(&swapped));
        assert_ne!(root(&three), root(&doubled));
        assert_ne!(root(&three), root(&three[..2]));
        assert_ne!(root(&[]), root(&three[..1]));
    }
}
