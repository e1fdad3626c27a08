//! What people say of themselves and staff say of them, parsed.

use kernel::{ParseError, PhotoId, bounded_text};

/// What somebody is called: 1 to 80 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is empty, too long, or holds characters that disguise it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 1, 80, false).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A city or a state: 1 to 80 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Reads a place's name.
    ///
    /// # Errors
    /// When it is empty, too long, or holds characters that disguise it.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 1, 80, false).map(Self)
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Somebody's picture. To us the photo is an id and the name of its file; where photos are kept is another's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avatar {
    /// The photo, which the caller has made sure is theirs.
    pub photo: PhotoId,
    /// The name of the file to show, at most 80 characters.
    pub file: String,
}

/// A postal index number of India Post: six digits, the first not 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pincode(String);

impl Pincode {
    /// Reads a PIN code.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let digits = text.trim();
        let six = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit());
        if six && !digits.starts_with('0') {
            Ok(Self(digits.to_owned()))
        } else {
            Err(ParseError::new(
                "invalid_pincode",
                "must be a PIN code such as 411001: six digits, the first not 0",
            ))
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Why staff did something, for the record: 3 to 500 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Reads a reason.
    ///
    /// # Errors
    /// When it is too short, too long, or holds characters that are not taken.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 3, 500, true).map(Self)
    }

    /// The reason.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_code_has_six_digits_and_no_leading_zero() {
        assert_eq!(Pincode::parse(" 411001 ").unwrap().into_string(), "411001");
        for text in ["", "011001", "41100", "4110011", "41100a", "४११००१"] {
            assert!(Pincode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_has_something_in_it() {
        assert_eq!(DisplayName::parse(" आशा राव ").unwrap().as_str(), "आशा राव");
        for text in ["", "  ", "a\nb", "a\u{202e}b", &"x".repeat(81)] {
            assert!(DisplayName::parse(text).is_err(), "{text}");
        }
    }
}
