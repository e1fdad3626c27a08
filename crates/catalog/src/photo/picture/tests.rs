//! What comes out of pictures, and what never gets in.

use image::{DynamicImage, Rgb, RgbImage, Rgba};
use kernel::DomainError;
use testkit::{PeakMemory, pictures};

use super::*;

fn taken(upload: &[u8]) -> Rendered {
    let limits = Limits::default();
    render(Kind::sniff(upload).unwrap(), upload, &limits).unwrap()
}

fn refused(upload: &[u8]) -> &'static str {
    let limits = Limits::default();
    match Kind::sniff(upload).and_then(|kind| render(kind, upload, &limits)) {
        Ok(_) => "taken",
        Err(error) => error.code(),
    }
}

fn decoded(file: &Encoded) -> RgbImage {
    let image = image::load_from_memory_with_format(&file.bytes, image::ImageFormat::Jpeg);
    image.unwrap().into_rgb8()
}

fn sizes(photo: &Rendered) -> [(u32, u32); 3] {
    [&photo.thumb, &photo.card, &photo.full].map(|file| decoded(file).dimensions())
}

/// JPEG blurs colours a little.
fn looks_like(pixel: &Rgb<u8>, wanted: [u8; 3]) -> bool {
    pixel.0.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 24)
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn each_kind_gives_three_jpegs() {
    let image = pictures::gradient(2_000, 1_500);
    for upload in
        [pictures::jpeg(2_000, 1_500), pictures::png_of(&image), pictures::lossless_webp(2_000, 1_500)]
    {
        let photo = taken(&upload);
        assert_eq!((photo.width, photo.height), (1_600, 1_200));
        assert_eq!(sizes(&photo), [(200, 150), (480, 360), (1_600, 1_200)]);
        for file in [&photo.thumb, &photo.card, &photo.full] {
            assert!(infer::image::is_jpeg(&file.bytes));
            assert_eq!(file.name, BlobName::of(&file.bytes));
        }
        let full = decoded(&photo.full);
        assert!(looks_like(full.get_pixel(1_590, 10), [253, 2, 128]), "colours are kept");
    }
}

#[test]
fn a_small_picture_is_not_enlarged_and_is_one_file() {
    let photo = taken(&pictures::jpeg(120, 80));
    assert_eq!(sizes(&photo), [(120, 80); 3]);
    assert!(photo.thumb.name == photo.card.name && photo.card.name == photo.full.name);
    assert_eq!(sizes(&taken(&pictures::lossy_webp())), [(1, 1); 3]);
}

#[test]
fn the_same_picture_gives_the_same_files() {
    let (one, other) = (taken(&pictures::jpeg(900, 700)), taken(&pictures::jpeg(900, 700)));
    assert_eq!(one.full.name, other.full.name);
    assert_eq!(one.thumb.name, other.thumb.name);
}

#[test]
fn a_photo_is_turned_upright_and_carries_no_exif() {
    // Red on the left and blue on the right, held so that the left is up (orientation 6).
    let lying = DynamicImage::ImageRgb8(RgbImage::from_fn(640, 320, |x, _| {
        if x < 320 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) }
    }));
    let upload = pictures::with_exif(&pictures::jpeg_of(&lying), 6);
    assert!(contains(&upload, b"Exif"));
    let photo = taken(&upload);
    assert_eq!((photo.width, photo.height), (320, 640));
    for file in [&photo.thumb, &photo.card, &photo.full] {
        let upright = decoded(file);
        let (width, height) = upright.dimensions();
        assert!(looks_like(upright.get_pixel(width / 2, 5), [255, 0, 0]), "red is up");
        assert!(looks_like(upright.get_pixel(width / 2, height - 5), [0, 0, 255]), "blue is down");
        assert!(!contains(&file.bytes, b"Exif"));
        assert!(!contains(&file.bytes, &[0xff, 0xe1]), "no APP1 segment of any kind");
    }
}

#[test]
fn every_orientation_of_exif_is_undone() {
    let bytes = pictures::jpeg(300, 200);
    for (orientation, size) in
        [(1, (300, 200)), (3, (300, 200)), (5, (200, 300)), (8, (200, 300)), (99, (300, 200))]
    {
        let photo = taken(&pictures::with_exif(&bytes, orientation));
        assert_eq!((photo.width, photo.height), size, "orientation {orientation}");
    }
}

#[test]
fn what_follows_a_picture_is_lost() {
    let mut upload = pictures::jpeg(400, 300);
    upload.extend(b"<script>alert(document.domain)</script>");
    let photo = taken(&upload);
    for file in [&photo.thumb, &photo.card, &photo.full] {
        assert!(!contains(&file.bytes, b"script"));
    }
}

#[test]
fn what_is_transparent_becomes_white() {
    for (depth, colour) in [(8, 6), (16, 6)] {
        let clear = pictures::png_of_zeros(pictures::Png { width: 700, height: 500, depth, colour });
        let full = decoded(&taken(&clear).full);
        assert!(full.pixels().all(|pixel| looks_like(pixel, [255; 3])), "{depth} bits");
    }
    let half = DynamicImage::ImageRgba8(image::RgbaImage::from_pixel(40, 40, Rgba([255, 0, 0, 128])));
    let full = decoded(&taken(&pictures::png_of(&half)).full);
    assert!(looks_like(full.get_pixel(20, 20), [255, 127, 127]));
}

#[test]
fn an_incomplete_file_is_refused_wherever_it_ends() {
    for whole in [
        pictures::jpeg(200, 150),
        pictures::png_of(&pictures::gradient(60, 50)),
        pictures::lossless_webp(60, 50),
    ] {
        for tenth in 1..10 {
            let part = &whole[..whole.len() * tenth / 10];
            assert_eq!(refused(part), "image_corrupt", "{tenth} tenths of {:?}", Kind::sniff(&whole));
        }
    }
}

#[test]
fn hostile_files_are_refused_without_much_memory() {
    let memory = PeakMemory::watch();
    for file in pictures::hostile_files() {
        if !file.bytes.is_empty() {
            assert_eq!(refused(&file.bytes), file.code, "{}", file.what);
        }
    }
    assert!(memory.grown_mib() < 128, "{} MiB", memory.grown_mib());
}

#[test]
fn the_largest_pictures_taken_stay_within_the_memory_set_aside() {
    let uploads = [
        pictures::png_of_zeros(pictures::Png { width: 5_900, height: 4_400, depth: 8, colour: 2 }),
        pictures::png_of_zeros(pictures::Png { width: 3_000, height: 2_500, depth: 16, colour: 6 }),
        pictures::png_of_zeros(pictures::Png { width: 12_000, height: 2_100, depth: 8, colour: 6 }),
    ];
    for upload in uploads {
        let memory = PeakMemory::watch();
        taken(&upload);
        let grown = memory.grown_mib();
        assert!((64..128).contains(&grown), "{grown} MiB");
    }
}

#[test]
fn memory_is_reckoned_from_the_header() {
    let shape = |bytes: &[u8]| jpeg::Shape::read(bytes).unwrap();
    let plain = pictures::jpeg(160, 80);
    assert_eq!(shape(&plain), jpeg::Shape { size: (160, 80), coefficient_bytes: 0 });
    let mut progressive = plain.clone();
    let frame = plain.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    progressive[frame + 1] = 0xc2;
    assert_eq!(shape(&progressive).coefficient_bytes, 2 * 3 * 160 * 80);
    // Colour at half the resolution both ways, as cameras write it: half as much again as grey.
    progressive[frame + 11] = 0x22;
    assert_eq!(shape(&progressive).coefficient_bytes, 2 * 160 * 80 * 3 / 2);
}

#[test]
fn two_frame_headers_are_refused() {
    let plain = pictures::jpeg(16, 16);
    let frame = plain.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let header = plain[frame..frame + 19].to_vec();
    let doubled = [&plain[..frame], &header, &plain[frame..]].concat();
    assert_eq!(refused(&doubled), "image_corrupt");
}

#[test]
fn a_size_keeps_its_proportions_and_never_vanishes() {
    assert_eq!(pixels::fit((3_000, 4_000), 1_600), (1_200, 1_600));
    assert_eq!(pixels::fit((12_000, 1), 200), (200, 1));
    assert_eq!(pixels::fit((1_600, 1_600), 1_600), (1_600, 1_600));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(200))]

    /// A picture with some bytes changed is taken or refused; it never fails in a way that would be our fault.
    #[test]
    fn a_damaged_picture_is_taken_or_refused(
        which in 0_usize..4,
        damage in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::prelude::any::<u8>()), 1..12),
    ) {
        let mut upload = match which {
            0 => pictures::with_exif(&pictures::jpeg(64, 48), 6),
            1 => pictures::png_of(&pictures::gradient(32, 24)),
            2 => pictures::lossless_webp(32, 24),
            _ => pictures::lossy_webp(),
        };
        for (at, byte) in damage {
            let at = at.index(upload.len());
            upload[at] = byte;
        }
        let outcome = std::panic::catch_unwind(|| refused(&upload));
        // A decoder's panic is caught where it runs, and answered as a corrupt picture.
        proptest::prop_assert!(!matches!(outcome, Ok("internal")));
    }
}
