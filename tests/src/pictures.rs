//! Photos as a phone would take them: small, but real files.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, ImageResult, Rgb, RgbImage};

/// A file to upload.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The name it has on the phone.
    pub name: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The front of the thing, as JPEG.
///
/// # Errors
/// When it cannot be encoded.
pub fn front() -> ImageResult<Picture> {
    let bytes = encoded(&shaded([26, 115, 232]), ImageFormat::Jpeg)?;
    Ok(Picture { name: "front.jpg", media_type: "image/jpeg", bytes })
}

/// The back of the thing, as PNG.
///
/// # Errors
/// When it cannot be encoded.
pub fn back() -> ImageResult<Picture> {
    let bytes = encoded(&shaded([232, 115, 26]), ImageFormat::Png)?;
    Ok(Picture { name: "back.png", media_type: "image/png", bytes })
}

/// A dark frame around a screen that grows lighter towards the bottom.
fn shaded(colour: [u8; 3]) -> DynamicImage {
    const WIDTH: u32 = 900;
    const HEIGHT: u32 = 1200;
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let is_frame = !(60..WIDTH - 60).contains(&x) || !(60..HEIGHT - 60).contains(&y);
        if is_frame {
            return Rgb([32, 33, 36]);
        }
        Rgb(colour.map(|channel| {
            let light = (255 - u32::from(channel)) * y / HEIGHT;
            channel.saturating_add(u8::try_from(light).unwrap_or(u8::MAX))
        }))
    });
    DynamicImage::ImageRgb8(picture)
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> ImageResult<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}
