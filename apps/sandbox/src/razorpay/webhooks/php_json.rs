//! JSON as Razorpay writes it: slashes escaped and nothing but ASCII, as PHP's `json_encode` does it. Whoever reads a
//! webhook and writes it anew gets other bytes, and another signature.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

struct Php;

impl Formatter for Php {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                '/' => writer.write_all(b"\\/")?,
                ascii if ascii.is_ascii() => write!(writer, "{ascii}")?,
                other => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The value as bytes.
pub(super) fn write(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut bytes, Php));
    bytes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_reads_the_same_but_is_written_otherwise() {
        let value = json!({"a/b": ["न\"😀", 1, null]});
        let written = write(&value);
        assert_eq!(written, br#"{"a\/b":["\u0928\"\ud83d\ude00",1,null]}"#);
        assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), value);
    }
}
