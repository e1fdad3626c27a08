//! Lists of values and rows in few lengths, so that connections have few different statements to keep prepared.

use crate::Engine;

/// The most values or rows of one statement, a power of two: what follows from telling a crowd takes few of them, and
/// each stays within what the engines take as parameters.
const MOST: usize = 256;

/// The rows in their order, in pieces for a statement each, whose sizes are powers of two: for what must not come twice.
pub fn pieces<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = (1_usize << rest.len().checked_ilog2()?).min(MOST);
        let (piece, after) = rest.split_at(size);
        rest = after;
        Some(piece)
    })
}

/// The values of one statement, filled up to a power of two by saying some again, and how many that makes.
pub fn filled<T>(values: &[T]) -> (usize, impl Iterator<Item = &T> + Clone) {
    let length = if values.is_empty() { 0 } else { values.len().next_power_of_two() };
    (length, values.iter().cycle().take(length))
}

/// The values in lists for a statement each: what stands between the brackets of `IN ()`, and its values, of which some
/// come again.
pub fn lists<T>(values: &[T]) -> impl Iterator<Item = (String, impl Iterator<Item = &T> + Clone)> {
    values.chunks(MOST).map(|some| {
        let (length, values) = filled(some);
        (Engine::placeholders(length), values)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_the_sizes_of_few_statements_and_keep_the_order() {
        let rows: Vec<usize> = (0..553).collect();
        let sizes: Vec<_> = pieces(&rows).map(<[_]>::len).collect();
        assert_eq!(sizes, [256, 256, 32, 8, 1]);
        assert_eq!(pieces(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(pieces::<usize>(&[]).count(), 0);
    }

    #[test]
    fn lists_have_few_lengths_and_hold_every_value() {
        let all: Vec<usize> = (0..553).collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut lengths = Vec::new();
        for (placeholders, values) in lists(&all) {
            assert_eq!(placeholders.matches('?').count(), values.clone().count());
            lengths.push(values.clone().count());
            seen.extend(values.copied());
        }
        assert_eq!(lengths, [256, 256, 64]);
        assert!(seen.into_iter().eq(all));
        assert_eq!(lists::<usize>(&[]).count(), 0);
        assert_eq!(filled::<usize>(&[]).1.count(), 0);
    }
}
