//! How people can be reached: what others plan their messages by, and the contact itself for the moment of sending.

use kernel::{Email, ParseError, Phone, Role, UserId};
use sea_orm::ConnectionTrait;
use store::StoreError;

use super::rows;
use crate::{Identity, IdentityError};

/// How somebody can be reached, without the contact itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Who.
    pub user: UserId,
    /// The tag of their language, such as `hi`.
    pub language: String,
    /// Whether they have a verified number.
    pub has_phone: bool,
    /// Whether they have a verified address.
    pub has_email: bool,
    /// Where they live.
    pub city: Option<String>,
    /// In which state that is.
    pub state: Option<String>,
    /// What they are to the marketplace.
    pub role: Role,
}

/// Some of the people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Among {
    /// All of them.
    Everybody,
    /// Whoever lives in the city; the case of its name does not matter.
    City(String),
    /// Whoever lives in the state; the same holds for its name.
    State(String),
    /// Whoever has the role.
    Role(Role),
    /// These, at most some hundreds.
    These(Vec<UserId>),
}

impl Identity {
    /// How these people can be reached, in the order of their ids. Who is blocked is among them, who has left is not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reach(
        &self,
        db: &impl ConnectionTrait,
        users: &[UserId],
    ) -> Result<Vec<Reach>, IdentityError> {
        Ok(rows::reach(db, users).await?)
    }

    /// How those of them can be reached who may use the marketplace, in the order of their ids: so many after somebody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reach_after(
        &self,
        among: &Among,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Reach>, IdentityError> {
        Ok(rows::reach_after(self.db.reader()?, among, after, limit).await?)
    }

    /// How many of them may use the marketplace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_among(&self, among: &Among) -> Result<u64, IdentityError> {
        Ok(rows::count_among(self.db.reader()?, among).await?)
    }

    /// Somebody's verified number and address, for the moment of sending. Both are absent when they have left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contact_of(
        &self,
        db: &impl ConnectionTrait,
        user: UserId,
    ) -> Result<(Option<Phone>, Option<Email>), IdentityError> {
        let Some((phone, email)) = rows::verified_contact(db, user).await? else {
            return Ok((None, None));
        };
        let corrupt = |error: ParseError| StoreError::Corrupt(format!("a stored contact {error}"));
        let phone = phone.map(|text| Phone::parse(&text).map_err(corrupt)).transpose()?;
        let email = email.map(|text| Email::parse(&text).map_err(corrupt)).transpose()?;
        Ok((phone, email))
    }
}
