//! Photo files: named by their content, so they never change and may be kept for ever.

use actix_web::body::SizedStream;
use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag};
use actix_web::{HttpRequest, HttpResponse, get, web};
use catalog::photo::BlobName;

use crate::http::error::{ApiError, ApiResult};
use crate::http::extract::is_known;
use crate::state::AppState;

/// A year, the longest that caches are told (RFC 9111 §5.2.2; `immutable` is RFC 8246).
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// A JPEG.
#[derive(Debug, utoipa::ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "it is sent piece by piece; this is its description")]
pub(crate) struct JpegFile(Vec<u8>);

/// Gives a file of a photo.
///
/// The name is the SHA-256 of the file. Other sites may show it.
#[utoipa::path(
    tag = "photos",
    operation_id = "getMedia",
    params(("name" = String, Path, description = "The file's name, as it ends the URLs of a photo", pattern = "^[0-9a-f]{64}\\.jpg$",
            example = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae.jpg")),
    responses((status = 200, description = "The picture", body = JpegFile, content_type = "image/jpeg"),
              (status = 304, description = "You have it already (`If-None-Match`)")),
    extensions(("x-authority" = json!("public")))
)]
#[get("/media/{name}")]
pub(crate) async fn get_media(
    request: HttpRequest,
    name: web::Path<String>,
    state: web::Data<AppState>,
) -> ApiResult<HttpResponse> {
    let name = BlobName::parse(&name).ok_or_else(ApiError::not_found)?;
    let tag = EntityTag::new_strong(name.hash().to_owned());
    let known = is_known(&request, &tag);
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header((ETAG, tag.to_string()))
        .insert_header((CACHE_CONTROL, FOR_EVER))
        .insert_header(("cross-origin-resource-policy", "cross-origin"));
    if known {
        // Whoever has it had it from here; that it is still here is asked all the same.
        state.market.photos.length_of(&name).await?;
        return Ok(answer.finish());
    }
    let file = state.market.photos.open(&name).await?;
    Ok(answer.content_type("image/jpeg").body(SizedStream::new(file.length, file.body)))
}
