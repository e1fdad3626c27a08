//! The ways in which a caller posts.

use anyhow::ensure;
use kernel::{Ambient, Money, UserId};
use ledger::{House, JournalKind, Ledger, Leg, NewJournal, Outcome, Poster, Purse, Reference, templates};

use super::Form;
use super::bare::Bare;
use crate::dice::Dice;

/// A top-up, in paise.
const TOP_UP: Money = Money::inr(50_000);

/// The parts of a boost's price, in paise: without tax, and the two taxes.
const CHARGE: [Money; 3] = [Money::inr(4_152), Money::inr(374), Money::inr(374)];

/// The accounts that the parts go to.
const OF_BOOSTS: [House; 3] = [House::RevenueBoost, House::GstOutputCgst, House::GstOutputSgst];

/// Where a caller posts. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Till {
    form: Form,
    ambient: Ambient,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Ledger(Ledger),
    Poster(Poster),
    Bare(Bare),
}

impl Till {
    pub(super) async fn open(
        form: Form,
        url: &str,
        ledger: &Ledger,
        ambient: &Ambient,
    ) -> anyhow::Result<Self> {
        let way = match form {
            Form::Single | Form::Hot | Form::Spread => Way::Ledger(ledger.clone()),
            Form::Poster => Way::Poster(ledger.poster()),
            Form::Bare => Way::Bare(Bare::open(url).await?),
        };
        Ok(Self { form, ambient: ambient.clone(), way })
    }

    /// Posts a journal of the user's under a new key.
    pub(super) async fn post(&self, user: UserId, dice: &mut Dice) -> anyhow::Result<()> {
        let id = self.ambient.new_uuid().to_string();
        let outcome = match &self.way {
            Way::Bare(bare) => return bare.top_up(user, &id, TOP_UP.amount(), &self.ambient).await,
            Way::Ledger(ledger) => ledger.post(&self.journal(user, &id, dice)?).await?,
            Way::Poster(poster) => poster.post(self.journal(user, &id, dice)?).await?,
        };
        ensure!(matches!(outcome, Outcome::Posted(_)), "a journal came to {outcome:?}");
        Ok(())
    }

    fn journal(&self, user: UserId, id: &str, dice: &mut Dice) -> anyhow::Result<NewJournal> {
        let houses = match self.form {
            Form::Single | Form::Poster | Form::Bare => return Ok(templates::top_up(id, user, TOP_UP)?),
            Form::Hot => OF_BOOSTS,
            Form::Spread => {
                let first = dice.index(House::ALL.len());
                let mut from_there = House::ALL.into_iter().cycle().skip(first);
                OF_BOOSTS.map(|otherwise| from_there.next().unwrap_or(otherwise))
            }
        };
        let legs = houses.into_iter().zip(CHARGE);
        let legs = legs.map(|(house, amount)| Leg::new((user, Purse::Available), house, amount)).collect();
        let about = Reference::new("boost", id);
        Ok(NewJournal::new(format!("boost:{id}"), JournalKind::BoostCharge, about, legs)?)
    }
}
