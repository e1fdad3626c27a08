//! Recovery codes: ten random ones, each good once when the authenticator is lost.

use kernel::{Ambient, TypedId, UserId};
use secrecy::{ExposeSecret, SecretString};

use crate::SecretText;
use crate::keys::MacKey;

/// How many are given out at once.
const COUNT: usize = 10;

/// Letters and digits that are not mistaken for each other; 32 of them, five bits each.
const ALPHABET: [char; 32] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x',
    'y', 'z', '2', '3', '4', '5', '6', '7', '8', '9', '0',
];

/// Characters of a code: 60 bits.
const LENGTH: usize = 12;

/// A recovery code that a person entered. `Debug` hides it.
#[derive(Debug, Clone)]
pub struct RecoveryCode(SecretString);

impl RecoveryCode {
    /// Reads a code, with or without its hyphens, in whatever case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let plain: String = text.to_ascii_lowercase().chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        let is_code = plain.len() == LENGTH && plain.chars().all(|c| ALPHABET.contains(&c));
        is_code.then(|| Self(plain.into()))
    }

    /// What is kept of it.
    pub(super) fn hash(&self, pepper: &MacKey, user: UserId) -> String {
        let code = self.0.expose_secret().as_bytes();
        pepper.hex("recovery-code", &[user.uuid().as_bytes(), code])
    }

    /// The code in three groups of four, as it is shown.
    fn shown(&self) -> SecretText {
        let mut text = String::with_capacity(LENGTH + 2);
        for (index, c) in self.0.expose_secret().chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                text.push('-');
            }
            text.push(c);
        }
        SecretText::new(text)
    }
}

/// Fresh codes: as they are shown, and what is kept of each.
pub(super) fn fresh(ambient: &Ambient, pepper: &MacKey, user: UserId) -> (Vec<SecretText>, Vec<String>) {
    (0..COUNT)
        .map(|_| {
            let random: [u8; LENGTH] = ambient.random_bytes();
            let letters = random.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
            let code = RecoveryCode(letters.collect::<String>().into());
            (code.shown(), code.hash(pepper, user))
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_shown_or_typed() {
        let ambient = Ambient::system();
        let (pepper, user) = (MacKey::new(vec![1; 32]), ambient.new_id());
        let (shown, hashes) = fresh(&ambient, &pepper, user);
        assert_eq!((shown.len(), hashes.len()), (COUNT, COUNT));
        for (shown, hash) in shown.iter().zip(&hashes) {
            for text in
                [shown.expose().to_owned(), shown.expose().to_uppercase(), shown.expose().replace('-', "")]
            {
                assert_eq!(&RecoveryCode::parse(&text).unwrap().hash(&pepper, user), hash, "{text}");
            }
        }
        let mut distinct = hashes.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), COUNT);
    }

    #[test]
    fn a_code_is_its_owners_alone() {
        let ambient = Ambient::system();
        let pepper = MacKey::new(vec![1; 32]);
        let code = RecoveryCode::parse("abcd-efgh-jkmn").unwrap();
        assert_ne!(code.hash(&pepper, ambient.new_id()), code.hash(&pepper, ambient.new_id()));
        for text in ["", "123456", "abcd-efgh-jkm", "abcd-efgh-jkml", "abcd-efgh-jkmné"] {
            assert!(RecoveryCode::parse(text).is_none(), "{text}");
        }
    }
}
