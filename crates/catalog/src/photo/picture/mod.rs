//! A picture from outside becomes three JPEGs of ours. Pure work on bytes, for a thread that may block.

mod jpeg;
mod pixels;
#[cfg(test)]
mod tests;
mod webp;

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError};

use super::{BlobName, PhotoError};

/// The longer side of each variant, in pixels.
const FULL: u32 = 1600;
const CARD: u32 = 480;
const THUMB: u32 = 200;

/// What chunks beside the pixels of a PNG, a colour profile above all, may take.
const PNG_CHUNKS: u64 = 8 << 20;

/// What an upload may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The file, in bytes.
    pub bytes: usize,
    /// Width and height, in pixels.
    pub side: u32,
    /// Width times height.
    pub pixels: u64,
    /// What decoding and scaling may take, in bytes; reckoned from the header before anything is decoded.
    pub memory: u64,
}

impl Default for Limits {
    /// 10 MiB, 12 000 pixels on a side, 40 megapixels, 112 MiB. An ordinary JPEG of 28 megapixels fits, a progressive
    /// one of 12 as well.
    fn default() -> Self {
        Self { bytes: 10 << 20, side: 12_000, pixels: 40_000_000, memory: 112 << 20 }
    }
}

impl Limits {
    fn check_size(&self, (width, height): (u32, u32)) -> Result<(), PhotoError> {
        let fits = width.max(height) <= self.side && u64::from(width) * u64::from(height) <= self.pixels;
        if fits { Ok(()) } else { Err(PhotoError::TooLarge { width, height }) }
    }

    /// The decoded pixels, and with them either what the decoder needs besides, or what scaling does: rows already
    /// narrowed but not yet shortened, the result, and its copy in 8-bit RGB.
    fn check_memory(&self, decoder: &dyn ImageDecoder, besides: u64) -> Result<(), PhotoError> {
        let (width, height) = decoder.dimensions();
        let (to_width, to_height) = pixels::fit((width, height), FULL);
        let per_pixel = u64::from(decoder.color_type().bytes_per_pixel());
        let narrowed = u64::from(to_width) * u64::from(height) * per_pixel;
        let result = u64::from(to_width) * u64::from(to_height) * (per_pixel + 3);
        let total = decoder.total_bytes().saturating_add(besides.max(narrowed.saturating_add(result)));
        if total <= self.memory { Ok(()) } else { Err(PhotoError::TooLarge { width, height }) }
    }
}

/// The kinds of picture that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
    WebP,
}

impl Kind {
    /// Tells the kind by the first bytes; what the client says of it does not count.
    pub(super) fn sniff(bytes: &[u8]) -> Result<Self, PhotoError> {
        if infer::image::is_jpeg(bytes) {
            Ok(Self::Jpeg)
        } else if infer::image::is_png(bytes) {
            Ok(Self::Png)
        } else if infer::image::is_webp(bytes) {
            Ok(Self::WebP)
        } else {
            Err(PhotoError::Unsupported(
                infer::get(bytes).map_or("of no kind we know", |kind| kind.mime_type()),
            ))
        }
    }
}

/// One encoded JPEG and its name.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    pub name: BlobName,
    pub bytes: Bytes,
}

/// What became of a picture.
#[derive(Debug, Clone)]
pub(super) struct Rendered {
    /// Of the full variant.
    pub width: u32,
    /// Of the full variant.
    pub height: u32,
    pub thumb: Encoded,
    pub card: Encoded,
    pub full: Encoded,
}

/// Decodes within the limits and encodes the three variants: upright, opaque, without metadata.
pub(super) fn render(kind: Kind, upload: &[u8], limits: &Limits) -> Result<Rendered, PhotoError> {
    let (mut decoder, besides) = open(kind, upload, limits)?;
    limits.check_memory(&decoder, besides)?;
    let size = decoder.dimensions();
    // Broken metadata does not make a broken picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut decoded = DynamicImage::from_decoder(decoder).map_err(|error| refusal(&error, size))?;
    pixels::onto_white(&mut decoded);
    let small = pixels::shrink(&decoded, FULL)?;
    drop(decoded);
    let mut full = DynamicImage::ImageRgb8(small.into_rgb8());
    full.apply_orientation(orientation);
    let card = pixels::shrink(&full, CARD)?;
    let thumb = pixels::shrink(&full, THUMB)?;
    Ok(Rendered {
        width: full.width(),
        height: full.height(),
        thumb: encode(&thumb)?,
        card: encode(&card)?,
        full: encode(&full)?,
    })
}

/// A decoder that has read no more than the header, and what memory it will need beside the decoded pixels.
fn open<'b>(
    kind: Kind,
    upload: &'b [u8],
    limits: &Limits,
) -> Result<(Box<dyn ImageDecoder + 'b>, u64), PhotoError> {
    let length = u64::try_from(upload.len()).unwrap_or(u64::MAX);
    match kind {
        Kind::Jpeg => {
            let shape = jpeg::Shape::read(upload).ok_or(PhotoError::Corrupt)?;
            limits.check_size(shape.size)?;
            let decoder = JpegDecoder::new(Cursor::new(upload)).map_err(|e| refusal(&e, shape.size))?;
            if decoder.dimensions() != shape.size {
                return Err(PhotoError::Corrupt);
            }
            // The decoder copies the file, and picks its metadata out of it.
            Ok((Box::new(decoder), shape.coefficient_bytes + 2 * length))
        }
        Kind::Png => {
            let size = png_size(upload).ok_or(PhotoError::Corrupt)?;
            limits.check_size(size)?;
            let mut chunks = image::Limits::no_limits();
            chunks.max_alloc = Some(PNG_CHUNKS);
            let decoder =
                PngDecoder::with_limits(Cursor::new(upload), chunks).map_err(|e| refusal(&e, size))?;
            if decoder.is_apng().map_err(|e| refusal(&e, size))? {
                return Err(PhotoError::Unsupported("animated"));
            }
            Ok((Box::new(decoder), PNG_CHUNKS))
        }
        Kind::WebP => {
            let chunks = webp::Chunks::read(upload);
            if chunks.animated {
                return Err(PhotoError::Unsupported("animated"));
            }
            let decoder = WebPDecoder::new(Cursor::new(upload)).map_err(|e| refusal(&e, (0, 0)))?;
            limits.check_size(decoder.dimensions())?;
            let besides = chunks.memory(decoder.dimensions());
            Ok((Box::new(decoder), besides))
        }
    }
}

/// Width and height out of a PNG's first chunk (PNG, third edition, §5.2 and §11.2.1).
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.get(12..24)?.strip_prefix(b"IHDR")?;
    let (width, height) = header.split_first_chunk::<4>()?;
    let height = height.first_chunk::<4>()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

fn refusal(error: &ImageError, (width, height): (u32, u32)) -> PhotoError {
    match error {
        ImageError::Limits(_) => PhotoError::TooLarge { width, height },
        ImageError::Unsupported(_) => PhotoError::Unsupported("of a rare kind"),
        _ => PhotoError::Corrupt,
    }
}

fn encode(image: &DynamicImage) -> Result<Encoded, PhotoError> {
    let bytes = Bytes::from(pixels::to_jpeg(image)?);
    Ok(Encoded { name: BlobName::of(&bytes), bytes })
}
