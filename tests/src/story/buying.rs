//! A buyer searches, finds the listing, looks at it, and asks for the seller's number.

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::Stage;
use super::selling::Offer;
use crate::people::{self, Person};

#[derive(Deserialize)]
struct Results {
    data: Vec<Card>,
}

#[derive(Deserialize)]
struct Card {
    id: String,
}

#[derive(Deserialize)]
struct Detail {
    title: String,
    photos: Vec<Photo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Photo {
    thumb_url: String,
}

#[derive(Deserialize)]
struct SellerContact {
    phone: String,
}

/// A buyer logs in by e-mail, searches, opens the listing and sees its photo.
pub(super) async fn buyer_finds(stage: &mut Stage, offer: &Offer) -> anyhow::Result<Person> {
    let contact = people::random_email(&stage.ambient);
    let buyer = stage.enter("Kabir, who is new,", contact, Some("Kabir Shah")).await?;
    stage.tale.step("Kabir searches Mobiles for \"oneplus 12r\".");
    let query = [("search", "oneplus 12r"), ("categoryId", offer.category.as_str()), ("sortBy", "createdAt")];
    let results: Results = stage.gateway.get("/api/listings").query(&query).send().await?;
    let place = results.data.iter().position(|card| card.id == offer.id);
    let place = place.context("the listing is not among the results")?;
    stage.tale.saw(format!("Asha's phone is result {} of {}.", place + 1, results.data.len()));
    stage.tale.step("Kabir opens it and looks at the photo.");
    let path = format!("/api/listings/{}", offer.id);
    let detail: Detail = stage.gateway.get(path).bearer(&buyer.access).send().await?;
    ensure!(detail.title == offer.title, "the listing is called \"{}\"", detail.title);
    ensure!(detail.photos.len() == 2, "the listing has {} photos, not 2", detail.photos.len());
    let thumb = detail.photos.first().context("the listing has no photo")?;
    let (media_type, bytes) = stage.gateway.get(&thumb.thumb_url).file().await?;
    ensure!(
        media_type == "image/jpeg" && bytes.starts_with(&[0xff, 0xd8]),
        "the photo is no JPEG but {media_type}"
    );
    stage.tale.saw(format!("\"{}\", with a thumbnail of {} bytes.", detail.title, bytes.len()));
    Ok(buyer)
}

/// The buyer asks for the contact and gets the number that the seller logged in with.
pub(super) async fn buyer_sees_number(
    stage: &mut Stage,
    buyer: &Person,
    seller: &Person,
    offer: &Offer,
) -> anyhow::Result<()> {
    stage.tale.step("Kabir asks for the seller's number.");
    let path = format!("/api/listings/{}/contact", offer.id);
    let refusal = stage.gateway.post(&path).refusal().await?;
    ensure!(refusal.status == 401, "somebody who is not logged in is answered {refusal}");
    let contact: SellerContact = stage.gateway.post(&path).bearer(&buyer.access).send().await?;
    ensure!(contact.phone == seller.contact.address(), "it is another number than Asha's");
    stage.tale.saw(format!(
        "It is {}, Asha's own. Without a login the answer was 401.",
        people::masked(&seller.contact)
    ));
    Ok(())
}
