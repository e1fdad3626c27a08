//! One's own devices, for push messages.

use actix_web::{HttpResponse, delete, get, post, web};
use kernel::{DeviceId, FieldErrors, InvalidInput};
use notify::{DeviceView, Platform, PushTarget, TargetKind};
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::error::ApiResult;
use super::extract::{Member, PathId, Valid};
use crate::http::Routes;
use crate::state::AppState;

pub(crate) fn routes(routes: &mut Routes<'_, '_>) {
    routes.service(list_devices).service(register_device).service(delete_device);
}

/// A device and what Firebase knows it by. Its `Debug` does not show the token.
#[derive(Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct DeviceBody {
    /// What sort of device it is.
    platform: Platform,
    /// What sort of name `token` is.
    kind: TargetKind,
    /// The registration token or installation id, as Firebase gave it.
    #[schema(
        example = "fcm-token:APA91b",
        min_length = 1,
        max_length = 1_024,
        pattern = "^[A-Za-z0-9_:.-]+$"
    )]
    token: String,
}

impl DeviceBody {
    fn parse(&self) -> Result<PushTarget, InvalidInput> {
        let mut errors = FieldErrors::default();
        let target = errors.check("token", PushTarget::parse(self.kind, &self.token));
        target.ok_or_else(|| errors.into_error())
    }
}

/// All of one's devices.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct DeviceList {
    /// The one seen last first.
    data: Vec<DeviceView>,
}

/// Lists your devices, the one seen last first.
#[utoipa::path(
    tag = "notifications",
    operation_id = "listDevices",
    responses((status = 200, description = "Your devices", body = DeviceList)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[get("/api/devices")]
pub(crate) async fn list_devices(
    member: Member,
    state: web::Data<AppState>,
) -> ApiResult<web::Json<DeviceList>> {
    Ok(web::Json(DeviceList { data: state.market.notify.devices(member.user).await? }))
}

/// Registers the device that you use, for push messages.
///
/// Do it at every start: it may be repeated, and notes that the device is still there. A token belongs to whoever
/// registered it last, and goes with the login that it was registered through. You have twenty devices at most; the one
/// not seen for longest makes room.
#[utoipa::path(
    tag = "notifications",
    operation_id = "registerDevice",
    request_body = DeviceBody,
    responses((status = 201, description = "The device, new or known", body = DeviceView)),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/devices")]
pub(crate) async fn register_device(
    member: Member,
    state: web::Data<AppState>,
    body: Valid<DeviceBody>,
) -> ApiResult<HttpResponse> {
    let target = body.0.parse()?;
    let of = (member.user, member.session);
    let device = state.market.notify.register_device(of, body.0.platform, &target).await?;
    Ok(HttpResponse::Created().json(device))
}

/// Removes one of your devices: nothing is pushed to it any more.
#[utoipa::path(
    tag = "notifications",
    operation_id = "deleteDevice",
    params(("id" = String, Path, format = Uuid, description = "The device")),
    responses((status = 204, description = "It is gone")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("owner")))
)]
#[delete("/api/devices/{id}")]
pub(crate) async fn delete_device(
    member: Member,
    state: web::Data<AppState>,
    id: PathId<DeviceId>,
) -> ApiResult<HttpResponse> {
    state.market.notify.delete_device(member.user, id.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
