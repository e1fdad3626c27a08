//! Why a listing may be rejected.

use actix_web::{get, web};
use moderation::{ReasonView, reasons};
use serde::Serialize;

/// All reasons.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ReasonList {
    /// In the order in which moderators are offered them.
    data: Vec<ReasonView>,
}

/// Lists the reasons for which a listing is rejected.
///
/// Each with what the seller is told, in English and in Hindi.
#[utoipa::path(
    tag = "moderation",
    operation_id = "listReasons",
    responses((status = 200, description = "The reasons", body = ReasonList)),
    extensions(("x-authority" = json!("public")))
)]
#[get("/api/moderation/reasons")]
pub(crate) async fn list_reasons() -> web::Json<ReasonList> {
    web::Json(ReasonList { data: reasons() })
}
