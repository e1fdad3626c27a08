//! The feed of a state: without an index of its own, a state with few listings would be looked for among all of them.

use crate::sql::Step;

pub(crate) const STEPS: &[Step] = &[Step::Each {
    sqlite: &[
        "CREATE INDEX IF NOT EXISTS ix_listings_state ON listings (state_key, listed_at, id, price) WHERE status = 'ACTIVE'",
    ],
    postgres: &[
        "CREATE INDEX IF NOT EXISTS ix_listings_state ON listings (state_key, listed_at, id, price) WHERE status = 'ACTIVE'",
    ],
    mariadb: &["CREATE INDEX ix_listings_state ON listings (status, state_key, listed_at, id, price)"],
}];
