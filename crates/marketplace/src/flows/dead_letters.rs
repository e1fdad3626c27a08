//! What was given up in the background: events and jobs that failed as often as they may, for staff to look at and to
//! try again once the cause is mended.

use chrono::{DateTime, Utc};
use identity::IdentityError;
use kernel::{Caller, Permission, TypedId};
use serde::Serialize;
use serde_json::json;
use store::{audit, dead_event, dead_events, dead_jobs, revive_dead_event, revive_dead_job};
use uuid::Uuid;

use crate::{FlowError, Marketplace};

/// The most of each kind that a list holds.
const LISTED: u32 = 100;

/// What a dead letter was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeadLetterKind {
    /// An event that was to be told.
    Event,
    /// A job that was to be done.
    Job,
}

/// Something that was given up in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: Uuid,
    /// What it was.
    pub kind: DeadLetterKind,
    /// The event or job by name.
    #[schema(example = "wallet.updated")]
    pub name: String,
    /// What it is about, for events.
    #[schema(example = "user:018f3e2a-7c41-7d0b-9b7e-5d2f1c0a9e11")]
    pub subject: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// When it was given up.
    pub died_at: DateTime<Utc>,
}

impl Marketplace {
    /// What was given up, latest first: the latest hundred events and the latest hundred jobs.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn dead_letters(&self, caller: &Caller) -> Result<Vec<DeadLetterView>, FlowError> {
        require(caller)?;
        let reader = self.db.reader()?;
        let events = dead_events(reader, LISTED).await?.into_iter().map(|event| DeadLetterView {
            id: event.id.uuid(),
            kind: DeadLetterKind::Event,
            name: event.kind,
            subject: Some(event.subject),
            attempts: event.attempts,
            last_error: event.last_error,
            died_at: event.died_at,
        });
        let jobs = dead_jobs(reader, LISTED).await?.into_iter().map(|job| DeadLetterView {
            id: job.id.uuid(),
            kind: DeadLetterKind::Job,
            name: job.kind,
            subject: None,
            attempts: job.attempts,
            last_error: job.last_error,
            died_at: job.died_at,
        });
        let mut letters: Vec<_> = events.chain(jobs).collect();
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.died_at));
        Ok(letters)
    }

    /// Gives a dead letter all its tries again, on record.
    ///
    /// # Errors
    /// When the caller may not, or there is no such dead letter (any more).
    pub async fn replay_dead_letter(&self, caller: &Caller, id: Uuid) -> Result<(), FlowError> {
        require(caller)?;
        self.db
            .in_txn(async |txn| {
                let now = self.ambient.now();
                let event = dead_event(txn, id.into()).await?;
                let (kind, before) = match &event {
                    Some(event) => {
                        revive_dead_event(txn, event.id, now).await?;
                        let before = json!({ "event": event.kind, "attempts": event.attempts, "error": event.last_error });
                        ("event", before)
                    }
                    None if revive_dead_job(txn, id.into(), now).await? => ("job", json!({ "state": "dead" })),
                    None => return Err(FlowError::DeadLetterNotFound),
                };
                let entry = audit::Entry {
                    caller,
                    action: "dead_letter.replayed",
                    subject_kind: kind,
                    subject_id: id.to_string(),
                    before,
                    after: json!({ "attempts": 0 }),
                    reason: None,
                };
                Ok(audit::append_in_txn(txn, &self.ambient, entry).await.map(drop)?)
            })
            .await
    }
}

fn require(caller: &Caller) -> Result<(), FlowError> {
    if caller.actor.may(Permission::DeadLettersReplay) {
        Ok(())
    } else {
        Err(IdentityError::NotAllowed.into())
    }
}
