//! Razorpay's ids: a prefix and 14 letters and digits, capitals and small ones told apart.

use kernel::Ambient;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 14;

/// A fresh id.
pub(super) fn fresh(prefix: &str, ambient: &Ambient) -> String {
    let mut id = String::from(prefix);
    for _ in 0..LENGTH {
        let draw = usize::try_from(ambient.random_below(62)).unwrap_or(0);
        id.extend(ALPHABET.get(draw).copied().map(char::from));
    }
    id
}

/// Whether it could be an id with this prefix.
pub(super) fn is_well_formed(prefix: &str, id: &str) -> bool {
    id.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_a_prefix_and_fourteen_letters_and_digits() {
        let ids: Vec<_> = (0..50).map(|_| fresh("pay_", &Ambient::system())).collect();
        assert!(ids.iter().all(|id| is_well_formed("pay_", id)));
        assert!(ids.iter().any(|id| id.to_lowercase() != *id), "{ids:?}");
        assert!(
            !is_well_formed("pay_", "pay_123")
                && !is_well_formed("pay_", &fresh("order_", &Ambient::system()))
        );
    }
}
