//! A client: tops up, boosts, asks for refunds, and looks at the wallet, one thing after the other and in random order.

use std::time::Instant;

use anyhow::{bail, ensure};
use serde::Deserialize;
use serde_json::json;

use super::account::{Account, Bought, Paid, Returned};
use super::desk::{Answer, Desk, Listed, Plan};
use super::{Place, Staff};
use crate::dice::Dice;
use crate::people::{self, Person};

/// A category whose listings need no attributes.
const CATEGORY: &str = "men";

#[derive(Deserialize)]
struct Category {
    id: String,
    slug: String,
}

#[derive(Deserialize)]
struct Listing {
    id: String,
    status: String,
}

/// Somebody with something to sell, and an account book.
#[derive(Debug)]
pub struct Customer {
    desk: Desk,
    staff: Staff,
    plans: Vec<Plan>,
    /// Who.
    pub person: Person,
    listing: String,
    dice: Dice,
    /// What was acknowledged.
    pub account: Account,
}

impl Customer {
    /// Somebody new logs in and offers something. The gateway must be alive.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn arrive(desk: Desk, staff: Staff, plans: Vec<Plan>, dice: Dice) -> anyhow::Result<Self> {
        let contact = people::random_phone(&desk.place.ambient);
        let person = desk.place.enter(contact, Some("Ravi Kumar")).await?;
        let listing = offer(&desk.place, &person).await?;
        Ok(Self { desk, staff, plans, person, listing, dice, account: Account::default() })
    }

    /// Goes on until the moment has come, and finishes what was begun.
    ///
    /// # Errors
    /// When an answer contradicts the account.
    pub async fn live(mut self, until: Instant) -> anyhow::Result<Self> {
        while Instant::now() < until {
            match self.dice.below(100) {
                ..45 => self.tops_up().await?,
                45..75 => self.boosts().await?,
                75..90 => self.wants_a_refund().await?,
                _ => self.looks().await?,
            }
        }
        Ok(self)
    }

    /// Pays, and brings the checkout back; or leaves it to the webhook; or to the poller, when that is lost as well.
    async fn tops_up(&mut self) -> anyhow::Result<()> {
        let paise = 2_000 + i64::try_from(self.dice.below(20_000))?;
        let order = self.desk.order(&self.person, &self.desk.place.new_key(), paise).await?;
        let (comes_back, webhooks) = (self.dice.below(3) > 0, self.dice.below(8) > 0);
        let outcome = if self.dice.below(4) == 0 { "authorized" } else { "success" };
        let checkout = self.desk.pay(&order, &json!({ "outcome": outcome, "webhooks": webhooks })).await?;
        let provider_payment = checkout.razorpay_payment_id.clone();
        self.account.paid.push(Paid { order: order.order_id, provider_payment, paise, credited: None });
        if !comes_back {
            return Ok(());
        }
        let wallet = self.desk.verify(&self.person, &checkout).await?;
        let id = self.desk.payment(&self.person, &checkout.razorpay_payment_id).await?;
        if let Some(paid) = self.account.paid.last_mut() {
            paid.credited = Some(id);
        }
        self.account.explains(&wallet)
    }

    async fn boosts(&mut self) -> anyhow::Result<()> {
        let Some(plan) = self.plans.get(self.dice.index(self.plans.len())) else { bail!("nothing is sold") };
        let (key, paise) = (self.desk.place.new_key(), plan.price.amount());
        match self.desk.boost(&self.person, &key, &self.listing, plan).await? {
            Answer::Done(done) => self.account.bought.push(Bought { id: done.boost.id, paise }),
            Answer::Refused(problem) => {
                ensure!(problem.code == "insufficient_funds", "a boost was refused: {problem}");
                ensure!(self.account.least() < paise, "{problem}, though {} are there", self.account.least());
                self.account.refused += 1;
            }
        }
        self.looks().await
    }

    /// Part of a credited payment is to go back, and now and then the bank refuses that.
    async fn wants_a_refund(&mut self) -> anyhow::Result<()> {
        let credited: Vec<_> = self.account.paid.iter().filter(|paid| paid.credited.is_some()).collect();
        let Some(paid) = credited.get(self.dice.index(credited.len())) else { return Ok(()) };
        let (left, provider_payment) = (self.account.left_of(paid), paid.provider_payment.clone());
        let Some(payment) = paid.credited.clone().filter(|_| left >= 100) else { return Ok(()) };
        let all = self.dice.below(3) == 0;
        let paise = if all { left } else { 100 + i64::try_from(self.dice.below(u64::try_from(left - 99)?))? };
        let key = self.desk.place.new_key();
        match self.desk.refund(&self.staff.person, &key, &payment, paise).await? {
            Answer::Done(refund) => {
                let fails = match &refund.provider_refund_id {
                    Some(id) if self.dice.below(4) == 0 => self.desk.fail_refund(id).await?,
                    _ => false,
                };
                self.account.returned.push(Returned { id: refund.id, provider_payment, paise, fails });
            }
            Answer::Refused(problem) => {
                ensure!(problem.code == "insufficient_funds", "a refund was refused: {problem}");
                ensure!(self.account.least() < paise, "{problem}, though {} are there", self.account.least());
                self.account.refused += 1;
            }
        }
        self.looks().await
    }

    async fn looks(&self) -> anyhow::Result<()> {
        self.account.explains(&self.desk.wallet(&self.person).await?)
    }
}

async fn offer(place: &Place, seller: &Person) -> anyhow::Result<String> {
    let categories: Listed<Category> = place.gateway.get("/api/categories").send().await?;
    let Some(category) = categories.data.into_iter().find(|category| category.slug == CATEGORY) else {
        bail!("there is no category with the slug {CATEGORY}");
    };
    let body = json!({
        "categoryId": category.id,
        "title": "Denim jacket, worn twice",
        "description": "Bought in January, too warm for Pune. Washed once, no marks, all buttons there.",
        "price": { "amount": 120_000, "currency": "INR" },
        "negotiable": true,
        "condition": "LIKE_NEW",
        "location": { "city": "Pune", "state": "Maharashtra", "pincode": "411001" },
        "attributes": {},
        "photoIds": [],
    });
    let listing: Listing =
        place.gateway.post("/api/listings").bearer(&seller.access).json(&body).send().await?;
    ensure!(listing.status == "ACTIVE", "the new listing is {}, not ACTIVE", listing.status);
    Ok(listing.id)
}
