//! The decision on a listing.

use std::borrow::Cow;

use actix_web::{post, web};
use kernel::{InvalidInput, ListingId};
use moderation::{ReasonCode, ReviewView, Verdict};
use serde::Deserialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use validator::Validate;

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{IfMatch, Moderator, PathId, Valid};
use crate::http::texts;
use crate::state::AppState;

/// A decision, as it is sent. Its rules are [`Verdict::parse`]'s; its schema says them too.
#[derive(Debug, Deserialize, Validate)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ReviewBody {
    decision: String,
    reason_code: Option<String>,
    note: Option<String>,
}

impl ReviewBody {
    fn parse(&self) -> Result<Verdict, InvalidInput> {
        Verdict::parse(&self.decision, self.reason_code.as_deref(), self.note.as_deref())
    }
}

impl ToSchema for ReviewBody {
    fn name() -> Cow<'static, str> {
        "ReviewBody".into()
    }
}

/// Three forms, which no derive can tell: an approval, a rejection, and one whose reason the note must say.
impl PartialSchema for ReviewBody {
    fn schema() -> RefOr<Schema> {
        let (explained, known): (Vec<_>, Vec<_>) =
            ReasonCode::ALL.into_iter().partition(|reason| reason.needs_note());
        let codes = |reasons: Vec<ReasonCode>| one_of(reasons.into_iter().map(ReasonCode::as_str).collect());
        let forms = OneOfBuilder::new()
            .item(form("Approval", "APPROVE"))
            .item(form("Rejection", "REJECT").property("reasonCode", codes(known)).required("reasonCode"))
            .item(
                form("Rejection with its own reason", "REJECT")
                    .property("reasonCode", codes(explained))
                    .required("reasonCode")
                    .required("note"),
            );
        forms.into()
    }
}

fn form(title: &str, decision: &'static str) -> ObjectBuilder {
    let note = texts::lines(2, 500).description(Some("What the seller is told besides"));
    ObjectBuilder::new()
        .title(Some(title))
        .property("decision", one_of(vec![decision]))
        .required("decision")
        .property("note", note)
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

fn one_of(words: Vec<&'static str>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words))
}

/// Approves or rejects a listing.
///
/// Each submission is decided once: who comes second gets `409`. Send the listing's `ETag` as `If-Match` to decide
/// only on what you have seen. An approval makes the listing ACTIVE; a rejection tells its seller the reason.
#[utoipa::path(
    tag = "moderation",
    operation_id = "reviewListing",
    params(("id" = String, Path, format = Uuid, description = "The listing"),
           ("If-Match" = Option<String>, Header, description = "The listing's `ETag` as you have seen it", example = "\"1\"")),
    request_body(content = ReviewBody, examples(
        ("approve" = (summary = "Approve", value = json!({"decision": "APPROVE"}))),
        ("reject" = (summary = "Reject", value = json!({"decision": "REJECT", "reasonCode": "bad_photos", "note": "Please photograph the back as well."}))))),
    responses((status = 200, description = "The decision", body = ReviewView),
              (status = 409, description = "It is not PENDING, or somebody else has decided", body = Problem, content_type = "application/problem+json"),
              (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("moderator")))
)]
#[post("/api/listings/{id}/review")]
pub(crate) async fn review_listing(
    moderator: Moderator,
    state: web::Data<AppState>,
    id: PathId<ListingId>,
    seen: IfMatch,
    body: Valid<ReviewBody>,
) -> ApiResult<web::Json<ReviewView>> {
    let verdict = body.0.parse()?;
    let review = state.market.review_listing(&moderator.caller, id.0, seen.0, &verdict).await?;
    Ok(web::Json(review))
}
