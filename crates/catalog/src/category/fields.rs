//! The parts of a category that have a form of their own.

use kernel::{ParseError, bounded_text};

/// A category's name in addresses: lower-case letters, digits and single hyphens, 2 to 60 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

impl Slug {
    /// Reads a slug.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if (2..=60).contains(&text.len()) && text.split('-').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                "invalid_slug",
                "must have 2 to 60 lower-case letters and digits in words joined by hyphens, such as mobile-phones",
            ))
        }
    }

    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A category's name for people: 2 to 80 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryName(String);

impl CategoryName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it is too short, too long, or holds a character that is not taken.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bounded_text(text, 2, 80, false).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A picture's address below this site, an `https` address, or an icon's name: 1 to 200 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryIcon(String);

impl CategoryIcon {
    /// Reads an icon. Addresses of any other scheme, such as `javascript:`, are refused.
    ///
    /// # Errors
    /// When it is none of the three.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/.".contains(&b));
        let address = text.strip_prefix("https://").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"'`\\".contains(&b))
        });
        if (1..=200).contains(&text.len()) && (address || (name(text) && !text.starts_with("//"))) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                "invalid_icon",
                "must be an icon's name, a path of this site or an https address, of at most 200 characters",
            ))
        }
    }

    /// The icon.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// For how many days a listing runs: 1 to 365.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryDays(u16);

impl ExpiryDays {
    /// Reads a number of days.
    ///
    /// # Errors
    /// When it is not between 1 and 365.
    pub fn parse(days: i64) -> Result<Self, ParseError> {
        match u16::try_from(days) {
            Ok(days @ 1..=365) => Ok(Self(days)),
            _ => Err(ParseError::new("out_of_range", "must be from 1 to 365 days")),
        }
    }

    /// The number of days.
    pub fn days(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_has_one_form() {
        assert_eq!(Slug::parse("sofa-chairs").unwrap().as_str(), "sofa-chairs");
        for text in ["", "a", "A-b", "a--b", "-a", "a-", "a b", "मोबाइल", &"a".repeat(61)] {
            assert!(Slug::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_icon_cannot_carry_a_script() {
        for text in ["car", "icons/car.svg", "/media/car.png", "https://cdn.example.in/car.png?v=2"] {
            assert!(CategoryIcon::parse(text).is_ok(), "{text}");
        }
        for text in ["", "javascript:alert(1)", "//evil.example", "https://", "https://x/\"><script>", "a b"]
        {
            assert!(CategoryIcon::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_listing_runs_for_a_day_to_a_year() {
        assert_eq!(ExpiryDays::parse(365).unwrap().days(), 365);
        for days in [i64::MIN, -1, 0, 366, 65_537] {
            assert!(ExpiryDays::parse(days).is_err(), "{days}");
        }
    }
}
