//! What must hold after every step.

use anyhow::ensure;
use kernel::Clock;

use super::ask::Ask;
use super::books::{Occasion, OurOrder};
use super::forecast::receipt_of;
use super::history::History;
use super::seen;

impl History {
    /// Takes in the journals that the step wrote, and compares the database with the books.
    ///
    /// # Errors
    /// When a journal is not warranted, or a balance, hold, payment or boost is not what the journals say.
    pub(super) async fn audit(&mut self, ask: &Ask) -> anyhow::Result<()> {
        self.take_orders(ask).await?;
        let journals = seen::journals(&self.world.db, self.books.last_row).await?;
        let now = self.world.hands.now();
        {
            let vault = self.world.bank.vault();
            ensure!(vault.within_transactions == 0, "the provider was called inside a transaction");
            let occasion = Occasion { vault: &vault, ask, scene: &self.world.scene, now };
            for journal in &journals {
                self.digest.note(&journal.key);
                self.books.take(journal, &occasion)?;
                self.tally.journals += 1;
            }
        }
        self.compare_orders().await?;
        self.compare_balances().await?;
        self.compare_payments().await?;
        self.compare_boosts().await
    }

    /// Orders are made by those who ask for them, for as much as they ask.
    async fn take_orders(&mut self, ask: &Ask) -> anyhow::Result<()> {
        for order in seen::orders(&self.world.db).await? {
            let receipt = receipt_of(&order);
            let is_asked = matches!(ask, Ask::TopUp { user, amount, .. } if *user == order.user && *amount == order.amount);
            ensure!(
                self.books.orders.contains_key(&receipt) || is_asked,
                "order {receipt} was made, and nobody asked for it"
            );
            let former = self.books.orders.get(&receipt).and_then(|ours| ours.provider_id.clone());
            ensure!(
                former.is_none() || former == order.provider_id,
                "order {receipt} was {former:?} at the provider"
            );
            let ours =
                OurOrder { user: order.user, amount: order.amount, provider_id: order.provider_id.clone() };
            self.books.orders.insert(receipt.clone(), ours);
            if let Some(id) = &order.provider_id {
                let is_same = self
                    .world
                    .bank
                    .vault()
                    .orders
                    .get(id)
                    .is_some_and(|made| made.receipt == Some(receipt.clone()));
                ensure!(is_same, "order {receipt} has the provider's id of another");
            }
        }
        Ok(())
    }

    /// An order is paid exactly when somebody was credited for it.
    async fn compare_orders(&self) -> anyhow::Result<()> {
        for order in seen::orders(&self.world.db).await? {
            let receipt = receipt_of(&order);
            let credit = self.books.credit_of_order(&receipt);
            ensure!(
                (order.status == "paid") == credit.is_some(),
                "order {receipt} is {} and credited by {credit:?}",
                order.status
            );
        }
        Ok(())
    }

    async fn compare_balances(&self) -> anyhow::Result<()> {
        let wallets = seen::wallets(&self.world.db).await?;
        for (user, purses) in self.books.users() {
            let found = wallets.get(&user).copied().unwrap_or_default();
            ensure!(found == purses, "the wallet of {user} has {found:?} and should have {purses:?}");
        }
        for (user, purses) in &wallets {
            let expected = self.books.purses(*user);
            ensure!(*purses == expected, "the wallet of {user} has {purses:?} and should have {expected:?}");
        }
        let house = seen::house(&self.world.db).await?;
        let expected = self.books.house_accounts();
        ensure!(house == expected, "the house has {house:?} and should have {expected:?}");
        let sum: i64 = wallets.values().flatten().sum::<i64>() + house.values().sum::<i64>();
        ensure!(sum == 0, "all accounts together have {sum}");
        let holds = seen::open_holds(&self.world.db).await?;
        for (user, [_, held, ..]) in &wallets {
            let open = holds.get(user).copied().unwrap_or_default();
            ensure!(*held == open, "{user} has {held} held and open holds of {open}");
        }
        Ok(())
    }

    async fn compare_payments(&self) -> anyhow::Result<()> {
        for payment in seen::payments(&self.world.db).await? {
            let id = &payment.provider_id;
            let is_credited = self.books.credits.contains_key(id);
            ensure!(
                (payment.outcome.as_deref() == Some("credited")) == is_credited
                    && payment.has_credit_journal == is_credited,
                "{id} is {:?} and credited: {is_credited}",
                payment.outcome
            );
            let truth = self.world.bank.vault().payments.get(id).cloned();
            let amount = truth.map(|truth| truth.amount).unwrap_or_default();
            ensure!(
                0 <= payment.refunded && payment.refunded <= payment.reserved && payment.reserved <= amount,
                "{id} of {amount} has {} reserved and {} refunded",
                payment.reserved,
                payment.refunded
            );
            let ours = self.books.reserved(payment.id);
            ensure!(payment.reserved >= ours, "{id} has {} reserved and holds of {ours}", payment.reserved);
        }
        Ok(())
    }

    async fn compare_boosts(&self) -> anyhow::Result<()> {
        let rows = seen::boosts(&self.world.db).await?;
        ensure!(
            rows.len() == self.books.boosts.len(),
            "{} boosts and {} charges",
            rows.len(),
            self.books.boosts.len()
        );
        for row in rows {
            let Some(ours) = self.books.boosts.get(&row.id) else {
                anyhow::bail!("boost {} exists, and no journal paid for it", row.id);
            };
            ensure!(
                (row.starts_at, row.ends_at) == (ours.since, ours.until),
                "boost {} runs from {} to {} and should from {} to {}",
                row.id,
                row.starts_at,
                row.ends_at,
                ours.since,
                ours.until
            );
            let is_refunded = row.status == "REFUNDED";
            ensure!(
                is_refunded == ours.refunded.is_some() && row.refunded == ours.refunded.unwrap_or_default(),
                "boost {} is {} with {} given back, and should have {:?}",
                row.id,
                row.status,
                row.refunded,
                ours.refunded
            );
        }
        Ok(())
    }
}
