//! Webhooks on their way to those who asked for them: one job for each, which sends it outside of any transaction, and one
//! at a time to each endpoint. A job that comes while another one sends ends at once; that one, when it has settled,
//! enqueues the next.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{DomainError, ErrorKind, HookDeliveryId};
use notify::{ClaimedHook, HookClaim, HookSettled, NotifyError, PlannedHook};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{ClaimedJob, JobError, JobHandler, NewJob, Outcome, StoreError, enqueue_in_txn};

use super::failed;
use crate::{FlowError, Marketplace};

pub(super) const KIND: &str = "notify.send_hook";

/// How many run at a time. Each endpoint has one under way at most, so this is how many that hang at once hold up the others.
pub(super) const PLACES: usize = 16;

#[derive(Serialize, Deserialize)]
struct Payload {
    delivery: HookDeliveryId,
}

/// Asks for a job for each, in the transaction that planned them.
pub(crate) async fn send_hook_in_txn(
    txn: &DatabaseTransaction,
    market: &Marketplace,
    planned: &[PlannedHook],
) -> Result<(), StoreError> {
    for one in planned {
        send_at_in_txn(txn, market, one.id, one.due_at).await?;
    }
    Ok(())
}

/// At most one unfinished job is for a webhook, whoever asks for it again.
async fn send_at_in_txn(
    txn: &DatabaseTransaction,
    market: &Marketplace,
    delivery: HookDeliveryId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let job = NewJob::new(KIND, json!({ "delivery": delivery })).at(at).unique(format!("hook:{delivery}"));
    enqueue_in_txn(txn, &market.ambient, job).await.map(drop)
}

pub(super) struct SendHook(Marketplace);

impl SendHook {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }

    async fn send(&self, job: &ClaimedJob, id: HookDeliveryId) -> Result<Outcome, FlowError> {
        let market = &self.0;
        let claimed = match self.claim(job, id).await {
            Ok(Some(claimed)) => claimed,
            Ok(None) => return Ok(Outcome::Finished),
            // Its endpoint was deleted, and it with it.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Outcome::Done),
            Err(error) => return Err(error),
        };
        let sending = market.hooks.send(&claimed).await;
        market
            .db
            .in_txn(async |txn| {
                let settled = match market.notify.settle_hook_in_txn(txn, &claimed, sending).await {
                    Ok(settled) => Some(settled),
                    // Whoever has it now settles it, and goes on with the others.
                    Err(NotifyError::LeaseLost) => None,
                    Err(error) => return Err(error.into()),
                };
                // Before its next job, which there cannot be beside this one.
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                match settled {
                    Some(HookSettled::Again(at)) => send_at_in_txn(txn, market, id, at).await?,
                    Some(HookSettled::EndpointOff) => {
                        tracing::error!(endpoint = %claimed.endpoint, "an endpoint of webhooks was switched off");
                    }
                    Some(HookSettled::Delivered | HookSettled::Dead) | None => {}
                }
                if settled.is_some() {
                    let next = market.notify.next_hook_in_txn(txn, claimed.endpoint).await?;
                    send_hook_in_txn(txn, market, next.as_slice()).await?;
                }
                Ok::<_, FlowError>(Outcome::Finished)
            })
            .await
    }

    /// Takes it. When it is not its turn, the job ends in the same transaction, and whatever is to follow it is enqueued.
    async fn claim(
        &self,
        job: &ClaimedJob,
        id: HookDeliveryId,
    ) -> Result<Option<Box<ClaimedHook>>, FlowError> {
        let market = &self.0;
        market
            .db
            .in_txn(async |txn| {
                let following = match market.notify.claim_hook_in_txn(txn, id).await? {
                    HookClaim::Send(claimed) => return Ok(Some(claimed)),
                    HookClaim::NotYet(at) => Some((id, at)),
                    HookClaim::After(older) => Some((older.id, older.due_at)),
                    HookClaim::Busy | HookClaim::Over => None,
                };
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                if let Some((delivery, at)) = following {
                    send_at_in_txn(txn, market, delivery, at).await?;
                }
                Ok(None)
            })
            .await
    }
}

#[async_trait]
impl JobHandler for SendHook {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn share(&self) -> usize {
        PLACES
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        let Payload { delivery } = job.payload()?;
        self.send(job, delivery).await.map_err(failed)
    }
}
