//! Uploads: `multipart/form-data` read piece by piece, never more of it in memory than a file may have.

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, post, web};
use catalog::photo::{PhotoError, PhotoView, PreparedPhoto};
use futures_util::TryStreamExt;
use kernel::{DomainError, ErrorKind};
use serde::Serialize;

use crate::http::error::{ApiError, ApiResult, Problem};
use crate::http::extract::Member;
use crate::state::AppState;

/// The form's only field.
const FIELD: &str = "file";

/// Files in one upload.
const MAX_FILES: usize = 10;

/// How much of a refused upload is still read, in bytes: a client that is sending would not see the answer otherwise.
const READ_ON: usize = 16 << 20;

/// The form.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece; this is its description")]
pub(crate) struct UploadForm {
    /// One picture or up to ten, each a part of this name: JPEG, PNG or WebP, still, of at most 10 MiB.
    #[schema(value_type = Vec<String>, format = Binary, min_items = 1, max_items = 10)]
    file: Vec<Vec<u8>>,
}

/// What became of an upload.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct UploadedPhotos {
    /// The photos, in the order of the files.
    data: Vec<PhotoView>,
}

/// Uploads photos.
///
/// All of the files are taken, or none. Name the photos in a listing's `photoIds` within a day, or they are deleted.
/// What is kept was encoded anew: upright, on white, without the place and time that a phone writes into a picture.
#[utoipa::path(
    tag = "photos",
    operation_id = "uploadPhotos",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The photos", body = UploadedPhotos),
              (status = 409, description = "You have too many photos that no listing shows", body = Problem, content_type = "application/problem+json"),
              (status = 422, description = "A picture is damaged or incomplete", body = Problem, content_type = "application/problem+json")),
    security(("bearer" = [])),
    extensions(("x-authority" = json!("member")))
)]
#[post("/api/uploads")]
pub(crate) async fn upload_photos(
    member: Member,
    state: web::Data<AppState>,
    mut form: Multipart,
) -> ApiResult<HttpResponse> {
    let prepared = match prepare_all(&member, &state, &mut form).await {
        Ok(prepared) => prepared,
        Err(Stop::Unreadable(error)) => return Err(unreadable(&error)),
        Err(Stop::Refused(refusal)) => {
            read_on(&mut form).await;
            return Err(refusal);
        }
    };
    let data = state.market.photos.keep(member.user, prepared).await?;
    Ok(HttpResponse::Created().json(UploadedPhotos { data }))
}

/// Why reading ended before the form did.
enum Stop {
    /// The form is broken; it must not be read any further.
    Unreadable(MultipartError),
    /// Something in it is not taken.
    Refused(ApiError),
}

impl From<MultipartError> for Stop {
    fn from(error: MultipartError) -> Self {
        Self::Unreadable(error)
    }
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

async fn prepare_all(
    member: &Member,
    state: &AppState,
    form: &mut Multipart,
) -> Result<Vec<PreparedPhoto>, Stop> {
    let mut prepared = Vec::new();
    while let Some(mut part) = form.try_next().await? {
        let name = part.name().unwrap_or_default();
        if name != FIELD {
            return Err(
                ApiError::invalid(name, "unknown_field", "is not known; send pictures as `file`").into()
            );
        }
        if prepared.len() == MAX_FILES {
            return Err(
                ApiError::invalid(FIELD, "too_many", format!("must be at most {MAX_FILES} files")).into()
            );
        }
        prepared.push(prepare(member, state, &mut part, prepared.len() + 1).await?);
    }
    if prepared.is_empty() {
        return Err(ApiError::invalid(FIELD, "required", "must be at least one picture").into());
    }
    Ok(prepared)
}

/// One file, the `ordinal`th.
async fn prepare(
    member: &Member,
    state: &AppState,
    part: &mut Field,
    ordinal: usize,
) -> Result<PreparedPhoto, Stop> {
    let photos = &state.market.photos;
    let refused = |error: PhotoError| {
        let about_the_file =
            !matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Internal);
        let error = ApiError::from(error);
        if about_the_file { error.of_field(FIELD, &format!("file {ordinal}")) } else { error }
    };
    let mut buffer = photos.buffer();
    while let Some(piece) = part.try_next().await? {
        buffer.push(&piece).map_err(refused)?;
    }
    Ok(photos.prepare(member.user, buffer).await.map_err(refused)?)
}

fn unreadable(error: &MultipartError) -> ApiError {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send pictures as multipart/form-data",
        ),
        error => ApiError::new(
            StatusCode::BAD_REQUEST,
            "malformed_multipart",
            format!("the multipart body cannot be read: {error}"),
        ),
    }
}

/// Reads and drops what still comes, within reason.
async fn read_on(form: &mut Multipart) {
    let mut left = READ_ON;
    while let Ok(Some(mut part)) = form.try_next().await {
        while let Ok(Some(piece)) = part.try_next().await {
            match left.checked_sub(piece.len()) {
                Some(less) => left = less,
                None => return,
            }
        }
    }
}
