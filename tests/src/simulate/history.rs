//! One short history: steps, each of them audited, and a settlement at its end.

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use kernel::Clock;

use crate::dice::Dice;

use super::ask::{Ask, Reply, Work};
use super::books::Books;
use super::digest::Digest;
use super::flight::{Flight, Landing};
use super::forecast::{Known, forecast, judge, must_keep};
use super::stage::Stage;
use super::world::World;
use super::{Diary, Sabotage, Tally, seen};

/// Flows under way at a time, at most.
const FLIGHTS: usize = 5;
/// No flow stays under way for longer: the client's own deadlines are far below the lease of a key.
const OPEN: TimeDelta = TimeDelta::seconds(40);
/// After this long, time passes slowly: what was ordered first must still be looked after at the end.
const PATIENCE: TimeDelta = TimeDelta::days(3);

/// A history under way.
pub(super) struct History {
    pub(super) world: World,
    pub(super) books: Books,
    pub(super) dice: Dice,
    pub(super) tally: Tally,
    pub(super) digest: Digest,
    /// Where each step is told to.
    pub(super) diary: Option<Diary>,
    /// Requests that were made under keys: a client may repeat them.
    pub(super) keyed: Vec<Ask>,
    flights: Vec<Flight>,
    pub(super) sabotage: Option<Sabotage>,
}

impl History {
    /// A history that begins.
    pub(super) async fn begin(
        stage: &Stage,
        number: u64,
        seed: u64,
        sabotage: Option<Sabotage>,
        diary: Option<Diary>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            world: World::open(stage, number, seed, sabotage).await?,
            books: Books::default(),
            dice: Dice::new(seed),
            tally: Tally::default(),
            digest: Digest::default(),
            diary,
            keyed: Vec::new(),
            flights: Vec::new(),
            sabotage,
        })
    }

    /// One step: time passes, and somebody does something.
    ///
    /// # Errors
    /// When anything is not as it must be.
    pub(super) async fn step(&mut self) -> anyhow::Result<()> {
        self.pass_time().await?;
        match self.dice.below(100) {
            0..=17 => self.somebody_pays().await,
            18..=25 if !self.flights.is_empty() => self.go_on().await,
            26 => self.restart().await,
            27..=45 => match self.a_delivery() {
                Some(ask) => self.ask(ask).await,
                None => Ok(()),
            },
            _ => match self.something_to_ask().await? {
                Some(ask) => self.ask(ask).await,
                None => Ok(()),
            },
        }
    }

    async fn pass_time(&mut self) -> anyhow::Result<()> {
        let millis = match self.dice.below(10) {
            0..=5 => self.dice.below(5_000),
            6 | 7 => self.dice.below(70_000),
            8 => self.dice.below(900_000),
            _ if self.world.hands.elapsed() < PATIENCE => self.dice.below(7_200_000),
            _ => 1,
        };
        let pause = TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(0));
        let first = self.flights.iter().map(|flight| flight.known.at).min();
        if first.is_some_and(|first| self.world.hands.now() + pause > first + OPEN) {
            self.land_all().await?;
        }
        self.world.hands.advance(pause);
        Ok(())
    }

    /// Asks something, and follows it as far as it goes.
    pub(super) async fn ask(&mut self, ask: Ask) -> anyhow::Result<()> {
        let key = match ask.key() {
            Some(key) => seen::key(&self.world.db, key).await?,
            None => None,
        };
        let known = Known {
            at: self.world.hands.now(),
            key,
            orders: seen::orders(&self.world.db).await?,
            payments: seen::payments(&self.world.db).await?,
        };
        let forecast = forecast(&ask, &known, &self.books, &self.world.scene);
        if ask.key().is_some() && !self.keyed.iter().any(|former| former.key() == ask.key()) {
            self.keyed.push(ask.clone());
        }
        let flight = Flight::new(&self.world, ask, known, forecast);
        self.follow(flight).await
    }

    /// A flow that waits for the provider gets its answer.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        let flight = self.flights.remove(self.dice.index(self.flights.len()));
        self.tally.resumed += 1;
        self.follow(flight).await
    }

    /// Writes down what has happened.
    pub(super) fn note(&mut self, line: &str) {
        self.digest.note(line);
        if let Some(diary) = self.diary {
            diary(line);
        }
    }

    async fn follow(&mut self, mut flight: Flight) -> anyhow::Result<()> {
        let is_moody = {
            let mut vault = self.world.bank.vault();
            vault.may_park = vault.is_moody && self.flights.len() < FLIGHTS;
            vault.is_moody
        };
        if is_moody && self.dice.below(8) == 0 {
            self.world.fuse.light(1 + i64::try_from(self.dice.below(6)).unwrap_or(0));
        }
        let landing = flight.drive(&self.world).await;
        self.world.fuse.light(0);
        self.note(&format!("{:?} {:?} {landing:?}", self.world.hands.now(), flight.ask));
        self.audit(&flight.ask).await.with_context(|| format!("{:?} came to {landing:?}", flight.ask))?;
        match landing {
            Landing::Replied(reply) => self.weigh(&flight, &reply).await,
            Landing::Open => {
                self.flights.push(flight);
                Ok(())
            }
            Landing::Crashed => {
                self.tally.crashes += 1;
                drop(flight);
                self.restart().await
            }
        }
    }

    /// Holds a reply against what it must be, and notes what follows from it.
    async fn weigh(&mut self, flight: &Flight, reply: &Reply) -> anyhow::Result<()> {
        self.tally.count(reply);
        {
            let vault = self.world.bank.vault();
            judge(&flight.ask, reply, &flight.forecast, &flight.known, &self.books, &vault)?;
        }
        if let (Reply::Kept(answer), Some(key)) = (reply, flight.ask.key()) {
            let former = self.books.answers.get(&(key.scope.clone(), key.key.clone()));
            ensure!(former.is_none_or(|former| former == answer), "{answer:?} was replayed for {former:?}");
        }
        if let (Reply::Boosted { purses, .. }, Ask::Boost { user, .. }) = (reply, &flight.ask) {
            let purses_now = self.books.purses(*user);
            ensure!(purses_now == *purses, "a boost left {purses_now:?} and told {purses:?}");
        }
        if let (Reply::Granted { promo }, Ask::Bonus { user, .. }) = (reply, &flight.ask) {
            let [_, _, promo_now, _, _] = self.books.purses(*user);
            ensure!(promo_now == *promo, "a bonus left {promo_now} and told {promo}");
        }
        if let Some(key) = flight.ask.key() {
            let found = seen::key(&self.world.db, key).await?;
            must_keep(reply, found.as_ref())?;
            if let Some(answer) = found.and_then(|found| found.answer) {
                self.books.answers.insert((key.scope.clone(), key.key.clone()), answer);
            }
        }
        self.note_standing(&flight.ask)
    }

    /// Follows which listings are ACTIVE. Whatever was taken down has been paid back.
    fn note_standing(&mut self, ask: &Ask) -> anyhow::Result<()> {
        let of = |user| self.world.scene.listings.iter().filter(move |(_, seller)| *seller == user);
        match ask {
            Ask::TakeDown { user } => {
                self.books.paused.extend(of(*user).map(|(listing, _)| *listing));
                let now = self.world.hands.now();
                let mut boosts = self.books.boosts.values().filter(|boost| boost.user == *user);
                let is_unpaid = boosts.any(|boost| boost.refunded.is_none() && boost.unused(now) > 0);
                ensure!(
                    !is_unpaid,
                    "a listing was taken down, and what was left of its boost not given back"
                );
            }
            Ask::Reinstate { user } => {
                for (listing, _) in of(*user) {
                    self.books.paused.remove(listing);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The process dies and starts again: every flow under way is gone.
    async fn restart(&mut self) -> anyhow::Result<()> {
        self.flights.clear();
        self.tally.restarts += 1;
        self.world.restart()?;
        self.audit(&Ask::Work(Work::Fold)).await
    }

    /// Lets everything that is under way end.
    pub(super) async fn land_all(&mut self) -> anyhow::Result<()> {
        while !self.flights.is_empty() {
            self.go_on().await?;
        }
        Ok(())
    }
}
