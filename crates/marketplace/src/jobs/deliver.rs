//! Messages on their way: one job for each delivery, which sends it outside of any transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{DeliveryId, DomainError, ErrorKind};
use notify::{Claim, Claimed, Contact, NotifyError, PlannedDelivery, Sending, Settled};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{ClaimedJob, JobError, JobHandler, NewJob, Outcome, StoreError, enqueue_in_txn};

use super::failed;
use crate::{FlowError, Marketplace};

pub(super) const KIND: &str = "notify.deliver";

#[derive(Serialize, Deserialize)]
struct Payload {
    delivery: DeliveryId,
}

/// Asks for a job for each, in the transaction that planned them.
pub(crate) async fn deliver_in_txn(
    txn: &DatabaseTransaction,
    market: &Marketplace,
    planned: &[PlannedDelivery],
) -> Result<(), StoreError> {
    for one in planned {
        deliver_at_in_txn(txn, market, one.id, one.due_at).await?;
    }
    Ok(())
}

/// A job that is there already for another moment does not stand in the way of this one.
pub(super) async fn deliver_at_in_txn(
    txn: &DatabaseTransaction,
    market: &Marketplace,
    delivery: DeliveryId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let job = NewJob::new(KIND, json!({ "delivery": delivery })).at(at);
    enqueue_in_txn(txn, &market.ambient, job).await.map(drop)
}

pub(super) struct Deliver(Marketplace);

impl Deliver {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }

    async fn deliver(&self, job: &ClaimedJob, id: DeliveryId) -> Result<Outcome, FlowError> {
        let market = &self.0;
        let claimed = match market.notify.claim_delivery(id).await {
            Ok(Claim::Send(claimed)) => claimed,
            Ok(Claim::NotYet(at)) => return self.again(job, id, at).await,
            Ok(Claim::Over(_)) => return Ok(Outcome::Done),
            // Its person has left, and it with them.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Outcome::Done),
            Err(error) => return Err(error.into()),
        };
        let sending = self.send(&claimed).await?;
        market
            .db
            .in_txn(async |txn| {
                match market.notify.settle_in_txn(txn, &claimed, &sending).await {
                    Ok(Settled::Again(at)) => deliver_at_in_txn(txn, market, id, at).await?,
                    // Whoever has it now settles it.
                    Ok(Settled::Over(_)) | Err(NotifyError::LeaseLost) => {}
                    Err(error) => return Err(error.into()),
                }
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                Ok::<_, FlowError>(Outcome::Finished)
            })
            .await
    }

    /// Sends it, unless it is for a device whose login has ended: that is looked at now, because the event that tells
    /// of the end may still be on its way.
    async fn send(&self, claimed: &Claimed) -> Result<Sending, FlowError> {
        let market = &self.0;
        if let Some(session) = claimed.session()
            && !market.identity.is_session_alive(session).await?
        {
            return Ok(Sending::DeviceGone);
        }
        let (phone, email) = market.identity.contact_of(claimed.user).await?;
        let contact = Contact { phone, email };
        Ok(market.senders.send(claimed, &contact, market.notify.config()).await)
    }

    async fn again(&self, job: &ClaimedJob, id: DeliveryId, at: DateTime<Utc>) -> Result<Outcome, FlowError> {
        let market = &self.0;
        market
            .db
            .in_txn(async |txn| {
                deliver_at_in_txn(txn, market, id, at).await?;
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                Ok::<_, FlowError>(Outcome::Finished)
            })
            .await
    }
}

#[async_trait]
impl JobHandler for Deliver {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn share(&self) -> usize {
        6
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        let Payload { delivery } = job.payload()?;
        self.deliver(job, delivery).await.map_err(failed)
    }
}
