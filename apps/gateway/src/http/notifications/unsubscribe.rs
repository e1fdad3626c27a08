//! Where a mail's link to unsubscribe leads. The token says whose mails of which category, and is no login.
//!
//! Mail programs post here with one click (RFC 8058 §3.2). Whoever follows the link gets a page with a button: programs
//! that look at links beforehand must not unsubscribe anybody.

use actix_web::{HttpResponse, get, post, web};
use kernel::InvalidInput;
use serde::Deserialize;

use crate::http::error::ApiResult;
use crate::http::extract::Query;
use crate::state::AppState;

/// The page posts to its own address, so that nothing of the address has to stand in it.
const QUESTION: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Unsubscribe</title>\
    <p>Do you want no more mails of this kind?</p>\
    <form method=\"post\"><button name=\"List-Unsubscribe\" value=\"One-Click\">Unsubscribe</button></form></html>\n";

/// The longest token, in characters.
const MAX_TOKEN: usize = 1_024;

/// The link's own word.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UnsubscribeParams {
    /// The token, as it stands in the mail's link.
    #[param(min_length = 1, max_length = 1_024, example = "eyJzIjoidW5zdWJzY3JpYmUifQ.c2lnbmF0dXJl")]
    token: String,
}

/// Asks whether you want no more mails of a category: a page with a button.
///
/// Looking at it changes nothing.
#[utoipa::path(
    tag = "notifications",
    operation_id = "showUnsubscribe",
    params(UnsubscribeParams),
    responses((status = 200, description = "The page", body = String, content_type = "text/html",
               example = json!("<!doctype html>…"))),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/notifications/unsubscribe")]
pub(crate) async fn show_unsubscribe(params: Query<UnsubscribeParams>) -> ApiResult<HttpResponse> {
    std::future::ready(()).await;
    // Whether it is one of ours is found when the button is pressed; none of ours is longer.
    if params.0.token.chars().count() > MAX_TOKEN {
        return Err(InvalidInput::field("token", "too_long", "must be the token of a mail's link").into());
    }
    Ok(page(QUESTION.to_owned()))
}

/// Ends the mails of a category, with one click and without a login (RFC 8058).
///
/// The token names the person and the category, and is signed. Mail programs send the form
/// `List-Unsubscribe=One-Click`; what the body says does not matter. It may be repeated.
#[utoipa::path(
    tag = "notifications",
    operation_id = "unsubscribe",
    params(UnsubscribeParams),
    responses((status = 200, description = "No more mails of the category", body = String, content_type = "text/html",
               example = json!("<!doctype html>…")),
              (status = 404, description = "The link is not one of ours", body = crate::http::error::Problem, content_type = "application/problem+json")),
    extensions(("x-authority" = json!("signed")))
)]
#[post("/api/notifications/unsubscribe")]
pub(crate) async fn unsubscribe(
    params: Query<UnsubscribeParams>,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let category = state.market.notify.unsubscribe(&params.0.token).await?;
    let category = category.as_str();
    Ok(page(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Unsubscribed</title>\
         <p>You get no more mails about: {category}. The app's settings bring them back.</p></html>\n"
    )))
}

fn page(html: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html)
}
