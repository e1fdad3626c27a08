//! Pixels: made opaque, scaled down, encoded.

use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageBuffer, Pixel, Primitive};

use crate::photo::PhotoError;

/// JPEG quality from 1 to 100: artefacts are hardly seen from about 80 on.
const QUALITY: u8 = 82;

/// The size that fits a square of `edge` pixels, in the same proportions; never larger than it was, never nothing.
pub(super) fn fit((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= edge {
        return (width, height);
    }
    let scaled = |side: u32| {
        let (side, edge, longest) = (u64::from(side), u64::from(edge), u64::from(longest));
        let rounded = (side * edge + longest / 2) / longest;
        u32::try_from(rounded.max(1)).unwrap_or(u32::MAX)
    };
    (scaled(width), scaled(height))
}

/// The picture scaled to fit a square of `edge` pixels.
pub(super) fn shrink(image: &DynamicImage, edge: u32) -> Result<DynamicImage, PhotoError> {
    let (width, height) = fit((image.width(), image.height()), edge);
    let mut scaled = DynamicImage::new(width, height, image.color());
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        // Already opaque; minding transparency would cost a copy of the whole picture.
        .use_alpha(false);
    Resizer::new()
        .resize(image, &mut scaled, &options)
        .map_err(|error| PhotoError::Internal(format!("scaling failed: {error}")))?;
    Ok(scaled)
}

/// Lays the picture on white, in place.
pub(super) fn onto_white(image: &mut DynamicImage) {
    match image {
        DynamicImage::ImageLumaA8(pixels) => blend(pixels),
        DynamicImage::ImageRgba8(pixels) => blend(pixels),
        DynamicImage::ImageLumaA16(pixels) => blend(pixels),
        DynamicImage::ImageRgba16(pixels) => blend(pixels),
        _ => {}
    }
}

/// `colour × alpha + white × (1 − alpha)` for pixels whose last channel is alpha.
fn blend<P>(pixels: &mut ImageBuffer<P, Vec<P::Subpixel>>)
where
    P: Pixel,
    P::Subpixel: Into<u64> + TryFrom<u64>,
{
    let white = P::Subpixel::DEFAULT_MAX_VALUE;
    let most: u64 = white.into();
    for pixel in pixels.pixels_mut() {
        let Some((alpha, colours)) = pixel.channels_mut().split_last_mut() else {
            continue;
        };
        let opacity: u64 = (*alpha).into();
        for colour in colours {
            let blended = ((*colour).into() * opacity + most * (most - opacity) + most / 2) / most;
            *colour = P::Subpixel::try_from(blended).unwrap_or(white);
        }
        *alpha = white;
    }
}

/// The picture as a baseline JPEG without any metadata.
pub(super) fn to_jpeg(image: &DynamicImage) -> Result<Vec<u8>, PhotoError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(image)
        .map_err(|error| PhotoError::Internal(format!("encoding failed: {error}")))?;
    Ok(bytes)
}
