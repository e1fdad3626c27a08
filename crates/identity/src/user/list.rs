//! Staff's list of people.

use kernel::{Email, InvalidInput, Page, Paging, ParseError, Phone, Role, UserId, bounded_text};

use super::{StaffUserView, UserStatus, rows};
use crate::{Identity, IdentityError};

/// Which people to list; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserFilter {
    /// Only those of this role.
    pub role: Option<Role>,
    /// Only those of this status.
    pub status: Option<UserStatus>,
    /// Only those it finds.
    pub search: Option<UserSearch>,
}

/// Whom to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserSearch {
    /// Whoever has exactly this number.
    Phone(Phone),
    /// Whoever has exactly this address.
    Email(Email),
    /// Everybody in whose name this occurs, in whatever case.
    Name(String),
}

impl UserSearch {
    /// Reads a search: a number, an address, or else part of a name.
    ///
    /// # Errors
    /// When it is empty, longer than 254 characters, or holds characters that are not taken.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = bounded_text(text, 1, Email::MAX_BYTES, false)?;
        if let Ok(phone) = Phone::parse(&text) {
            return Ok(Self::Phone(phone));
        }
        match Email::parse(&text) {
            Ok(email) => Ok(Self::Email(email)),
            Err(_) => Ok(Self::Name(text)),
        }
    }
}

impl Identity {
    /// One numbered page of people, newest first; the first page when no number is asked for.
    ///
    /// # Errors
    /// When a cursor is given: this list has numbered pages only.
    pub async fn list_users(
        &self,
        filter: &UserFilter,
        paging: &Paging,
    ) -> Result<Page<StaffUserView>, IdentityError> {
        let page = match paging {
            Paging::Numbered { page, .. } => *page,
            Paging::After { cursor: None, .. } => 1,
            Paging::After { cursor: Some(_), .. } => {
                let message = "this list has numbered pages: give page instead";
                return Err(InvalidInput::field("cursor", "not_supported", message).into());
            }
        };
        let window = (paging.limit(), paging.offset());
        let (users, total) = rows::list_for_staff(self.db.reader()?, filter, window).await?;
        Ok(Page::numbered(users, page, paging.limit(), total))
    }

    /// Somebody as staff see them.
    ///
    /// # Errors
    /// [`UserNotFound`](IdentityError::UserNotFound) when there is no such person.
    pub async fn user_detail(&self, user: UserId) -> Result<StaffUserView, IdentityError> {
        let found = rows::find_for_staff(self.db.reader()?, user).await?;
        found.ok_or(IdentityError::UserNotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_says_by_its_form_what_it_looks_for() {
        assert!(matches!(UserSearch::parse("98765 43210").unwrap(), UserSearch::Phone(_)));
        assert!(matches!(UserSearch::parse("a@b.in").unwrap(), UserSearch::Email(_)));
        assert_eq!(UserSearch::parse(" Asha ").unwrap(), UserSearch::Name("Asha".to_owned()));
        assert!(UserSearch::parse(" ").is_err());
    }
}
