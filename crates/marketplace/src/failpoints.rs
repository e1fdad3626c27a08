//! Places between two steps of moving money at which a test or a simulation ends the process.
//!
//! Nothing happens at any of them unless a hook was given. A hook may end the process as SIGKILL would, or say that
//! the caller goes no further: then the future never completes, and whoever drops it has crashed the flow there.

use std::fmt;
use std::future::pending;
use std::sync::Arc;

macro_rules! failpoints {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A place at which a flow can be ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Failpoint {
            $($(#[$doc])* $variant),+
        }

        impl Failpoint {
            /// All of them, in the order of the flows.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name by which it is set.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }
    };
}

failpoints! {
    /// A top-up is intended, and its transaction not committed.
    OrderWritten = "order.written",
    /// A top-up is intended, and the provider was not asked.
    OrderIntended = "order.intended",
    /// The provider has made the order, and nobody here knows.
    OrderMade = "order.made",
    /// The provider's order is written down, and its transaction not committed.
    OrderNoted = "order.noted",
    /// The order is written down, and the client not answered.
    OrderKept = "order.kept",
    /// A payment was fetched, and nothing of it applied.
    PaymentFetched = "payment.fetched",
    /// The provider has captured a payment that was authorized, and it was not fetched again.
    PaymentCaptured = "payment.captured",
    /// What the provider knows of a payment is written down, and the ledger not touched.
    PaymentApplied = "payment.applied",
    /// The ledger has posted what follows from a payment, and the transaction is not committed.
    PaymentPosted = "payment.posted",
    /// A payment is applied, and nobody told.
    PaymentKept = "payment.kept",
    /// A webhook's payment is applied, and the webhook not marked as done.
    WebhookApplied = "webhook.applied",
    /// A refund is reserved at its payment, and the ledger holds nothing yet.
    RefundReserved = "refund.reserved",
    /// A refund is held, and its transaction not committed.
    RefundHeld = "refund.held",
    /// A refund is intended, and the provider was not asked.
    RefundIntended = "refund.intended",
    /// The provider has taken the refund, and nobody here knows.
    RefundSent = "refund.sent",
    /// What came of a refund is posted, and its transaction not committed.
    RefundNoted = "refund.noted",
    /// What came of a refund is written down, and the client not answered.
    RefundKept = "refund.kept",
}

/// The hook, if there is one. Cheap to clone.
#[derive(Clone, Default)]
pub struct Failpoints(Option<Arc<dyn Fn(Failpoint) -> bool + Send + Sync>>);

impl Failpoints {
    /// Calls the hook at each place; where it says true, the flow goes no further.
    pub fn new(hook: impl Fn(Failpoint) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// A flow has come to the place.
    pub(crate) async fn reach(&self, place: Failpoint) {
        if self.0.as_ref().is_some_and(|hook| hook(place)) {
            pending::<()>().await;
        }
    }
}

impl fmt::Debug for Failpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failpoints").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_place_has_a_name_of_its_own() {
        let names: HashSet<_> = Failpoint::ALL.iter().map(|place| place.name()).collect();
        assert_eq!(names.len(), Failpoint::ALL.len());
    }

    #[tokio::test]
    async fn a_flow_goes_no_further_than_its_hook_allows() {
        let hooked = Failpoints::new(|place| place == Failpoint::OrderMade);
        hooked.reach(Failpoint::OrderIntended).await;
        let stopped =
            tokio::time::timeout(Duration::from_millis(5), hooked.reach(Failpoint::OrderMade)).await;
        assert!(stopped.is_err());
        Failpoints::default().reach(Failpoint::OrderMade).await;
    }
}
