//! How an announcement goes on its way, comes back, and ends.

use actix_web::{HttpRequest, HttpResponse, post, web};
use kernel::AnnouncementId;
use notify::{AnnouncementEvent, AnnouncementView};

use crate::http::error::{ApiResult, Problem};
use crate::http::extract::{Admin, IfMatch, PathId, Versioned, conditional_json};
use crate::state::AppState;

async fn moved(
    request: &HttpRequest,
    admin: &Admin,
    state: &AppState,
    (id, seen): (AnnouncementId, Option<i64>),
    event: AnnouncementEvent,
) -> ApiResult<HttpResponse> {
    let announcement = state.market.notify.move_announcement(&admin.caller, id, event, seen).await?;
    Ok(conditional_json(request, &Versioned { version: announcement.version, body: announcement }))
}

/// One operation for each move; they differ in their words, and in when the announcement's state forbids them.
macro_rules! moves {
    ($($(#[$doc:meta])* $name:ident at $path:tt as $operation:tt: $event:ident, or 409 $conflict:tt;)+) => {$(
        $(#[$doc])*
        #[utoipa::path(
            tag = "announcements",
            operation_id = $operation,
            params(("id" = String, Path, format = Uuid, description = "The announcement"),
                   ("If-Match" = Option<String>, Header, description = "The announcement's `ETag` as you have seen it", example = "\"1\"")),
            responses((status = 200, description = "The announcement", body = AnnouncementView,
                       headers(("ETag" = String, description = "Its version"))),
                      (status = 409, description = $conflict, body = Problem, content_type = "application/problem+json"),
                      (status = 412, description = "It has changed since you read it", body = Problem, content_type = "application/problem+json")),
            security(("bearer" = [])),
            extensions(("x-authority" = json!("admin")))
        )]
        #[post($path)]
        pub(crate) async fn $name(
            request: HttpRequest,
            admin: Admin,
            state: web::Data<AppState>,
            id: PathId<AnnouncementId>,
            seen: IfMatch,
        ) -> ApiResult<HttpResponse> {
            moved(&request, &admin, &state, (id.0, seen.0), AnnouncementEvent::$event).await
        }
    )+};
}

moves! {
    /// Schedules a draft: it begins at `startsAt`, or within a minute.
    ///
    /// People are told in batches, in the order of their ids.
    schedule_announcement at "/api/announcements/{id}/schedule" as "scheduleAnnouncement":
        Schedule, or 409 "It is no draft, or its time is over already";

    /// Takes a scheduled announcement back: it is a draft again.
    ///
    /// One that has begun can only be stopped.
    unschedule_announcement at "/api/announcements/{id}/unschedule" as "unscheduleAnnouncement":
        Unschedule, or 409 "It does not wait for its hour";

    /// Stops an announcement: nobody else is told, and nobody is shown it any more.
    ///
    /// What waits to be pushed is not sent. It cannot be taken up again.
    stop_announcement at "/api/announcements/{id}/stop" as "stopAnnouncement":
        Stop, or 409 "It is over already, or a draft";
}
