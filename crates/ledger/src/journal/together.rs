//! Posting many journals with as few commits as can be, each as if it were alone.

use std::collections::HashSet;

use kernel::{DomainError, ErrorKind};

use super::at_once::explain;
use super::{NewJournal, Settled, batch, plain};
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Posts the journals, of which none touches two users, in the order in which they are given for each user, and
    /// tells what became of each.
    pub(crate) async fn settle_together(&self, journals: &[NewJournal]) -> Vec<Result<Settled, LedgerError>> {
        if self.is_plain(self.db.engine()) {
            return self.settle_in_one_transaction(journals).await;
        }
        let mut settled: Vec<_> = journals.iter().map(|_| Err(LedgerError::Unanswered)).collect();
        for round in rounds(journals) {
            let told =
                self.settle_round(&round.iter().map(|(_, journal)| *journal).collect::<Vec<_>>()).await;
            for ((index, _), told) in round.into_iter().zip(told) {
                if let Some(place) = settled.get_mut(index) {
                    *place = told;
                }
            }
        }
        settled
    }

    /// One statement writes all that can be written; what is left is asked for alone, and then told why it could not.
    async fn settle_round(&self, journals: &[&NewJournal]) -> Vec<Result<Settled, LedgerError>> {
        if journals.len() == 1 {
            return self.each_alone(journals).await;
        }
        let (statement, ids) = batch::statement(journals, &self.ambient, Some(self.deadline()));
        let rows = self.db.in_one_statement(&statement).await.map_err(explain);
        let written = match rows.and_then(|rows| Ok(batch::read(&rows)?)) {
            Ok(written) => written,
            Err(error) => return self.after_a_failure(journals, &error).await,
        };
        let mut settled = Vec::with_capacity(journals.len());
        for (journal, id) in journals.iter().zip(ids) {
            settled.push(match written.contains(&id) {
                true => Ok(Settled::Posted(id)),
                false => self.settle(journal).await,
            });
        }
        settled
    }

    async fn settle_in_one_transaction(&self, journals: &[NewJournal]) -> Vec<Result<Settled, LedgerError>> {
        let together = self.db.in_txn(async |txn| {
            let mut settled = Vec::with_capacity(journals.len());
            for journal in journals {
                settled.push(plain::settle(txn, &self.ambient, journal).await?);
            }
            Ok::<_, LedgerError>(settled)
        });
        match together.await {
            Ok(settled) => settled.into_iter().map(Ok).collect(),
            Err(error) => self.after_a_failure(&journals.iter().collect::<Vec<_>>(), &error).await,
        }
    }

    /// A journal that cannot be posted must not harm the others, so each is posted alone; not when the database is away,
    /// where each would wait in vain.
    async fn after_a_failure(
        &self,
        journals: &[&NewJournal],
        error: &LedgerError,
    ) -> Vec<Result<Settled, LedgerError>> {
        if error.kind() == ErrorKind::Unavailable {
            tracing::warn!(journals = journals.len(), %error, "a batch of journals was not answered");
            return journals.iter().map(|_| Err(LedgerError::Unanswered)).collect();
        }
        self.each_alone(journals).await
    }

    async fn each_alone(&self, journals: &[&NewJournal]) -> Vec<Result<Settled, LedgerError>> {
        let mut settled = Vec::with_capacity(journals.len());
        for journal in journals {
            settled.push(self.settle(journal).await);
        }
        settled
    }
}

/// The journals with their places, in rounds in which no user is met twice: a user's first, then a user's second, …
fn rounds(journals: &[NewJournal]) -> Vec<Vec<(usize, &NewJournal)>> {
    let mut rounds = Vec::new();
    let mut left: Vec<_> = journals.iter().enumerate().collect();
    while !left.is_empty() {
        let mut met = HashSet::new();
        let (round, rest) = left
            .into_iter()
            .partition(|(_, journal)| journal.net.wallets.iter().all(|(user, _)| met.insert(*user)));
        rounds.push(round);
        left = rest;
    }
    rounds
}

#[cfg(test)]
mod tests {
    use kernel::{Money, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::{House, JournalKind, Leg, Purse, Reference};

    fn of(user: Option<u128>) -> NewJournal {
        let leg = match user.map(|n| UserId::from(Uuid::from_u128(n))) {
            Some(user) => Leg::new(House::GatewayClearing, (user, Purse::Available), Money::inr(1)),
            None => Leg::new(House::GatewayClearing, House::BankCurrent, Money::inr(1)),
        };
        NewJournal::new("k", JournalKind::TopUp, Reference::new("payment", 1), vec![leg]).unwrap()
    }

    #[test]
    fn no_user_is_met_twice_in_a_round_and_each_keeps_the_order() {
        let journals = [Some(1), Some(2), Some(1), None, Some(1), None, Some(2)].map(of);
        let places =
            |round: &Vec<(usize, &NewJournal)>| round.iter().map(|(place, _)| *place).collect::<Vec<_>>();
        let rounds: Vec<_> = rounds(&journals).iter().map(places).collect();
        assert_eq!(rounds, [vec![0, 1, 3, 5], vec![2, 6], vec![4]]);
    }
}
