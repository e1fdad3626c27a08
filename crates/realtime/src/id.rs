//! Ids that cannot be guessed: of connections, of sockets, and of what a client may recover.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// An id of 128 random bits, written as 22 characters of base64url.
///
/// Whoever knows the id of an Engine.IO connection can poll it, so these are secrets and never logged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u64; 2]);

impl Id {
    /// A fresh one.
    ///
    /// Aborts when the system has no randomness: an id that can be guessed is worse than no process.
    #[expect(clippy::disallowed_methods, reason = "the crate stands alone: it does not know kernel::Ambient")]
    #[expect(clippy::expect_used, reason = "a system without randomness cannot serve anybody safely")]
    pub(crate) fn random() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        Self::from_bytes(bytes)
    }

    fn from_bytes(bytes: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(bytes);
        // Two halves, because a u128 wants to lie at a multiple of sixteen and makes every table larger.
        let half = |number: u128| u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default();
        Self([half(number >> 64), half(number)])
    }

    fn bytes(self) -> [u8; 16] {
        let [high, low] = self.0.map(u128::from);
        (high << 64 | low).to_be_bytes()
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        (length == bytes.len()).then(|| Self::from_bytes(bytes))
    }

    /// Whether both are the same, in constant time.
    pub(crate) fn is(self, other: Self) -> bool {
        self.bytes().ct_eq(&other.bytes()).into()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.bytes()))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(…)")
    }
}

/// A short random word that tells one process's numbers from another's.
pub(crate) fn epoch() -> String {
    Id::random().to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_one() {
        let id = Id::random();
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        assert_eq!(id.to_string().len(), 22);
        for wrong in
            ["", "abc", "0123456789012345678901", "012345678901234567890123", "../../../../../../etc"]
        {
            assert_eq!(Id::parse(wrong).map(|id| id.to_string() == wrong), Id::parse(wrong).map(|_| true));
        }
        assert_eq!(Id::parse("AAAA"), None);
    }
}
