//! Webhooks on their way to those who asked for them: one job for each, which sends it outside of any transaction.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use kernel::{DomainError, ErrorKind, HookDeliveryId};
use notify::{HookClaim, HookSettled, NotifyError, PlannedHook};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{ClaimedJob, JobError, JobHandler, NewJob, Outcome, StoreError, enqueue_in_txn};

use super::failed;
use crate::{FlowError, Marketplace};

pub(super) const KIND: &str = "notify.send_hook";

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

async fn send_at_in_txn(
    txn: &DatabaseTransaction,
    market: &Marketplace,
    delivery: HookDeliveryId,
    at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let job = NewJob::new(KIND, json!({ "delivery": delivery })).at(at);
    enqueue_in_txn(txn, &market.ambient, job).await.map(drop)
}

pub(super) struct SendHook(Marketplace);

impl SendHook {
    pub(super) fn new(market: &Marketplace) -> Self {
        Self(market.clone())
    }

    async fn send(&self, job: &ClaimedJob, id: HookDeliveryId) -> Result<Outcome, FlowError> {
        let market = &self.0;
        let claimed = match market.notify.claim_hook(id).await {
            Ok(HookClaim::Send(claimed)) => claimed,
            Ok(HookClaim::NotYet(at)) => return self.again(job, id, at).await,
            Ok(HookClaim::Over) => return Ok(Outcome::Done),
            // Its endpoint was deleted, and it with it.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Outcome::Done),
            Err(error) => return Err(error.into()),
        };
        let sending = market.hooks.send(&claimed).await;
        market
            .db
            .in_txn(async |txn| {
                match market.notify.settle_hook_in_txn(txn, &claimed, sending).await {
                    Ok(HookSettled::Again(at)) => send_at_in_txn(txn, market, id, at).await?,
                    Ok(HookSettled::EndpointOff) => {
                        tracing::error!(endpoint = %claimed.endpoint, "an endpoint of webhooks was switched off");
                    }
                    Ok(HookSettled::Delivered | HookSettled::Dead) | Err(NotifyError::LeaseLost) => {}
                    Err(error) => return Err(error.into()),
                }
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                Ok::<_, FlowError>(Outcome::Finished)
            })
            .await
    }

    async fn again(
        &self,
        job: &ClaimedJob,
        id: HookDeliveryId,
        at: DateTime<Utc>,
    ) -> Result<Outcome, FlowError> {
        let market = &self.0;
        market
            .db
            .in_txn(async |txn| {
                send_at_in_txn(txn, market, id, at).await?;
                job.lease.finish_in_txn(txn, market.ambient.now()).await?;
                Ok::<_, FlowError>(Outcome::Finished)
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
        4
    }

    async fn run(&self, job: &ClaimedJob) -> Result<Outcome, JobError> {
        let Payload { delivery } = job.payload()?;
        self.send(job, delivery).await.map_err(failed)
    }
}
