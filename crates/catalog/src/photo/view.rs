//! What others see of a photo: its view for clients, and its form inside a listing's row.

use kernel::PhotoId;
use serde::{Deserialize, Serialize};

/// Where clients find photo files: a path of this server, or the address of a cache before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaUrls(String);

impl MediaUrls {
    /// Files below this path or address, such as `/media` or `https://img.example.in/media`.
    pub fn new(base: impl AsRef<str>) -> Self {
        Self(base.as_ref().trim_end_matches('/').to_owned())
    }

    /// The address of one file.
    pub fn of(&self, name: &str) -> String {
        format!("{}/{name}", self.0)
    }
}

impl Default for MediaUrls {
    fn default() -> Self {
        Self::new("/media")
    }
}

/// An uploaded photo: its id, its size and its variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhotoView {
    /// Names the photo in a listing's `photoIds`.
    pub id: PhotoId,
    /// Width of the full variant, in pixels.
    #[schema(example = 1600)]
    pub width: u32,
    /// Height of the full variant, in pixels.
    #[schema(example = 1200)]
    pub height: u32,
    /// The smallest variant, at most 200 pixels on its longer side.
    #[schema(example = "/media/2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae.jpg")]
    pub thumb_url: String,
    /// The variant for lists, at most 480 pixels on its longer side.
    #[schema(example = "/media/fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9.jpg")]
    pub card_url: String,
    /// The largest variant, at most 1600 pixels on its longer side.
    #[schema(example = "/media/baa5a0964d3320fbc0c6a922140453c8513ea24ab8fd0577034804a967248096.jpg")]
    pub full_url: String,
}

/// A photo on a listing, in the form that the listing's row keeps: file names rather than addresses, so that the
/// address may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachedPhoto {
    /// Its id.
    pub id: PhotoId,
    /// File name of the variant of at most 200 pixels.
    pub thumb: String,
    /// File name of the variant of at most 480 pixels.
    pub card: String,
    /// File name of the variant of at most 1600 pixels.
    pub full: String,
    /// Width of the full variant, in pixels.
    pub width: u32,
    /// Height of the full variant, in pixels.
    pub height: u32,
}

impl AttachedPhoto {
    /// The photo as clients see it.
    pub fn view(&self, urls: &MediaUrls) -> PhotoView {
        PhotoView {
            id: self.id,
            width: self.width,
            height: self.height,
            thumb_url: urls.of(&self.thumb),
            card_url: urls.of(&self.card),
            full_url: urls.of(&self.full),
        }
    }
}
