//! Sellers who are logged in, have money, and have a listing each to boost.

use anyhow::Context;
use catalog::BoostKind;
use identity::{Contact, Identity, IdentityConfig, Keys, Purpose, VerifyOtp};
use kernel::{Actor, Ambient, BoostPlanId, CursorCodec, ListingId, Money, Origin, Role};
use ledger::{Ledger, LedgerConfig, templates};
use secrecy::ExposeSecret;
use serde::Serialize;
use store::Database;

use super::fill::Shop;
use crate::dice::Dice;

/// What a wallet holds, in paise: more than any run can spend.
const FUNDS: Money = Money::inr(100_000_000_000);

/// Whom access tokens name as their issuer and as their audience: what the gateway is told to expect.
#[derive(Debug, Clone)]
pub struct TokenNames {
    /// The issuer.
    pub issuer: String,
    /// The audience.
    pub audience: String,
}

/// Who can boost what.
#[derive(Debug, Serialize)]
pub struct Sellers {
    /// The plan that they buy.
    pub plan: BoostPlanId,
    /// The sellers.
    pub sellers: Vec<Seller>,
}

/// One seller.
#[derive(Debug, Serialize)]
pub struct Seller {
    /// The seller's ACTIVE listing.
    pub listing: ListingId,
    /// The seller's access token, signed with the public development keys.
    pub token: String,
}

/// Logs so many new sellers in, in a migrated and seeded database.
///
/// # Errors
/// When the database fails, or lacks the seeded categories and plans.
pub async fn log_in_sellers(
    db: &Database,
    ambient: &Ambient,
    count: usize,
    names: &TokenNames,
) -> anyhow::Result<Sellers> {
    let mut config = IdentityConfig::new(Keys::development()?);
    config.issuer.clone_from(&names.issuer);
    config.audience.clone_from(&names.audience);
    let identity = Identity::new(db.clone(), ambient.clone(), config);
    let cursors = CursorCodec::new(&ambient.random_bytes::<32>());
    let ledger = Ledger::new(db.clone(), ambient.clone(), LedgerConfig { cursors });
    let shop = Shop::open(db, ambient).await?;
    let plans = shop.catalog.list_boost_plans(None).await?;
    let plan =
        plans.iter().find(|plan| plan.kind == BoostKind::Boost).context("there are no plans: seed first")?;
    let mut dice = Dice::new(1);
    let mut sellers = Vec::with_capacity(count);
    for number in 0..count {
        let (actor, token) = log_in(&identity, ambient, number).await?;
        let listing = shop.write_one(&actor, &mut dice).await?;
        let user = actor.user().context("a seller is a person")?;
        ledger.post(&templates::top_up(&format!("pay_bench{number}"), user, FUNDS)?).await?;
        sellers.push(Seller { listing, token });
    }
    Ok(Sellers { plan: plan.id, sellers })
}

/// Logs in by a code that nobody sends.
async fn log_in(identity: &Identity, ambient: &Ambient, number: usize) -> anyhow::Result<(Actor, String)> {
    let phone = format!("+91960000{number:04}");
    let contact = Contact::parse(Some(&phone), None)?;
    let issued = identity.issue_otp(&contact, Purpose::Login, &format!("bench {number}")).await?;
    let code = issued.code.expose_secret();
    let login = VerifyOtp::parse((Some(&phone), None), code, Some("Seller"), Origin::default())?;
    let logged_in = identity.verify_otp(&login).await?;
    let actor =
        Actor::Person { user: logged_in.user.id, role: Role::User, session: ambient.new_id(), staff: None };
    Ok((actor, logged_in.access_token.expose().to_owned()))
}
