//! How a person is reached: Indian mobile numbers and e-mail addresses, parsed once and masked when shown.

use std::fmt;

use crate::ParseError;

/// An Indian mobile number in E.164: `+91` and ten digits, the first of them 6 to 9.
///
/// The rule is wider than libphonenumber's list of ranges on purpose: the carrier refuses what does not exist.
/// `Debug` and `Display` mask the number, so that it cannot slip into a log.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as people write it: with `+91`, `91`, `0` or nothing before the ten digits, and with
    /// blanks, hyphens, dots or brackets between them.
    ///
    /// # Errors
    /// When it is no Indian mobile number.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let refuse = || {
            ParseError::new(
                "invalid_phone",
                "must be an Indian mobile number such as +919876543210: ten digits, the first from 6 to 9",
            )
        };
        if text.len() > 32 {
            return Err(refuse());
        }
        let trimmed = text.trim();
        let (international, rest) = match trimmed.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        if !rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '.' | '(' | ')')) {
            return Err(refuse());
        }
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        let national = match digits.len() {
            10 if !international => Some(digits.as_str()),
            11 if !international => digits.strip_prefix('0'),
            12 => digits.strip_prefix("91"),
            _ => None,
        };
        match national {
            Some(number) if number.starts_with(['6', '7', '8', '9']) => Ok(Self(format!("+91{number}"))),
            _ => Err(refuse()),
        }
    }

    /// The number in E.164. For sending and storing, not for showing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number with its middle hidden: `+91******3210`.
    pub fn masked(&self) -> String {
        let tail: String = self.0.chars().skip(9).collect();
        format!("+91******{tail}")
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// An e-mail address: the practical part of RFC 5321, without quoted local parts or address literals,
/// lower-cased so that one mailbox has one spelling. `Debug` and `Display` mask it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

impl Email {
    /// The longest address that RFC 5321 §4.5.3.1.3 lets through, in bytes.
    pub const MAX_BYTES: usize = 254;

    /// Reads an address.
    ///
    /// # Errors
    /// When it is no address that mail could be sent to.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let refuse = || ParseError::new("invalid_email", "must be an e-mail address such as asha@example.in");
        let address = text.trim();
        if address.len() > Self::MAX_BYTES || !address.is_ascii() {
            return Err(refuse());
        }
        let (local, domain) = address.rsplit_once('@').ok_or_else(refuse)?;
        if is_local_part(local) && is_domain(domain) {
            Ok(Self(address.to_ascii_lowercase()))
        } else {
            Err(refuse())
        }
    }

    /// The address. For sending and storing, not for showing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with its local part hidden but for the first letter: `a***@example.in`.
    pub fn masked(&self) -> String {
        match self.0.split_once('@') {
            Some((local, domain)) => format!("{}***@{domain}", local.chars().take(1).collect::<String>()),
            None => "***".to_owned(),
        }
    }
}

fn is_local_part(local: &str) -> bool {
    !local.is_empty()
        && local.len() <= 64
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
        })
}

fn is_domain(domain: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    domain.split('.').count() >= 2
        && domain.split('.').all(label)
        && domain
            .rsplit('.')
            .next()
            .is_some_and(|top| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()))
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Email({})", self.masked())
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_read_as_people_write_it() {
        for text in [
            "+919876543210",
            "919876543210",
            "09876543210",
            "9876543210",
            "+91 98765 43210",
            "(0)98765-43210",
        ] {
            assert_eq!(Phone::parse(text).unwrap().as_str(), "+919876543210", "{text}");
        }
    }

    #[test]
    fn what_is_no_indian_mobile_number_is_refused() {
        for text in [
            "",
            "+",
            "5876543210",
            "987654321",
            "98765432101",
            "+1 415 555 0100",
            "+9876543210",
            "0091 9876543210",
            "98765x43210",
            "९८७६५४३२१०",
            "+91+9876543210",
            "9876543210\n1",
        ] {
            assert!(Phone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_lower_cased() {
        assert_eq!(Email::parse(" Asha.Rao+olx@Example.IN ").unwrap().as_str(), "asha.rao+olx@example.in");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "a",
            "a@b",
            "@b.in",
            "a@",
            "a b@c.in",
            "a@b..in",
            ".a@b.in",
            "a@-b.in",
            "a@b.1",
            "a@b.in\r\nBcc: x@y.in",
            "a@b@c .in",
            "आशा@example.in",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert!(Email::parse(&format!("{}@b.in", "a".repeat(65))).is_err());
    }

    #[test]
    fn neither_shows_itself_in_a_log() {
        let phone = Phone::parse("9876543210").unwrap();
        let email = Email::parse("asha@example.in").unwrap();
        assert_eq!(format!("{phone} {phone:?}"), "+91******3210 Phone(+91******3210)");
        assert_eq!(format!("{email} {email:?}"), "a***@example.in Email(a***@example.in)");
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in "\\PC*") {
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert_eq!(Phone::parse(phone.as_str()).unwrap(), phone);
            }
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()).unwrap(), email);
            }
        }
    }
}
