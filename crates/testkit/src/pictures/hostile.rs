//! Files that an upload must refuse, without much memory.

use super::{Png, animated_png, animated_webp, jpeg, png_of_zeros, webp_of_prefix_codes};

/// A file that is to be refused.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// What it is.
    pub what: &'static str,
    /// The name that its sender gives it.
    pub name: &'static str,
    /// The type that its sender gives it.
    pub mime: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// The code it is refused with.
    pub code: &'static str,
}

/// All of them.
pub fn hostile_files() -> Vec<Hostile> {
    let png = |width, height, depth, colour| png_of_zeros(Png { width, height, depth, colour });
    let small = Png { width: 8, height: 8, depth: 8, colour: 2 };
    let file = |what, name, mime, bytes, code| Hostile { what, name, mime, bytes, code };
    let (jpg, too_large, unsupported, corrupt) =
        ("image/jpeg", "image_too_large", "unsupported_image", "image_corrupt");
    vec![
        file("50 000 × 50 000 PNG", "a.png", "image/png", png(50_000, 50_000, 1, 0), too_large),
        file(
            "PNG of 30 megapixels, 16 bits, alpha",
            "b.png",
            "image/png",
            png(6_000, 5_000, 16, 6),
            too_large,
        ),
        file("PNG of 50 megapixels", "c.png", "image/png", png(10_000, 5_000, 1, 0), too_large),
        file("PNG of one long row", "d.png", "image/png", png(20_000, 1, 8, 2), too_large),
        file("PNG of no width", "e.png", "image/png", png(0, 5, 8, 2), corrupt),
        file("GIF of 100 000 frames", "f.gif", "image/gif", animated_gif(100_000), unsupported),
        file("GIF named .jpg", "g.jpg", jpg, animated_gif(1), unsupported),
        file("HTML named .jpg", "h.jpg", jpg, html(), unsupported),
        file("SVG with a script", "i.svg", "image/svg+xml", svg(), unsupported),
        file("truncated JPEG", "j.jpg", jpg, truncated(&jpeg(400, 300)), corrupt),
        file("truncated PNG", "k.png", "image/png", truncated(&png(100, 100, 8, 2)), corrupt),
        file("JPEG of three bytes", "l.jpg", jpg, vec![0xff, 0xd8, 0xff], corrupt),
        file("nothing", "m.jpg", jpg, Vec::new(), "empty_upload"),
        file("animated PNG", "n.png", "image/png", animated_png(small), unsupported),
        file("animated WebP", "o.webp", "image/webp", animated_webp(1_000), unsupported),
        file("WebP of prefix codes", "p.webp", "image/webp", webp_of_prefix_codes(), too_large),
        file("progressive JPEG of 36 megapixels", "q.jpg", jpg, progressive_jpeg(9_000, 4_000), too_large),
    ]
}

/// A GIF of one pixel and this many frames.
pub fn animated_gif(frames: usize) -> Vec<u8> {
    let mut file = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    for _ in 0..frames {
        file.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
    }
    file.push(0x3b);
    file
}

/// The first two thirds of a file.
pub fn truncated(file: &[u8]) -> Vec<u8> {
    file[..file.len() * 2 / 3].to_vec()
}

fn html() -> Vec<u8> {
    b"<!DOCTYPE html><html><script>alert(document.domain)</script></html>".to_vec()
}

fn svg() -> Vec<u8> {
    br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#.to_vec()
}

/// A JPEG whose decoder would keep every coefficient in memory; an ordinary small one but for its frame header.
fn progressive_jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = jpeg(16, 16);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    file[frame + 1] = 0xc2;
    file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
    file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
    file
}
