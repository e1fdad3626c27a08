//! WebP files written by hand (RFC 9649).

use super::bits::Bits;

/// The data of a lossy picture of one pixel.
const VP8: [u8; 22] = [
    0x30, 0x01, 0x00, 0x9d, 0x01, 0x2a, 0x01, 0x00, 0x01, 0x00, 0x0e, 0xc0, 0xfe, 0x25, 0xa4, 0x00, 0x03,
    0x70, 0x00, 0x00, 0x00, 0x00,
];

/// A lossy WebP of one pixel.
pub fn lossy_webp() -> Vec<u8> {
    riff(&chunk(*b"VP8 ", &VP8))
}

/// An animation of one pixel and this many frames.
pub fn animated_webp(frames: usize) -> Vec<u8> {
    let mut body = chunk(*b"VP8X", &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.extend(chunk(*b"ANIM", &[0; 6]));
    let frame = [&[0; 16][..], &chunk(*b"VP8 ", &VP8)].concat();
    for _ in 0..frames {
        body.extend(chunk(*b"ANMF", &frame));
    }
    riff(&body)
}

/// A lossless WebP of 16 pixels with 65 536 groups of five prefix codes, each a dozen bytes in the file and a table of
/// 4 KiB in memory: under 4 MB that unfold to 1.3 GB (RFC 9649, §3.7.2).
pub fn webp_of_prefix_codes() -> Vec<u8> {
    let mut bits = Bits::default();
    bits.number(0x2f, 8);
    // 4 × 4 pixels, no alpha, version 0; no transform, no colour cache, several groups of codes in squares of 4.
    for (value, width) in [(3, 14), (3, 14), (0, 1), (0, 3), (0, 1), (0, 1), (1, 1), (0, 3)] {
        bits.number(value, width);
    }
    // The picture that names each square's group: one pixel, 255 in green and red, so group 65 535. No colour cache,
    // then five codes of one symbol each.
    bits.number(0, 1);
    for symbol in [Some(255), Some(255), None, None, None] {
        bits.number(0b01, 2);
        match symbol {
            Some(symbol) => bits.number(1 | (symbol << 1), 9),
            None => bits.number(0, 2),
        }
    }
    for _ in 0..65_536 * 5 {
        deep_code(&mut bits);
    }
    riff(&chunk(*b"VP8L", &bits.finish()))
}

/// A prefix code of eleven symbols, the longest of ten bits.
fn deep_code(bits: &mut Bits) {
    // Not a simple code. Lengths of the code that the lengths are written in, in the order of RFC 9649, §3.7.2.1.2:
    // 17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10. Six lengths take three bits, four take four.
    bits.number(0, 1);
    bits.number(14 - 4, 4);
    for length in [0, 0, 0, 3, 3, 3, 3, 3, 0, 3, 4, 4, 4, 4] {
        bits.number(length, 3);
    }
    // Eleven lengths follow: 1 to 10, and 10 again.
    bits.number(1, 1);
    bits.number(1, 3);
    bits.number(11 - 2, 4);
    for length in (1..=10).chain([10]) {
        match length {
            1..=6 => bits.code(length - 1, 3),
            _ => bits.code(12 + (length - 7), 4),
        }
    }
}

fn chunk(name: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    let padding = &[0][..body.len() % 2];
    [&name[..], &length, body, padding].concat()
}

fn riff(chunks: &[u8]) -> Vec<u8> {
    chunk(*b"RIFF", &[b"WEBP", chunks].concat())
}
