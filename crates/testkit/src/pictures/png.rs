//! PNG files written by hand, so that their headers may tell anything (PNG, third edition).

use super::bits::Bits;

/// A PNG's header.
#[derive(Debug, Clone, Copy)]
pub struct Png {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Bits per sample.
    pub depth: u8,
    /// 0 is grey, 2 RGB, 6 RGB with alpha.
    pub colour: u8,
}

/// A complete PNG in which every sample is zero: black, or transparent. The data compresses a hundredfold and more.
pub fn png_of_zeros(header: Png) -> Vec<u8> {
    write(header, &[])
}

/// The same as an animation of two frames, of which the file holds one.
pub fn animated_png(header: Png) -> Vec<u8> {
    write(header, &[(*b"acTL", [0, 0, 0, 2, 0, 0, 0, 0].to_vec())])
}

fn write(header: Png, extra: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let Png { width, height, depth, colour } = header;
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let ihdr = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, 0]].concat();
    chunk(&mut file, *b"IHDR", &ihdr);
    for (name, body) in extra {
        chunk(&mut file, *name, body);
    }
    let samples = match colour {
        2 => 3,
        6 => 4,
        _ => 1,
    };
    let row = (u64::from(width) * samples * u64::from(depth)).div_ceil(8) + 1;
    chunk(&mut file, *b"IDAT", &zeros(row * u64::from(height)));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], body: &[u8]) {
    file.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    let checked = [&name[..], body].concat();
    file.extend(&checked);
    file.extend(crc32(&checked).to_be_bytes());
}

/// A zlib stream of `n` zero bytes (RFC 1950, RFC 1951): one literal, then copies of 258 bytes in 13 bits each.
fn zeros(n: u64) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.number(0b011, 3);
    let literal = |bits: &mut Bits| bits.code(0b0011_0000, 8);
    literal(&mut bits);
    for _ in 0..(n - 1) / 258 {
        bits.code(0b1100_0101, 8);
        bits.code(0, 5);
    }
    for _ in 0..(n - 1) % 258 {
        literal(&mut bits);
    }
    bits.code(0, 7);
    // Adler-32 of zeros: the first sum stays 1, the second counts the bytes.
    let adler = u32::try_from(((n % 65_521) << 16) | 1).unwrap();
    [&[0x78, 0x01], &bits.finish()[..], &adler.to_be_bytes()].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|n| {
        (0..8)
            .fold(u32::try_from(n).unwrap(), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    !bytes.iter().fold(u32::MAX, |crc, byte| table[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8))
}
