//! Where a category may stand in the tree.

use std::collections::HashMap;

use kernel::{CategoryId, ParseError};

/// How many levels the tree has at most.
pub const MAX_DEPTH: usize = 3;

/// Who is whose parent.
pub(crate) type Parents = HashMap<CategoryId, Option<CategoryId>>;

/// Whether `id` may stand below `parent`, together with everything below it. `id` need not be in the tree yet.
pub(crate) fn check_place(
    parents: &Parents,
    id: CategoryId,
    parent: Option<CategoryId>,
) -> Result<(), ParseError> {
    let Some(parent) = parent else {
        return check_depth(height(parents, id));
    };
    if !parents.contains_key(&parent) {
        return Err(ParseError::new("unknown_category", "must be an existing category"));
    }
    let above = ancestry(parents, parent);
    if above.contains(&id) {
        return Err(ParseError::new("category_cycle", "must not be the category itself or one below it"));
    }
    check_depth(above.len() + height(parents, id))
}

fn check_depth(depth: usize) -> Result<(), ParseError> {
    if depth <= MAX_DEPTH {
        Ok(())
    } else {
        let message = format!("would make the tree deeper than {MAX_DEPTH} levels");
        Err(ParseError::new("too_deep", message))
    }
}

/// A category and those above it.
fn ancestry(parents: &Parents, id: CategoryId) -> Vec<CategoryId> {
    let mut line = vec![id];
    let mut next = parents.get(&id).copied().flatten();
    // The bound ends the walk even if the stored tree had a circle.
    while let Some(above) = next.filter(|_| line.len() <= parents.len()) {
        line.push(above);
        next = parents.get(&above).copied().flatten();
    }
    line
}

/// How many levels a category and those below it fill: 1 for a leaf.
fn height(parents: &Parents, id: CategoryId) -> usize {
    parents
        .keys()
        .filter_map(|other| ancestry(parents, *other).iter().position(|above| *above == id))
        .max()
        .map_or(1, |levels| levels + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn id(n: u8) -> CategoryId {
        Uuid::from_u128(n.into()).into()
    }

    /// 1 ─ 2 ─ 3 and 4 ─ 5.
    fn tree() -> Parents {
        [(1, None), (2, Some(1)), (3, Some(2)), (4, None), (5, Some(4))]
            .into_iter()
            .map(|(child, parent)| (id(child), parent.map(id)))
            .collect()
    }

    fn code(child: u8, parent: Option<u8>) -> Option<&'static str> {
        check_place(&tree(), id(child), parent.map(id)).err().map(|error| error.code)
    }

    #[test]
    fn a_category_cannot_stand_below_itself() {
        assert_eq!(code(1, Some(1)), Some("category_cycle"));
        assert_eq!(code(1, Some(3)), Some("category_cycle"));
        assert_eq!(code(2, Some(3)), Some("category_cycle"));
    }

    #[test]
    fn the_tree_has_three_levels_at_most() {
        assert_eq!(code(9, Some(3)), Some("too_deep"));
        assert_eq!(code(4, Some(2)), Some("too_deep"), "4 brings 5 along");
        assert_eq!(code(4, Some(1)), None);
        assert_eq!(code(9, Some(2)), None);
        assert_eq!(code(3, None), None);
        assert_eq!(code(9, Some(8)), Some("unknown_category"));
    }

    proptest! {
        /// Whatever moves are allowed one after another, the tree stays a tree of three levels.
        #[test]
        fn allowed_moves_keep_the_tree_a_tree(moves in prop::collection::vec((0u8..8, prop::option::of(0u8..8)), 0..60)) {
            let mut parents: Parents = (0..8).map(|n| (id(n), None)).collect();
            for (child, parent) in moves {
                if check_place(&parents, id(child), parent.map(id)).is_ok() {
                    parents.insert(id(child), parent.map(id));
                }
            }
            for n in 0..8 {
                let mut steps = 0;
                let mut next = Some(id(n));
                while let Some(at) = next {
                    steps += 1;
                    prop_assert!(steps <= MAX_DEPTH);
                    next = parents[&at];
                }
            }
        }
    }
}
