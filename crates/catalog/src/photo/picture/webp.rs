//! The chunks of a WebP file (RFC 9649, §2), as far as they tell how much memory decoding takes.

/// What one byte of lossless data may make the decoder allocate. A prefix code costs the file a dozen bytes and the
/// decoder a table of 4 KiB, up to 76 KiB with its tree, and a file may hold 65 536 groups of five codes for a picture
/// of a few pixels (RFC 9649, §3.7).
const PER_LOSSLESS_BYTE: u64 = 640;

/// What a file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Chunks {
    /// Whether it has frames.
    pub animated: bool,
    /// Whether its transparency is a chunk of its own.
    has_alpha_chunk: bool,
    /// Bytes in chunks of lossless data: `VP8L`, and `ALPH` if compressed.
    lossless_bytes: u64,
    /// Whether the picture itself is lossless.
    lossless: bool,
}

impl Chunks {
    /// Walks the chunks behind the `RIFF` header; a broken walk ends, the decoder will say why.
    pub(super) fn read(file: &[u8]) -> Self {
        let mut chunks = Self::default();
        let mut rest = file.get(12..).unwrap_or_default();
        while let Some((header, after)) = rest.split_first_chunk::<8>() {
            let [a, b, c, d, l0, l1, l2, l3] = *header;
            let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
            let body = after.get(..length).unwrap_or(after);
            chunks.note(&[a, b, c, d], body);
            // Chunks are padded to an even length.
            rest = length.checked_add(length % 2).and_then(|padded| after.get(padded..)).unwrap_or_default();
        }
        chunks
    }

    fn note(&mut self, code: &[u8; 4], body: &[u8]) {
        let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
        match code {
            b"ANIM" | b"ANMF" => self.animated = true,
            b"VP8L" => {
                self.lossless = true;
                self.lossless_bytes = self.lossless_bytes.saturating_add(bytes);
            }
            b"ALPH" => {
                self.has_alpha_chunk = true;
                // The two lowest bits of the first byte name the compression; 0 is none (§2.7.1.2).
                if body.first().is_some_and(|flags| flags & 3 != 0) {
                    self.lossless_bytes = self.lossless_bytes.saturating_add(bytes);
                }
            }
            _ => {}
        }
    }

    /// What the decoder needs beside the decoded pixels, in bytes.
    pub(super) fn memory(&self, (width, height): (u32, u32)) -> u64 {
        // Lossy pictures come in squares of 16 pixels, with half as much again for the two colour planes.
        let padded = u64::from(width.next_multiple_of(16)) * u64::from(height.next_multiple_of(16));
        let picture = if self.lossless { 5 * padded } else { padded * 3 / 2 };
        // Transparency is decoded as a picture of four channels, then copied out of one of them.
        let alpha = if self.has_alpha_chunk { 6 * padded } else { 0 };
        picture.saturating_add(alpha).saturating_add(self.lossless_bytes.saturating_mul(PER_LOSSLESS_BYTE))
    }
}
