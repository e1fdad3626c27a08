//! Bits into bytes, lowest first, as deflate and WebP want them.

/// Bits written so far.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    pending: u64,
    count: u32,
}

impl Bits {
    /// A number of `width` bits, its lowest first.
    pub(super) fn number(&mut self, value: u64, width: u32) {
        self.pending |= value << self.count;
        self.count += width;
        while self.count >= 8 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// A prefix code of `width` bits, its highest first.
    pub(super) fn code(&mut self, code: u64, width: u32) {
        self.number(code.reverse_bits() >> (64 - width), width);
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(self.pending.to_le_bytes()[0]);
        }
        self.bytes
    }
}
