//! Staff take a listing down: its boosts are over, and what was left of them goes back to where it came from.
//!
//! What a seller does with a listing, or its time running out, gives nothing back.

use catalog::BoostRefund;
use kernel::{Caller, ListingId, UserId};
use ledger::{GstRate, Outcome, Split, templates};
use sea_orm::DatabaseTransaction;
use serde_json::json;
use store::StoreError;

use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Cuts short all boosts of a listing.
    pub(super) async fn cut_boosts_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        listing: ListingId,
    ) -> Result<(), FlowError> {
        let refunds = self.catalog.cut_boosts_in_txn(txn, listing).await?;
        self.refund_boosts_in_txn(txn, caller, &refunds).await
    }

    /// Cuts short all boosts of a seller's listings.
    pub(super) async fn cut_boosts_of_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        seller: UserId,
    ) -> Result<(), FlowError> {
        let refunds = self.catalog.cut_boosts_of_in_txn(txn, seller).await?;
        self.refund_boosts_in_txn(txn, caller, &refunds).await
    }

    async fn refund_boosts_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        refunds: &[BoostRefund],
    ) -> Result<(), FlowError> {
        for refund in refunds {
            self.refund_boost_in_txn(txn, caller, refund).await?;
        }
        Ok(())
    }

    async fn refund_boost_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        refund: &BoostRefund,
    ) -> Result<(), FlowError> {
        let (boost, user, amount) = (refund.boost(), refund.user(), refund.amount());
        let paid = refund.paid();
        let paid = Split { promo: paid.promo, available: paid.available, earnings: paid.earnings };
        let rate = GstRate::percent(refund.gst_percent())
            .map_err(|error| StoreError::Corrupt(format!("a boost's GST: {error}")))?;
        let journal = templates::boost_refund(boost, user, &paid, amount, rate)?
            .by(&caller.actor)
            .because("the listing was taken down");
        let journal = match self.ledger.post_in_txn(txn, &journal).await? {
            Outcome::Posted(journal) | Outcome::Known(journal) => journal,
            Outcome::Refused(refusal) => return Err(FlowError::Refused(refusal)),
        };
        self.catalog.note_boost_refunded_in_txn(txn, refund, journal).await?;
        let payload = json!({
            "boost": boost,
            "listing": refund.listing(),
            "kind": refund.kind(),
            "amount": amount,
            "journal": journal,
        });
        self.tell_user_in_txn(txn, user, "wallet.refunded", payload).await?;
        // Whatever came back into the wallet pays what the user owes first.
        let recovered = self.ledger.recover_debt_in_txn(txn, user, &journal.to_string()).await?;
        self.wallet_changed_in_txn(txn, user, "boost_refund", recovered.unwrap_or(journal)).await
    }
}
