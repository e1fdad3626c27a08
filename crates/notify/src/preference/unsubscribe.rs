//! The token in a mail's link to unsubscribe: whose mails of which category, signed. It does not expire, because mails
//! are kept, and it can do nothing else.

use kernel::{CursorCodec, UserId};

use crate::{Category, NotifyError};

/// What tells these tokens from the cursors that the same key signs.
const SCOPE: &str = "unsubscribe";

pub(super) fn token(key: &CursorCodec, user: UserId, category: Category) -> String {
    key.seal(SCOPE, &(user, category))
}

pub(super) fn read(key: &CursorCodec, token: &str) -> Result<(UserId, Category), NotifyError> {
    key.open(SCOPE, token).ok().ok_or(NotifyError::BadUnsubscribeToken)
}
