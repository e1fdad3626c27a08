//! The root of a Merkle tree (RFC 6962 §2.1, SHA-256), built leaf by leaf.

use sha2::{Digest, Sha256};

/// A digest of SHA-256.
pub(super) type Hash = [u8; 32];

/// Set before a leaf's bytes, so that no leaf can pass for a node.
const LEAF: u8 = 0;
/// Set before the two digests of a node.
const NODE: u8 = 1;

/// A tree that grows at its right end. It keeps the roots of its perfect subtrees alone: at most one for each bit of
/// the number of leaves.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    /// Subtrees from left to right with their heights, each lower than the one before.
    subtrees: Vec<(u32, Hash)>,
}

impl Tree {
    /// Adds a leaf.
    pub(super) fn push(&mut self, leaf: &[u8]) {
        let mut height = 0;
        let mut hash = digest(&[&[LEAF], leaf]);
        while let Some((_, left)) = self.subtrees.pop_if(|(left, _)| *left == height) {
            hash = node(&left, &hash);
            height += 1;
        }
        self.subtrees.push((height, hash));
    }

    /// The root; of no leaves the digest of nothing.
    pub(super) fn root(&self) -> Hash {
        let mut subtrees = self.subtrees.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = subtrees.next() else { return digest(&[]) };
        subtrees.fold(last, |right, left| node(&left, &right))
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    digest(&[&[NODE], left, right])
}

fn digest(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition of RFC 6962 §2.1, word for word.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => digest(&[]),
            [leaf] => digest(&[&[LEAF], leaf]),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                node(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        // The reference vectors of the CT log's own tests: the leaves, and the root of the first n of them.
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        for (leaf, root) in leaves.iter().zip(roots) {
            assert_eq!(hex::encode(tree.root()), root);
            tree.push(&hex::decode(leaf).unwrap());
        }
        assert_eq!(hex::encode(tree.root()), roots[8]);
    }

    proptest! {
        #[test]
        fn a_tree_built_leaf_by_leaf_has_the_root_of_the_definition(
            leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..70),
        ) {
            let mut tree = Tree::default();
            for leaf in &leaves {
                tree.push(leaf);
            }
            prop_assert_eq!(tree.root(), by_definition(&leaves));
        }
    }
}
