//! Pictures for uploads: ordinary ones, and ones that are made to do harm. All are made here, none is a file.

mod bits;
mod hostile;
mod png;
mod webp;

use image::{DynamicImage, ExtendedColorType, ImageEncoder, Rgb, RgbImage};

pub use hostile::{Hostile, animated_gif, hostile_files, truncated};
pub use png::{Png, animated_png, png_of_zeros};
pub use webp::{animated_webp, lossy_webp, webp_of_prefix_codes};

/// A picture in which no two regions are alike, so that a turn or a flip shows.
pub fn gradient(width: u32, height: u32) -> DynamicImage {
    let share = |at: u32, of: u32| u8::try_from(at * 255 / of.max(1)).unwrap();
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        Rgb([share(x, width), share(y, height), 128])
    }))
}

/// An ordinary photo as a JPEG.
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    jpeg_of(&gradient(width, height))
}

/// This picture as a JPEG.
pub fn jpeg_of(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
    image.write_with_encoder(encoder).unwrap();
    bytes
}

/// This picture as a PNG.
pub fn png_of(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_with_encoder(image::codecs::png::PngEncoder::new(&mut bytes)).unwrap();
    bytes
}

/// An ordinary picture as a lossless WebP.
pub fn lossless_webp(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut bytes)
        .write_image(gradient(width, height).as_bytes(), width, height, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

/// The JPEG as a phone would have written it: with an EXIF segment that tells how to turn it and where it was taken.
pub fn with_exif(jpeg: &[u8], orientation: u16) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    let entry = |tiff: &mut Vec<u8>, tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(kind.to_le_bytes());
        tiff.extend(count.to_le_bytes());
        tiff.extend(value);
    };
    let (short, long, ascii, rational) = (3, 4, 2, 5);
    let [low, high] = orientation.to_le_bytes();
    // The first directory: orientation, and where the GPS directory is.
    tiff.extend(2_u16.to_le_bytes());
    entry(&mut tiff, 0x0112, short, 1, [low, high, 0, 0]);
    entry(&mut tiff, 0x8825, long, 1, 38_u32.to_le_bytes());
    tiff.extend([0; 4]);
    // The GPS directory: 19° 4′ 34″ north, its three fractions after it.
    tiff.extend(2_u16.to_le_bytes());
    entry(&mut tiff, 1, ascii, 2, *b"N\0\0\0");
    entry(&mut tiff, 2, rational, 3, 68_u32.to_le_bytes());
    tiff.extend([0; 4]);
    for degrees in [19_u32, 1, 4, 1, 34, 1] {
        tiff.extend(degrees.to_le_bytes());
    }
    let mut segment = b"Exif\0\0".to_vec();
    segment.extend(tiff);
    let length = u16::try_from(segment.len() + 2).unwrap();
    let (start, rest) = jpeg.split_at(2);
    [start, &[0xff, 0xe1], &length.to_be_bytes(), &segment, rest].concat()
}
