//! The structure of a JPEG file (ITU-T T.81, annex B), as far as it tells how much memory decoding takes and whether
//! the file is complete. The decoder itself fills what is missing with grey.

const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;

/// What the markers of a file tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// What the decoder keeps for the coefficients of the whole picture, two bytes each. It does so for progressive
    /// pictures, and for others whose first scan lacks a component; else it works row by row.
    pub coefficient_bytes: u64,
}

/// A frame header (T.81 §B.2.2).
struct Frame {
    progressive: bool,
    size: (u32, u32),
    /// Sampling factors of each component, across and down.
    sampling: Vec<(u8, u8)>,
}

impl Shape {
    /// Walks the file from marker to marker up to the end of the image; what follows it is ignored. `None` when the
    /// file ends early, has no picture in it, or more than one.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        let mut rest = file.get(2..)?;
        let mut frame: Option<Frame> = None;
        let mut first_scan: Option<usize> = None;
        loop {
            let (marker, after) = next_marker(rest)?;
            rest = after;
            if marker == EOI {
                return Some(frame?.shape(first_scan?));
            }
            let (body, after) = segment(rest)?;
            rest = after;
            match marker {
                // Every start of frame but DHT, JPG and DAC, which share its range.
                0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                    if frame.is_some() {
                        return None;
                    }
                    frame = Some(Frame::read(marker, body)?);
                }
                SOS => {
                    first_scan.get_or_insert(usize::from(*body.first()?));
                }
                _ => {}
            }
        }
    }
}

impl Frame {
    fn read(marker: u8, body: &[u8]) -> Option<Self> {
        let (&[_precision, h1, h2, w1, w2, count], components) = body.split_first_chunk::<6>()?;
        let sampling: Vec<(u8, u8)> = components
            .chunks_exact(3)
            .filter_map(|component| component.get(1).map(|factors| (factors >> 4, factors & 0x0f)))
            .collect();
        let sane = sampling.len() == usize::from(count) && sampling.iter().all(|&(h, v)| h > 0 && v > 0);
        sane.then(|| Self {
            progressive: marker == 0xc2,
            size: (u32::from(u16::from_be_bytes([w1, w2])), u32::from(u16::from_be_bytes([h1, h2]))),
            sampling,
        })
    }

    fn shape(&self, first_scan: usize) -> Shape {
        let row_by_row = !self.progressive && first_scan == self.sampling.len();
        let coefficient_bytes = if row_by_row { 0 } else { 2 * self.coefficients() };
        Shape { size: self.size, coefficient_bytes }
    }

    /// Blocks of 8 × 8, padded to whole units of the coarsest sampling.
    fn coefficients(&self) -> u64 {
        let most =
            |factor: fn(&(u8, u8)) -> u8| u64::from(self.sampling.iter().map(factor).max().unwrap_or(1));
        let across = u64::from(self.size.0).div_ceil(8 * most(|s| s.0));
        let down = u64::from(self.size.1).div_ceil(8 * most(|s| s.1));
        let per_unit: u64 = self.sampling.iter().map(|&(h, v)| 64 * u64::from(h) * u64::from(v)).sum();
        across * down * per_unit
    }
}

/// The next marker and what follows it, past image data and stray bytes.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = bytes;
    loop {
        let at = rest.iter().position(|&byte| byte == 0xff)?;
        let (&code, after) = rest.get(at + 1..)?.split_first()?;
        match code {
            // A stuffed byte, restarts and TEM stand alone; the image data goes on.
            0x00 | 0x01 | 0xd0..=0xd7 => rest = after,
            // Any number of fill bytes may stand before a marker.
            0xff => rest = rest.get(at + 1..)?,
            _ => return Some((code, after)),
        }
    }
}

/// A segment's body and what follows the segment; its length counts the two bytes that tell it.
fn segment(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)).checked_sub(2)?)
}
