//! The things that operations are tried on, made over the API for each cell.

use kernel::Clock;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use sandbox::Checkout;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Cast, told};
use crate::support::TestApp;

/// What the id in a path names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Thing {
    /// The path has no id.
    #[default]
    Nothing,
    /// A listing of the owner's that waits for review.
    Pending,
    /// One that everybody sees.
    Active,
    /// One that was not handed in.
    Draft,
    /// One that is paused.
    Paused,
    /// One whose time is over.
    Expired,
    /// A category without listings.
    Category,
    /// A boost plan that nobody bought.
    BoostPlan,
    /// A payment that was credited to the owner.
    Payment,
    /// A checkout that the owner came back from; its three fields have names of their own.
    Checkout,
    /// A second session of the owner's.
    Session,
    /// A member who did nothing yet.
    User,
    /// A staff member with an authenticator.
    StaffMember,
    /// A photo that was uploaded, by the name of a file of it.
    Photo,
    /// Something that was given up in the background.
    DeadLetter,
    /// Nothing in the path, but a picture in the body.
    Upload,
    /// Something that the owner was told.
    Notification,
    /// A device of the owner's.
    Device,
    /// A draft of an announcement.
    Announcement,
    /// One that waits for its hour.
    ScheduledAnnouncement,
    /// One that everybody is shown.
    ShownAnnouncement,
    /// A message that was given up.
    DeadDelivery,
    /// An endpoint of webhooks.
    Webhook,
    /// A webhook that was given up.
    WebhookDelivery,
}

/// A thing that was made.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) id: String,
    /// Names in bodies and queries, and what they stand for.
    names: Vec<(&'static str, String)>,
}

impl Made {
    pub(super) fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

impl Thing {
    pub(super) async fn make(self, app: &TestApp, cast: &mut Cast) -> Made {
        let mut names = Vec::new();
        let id = match self {
            Self::Nothing | Self::Upload => String::new(),
            Self::Payment => app.topped_up(cast.person("owner"), 50_000).await,
            Self::Checkout => {
                let Checkout { order_id, payment_id, signature } =
                    app.paid(cast.person("owner"), 50_000).await;
                names.extend([
                    ("$order", order_id),
                    ("$paid", payment_id),
                    ("$signature", signature.unwrap()),
                ]);
                String::new()
            }
            Self::Category => category(app, cast).await,
            Self::BoostPlan => boost_plan(app, cast).await,
            Self::User => app.member().await.user_id,
            Self::StaffMember => {
                app.staff_appointed_by(cast.person("SUPER_ADMIN"), kernel::Role::Finance).await.user_id
            }
            Self::Session => session(app, cast).await,
            Self::Photo => photo(app, cast).await,
            Self::DeadLetter => crate::dead_letters::dead_event(app).await.to_string(),
            Self::Notification => told::notification(app, cast).await,
            Self::Device => told::device(app, cast).await,
            Self::Announcement => told::announcement(app, cast).await,
            Self::ScheduledAnnouncement => told::scheduled(app, cast).await,
            Self::ShownAnnouncement => told::shown(app, cast).await,
            Self::DeadDelivery => told::dead_delivery(app, cast).await,
            Self::Webhook => told::webhook(app, cast, "*").await,
            Self::WebhookDelivery => told::webhook_delivery(app, cast).await,
            Self::Draft => listing(app, cast, "?draft=true").await,
            Self::Pending => listing(app, cast, "").await,
            Self::Active => approved(app, cast).await,
            Self::Paused => {
                let id = approved(app, cast).await;
                as_owner(app, cast, &format!("/api/listings/{id}/pause")).await;
                id
            }
            Self::Expired => expired(app, cast).await,
        };
        names.extend([
            ("$thing", id.clone()),
            ("$unique", kernel::Ambient::system().new_uuid().simple().to_string()),
            ("$category", category(app, cast).await),
            ("$boost", first_plan(app, "BOOST").await),
            ("$feature", first_plan(app, "FEATURE").await),
            ("$phone", crate::support::fresh_phone()),
            ("$unsubscribe", told::unsubscribe_token(app, cast)),
        ]);
        Made { id, names }
    }
}

async fn as_owner(app: &TestApp, cast: &Cast, path: &str) {
    app.post(path).bearer(cast.person("owner")).send().await.expect(StatusCode::OK);
}

async fn category(app: &TestApp, cast: &Cast) -> String {
    let slug = format!("c{}", kernel::Ambient::system().new_uuid().simple());
    let body = json!({ "slug": slug, "name": "Things of a test" });
    let made = app.post("/api/categories").bearer(cast.person("ADMIN")).json(&body).send().await;
    made.expect(StatusCode::CREATED).text("/id")
}

async fn boost_plan(app: &TestApp, cast: &Cast) -> String {
    let slug = format!("p{}", kernel::Ambient::system().new_uuid().simple());
    let price = json!({ "amount": 4_900, "currency": "INR" });
    let body = json!({ "kind": "BOOST", "slug": slug, "name": "For a test", "price": price, "days": 3 });
    let made = app.post("/api/boost-plans").bearer(cast.person("ADMIN")).json(&body).send().await;
    made.expect(StatusCode::CREATED).text("/id")
}

/// The first plan of a kind among those that the marketplace begins with.
async fn first_plan(app: &TestApp, kind: &str) -> String {
    let plans = app.get("/api/boost-plans").send().await.expect(StatusCode::OK).body;
    let plans = plans["data"].as_array().unwrap();
    plans.iter().find(|plan| plan["kind"] == kind).unwrap()["id"].as_str().unwrap().to_owned()
}

/// What a seller writes, in a category that asks for nothing.
pub(crate) fn listing_body(category: &str) -> Value {
    json!({
        "categoryId": category,
        "title": "A thing for a test",
        "description": "It is offered for as long as the test runs.",
        "price": { "amount": 150_000, "currency": "INR" },
        "condition": "GOOD",
        "location": { "city": "Pune", "state": "Maharashtra" }
    })
}

async fn listing(app: &TestApp, cast: &Cast, query: &str) -> String {
    let body = listing_body(&category(app, cast).await);
    let made =
        app.post(&format!("/api/listings{query}")).bearer(cast.person("owner")).json(&body).send().await;
    made.expect(StatusCode::CREATED).text("/id")
}

async fn approved(app: &TestApp, cast: &Cast) -> String {
    let id = listing(app, cast, "").await;
    let path = format!("/api/listings/{id}/review");
    let decision = json!({ "decision": "APPROVE" });
    app.post(&path).bearer(cast.person("MODERATOR")).json(&decision).send().await.expect(StatusCode::OK);
    id
}

/// Time passes for the listing alone: the clock stays, or every session would end.
async fn expired(app: &TestApp, cast: &Cast) -> String {
    let id = approved(app, cast).await;
    let later = app.clock.now() + chrono::TimeDelta::days(400);
    let settings = app.state.market.listing_settings().await;
    app.state.market.catalog.expire_due(later, 1_000, &settings).await.unwrap();
    id
}

async fn session(app: &TestApp, cast: &mut Cast) -> String {
    let second = cast.again(app, "owner").await;
    let all = app.get("/api/auth/sessions").bearer(&second).send().await.expect(StatusCode::OK);
    let all = all.body["data"].as_array().unwrap().clone();
    let current = all.iter().find(|session| session["current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}

async fn photo(app: &TestApp, cast: &Cast) -> String {
    let made = app.post("/api/uploads").bearer(cast.person("owner")).multipart(photo_form()).send().await;
    let url = made.expect(StatusCode::CREATED).text("/data/0/thumbUrl");
    url.trim_start_matches("/media/").to_owned()
}

/// A small picture, as a form.
pub(super) fn photo_form() -> Form {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(8, 8, image::Rgb([200, 30, 30]))
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    Form::new()
        .part("file", Part::bytes(png.into_inner()).file_name("thing.png").mime_str("image/png").unwrap())
}
