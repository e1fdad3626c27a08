//! What is asked for all who are told in a transaction, and not for one after the other: which events are new to them, what
//! they have chosen, and what staff put in the templates' place.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kernel::{TypedId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use store::{Engine, StoreError, filled, insert_if_absent};
use uuid::Uuid;

use super::notice::{NewNotification, Recipient};
use crate::preference::{self, Choices};
use crate::template::{self, TemplateParts};
use crate::{Channel, Kind, Language};

/// Most rows of one statement.
const AT_ONCE: usize = 256;

/// What is known of those who are told.
#[derive(Debug)]
pub(super) struct Known {
    choices: HashMap<UserId, Choices>,
    overrides: HashMap<(Kind, Language), Vec<(Channel, TemplateParts)>>,
}

impl Known {
    /// Reads it for these.
    pub(super) async fn load(
        txn: &DatabaseTransaction,
        news: &[(&Recipient, &NewNotification)],
    ) -> Result<Self, StoreError> {
        let users: HashSet<UserId> = news.iter().map(|(recipient, _)| recipient.user).collect();
        let choices = preference::load_all(txn, &users.into_iter().collect::<Vec<_>>()).await?;
        let mut overrides = HashMap::new();
        for (recipient, new) in news {
            let key = (new.kind, recipient.language);
            if let Entry::Vacant(entry) = overrides.entry(key) {
                entry.insert(template::overrides(txn, new.kind, recipient.language).await?);
            }
        }
        Ok(Self { choices, overrides })
    }

    /// What somebody has chosen.
    pub(super) fn choices(&self, user: UserId) -> Choices {
        self.choices.get(&user).cloned().unwrap_or_default()
    }

    /// What staff put in the place of a default.
    pub(super) fn parts(&self, kind: Kind, language: Language, channel: Channel) -> Option<&TemplateParts> {
        let all = self.overrides.get(&(kind, language))?;
        all.iter().find(|(of, _)| *of == channel).map(|(_, parts)| parts)
    }
}

/// Notes that the events are told, and says of each whether it is for the first time.
pub(super) async fn note_events(
    txn: &DatabaseTransaction,
    news: &[(&Recipient, &NewNotification)],
    now: DateTime<Utc>,
) -> Result<Vec<bool>, StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    let mut are_new = Vec::with_capacity(news.len());
    for some in news.chunks(AT_ONCE) {
        match engine {
            Engine::Sqlite | Engine::Postgres => are_new.extend(note_together(txn, engine, some, now).await?),
            // It cannot pass over a row that is there without passing over what does not fit, too.
            Engine::MariaDb => {
                for (recipient, new) in some {
                    let insert = format!("{NOTE} VALUES {ROW}");
                    let insert = engine.statement(&insert, row(recipient, new, now));
                    are_new.push(insert_if_absent(txn, insert).await?);
                }
            }
        }
    }
    Ok(are_new)
}

const NOTE: &str = "INSERT INTO notification_events (user_id, event_key, seen_at)";
const ROW: &str = "(?, ?, ?)";

async fn note_together(
    txn: &DatabaseTransaction,
    engine: Engine,
    news: &[(&Recipient, &NewNotification)],
    now: DateTime<Utc>,
) -> Result<Vec<bool>, StoreError> {
    let (length, rows) = filled(news);
    let rows = rows.flat_map(|(recipient, new)| row(recipient, new, now));
    // What comes again is passed over.
    let sql = format!(
        "{NOTE} VALUES {} ON CONFLICT DO NOTHING RETURNING user_id, event_key",
        vec![ROW; length].join(", ")
    );
    let noted = txn.query_all_raw(engine.statement(&sql, rows)).await?;
    let mut noted = noted
        .iter()
        .map(|row| Ok((row.try_get::<Uuid>("", "user_id")?.into(), row.try_get("", "event_key")?)))
        .collect::<Result<HashSet<(UserId, String)>, StoreError>>()?;
    // The same event twice among them is new once.
    Ok(news.iter().map(|(recipient, new)| noted.remove(&(recipient.user, new.event_key.clone()))).collect())
}

fn row(recipient: &Recipient, new: &NewNotification, now: DateTime<Utc>) -> [Value; 3] {
    [recipient.user.uuid().into(), new.event_key.as_str().into(), now.into()]
}
