//! A seller arrives with a phone to sell: photos, a category's questions answered, a listing that waits for review.

use anyhow::{Context, ensure};
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Stage;
use crate::people::{self, Person};
use crate::pictures::{self, Picture};

/// What the seller offers, as the next chapters need to know it.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) category: String,
}

#[derive(Deserialize)]
struct Uploaded {
    data: Vec<Photo>,
}

#[derive(Deserialize)]
struct Photo {
    id: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    slug: String,
    #[serde(default)]
    children: Vec<Node>,
}

#[derive(Deserialize)]
struct Category {
    name: String,
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Attribute {
    name: String,
    kind: String,
    min: Option<i64>,
    max: Option<i64>,
    #[serde(default)]
    options: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Listing {
    pub(super) id: String,
    pub(super) status: String,
}

/// A seller with a new number logs in.
pub(super) async fn seller_arrives(stage: &mut Stage) -> anyhow::Result<Person> {
    let contact = people::random_phone(&stage.ambient);
    stage.enter("Asha, who is new,", contact, Some("Asha Rao")).await
}

/// The seller uploads two photos and lists a phone under Mobiles.
pub(super) async fn phone_is_listed(stage: &mut Stage, seller: &Person) -> anyhow::Result<Offer> {
    stage.tale.step("Asha uploads two photos, a JPEG and a PNG.");
    let photos = upload(stage, seller, [pictures::front()?, pictures::back()?]).await?;
    let sizes: Vec<_> = photos.iter().map(|photo| format!("{} × {}", photo.width, photo.height)).collect();
    stage
        .tale
        .saw(format!("Kept anew at {} pixels, without what the phone wrote into them.", sizes.join(" and ")));
    let photos: Vec<String> = photos.into_iter().map(|photo| photo.id).collect();
    let category = find_mobiles(stage).await?;
    let title = "OnePlus 12R 256 GB, hardly used";
    let offer = list(stage, seller, &category, title, &photos).await?;
    Ok(offer)
}

async fn upload<const N: usize>(
    stage: &Stage,
    seller: &Person,
    pictures: [Picture; N],
) -> anyhow::Result<Vec<Photo>> {
    let mut form = Form::new();
    for picture in pictures {
        let part = Part::bytes(picture.bytes).file_name(picture.name).mime_str(picture.media_type)?;
        form = form.part("file", part);
    }
    let uploaded: Uploaded =
        stage.gateway.post("/api/uploads").bearer(&seller.access).form(form).send().await?;
    ensure!(uploaded.data.len() == N, "{} of {N} photos were kept", uploaded.data.len());
    Ok(uploaded.data)
}

async fn find_mobiles(stage: &mut Stage) -> anyhow::Result<String> {
    stage.tale.step("Asha looks for Mobiles in the category tree.");
    let tree: Vec<Node> = stage.gateway.get("/api/categories/tree").send().await?;
    let found =
        find(&tree, "mobiles").context("there is no category with the slug mobiles: run `gateway seed`")?;
    stage.tale.saw(format!("Found among {} top categories.", tree.len()));
    Ok(found.to_owned())
}

fn find<'a>(nodes: &'a [Node], slug: &str) -> Option<&'a str> {
    nodes
        .iter()
        .find_map(|node| if node.slug == slug { Some(node.id.as_str()) } else { find(&node.children, slug) })
}

/// Somebody puts a thing on the market; it waits for a moderator.
pub(super) async fn list(
    stage: &mut Stage,
    seller: &Person,
    category: &str,
    title: &str,
    photos: &[String],
) -> anyhow::Result<Offer> {
    stage.tale.step(format!("Asha lists \"{title}\" in Pune."));
    let questions: Category = stage.gateway.get(format!("/api/categories/{category}")).send().await?;
    let body = json!({
        "categoryId": category,
        "title": title,
        "description": "Bought in January, always in a case, battery at 98 %. With box, charger and bill.",
        "price": { "amount": 3_250_000, "currency": "INR" },
        "negotiable": true,
        "condition": "LIKE_NEW",
        "location": { "city": "Pune", "state": "Maharashtra", "pincode": "411001" },
        "attributes": answers(&questions.attributes),
        "photoIds": photos,
    });
    let listing: Listing =
        stage.gateway.post("/api/listings").bearer(&seller.access).json(&body).send().await?;
    ensure!(listing.status == "PENDING", "the new listing is {}, not PENDING", listing.status);
    stage.tale.saw(format!(
        "{} asks {} questions; all are answered. The listing is PENDING.",
        questions.name,
        questions.attributes.len()
    ));
    Ok(Offer { id: listing.id, title: title.to_owned(), category: category.to_owned() })
}

/// An answer to each of the category's questions, of the kind that it wants.
fn answers(questions: &[Attribute]) -> Map<String, Value> {
    let answer = |question: &Attribute| match question.kind.as_str() {
        "choice" => {
            let known =
                question.options.iter().find(|option| ["OnePlus", "16", "Black"].contains(&option.as_str()));
            known.or(question.options.first()).map(|option| json!(option))
        }
        "integer" => {
            Some(json!(16.clamp(question.min.unwrap_or(i64::MIN), question.max.unwrap_or(i64::MAX))))
        }
        "boolean" => Some(json!(true)),
        _ => Some(json!("12R")),
    };
    questions.iter().filter_map(|question| Some((question.name.clone(), answer(question)?))).collect()
}

/// Until it is approved, a stranger gets the answer that an unknown listing gets.
pub(super) async fn nobody_else_sees(stage: &mut Stage, offer: &Offer) -> anyhow::Result<()> {
    stage.tale.step("A stranger who knows the address opens the listing.");
    let refusal = stage.gateway.get(format!("/api/listings/{}", offer.id)).refusal().await?;
    ensure!(refusal.status == 404, "the stranger is answered {refusal}");
    stage.tale.saw("404: for everybody else it does not exist yet.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_question_is_answered_as_it_wants() {
        let questions: Vec<Attribute> = serde_json::from_value(json!([
            {"name": "brand", "kind": "choice", "options": ["Apple", "OnePlus"]},
            {"name": "colour", "kind": "choice", "options": ["Teal", "Red"]},
            {"name": "ram", "kind": "integer", "min": 1, "max": 12},
            {"name": "boxed", "kind": "boolean"},
            {"name": "model", "kind": "text"},
        ]))
        .unwrap();
        let expected =
            json!({"brand": "OnePlus", "colour": "Teal", "ram": 12, "boxed": true, "model": "12R"});
        assert_eq!(Value::Object(answers(&questions)), expected);
    }
}
