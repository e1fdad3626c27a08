//! Where a code is sent: a phone or a mailbox.

use kernel::{Email, FieldErrors, InvalidInput, Phone};

use crate::keys::MacKey;

/// A phone number or an e-mail address. `Debug` masks both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contact {
    /// Reached by SMS.
    Phone(Phone),
    /// Reached by mail.
    Email(Email),
}

impl Contact {
    /// Reads the two fields of which a request gives exactly one.
    ///
    /// # Errors
    /// When both or neither are given, or the one that is given is not valid.
    pub fn parse(phone: Option<&str>, email: Option<&str>) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        let contact = match (phone, email) {
            (Some(phone), None) => errors.check("phone", Phone::parse(phone)).map(Self::Phone),
            (None, Some(email)) => errors.check("email", Email::parse(email)).map(Self::Email),
            (None, None) => {
                errors.add("phone", "required", "give either phone or email");
                None
            }
            (Some(_), Some(_)) => {
                errors.add("email", "conflicting", "give either phone or email, not both");
                None
            }
        };
        contact.ok_or_else(|| errors.into_error())
    }

    /// `phone` or `email`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "phone",
            Self::Email(_) => "email",
        }
    }

    /// The number or address itself. For sending and storing, not for showing.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Phone(phone) => phone.as_str(),
            Self::Email(email) => email.as_str(),
        }
    }

    /// The number or address with its middle hidden.
    pub fn masked(&self) -> String {
        match self {
            Self::Phone(phone) => phone.masked(),
            Self::Email(email) => email.masked(),
        }
    }

    /// What is kept in place of the contact where it need not be known.
    pub(crate) fn fingerprint(&self, pepper: &MacKey) -> String {
        pepper.hex("contact", &[self.kind().as_bytes(), self.as_str().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_contact_is_taken() {
        assert_eq!(Contact::parse(Some("98765 43210"), None).unwrap().as_str(), "+919876543210");
        assert_eq!(Contact::parse(None, Some("A@B.in")).unwrap().as_str(), "a@b.in");
        for (phone, email, field) in [
            (None, None, "phone"),
            (Some("9876543210"), Some("a@b.in"), "email"),
            (Some("1"), None, "phone"),
            (None, Some("x"), "email"),
        ] {
            assert_eq!(Contact::parse(phone, email).unwrap_err().0[0].field, field);
        }
    }

    #[test]
    fn a_contact_does_not_show_itself() {
        let contact = Contact::parse(Some("9876543210"), None).unwrap();
        assert!(!format!("{contact:?} {}", contact.masked()).contains("98765"));
    }
}
