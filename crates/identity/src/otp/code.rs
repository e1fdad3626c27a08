//! The six digits.

use kernel::{Ambient, ParseError};
use secrecy::{ExposeSecret, SecretString};

/// Six digits that a person entered. `Debug` hides them.
#[derive(Debug, Clone)]
pub struct OtpCode(SecretString);

impl OtpCode {
    /// Reads six digits; blanks around them are passed over.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let digits = text.trim();
        if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(digits.into()))
        } else {
            Err(ParseError::new("invalid_code_format", "must be six digits"))
        }
    }

    pub(crate) fn random(ambient: &Ambient) -> Self {
        Self(format!("{:06}", ambient.random_below(1_000_000)).into())
    }

    pub(crate) fn digits(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) fn into_secret(self) -> SecretString {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_are_taken_and_nothing_else() {
        assert_eq!(OtpCode::parse(" 012345 ").unwrap().digits(), "012345");
        for text in ["", "12345", "1234567", "12345a", "१२३४५६", "+12345", "12 345"] {
            assert!(OtpCode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_code_has_six_digits_and_hides_them() {
        let ambient = Ambient::system();
        for _ in 0..1_000 {
            assert!(OtpCode::parse(OtpCode::random(&ambient).digits()).is_ok());
        }
        assert!(!format!("{:?}", OtpCode::parse("123456").unwrap()).contains("123456"));
    }
}
