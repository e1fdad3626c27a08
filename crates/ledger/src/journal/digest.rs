//! The digest by which two journals under one key are told apart.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::NewJournal;
use crate::Account;

/// SHA-256 over everything that makes a journal what it is: kind, reference, what it reverses, legs and reason; not who
/// posts it or when, which differ when a request is repeated. Lower-case hexadecimal.
pub(crate) fn payload_hash(journal: &NewJournal) -> String {
    let mut text = String::with_capacity(256);
    // Each field is preceded by its length, so that no two journals have one text.
    field(&mut text, journal.kind.as_str());
    field(&mut text, &journal.ref_type);
    field(&mut text, &journal.ref_id);
    optional(&mut text, journal.reverses.map(|id| id.to_string()).as_deref());
    for leg in &journal.legs {
        account(&mut text, leg.from);
        account(&mut text, leg.to);
        field(&mut text, leg.amount.currency().code());
        field(&mut text, &leg.amount.amount().to_string());
    }
    optional(&mut text, journal.reason.as_deref());
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn account(text: &mut String, account: Account) {
    field(text, account.kind());
    optional(text, account.user().map(|user| user.to_string()).as_deref());
}

fn field(text: &mut String, value: &str) {
    // Writing to a String does not fail.
    let _ = write!(text, "{}:{value};", value.len());
}

fn optional(text: &mut String, value: Option<&str>) {
    match value {
        Some(value) => field(text, value),
        None => text.push_str("-;"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use kernel::{JournalId, Money, UserId};
    use uuid::Uuid;

    use super::*;
    use crate::{House, JournalKind, Leg, Purse, Reference};

    fn journal(
        key: &str,
        kind: JournalKind,
        reference: Reference,
        legs: &[(Account, Account, i64)],
    ) -> NewJournal {
        let legs = legs.iter().map(|(from, to, paise)| Leg::new(*from, *to, Money::inr(*paise))).collect();
        NewJournal::new(key, kind, reference, legs).unwrap()
    }

    #[test]
    fn everything_that_makes_a_journal_makes_its_digest() {
        let [one, other] = [1, 2].map(|n| UserId::from(Uuid::from_u128(n)));
        let (till, wallet) = (Account::from(House::GatewayClearing), Account::from((one, Purse::Available)));
        let pay = || Reference::new("payment", "pay_1");
        let base = || journal("k", JournalKind::TopUp, pay(), &[(till, wallet, 100)]);
        let mut reversal = base();
        reversal.reverses = Some(JournalId::from(Uuid::from_u128(9)));
        let different = [
            base(),
            journal("k", JournalKind::Bonus, pay(), &[(till, wallet, 100)]),
            journal("k", JournalKind::TopUp, Reference::new("order", "pay_1"), &[(till, wallet, 100)]),
            journal("k", JournalKind::TopUp, Reference::new("payment", "pay_2"), &[(till, wallet, 100)]),
            // The same letters, cut elsewhere.
            journal("k", JournalKind::TopUp, Reference::new("paymentp", "ay_1"), &[(till, wallet, 100)]),
            journal("k", JournalKind::TopUp, pay(), &[(till, wallet, 101)]),
            journal("k", JournalKind::TopUp, pay(), &[(wallet, till, 100)]),
            journal("k", JournalKind::TopUp, pay(), &[(till, (other, Purse::Available).into(), 100)]),
            journal("k", JournalKind::TopUp, pay(), &[(till, (one, Purse::Promo).into(), 100)]),
            journal("k", JournalKind::TopUp, pay(), &[(till, wallet, 50), (till, wallet, 50)]),
            base().because("why"),
            base().because(""),
            reversal,
        ];
        let hashes: HashSet<_> = different.iter().map(payload_hash).collect();
        assert_eq!(hashes.len(), different.len());
        assert!(hashes.iter().all(|hash| hash.len() == 64));
    }

    #[test]
    fn who_repeats_it_under_which_key_and_when_makes_no_difference() {
        let wallet = Account::from((UserId::from(Uuid::from_u128(1)), Purse::Available));
        let make = |key| {
            journal(
                key,
                JournalKind::TopUp,
                Reference::new("payment", 1),
                &[(House::GstInput.into(), wallet, 1)],
            )
        };
        let repeated = make("other")
            .by(&kernel::Actor::System("poller"))
            .at(chrono::DateTime::<chrono::Utc>::UNIX_EPOCH);
        assert_eq!(payload_hash(&make("k")), payload_hash(&repeated));
    }
}
