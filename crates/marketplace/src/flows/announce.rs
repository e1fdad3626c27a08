//! An announcement reaches its audience: people in the order of their ids, in batches that each commit with how far
//! they came, and no faster than the rest of the marketplace can bear.

use std::time::Duration;

use identity::Reach;
use kernel::{AnnouncementId, UserId};
use notify::{Audience, AudienceFacts, FanOut, NotifyError, Segment};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::{NewEvent, append_event_in_txn};

use crate::jobs::deliver_in_txn;
use crate::telling::recipient;
use crate::{FlowError, Marketplace};

/// How many people are looked at in one go.
const BATCH: u32 = 200;
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
        loop {
            let people = self.identity.reach_after(looked_at, BATCH).await?;
            let Some(last) = people.last().map(|one| one.user) else { break };
            let covered = self.covered(&fan_out.audience, people).await?;
            if !covered.is_empty() {
                match self.tell_batch(&fan_out, &covered).await {
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
    /// When the database fails.
    pub async fn audience_size(&self, audience: &Audience) -> Result<u64, FlowError> {
        let (mut size, mut after) = (0, None);
        loop {
            let people = self.identity.reach_after(after, 1_000).await?;
            let Some(last) = people.last() else { return Ok(size) };
            after = Some(last.user);
            size += u64::try_from(self.covered(audience, people).await?.len()).unwrap_or_default();
        }
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
                    let payload = json!({ "announcementId": fan_out.id, "userIds": advanced.told });
                    let subject = format!("announcement:{}", fan_out.id);
                    let event = NewEvent { subject, kind: "announcement.told", payload };
                    append_event_in_txn(txn, &self.ambient, event).await?;
                }
                Ok::<_, FlowError>(told)
            })
            .await
    }

    async fn covered(&self, audience: &Audience, people: Vec<Reach>) -> Result<Vec<Reach>, FlowError> {
        let sellers = if matches!(audience, Audience::Segment { .. }) {
            let ids: Vec<_> = people.iter().map(|one| one.user).collect();
            self.catalog.sellers_among(&ids).await?
        } else {
            Default::default()
        };
        let covers = |one: &Reach| audience.covers(&facts(one, sellers.contains(&one.user)));
        Ok(people.into_iter().filter(covers).collect())
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
