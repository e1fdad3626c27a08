//! A moderator finds a listing in the queue and decides.

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::json;

use super::Stage;
use super::selling::{Listing, Offer};
use crate::people::Person;

/// How many pages of the queue are leafed through before the search is given up.
const PAGES: u32 = 50;

#[derive(Deserialize)]
struct Queue {
    data: Vec<Waiting>,
    pagination: Pagination,
}

#[derive(Deserialize)]
struct Waiting {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    next_cursor: Option<String>,
}

/// The moderator finds the listing in the queue and approves it.
pub(super) async fn listing_is_approved(
    stage: &mut Stage,
    moderator: &Person,
    offer: &Offer,
) -> anyhow::Result<()> {
    stage.tale.step(format!("Meera looks for \"{}\" in the review queue.", offer.title));
    let place = place_in_queue(stage, moderator, offer).await?;
    let place = place.context("the listing is not in the queue")?;
    stage.tale.saw(format!("There it is, at place {place}."));
    stage.tale.step("Meera approves it.");
    let path = format!("/api/listings/{}/review", offer.id);
    let body = json!({ "decision": "APPROVE" });
    stage.gateway.post(path).bearer(&moderator.access).json(&body).done().await?;
    let listing: Listing = stage.gateway.get(format!("/api/listings/{}", offer.id)).send().await?;
    ensure!(listing.status == "ACTIVE", "the listing is {} afterwards, not ACTIVE", listing.status);
    stage.tale.saw("The decision is on record; the listing is ACTIVE, and everybody sees it.");
    Ok(())
}

async fn place_in_queue(stage: &Stage, moderator: &Person, offer: &Offer) -> anyhow::Result<Option<usize>> {
    let mut cursor: Option<String> = None;
    let mut before = 0;
    for _ in 0..PAGES {
        let mut query = vec![("limit", "100")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let call = stage.gateway.get("/api/moderation/queue").query(&query).bearer(&moderator.access);
        let page: Queue = call.send().await?;
        if let Some(index) = page.data.iter().position(|waiting| waiting.id == offer.id) {
            return Ok(Some(before + index + 1));
        }
        before += page.data.len();
        cursor = page.pagination.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(None)
}
