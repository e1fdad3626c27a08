//! The end of a day: something is sold, everybody looks at what they have and goes.

use anyhow::ensure;
use serde::Deserialize;

use super::selling::{self, Listing, Offer};
use super::{Stage, review};
use crate::people::Person;

#[derive(Deserialize)]
struct Mine {
    data: Vec<Listing>,
}

/// Another phone is listed, approved and sold; the seller sees both listings, each in its state.
pub(super) async fn seller_marks_sold(
    stage: &mut Stage,
    moderator: &Person,
    seller: &Person,
    first: &Offer,
) -> anyhow::Result<()> {
    let second = selling::list(stage, seller, &first.category, "OnePlus Nord, for spare parts", &[]).await?;
    review::listing_is_approved(stage, moderator, &second).await?;
    stage.tale.step("A friend takes the second phone; Asha marks it as sold.");
    let path = format!("/api/listings/{}/sold", second.id);
    let listing: Listing = stage.gateway.post(path).bearer(&seller.access).send().await?;
    ensure!(listing.status == "SOLD", "the listing is {}, not SOLD", listing.status);
    stage.tale.saw("It is SOLD.");
    stage.tale.step("Asha looks at her own listings.");
    let mine: Mine = stage.gateway.get("/api/listings/mine").bearer(&seller.access).send().await?;
    for (offer, status) in [(first, "ACTIVE"), (&second, "SOLD")] {
        let is_there = mine.data.iter().any(|listing| listing.id == offer.id && listing.status == status);
        ensure!(is_there, "\"{}\" is not there as {status}", offer.title);
    }
    stage.tale.saw("One is ACTIVE, one SOLD.");
    Ok(())
}

/// Everybody logs out, and what they held is worth nothing any more.
pub(super) async fn everybody_logs_out<const N: usize>(
    stage: &mut Stage,
    people: [Person; N],
) -> anyhow::Result<()> {
    stage.tale.step("Everybody logs out.");
    for person in &people {
        stage.gateway.post("/api/auth/logout").bearer(&person.access).done().await?;
        let refusal = stage.gateway.get("/api/users/me").bearer(&person.access).refusal().await?;
        ensure!(refusal.status == 401, "the access token still works: {refusal}");
    }
    stage.tale.saw("Their access tokens are refused from now on.");
    Ok(())
}
