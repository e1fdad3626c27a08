//! What became of messages, for administrators: neither to which number nor what they said.

use actix_web::{HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use kernel::{DeliveryId, FieldErrors, InvalidInput, Page, Paging, UserId};
use notify::{Channel, DeliveryFilter, DeliveryStatus, DeliveryView};
use serde::Deserialize;

use super::error::{ApiResult, Problem};
use super::extract::{Admin, PathId, Query};
use crate::http::Routes;
use crate::state::AppState;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes.service(list_deliveries).service(delivery).service(retry_delivery);
}

/// Which deliveries, and which part of their list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryParams {
    /// Only this person's.
    #[param(value_type = Option<String>, format = Uuid)]
    user_id: Option<UserId>,
    /// Only those by this way.
    #[param(inline)]
    channel: Option<Channel>,
    /// Only those that are this far.
    #[param(inline)]
    status: Option<DeliveryStatus>,
    /// Only those about this, as `GET /api/notification-kinds` names it.
    #[param(example = "listing.approved", max_length = 64)]
    kind: Option<String>,
    /// Only those planned from then on.
    since: Option<DateTime<Utc>>,
    /// A page's number, from 1; asking for one tells the total. Not together with `cursor`.
    #[param(minimum = 1, maximum = 10_000)]
    page: Option<u32>,
    /// Deliveries per page, 20 by default.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `nextCursor`.
    #[param(min_length = 1, max_length = 1_024)]
    cursor: Option<String>,
}

impl DeliveryParams {
    fn parse(self) -> Result<(DeliveryFilter, Paging), InvalidInput> {
        let mut errors = FieldErrors::default();
        let kind = errors.check("kind", self.kind.as_deref().map(str::parse).transpose());
        let paging = Paging::parse(self.page, self.limit, self.cursor);
        match (kind, paging) {
            (Some(kind), Ok(paging)) => {
                let Self { user_id: user, channel, status, since, .. } = self;
                Ok((DeliveryFilter { user, channel, status, kind, since }, paging))
            }
            (_, paging) => {
                let mut all = errors.into_error().0;
                all.extend(paging.err().map(|(field, error)| error.of(field)));
                Err(InvalidInput(all))
            }
        }
    }
}

/// Lists deliveries, newest first.
#[utoipa::path(
    tag = "deliveries",
    operation_id = "listDeliveries",
    params(DeliveryParams),
    responses((status = 200, description = "A page of deliveries", body = Page<DeliveryView>)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/notification-deliveries")]
pub(crate) async fn list_deliveries(
    admin: Admin,
    state: web::Data<AppState>,
    params: Query<DeliveryParams>,
) -> ApiResult<web::Json<Page<DeliveryView>>> {
    let (filter, paging) = params.0.parse()?;
    Ok(web::Json(state.market.notify.deliveries(&admin.caller, &filter, &paging).await?))
}

/// Shows a delivery.
#[utoipa::path(
    tag = "deliveries",
    operation_id = "delivery",
    params(("id" = String, Path, format = Uuid, description = "The delivery")),
    responses((status = 200, description = "The delivery", body = DeliveryView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[get("/api/notification-deliveries/{id}")]
pub(crate) async fn delivery(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<DeliveryId>,
) -> ApiResult<web::Json<DeliveryView>> {
    Ok(web::Json(state.market.notify.delivery(&admin.caller, id.0).await?))
}

/// Sends a delivery after all that was given up.
///
/// It gets all its tries anew. Only one that is `dead` can be: what may have been sent is not sent again.
#[utoipa::path(
    tag = "deliveries",
    operation_id = "retryDelivery",
    params(("id" = String, Path, format = Uuid, description = "The delivery")),
    responses((status = 204, description = "It will be tried again at once"),
              (status = 409, description = "It is not `dead`", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("admin")))
)]
#[post("/api/notification-deliveries/{id}/retry")]
pub(crate) async fn retry_delivery(
    admin: Admin,
    state: web::Data<AppState>,
    id: PathId<DeliveryId>,
) -> ApiResult<HttpResponse> {
    state.market.retry_delivery(&admin.caller, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
