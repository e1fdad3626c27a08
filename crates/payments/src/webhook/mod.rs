//! The provider's webhooks: believed by their signature, written down in batches, worked off later.

mod envelope;
mod intake;
mod promise;
mod receive;
mod rows;
mod work;

pub(crate) use intake::Intake;

/// The kind of the job that works webhooks off. One is written with every batch, in the batch's transaction: a job with
/// a unique key would lose what arrives while the former one ends.
pub const WEBHOOK_JOB: &str = "payments.webhooks";

/// What became of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// It was written down.
    New,
    /// It had been before.
    Known,
}

/// What a webhook is about, to be fetched: nothing else that it says is believed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WebhookTarget {
    /// A payment, by its id at the provider.
    Payment(String),
    /// An order, by its id at the provider.
    Order(String),
}

/// How far a webhook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookState {
    /// To be worked off.
    New,
    /// Worked off.
    Done,
    /// Of no use to us.
    Ignored,
    /// Given up.
    Dead,
}

impl WebhookState {
    /// The word that the tables keep.
    fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Dead => "dead",
        }
    }
}

/// A webhook taken by a worker, under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedWebhook {
    /// The event's id; the same over the provider's retries.
    pub event_id: String,
    /// What happened, such as `payment.captured`.
    pub event_type: String,
    /// What it is about.
    pub target: WebhookTarget,
    /// The refund that it tells of, by its id at the provider.
    pub refund: Option<String>,
    /// Which try this is, from 1.
    pub attempts: u32,
    /// How often the provider has not shown what it tells of.
    pub(crate) unseen: u32,
}
