//! Bodies that are signed as they are: taken raw, within a size and a time.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Payload};

use crate::http::error::{ApiError, ApiResult};

/// Reads the whole body, of at most `limit` bytes, which must arrive within `time`.
pub(crate) async fn read_within(body: Payload, limit: usize, time: Duration) -> ApiResult<Bytes> {
    match tokio::time::timeout(time, body.to_bytes_limited(limit)).await {
        Ok(Ok(Ok(raw))) => Ok(raw),
        Ok(Ok(Err(_))) => Err(ApiError::of_status(StatusCode::BAD_REQUEST)),
        Ok(Err(_)) => Err(ApiError::of_status(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_) => Err(ApiError::of_status(StatusCode::REQUEST_TIMEOUT)),
    }
}
