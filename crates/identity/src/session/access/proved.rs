//! Tokens whose signature was proved already. The same token comes with every request for some minutes, and to check its
//! signature anew was a tenth of what a small request cost in our own process.

use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Claims;

/// A token's digest.
pub(super) type Print = [u8; 32];

/// What is remembered, each token in the one place that its digest gives it. One that takes another's place makes that be
/// proved again, and nothing else.
pub(super) struct Proved(Box<[Place]>);

type Place = Mutex<Option<(Print, Claims)>>;

impl Proved {
    /// Room for so many tokens, 65,536 at most.
    pub(super) fn new(places: usize) -> Self {
        Self((0..places).map(|_| Mutex::default()).collect())
    }

    /// The digest by which a token is remembered.
    pub(super) fn print(token: &str) -> Print {
        Sha256::digest(token.as_bytes()).into()
    }

    /// What the token says, if its signature was proved.
    pub(super) fn recall(&self, print: &Print) -> Option<Claims> {
        let place = self.place(print)?.lock().unwrap_or_else(PoisonError::into_inner);
        place.as_ref().filter(|(of, _)| of == print).map(|(_, claims)| claims.clone())
    }

    /// Remembers that the signature was proved.
    pub(super) fn keep(&self, print: Print, claims: Claims) {
        if let Some(place) = self.place(&print) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some((print, claims));
        }
    }

    fn place(&self, print: &Print) -> Option<&Place> {
        let [first, second, ..] = *print;
        self.0.get(usize::from(u16::from_be_bytes([first, second])).checked_rem(self.0.len())?)
    }
}

impl std::fmt::Debug for Proved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proved")
    }
}
