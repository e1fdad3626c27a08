//! Messages on their way: one job for each delivery, which sends it outside of any transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{DeliveryId, DomainError, ErrorKind};
use notify::{Claim, Claimed, Contact, Lane, NotifyError, PlannedDelivery, Sending, Settled};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{ClaimedJob, JobError, JobHandler, NewJob, Outcome, StoreError, enqueue_in_txn};

use super::failed;
use crate::{FlowError, Marketplace};

/// The job of a lane, and how many of it run at a time: few enough that webhooks and everything else have places left when
/// every provider hangs.
pub(super) fn job_of(lane: Lane) -> (&'static str, usize) {
    match lane {
        Lane::Push => ("notify.deliver.push", 8),
        Lane::Sms => ("notify.deliver.sms", 4),
        Lane::Mail => ("notify.deliver.mail", 4),
        Lane::CriticalPush => ("notify.deliver.push.critical", 2),
        Lane::CriticalSms => ("notify.deliver.sms.critical", 2),
        Lane::CriticalMail => ("notify.deliver.mail.critical", 2),
    }
}

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
        deliver_at_in_txn(txn, market, one.id, one.lane, one.due_at).await?;
    }
    Ok(())
}

/// A job that is there already for another moment does not stand in the way of this one.
pub(super) async fn deliver_at_in_txn(
    txn: &DatabaseTransaction,
    market: &Marketplace,
    delivery: DeliveryId,
    lane: Lane,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let job = NewJob::new(job_of(lane).0, json!({ "delivery": delivery })).at(at);
    enqueue_in_txn(txn, &market.ambient, job).await.map(drop)
}

/// What came of asking for a delivery.
enum Taken {
    /// It is to be sent there; to nowhere when its device was logged out.
    ToSend(Box<Claimed>, Option<Contact>),
    /// Not before then.
    NotYet(DateTime<Utc>),
    /// There is nothing to send any more.
    Over,
}

/// Sends the messages of one lane.
pub(super) struct Deliver {
    market: Marketplace,
    lane: Lane,
}

impl Deliver {
    pub(super) fn new(market: &Marketplace, lane: Lane) -> Self {
        Self { market: market.clone(), lane }
    }

    async fn deliver(&self, job: &ClaimedJob, id: DeliveryId) -> Result<Outcome, FlowError> {
        let market = &self.market;
        let (claimed, place) = match self.claim(id).await {
            Ok(Taken::ToSend(claimed, place)) => (claimed, place),
            Ok(Taken::NotYet(at)) => return self.again(job, id, at).await,
            Ok(Taken::Over) => return Ok(Outcome::Done),
            // Its person has left, and it with them.
            Err(FlowError::Notify(error)) if error.kind() == ErrorKind::NotFound => return Ok(Outcome::Done),
            Err(error) => return Err(error),
        };
        let sending = match place {
            Some(contact) => market.senders.send(&claimed, &contact, market.notify.config()).await,
            None => Sending::DeviceGone,
        };
        market
            .db
            .in_txn(async |txn| {
                match market.notify.settle_in_txn(txn, &claimed, &sending).await {
                    Ok(Settled::Again(at)) => deliver_at_in_txn(txn, market, id, self.lane, at).await?,
                    // Whoever has it now settles it.
                    Ok(Settled::Over(_)) | Err(NotifyError::LeaseLost) => {}
                    Err(error) => return Err(error.into()),
                }
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                Ok::<_, FlowError>(Outcome::Finished)
            })
            .await
    }

    /// Takes it, and looks up where it goes in the same transaction: when that fails, it is still to be sent.
    async fn claim(&self, id: DeliveryId) -> Result<Taken, FlowError> {
        let market = &self.market;
        market
            .db
            .in_txn(async |txn| match market.notify.claim_delivery_in_txn(txn, id).await? {
                Claim::Send(claimed) => {
                    let place = self.place(txn, &claimed).await?;
                    Ok(Taken::ToSend(claimed, place))
                }
                Claim::NotYet(at) => Ok(Taken::NotYet(at)),
                Claim::Over(_) => Ok(Taken::Over),
            })
            .await
    }

    /// Where it goes: `None` when it is for a device whose login has ended. That is looked at now, because the event
    /// that tells of the end may still be on its way.
    async fn place(
        &self,
        txn: &DatabaseTransaction,
        claimed: &Claimed,
    ) -> Result<Option<Contact>, FlowError> {
        let identity = &self.market.identity;
        if let Some(former) = claimed.former_contact() {
            return Ok(Some(former.clone()));
        }
        if let Some(session) = claimed.session()
            && !identity.is_session_alive(txn, session).await?
        {
            return Ok(None);
        }
        let (phone, email) = identity.contact_of(txn, claimed.user).await?;
        Ok(Some(Contact { phone, email }))
    }

    async fn again(&self, job: &ClaimedJob, id: DeliveryId, at: DateTime<Utc>) -> Result<Outcome, FlowError> {
        let market = &self.market;
        market
            .db
            .in_txn(async |txn| {
                deliver_at_in_txn(txn, market, id, self.lane, at).await?;
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                Ok::<_, FlowError>(Outcome::Finished)
            })
            .await
    }
}

#[async_trait]
impl JobHandler for Deliver {
    fn kind(&self) -> &'static str {
        job_of(self.lane).0
    }

    fn share(&self) -> usize {
        job_of(self.lane).1
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        let Payload { delivery } = job.payload()?;
        self.deliver(job, delivery).await.map_err(failed)
    }
}
