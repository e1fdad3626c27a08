//! Boosts: a price with the tax inside it, and the part of it that is given back.

use kernel::{BoostId, Money, UserId};

use super::less;
use crate::{GstRate, House, JournalKind, LedgerError, Leg, NewJournal, Purse, Reference, Split};

/// A boost or a feature is bought. A bonus is income without tax; the tax is what is inside the rest of the price.
///
/// # Errors
/// When the price is not above zero.
pub fn boost_charge(
    boost: BoostId,
    user: UserId,
    price: &Split,
    rate: GstRate,
    kind: JournalKind,
) -> Result<NewJournal, LedgerError> {
    let mut legs = Vec::new();
    for (purse, house, amount) in parts(price, rate)? {
        legs.push(Leg::new((user, purse), house, amount));
    }
    NewJournal::new(format!("boost:{boost}"), kind, Reference::new("boost", boost), legs)
}

/// A part of the price, or all of it, goes back to the purses that paid it, each its share, and the tax inside that
/// part with it.
///
/// # Errors
/// When the part is not above zero, or is more than was paid.
pub fn boost_refund(
    boost: BoostId,
    user: UserId,
    paid: &Split,
    refund: Money,
    rate: GstRate,
) -> Result<NewJournal, LedgerError> {
    let mut legs = Vec::new();
    for (purse, house, amount) in parts(&share(paid, refund)?, rate)? {
        legs.push(Leg::new(house, (user, purse), amount));
    }
    let key = format!("boostrefund:{boost}");
    NewJournal::new(key, JournalKind::BoostRefund, Reference::new("boost", boost), legs)
}

/// Which purse pays how much to which account.
fn parts(price: &Split, rate: GstRate) -> Result<Vec<(Purse, House, Money)>, LedgerError> {
    let cash = price.available.checked_add(price.earnings).ok().ok_or(LedgerError::Overflow)?;
    let tax = rate.split(cash);
    let mut parts = Vec::new();
    if price.promo.amount() != 0 {
        parts.push((Purse::Promo, House::RevenueBoost, price.promo));
    }
    let mut purses = [(Purse::Available, price.available), (Purse::Earnings, price.earnings)];
    let houses = [
        (House::RevenueBoost, tax.taxable),
        (House::GstOutputCgst, tax.cgst),
        (House::GstOutputSgst, tax.sgst),
    ];
    // Each account takes what it is due from the first purse that has something left.
    for (house, mut due) in houses {
        for (purse, left) in &mut purses {
            let taken = Money::inr(due.amount().min(left.amount()));
            if taken.amount() != 0 {
                parts.push((*purse, house, taken));
                (due, *left) = (less(due, taken)?, less(*left, taken)?);
            }
        }
    }
    Ok(parts)
}

/// The purses' shares of a part of the price. Shares are rounded where they meet, so that they add up to the part and
/// none is more than the purse paid.
fn share(paid: &Split, part: Money) -> Result<Split, LedgerError> {
    let price = paid.total().ok_or(LedgerError::Overflow)?.amount();
    if part.amount() <= 0 || part.amount() > price {
        return Err(LedgerError::Malformed("it gives back nothing, or more than was paid"));
    }
    let up_to = |paid: i64| -> Result<i64, LedgerError> {
        let share = i128::from(paid) * i128::from(part.amount()) / i128::from(price);
        i64::try_from(share).ok().ok_or(LedgerError::Overflow)
    };
    let promo = up_to(paid.promo.amount())?;
    let promo_and_available = up_to(paid.promo.amount() + paid.available.amount())?;
    Ok(Split {
        promo: Money::inr(promo),
        available: Money::inr(promo_and_available - promo),
        earnings: Money::inr(part.amount() - promo_and_available),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Account;

    fn split(promo: i64, available: i64, earnings: i64) -> Split {
        let [promo, available, earnings] = [promo, available, earnings].map(Money::inr);
        Split { promo, available, earnings }
    }

    fn of(parts: &[(Purse, House, Money)], wanted: impl Fn(Purse, House) -> bool) -> i64 {
        parts
            .iter()
            .filter(|(purse, house, _)| wanted(*purse, *house))
            .map(|(.., money)| money.amount())
            .sum()
    }

    fn is_tax(house: House) -> bool {
        matches!(house, House::GstOutputCgst | House::GstOutputSgst)
    }

    #[test]
    fn no_more_than_was_paid_and_no_less_than_a_paisa_is_given_back() {
        let paid = split(1, 1, 1);
        assert_eq!(share(&paid, Money::inr(3)).unwrap(), paid);
        assert_eq!(share(&paid, Money::inr(1)).unwrap(), split(0, 0, 1));
        assert!(share(&paid, Money::inr(4)).is_err() && share(&paid, Money::inr(0)).is_err());
    }

    /// Wherever a share, an account, or both are wrong, a purse would not pay exactly its part.
    fn pays_exactly(parts: &[(Purse, House, Money)], price: &Split) -> bool {
        let paid = |wanted| of(parts, |purse, _| purse == wanted);
        paid(Purse::Promo) == price.promo.amount()
            && paid(Purse::Available) == price.available.amount()
            && paid(Purse::Earnings) == price.earnings.amount()
            && parts.len() <= 5
            && parts.iter().all(|(.., amount)| amount.amount() > 0)
    }

    proptest! {
        #[test]
        fn every_purse_pays_its_part_and_the_tax_is_that_of_the_cash(
            promo in 0..10_000i64, available in 0..10_000i64, earnings in 0..10_000i64, percent in 0u8..=40,
        ) {
            let (price, rate) = (split(promo, available, earnings), GstRate::percent(percent).unwrap());
            let parts = parts(&price, rate).unwrap();
            prop_assert!(pays_exactly(&parts, &price));
            let tax = rate.split(Money::inr(available + earnings));
            prop_assert_eq!(of(&parts, |_, house| house == House::GstOutputCgst), tax.cgst.amount());
            prop_assert_eq!(of(&parts, |_, house| house == House::GstOutputSgst), tax.sgst.amount());
            prop_assert_eq!(of(&parts, |purse, house| purse == Purse::Promo && is_tax(house)), 0);
        }

        /// Invariant 30 for refunds: the whole price gives back its tax to the paisa, a part never more than that.
        #[test]
        fn shares_add_up_to_the_part_and_no_purse_gets_more_than_it_paid(
            promo in 0..10_000i64, available in 0..10_000i64, earnings in 0..10_000i64, permille in 1..=1_000i64,
        ) {
            let paid = split(promo, available, earnings);
            let price = promo + available + earnings;
            prop_assume!(price > 0);
            let part = Money::inr((price * permille / 1_000).max(1));
            let back = share(&paid, part).unwrap();
            prop_assert_eq!(back.total(), Some(part));
            prop_assert!((0..=promo).contains(&back.promo.amount()));
            prop_assert!((0..=available).contains(&back.available.amount()));
            prop_assert!((0..=earnings).contains(&back.earnings.amount()));
            let rate = GstRate::percent(18).unwrap();
            let (charged, returned) = (parts(&paid, rate).unwrap(), parts(&back, rate).unwrap());
            prop_assert!(pays_exactly(&returned, &back));
            prop_assert!(of(&returned, |_, house| is_tax(house)) <= of(&charged, |_, house| is_tax(house)));
            prop_assert!(part.amount() < price || charged == returned);
        }
    }

    #[test]
    fn both_kinds_of_boost_keep_their_kind_and_key() {
        let (boost, user) = (BoostId::from(uuid::Uuid::from_u128(5)), UserId::from(uuid::Uuid::from_u128(1)));
        let rate = GstRate::percent(18).unwrap();
        for kind in [JournalKind::BoostCharge, JournalKind::FeatureCharge] {
            let journal = boost_charge(boost, user, &split(0, 100, 0), rate, kind).unwrap();
            assert_eq!((journal.kind(), journal.key()), (kind, format!("boost:{boost}").as_str()));
            assert!(journal.legs().iter().all(|leg| leg.from == Account::User(user, Purse::Available)));
        }
        assert!(boost_charge(boost, user, &split(0, 0, 0), rate, JournalKind::BoostCharge).is_err());
    }
}
