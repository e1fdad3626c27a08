//! The ledger against a model of it: over random schedules each answer and each balance is foretold.

use std::collections::BTreeMap;

use kernel::{Money, UserId};
use ledger::{Account, House, JournalKind, Leg, Purse, Refusal};
use proptest::test_runner::{Config, TestRunner};
use testkit::{Domain, Engine, Scope, TestDb};

use super::schedules::{PEOPLE, Payload, Step, Told, World, legs, steps};
use super::support::{assert_sound, ledger};

/// What the ledger should know, as simply as it can be said.
#[derive(Default)]
struct Model {
    accounts: BTreeMap<(Option<UserId>, &'static str), i64>,
    versions: BTreeMap<UserId, i64>,
    frozen: BTreeMap<UserId, bool>,
    keys: BTreeMap<String, (Payload, Told)>,
    holds: BTreeMap<u8, Hold>,
}

struct Hold {
    user: UserId,
    available: i64,
    earnings: i64,
    about: String,
    ended_by: Option<String>,
}

impl Model {
    fn of(&self, user: UserId, purse: Purse) -> i64 {
        self.accounts.get(&(Some(user), purse.as_str())).copied().unwrap_or(0)
    }

    fn is_frozen(&self, user: UserId) -> bool {
        self.frozen.get(&user).copied().unwrap_or(false)
    }

    fn post(&mut self, key: &str, payload: Payload) -> Told {
        match self.keys.get(key) {
            Some((known, _)) if *known != payload => return Told::Failed("journal_key_reused"),
            Some((_, Told::Refused(refusal))) => return Told::Refused(*refusal),
            Some(_) => return Told::Known,
            None => {}
        }
        let told = self.apply(&payload.legs);
        self.keys.insert(key.to_owned(), (payload, told));
        told
    }

    /// Moves the money, or nothing of it.
    fn apply(&mut self, legs: &[Leg]) -> Told {
        let before = self.accounts.clone();
        let mut users = Vec::new();
        for leg in legs {
            for (account, amount) in [(leg.from, -leg.amount.amount()), (leg.to, leg.amount.amount())] {
                *self.accounts.entry((account.user(), account.kind())).or_default() += amount;
                users.extend(account.user());
            }
        }
        users.sort();
        users.dedup();
        for user in &users {
            let was = |purse: Purse| before.get(&(Some(*user), purse.as_str())).copied().unwrap_or(0);
            let is_debited =
                [Purse::Available, Purse::Promo, Purse::Earnings].map(|p| self.of(*user, p) < was(p));
            let is_past = Purse::ALL
                .map(|p| if p == Purse::Debt { self.of(*user, p) > 0 } else { self.of(*user, p) < 0 });
            let refusal = if self.is_frozen(*user) && is_debited.contains(&true) {
                Refusal::Frozen
            } else if is_past.contains(&true) {
                Refusal::InsufficientFunds
            } else {
                continue;
            };
            self.accounts = before;
            return Told::Refused(refusal);
        }
        for user in users {
            *self.versions.entry(user).or_default() += 1;
        }
        Told::Posted
    }

    /// What the step should be told, in the world's names.
    fn foretell(&mut self, world: &World, step: &Step) -> Told {
        let name = &world.name;
        match step {
            Step::Post { key, shape, user, other, amount, why, .. } => {
                let legs = legs(*shape, world.people[*user], world.people[*other], *amount);
                let why = why.then(|| "why".to_owned());
                self.post(
                    &format!("{name}:post:{key}"),
                    Payload { kind: JournalKind::TopUp, about: name.clone(), legs, why },
                )
            }
            Step::Hold { thing, again, user, available, earnings } => {
                let key = format!("{name}:hold:{thing}:{again}");
                self.hold(
                    &key,
                    *thing,
                    Hold {
                        user: world.people[*user],
                        available: *available,
                        earnings: *earnings,
                        about: format!("{name}:{thing}"),
                        ended_by: None,
                    },
                )
            }
            Step::Capture { thing, again, is_short } => {
                let Some(hold) = self.holds.get(thing) else { return Told::Nothing };
                if *is_short {
                    return Told::Failed("internal");
                }
                let amount = Money::inr(hold.available + hold.earnings);
                let legs = vec![Leg::new((hold.user, Purse::Held), House::GatewayClearing, amount)];
                let payload =
                    Payload { kind: JournalKind::RefundDone, about: thing.to_string(), legs, why: None };
                self.end(*thing, format!("{name}:capture:{thing}:{again}"), payload)
            }
            Step::Release { thing, again } => {
                let Some(hold) = self.holds.get(thing) else { return Told::Nothing };
                let legs = moves(hold, |purse| (Purse::Held, purse));
                let payload =
                    Payload { kind: JournalKind::RefundRelease, about: hold.about.clone(), legs, why: None };
                self.end(*thing, format!("{name}:release:{thing}:{again}"), payload)
            }
            Step::Reverse { what, why } => self.reverse(&world.key_of(*what), *why),
            Step::Freeze { user, frozen } => {
                let user = world.people[*user];
                let changes = self.is_frozen(user) != *frozen;
                self.frozen.insert(user, *frozen);
                Told::Changed(changes)
            }
            Step::Recover { user, cause } => {
                self.recover(world.people[*user], format!("recover:{name}:{cause}"))
            }
            Step::Fold => Told::Nothing,
        }
    }

    fn hold(&mut self, key: &str, thing: u8, hold: Hold) -> Told {
        let legs = moves(&hold, |purse| (purse, Purse::Held));
        if legs.is_empty() {
            return Told::Failed("internal");
        }
        let before = (self.accounts.clone(), self.versions.clone());
        let payload = Payload { kind: JournalKind::RefundHold, about: hold.about.clone(), legs, why: None };
        let told = self.post(key, payload);
        if told == Told::Posted {
            if self.holds.contains_key(&thing) {
                (self.accounts, self.versions) = before;
                self.keys.remove(key);
                return Told::Failed("already_held");
            }
            self.holds.insert(thing, hold);
        }
        told
    }

    fn end(&mut self, thing: u8, key: String, payload: Payload) -> Told {
        match &self.holds[&thing].ended_by {
            Some(ended_by) if *ended_by == key => return Told::Known,
            Some(_) => return Told::Failed("hold_ended"),
            None => {}
        }
        let told = self.post(&key, payload);
        assert_eq!(told, Told::Posted, "what is held is there");
        self.holds.get_mut(&thing).unwrap().ended_by = Some(key);
        told
    }

    fn reverse(&mut self, key: &str, why: bool) -> Told {
        let Some((original, Told::Posted)) = self.keys.get(key) else { return Told::Nothing };
        let is_held = |account: Account| matches!(account, Account::User(_, Purse::Held));
        let touches_held = original.legs.iter().any(|leg| is_held(leg.from) || is_held(leg.to));
        if original.kind == JournalKind::Reversal || touches_held {
            return Told::Failed("journal_not_reversible");
        }
        let legs = original.legs.iter().map(|leg| Leg { from: leg.to, to: leg.from, ..*leg }).collect();
        let (about, why) = (original.about.clone(), Some(why.to_string()));
        match self.post(&format!("rev:{key}"), Payload { kind: JournalKind::Reversal, about, legs, why }) {
            Told::Failed(_) => Told::Failed("journal_already_reversed"),
            told => told,
        }
    }

    fn recover(&mut self, user: UserId, key: String) -> Told {
        if self.keys.contains_key(&key) {
            return Told::Known;
        }
        let amount = self.of(user, Purse::Available).min(-self.of(user, Purse::Debt));
        if amount == 0 || self.is_frozen(user) {
            return Told::Nothing;
        }
        let legs = vec![Leg::new((user, Purse::Available), (user, Purse::Debt), Money::inr(amount))];
        self.post(&key, Payload { kind: JournalKind::Recovery, about: user.to_string(), legs, why: None })
    }
}

/// What a hold moves between the purses of its user.
fn moves(hold: &Hold, between: impl Fn(Purse) -> (Purse, Purse)) -> Vec<Leg> {
    [(Purse::Available, hold.available), (Purse::Earnings, hold.earnings)]
        .into_iter()
        .filter(|(_, amount)| *amount > 0)
        .map(|(purse, amount)| {
            let (from, to) = between(purse);
            Leg::new((hold.user, from), (hold.user, to), Money::inr(amount))
        })
        .collect()
}

/// What the house's accounts hold, those at zero left out.
async fn house(world: &World) -> BTreeMap<&'static str, i64> {
    let balances = world.ledger.house_balances().await.unwrap();
    balances.into_iter().map(|house| (house.account.as_str(), house.balance.amount())).collect()
}

async fn schedule(db: &TestDb, steps: Vec<Step>) {
    let (mut world, mut model) = (World::new(db, ledger(db)), Model::default());
    let before = house(&world).await;
    for (n, step) in steps.iter().enumerate() {
        let foretold = model.foretell(&world, step);
        assert_eq!(world.take(step).await, foretold, "step {n}: {step:?}");
        for (user, wallet) in world.people.into_iter().zip(world.wallets().await) {
            let held = Purse::ALL.map(|purse| (purse, wallet.of(purse).amount()));
            assert_eq!(
                held,
                Purse::ALL.map(|purse| (purse, model.of(user, purse))),
                "after step {n}: {step:?}"
            );
            let version = model.versions.get(&user).copied().unwrap_or(0);
            assert_eq!(
                (wallet.version, wallet.frozen),
                (version, model.is_frozen(user)),
                "after step {n}: {step:?}"
            );
        }
    }
    let after = house(&world).await;
    for account in House::ALL.map(House::as_str) {
        let moved = after.get(account).unwrap_or(&0) - before.get(account).unwrap_or(&0);
        assert_eq!(moved, model.accounts.get(&(None, account)).copied().unwrap_or(0), "{account}");
    }
    assert_eq!(world.people.len(), PEOPLE);
}

fn schedules_on(engine: Engine, cases: u32, most: usize) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let db = runtime.block_on(TestDb::start(engine, Scope::Domain(Domain::Ledger)));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let run = TestRunner::new(config).run(&steps(most), |steps| {
        runtime.block_on(schedule(&db, steps));
        Ok(())
    });
    run.unwrap_or_else(|failure| panic!("{failure}"));
    runtime.block_on(async {
        assert_sound(&db, &ledger(&db)).await;
        db.dispose().await;
    });
}

mod the_ledger_does_what_a_model_foretells {
    use super::*;

    #[test]
    fn sqlite() {
        schedules_on(Engine::Sqlite, 96, 80);
    }

    #[test]
    fn postgres() {
        schedules_on(Engine::Postgres, 16, 60);
    }

    #[test]
    fn mariadb() {
        schedules_on(Engine::MariaDb, 8, 60);
    }
}
