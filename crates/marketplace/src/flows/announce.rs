//! An announcement reaches its audience: people in the order of their ids, in batches that each commit with how far
//! they came, and no faster than the rest of the marketplace can bear.

use std::time::Duration;

use identity::{Among, Reach};
use kernel::{AnnouncementId, Caller, Permission, UserId};
use notify::{Audience, AudienceFacts, FanOut, NotifyError, Reached, Segment};
use sea_orm::DatabaseTransaction;
use serde_json::{Value as Json, json};
use store::{NewEvent, append_event_in_txn};

use crate::jobs::deliver_in_txn;
use crate::telling::recipient;
use crate::{FlowError, Marketplace};

/// How many people are looked at in one go, and how many when they are only counted.
const BATCH: u32 = 200;
const COUNTED_AT_ONCE: u32 = 1_000;
/// The pause between two batches: at most some two thousand people a second are told.
const PAUSE: Duration = Duration::from_millis(100);

impl Marketplace {
    /// Tells an announcement to its audience, unless another process does it. It goes on where it stopped, and stops
    /// where staff stop it.
    ///
    /// # Errors
    /// When the database fails; the next round goes on.
    pub async fn announce(&self, id: AnnouncementId) -> Result<(), FlowError> {
        let Some(mut fan_out) = self.notify.begin_fan_out(id).await? else { return Ok(()) };
        let mut looked_at = fan_out.position;
        while let Some((last, people)) = self.audience_after(&fan_out.audience, looked_at, BATCH).await? {
            if !people.is_empty() {
                match self.tell_batch(&fan_out, &people).await {
                    Ok(told_up_to) => fan_out = fan_out.moved_to(told_up_to),
                    // Staff have stopped it, or another process goes on.
                    Err(FlowError::Notify(NotifyError::LeaseLost)) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            looked_at = Some(last);
            tokio::time::sleep(PAUSE).await;
        }
        let finish = async |txn: &DatabaseTransaction| self.notify.finish_fan_out_in_txn(txn, &fan_out).await;
        match self.db.in_txn(finish).await {
            Err(NotifyError::LeaseLost) => Ok(()),
            finished => Ok(finished?),
        }
    }

    /// How many people an announcement would reach now.
    ///
    /// # Errors
    /// When the caller may not, or the database fails.
    pub async fn audience_size(&self, caller: &Caller, audience: &Audience) -> Result<u64, FlowError> {
        if !caller.actor.may(Permission::AnnouncementsManage) {
            return Err(NotifyError::Forbidden.into());
        }
        if let Some(among) = among(audience) {
            return Ok(self.identity.count_among(&among).await?);
        }
        let (mut size, mut after) = (0, None);
        while let Some((last, people)) = self.audience_after(audience, after, COUNTED_AT_ONCE).await? {
            after = Some(last);
            size += u64::try_from(people.len()).unwrap_or_default();
        }
        Ok(size)
    }

    /// What is known of somebody, to tell which announcements are for them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audience_facts(&self, user: UserId) -> Result<Option<(Reach, AudienceFacts)>, FlowError> {
        let reach = self.identity.reach(self.db.reader()?, &[user]).await?.pop();
        let Some(reach) = reach else { return Ok(None) };
        let sellers = self.catalog.sellers_among(&[user]).await?;
        let facts = facts(&reach, sellers.contains(&user));
        Ok(Some((reach, facts)))
    }

    async fn tell_batch(&self, fan_out: &FanOut, people: &[Reach]) -> Result<UserId, FlowError> {
        let batch: Vec<_> = people.iter().map(recipient).collect();
        let told =
            batch.last().map(|one| one.user).or(fan_out.position).unwrap_or_else(|| uuid::Uuid::nil().into());
        self.db
            .in_txn(async |txn| {
                let advanced = self.notify.advance_fan_out_in_txn(txn, fan_out, &batch).await?;
                deliver_in_txn(txn, self, &advanced.deliveries).await?;
                if !advanced.told.is_empty() {
                    let reached: Vec<_> = advanced.told.iter().map(reached).collect();
                    let payload = json!({ "announcementId": fan_out.id, "reached": reached });
                    let subject = format!("announcement:{}", fan_out.id);
                    let event = NewEvent { subject, kind: "announcement.told", payload };
                    append_event_in_txn(txn, &self.ambient, event).await?;
                }
                Ok::<_, FlowError>(told)
            })
            .await
    }

    /// The next people of an audience after somebody, and up to whom that looked; `None` when there is nobody more.
    /// The database picks them by an index, but for buyers, who are nearly everybody.
    async fn audience_after(
        &self,
        audience: &Audience,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Option<(UserId, Vec<Reach>)>, FlowError> {
        if let Audience::Segment { segment: Segment::Sellers } = audience {
            let sellers = self.catalog.sellers_after(after, limit).await?;
            let Some(last) = sellers.last().copied() else { return Ok(None) };
            let people = self.identity.reach_after(&Among::These(sellers), None, limit).await?;
            return Ok(Some((last, people)));
        }
        let among = match audience {
            // Nobody is one before there is a check of who they are.
            Audience::Segment { segment: Segment::VerifiedSellers } => return Ok(None),
            other => among(other).unwrap_or(Among::Everybody),
        };
        let mut people = self.identity.reach_after(&among, after, limit).await?;
        let Some(last) = people.last().map(|one| one.user) else { return Ok(None) };
        if let Audience::Segment { .. } = audience {
            let ids: Vec<_> = people.iter().map(|one| one.user).collect();
            let sellers = self.catalog.sellers_among(&ids).await?;
            people.retain(|one| !sellers.contains(&one.user));
        }
        Ok(Some((last, people)))
    }
}

/// Somebody whom a batch reached, as the event tells it.
fn reached(one: &Reached) -> Json {
    match one.notification {
        Some(notification) => json!({ "userId": one.user, "notificationId": notification }),
        None => json!({ "userId": one.user }),
    }
}

/// The audience as identity knows it; who sells and who buys is known elsewhere.
fn among(audience: &Audience) -> Option<Among> {
    match audience {
        Audience::All {} => Some(Among::Everybody),
        Audience::City { city } => Some(Among::City(city.clone())),
        Audience::State { state } => Some(Among::State(state.clone())),
        Audience::Role { role } => Some(Among::Role(*role)),
        Audience::Segment { .. } => None,
    }
}

/// Nobody is a verified seller before there is a check of who they are.
fn facts(reach: &Reach, sells: bool) -> AudienceFacts {
    AudienceFacts {
        city: reach.city.clone(),
        state: reach.state.clone(),
        role: reach.role,
        segments: vec![if sells { Segment::Sellers } else { Segment::Buyers }],
    }
}
