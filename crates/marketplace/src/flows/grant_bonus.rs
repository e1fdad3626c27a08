//! An admin gives somebody promotional credit: posted, recorded and told in one transaction, once under the key.

use identity::IdentityError;
use kernel::{Caller, FieldErrors, InvalidInput, JournalId, Money, Permission, UserId, bounded_text};
use ledger::{Outcome, templates};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde_json::json;
use store::{IdempotencyKey, StoredAnswer, audit};

use super::once::{Effect, Once};
use crate::{FlowError, Marketplace};

/// Promotional credit to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBonus {
    amount: Money,
    reason: String,
}

impl NewBonus {
    /// The most that can be given at a time: ₹10,000.
    pub const MAX: i64 = 1_000_000;

    /// Reads the fields `amount`, in paise, and `reason`, of 3 to 200 characters in one line; the user sees it.
    ///
    /// # Errors
    /// With every field that is wrong.
    pub fn parse(amount: i64, reason: &str) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        if !(1..=Self::MAX).contains(&amount) {
            errors.add("amount", "out_of_range", "must be from 1 to 1000000 paise");
        }
        let reason = errors.check("reason", bounded_text(reason, 3, 200, false)).unwrap_or_default();
        errors.finish()?;
        Ok(Self { amount: Money::inr(amount), reason })
    }
}

/// Promotional credit that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BonusView {
    /// Whom it was given to.
    pub user_id: UserId,
    /// How much.
    pub amount: Money,
    /// Why, as the user sees it.
    #[schema(example = "Sorry for the outage on Sunday")]
    pub reason: String,
    /// The journal that gave it.
    pub journal_id: JournalId,
    /// All promotional credit that the user has now.
    pub promo: Money,
}

impl Marketplace {
    /// Gives promotional credit, which is good for boosts and never paid out. `answer` writes the answer that is kept
    /// under the key.
    ///
    /// # Errors
    /// When the caller may not, or gives it to themselves, there is no such user, or the key was used for another request or its first one is
    /// under way.
    pub async fn grant_bonus(
        &self,
        caller: &Caller,
        user: UserId,
        bonus: &NewBonus,
        key: &IdempotencyKey,
        answer: fn(&BonusView) -> StoredAnswer,
    ) -> Result<Once<BonusView>, FlowError> {
        if !caller.actor.may(Permission::CreditGrant) {
            return Err(IdentityError::NotAllowed.into());
        }
        if caller.actor.is(user) {
            return Err(IdentityError::OwnAccount.into());
        }
        self.identity.user_detail(user).await?;
        let give = async |txn: &DatabaseTransaction| {
            self.grant_bonus_in_txn(txn, caller, user, bonus).await.map(Effect::Done)
        };
        self.once(key, give, answer).await
    }

    async fn grant_bonus_in_txn(
        &self,
        txn: &DatabaseTransaction,
        caller: &Caller,
        user: UserId,
        bonus: &NewBonus,
    ) -> Result<BonusView, FlowError> {
        let grant = self.ambient.new_uuid().to_string();
        let journal = templates::bonus(&grant, user, bonus.amount)?.by(&caller.actor).because(&bonus.reason);
        let journal_id = match self.ledger.post_in_txn(txn, &journal).await? {
            Outcome::Posted(journal) | Outcome::Known(journal) => journal,
            Outcome::Refused(refusal) => return Err(FlowError::Refused(refusal)),
        };
        let entry = audit::Entry {
            caller,
            action: "wallet.bonus_granted",
            subject_kind: "wallet",
            subject_id: user.to_string(),
            before: json!(null),
            after: json!({ "amount": bonus.amount.amount(), "journal": journal_id }),
            reason: Some(bonus.reason.clone()),
        };
        audit::append_in_txn(txn, &self.ambient, entry).await?;
        let told = json!({ "amount": bonus.amount, "journal": journal_id });
        self.tell_user_in_txn(txn, user, "wallet.bonus_granted", told).await?;
        self.wallet_changed_in_txn(txn, user, "bonus", journal_id).await?;
        let wallet = self.ledger.lock_wallet_in_txn(txn, user).await?;
        Ok(BonusView {
            user_id: user,
            amount: bonus.amount,
            reason: bonus.reason.clone(),
            journal_id,
            promo: wallet.promo,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bonus_has_bounds_and_a_reason() {
        let wrong = |amount, reason| -> Vec<String> {
            NewBonus::parse(amount, reason).unwrap_err().0.into_iter().map(|fault| fault.field).collect()
        };
        assert_eq!(wrong(0, "for the test"), ["amount"]);
        assert_eq!(wrong(-1, "x"), ["amount", "reason"]);
        assert_eq!(wrong(NewBonus::MAX + 1, "two\nlines"), ["amount", "reason"]);
        assert!(NewBonus::parse(NewBonus::MAX, "for the test").is_ok());
        assert!(NewBonus::parse(1, "for the test").is_ok());
    }
}
