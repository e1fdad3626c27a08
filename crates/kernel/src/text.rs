//! Free text from people: trimmed, measured in characters, and without characters that break a line or a log.

use crate::ParseError;

/// Trims the text and checks its length in characters: blanks at its ends do not count towards `min`, but do
/// towards `max`, so that what a schema calls too long is refused.
///
/// Line breaks and tabs are kept when `multiline` is set; every other control character is refused, and so are
/// the Unicode characters that reorder or hide text, which people use to disguise what they offer.
///
/// # Errors
/// When it is too short, too long, or holds a character that is not taken.
pub fn bounded_text(text: &str, min: usize, max: usize, multiline: bool) -> Result<String, ParseError> {
    // What cannot fit is not counted: a character has at most four bytes.
    if text.len() > max.saturating_mul(4) || text.chars().count() > max {
        return Err(too_long(max));
    }
    let trimmed = text.trim();
    if trimmed.chars().any(|c| is_refused(c, multiline)) {
        return Err(ParseError::new("invalid_character", "must not hold control or invisible characters"));
    }
    let length = trimmed.chars().count();
    if length < min {
        let message = match (length, min) {
            (0, _) => "must not be empty".to_owned(),
            _ => format!("must have at least {min} characters"),
        };
        return Err(ParseError::new("too_short", message));
    }
    Ok(trimmed.to_owned())
}

fn too_long(max: usize) -> ParseError {
    ParseError::new("too_long", format!("must have at most {max} characters"))
}

fn is_refused(c: char, multiline: bool) -> bool {
    match c {
        '\n' | '\r' | '\t' => !multiline,
        // Bidirectional overrides and isolates, zero-width space, byte order mark.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(bounded_text("  नमस्ते  ", 6, 10, false).unwrap(), "नमस्ते");
        assert_eq!(bounded_text("  नमस्ते  ", 1, 9, false).unwrap_err().code, "too_long");
        assert_eq!(bounded_text("abcdef", 1, 5, false).unwrap_err().code, "too_long");
        assert_eq!(bounded_text("   ", 1, 5, false).unwrap_err().code, "too_short");
        assert_eq!(bounded_text(&"x".repeat(10_000), 1, 5, false).unwrap_err().code, "too_long");
    }

    #[test]
    fn a_line_break_needs_a_field_that_takes_one() {
        assert!(bounded_text("a\nb", 1, 10, true).is_ok());
        assert_eq!(bounded_text("a\nb", 1, 10, false).unwrap_err().code, "invalid_character");
    }

    #[test]
    fn disguises_are_refused() {
        for text in ["a\u{0}b", "a\u{202e}b", "a\u{200b}b", "a\u{1b}[2Jb"] {
            assert_eq!(bounded_text(text, 1, 10, true).unwrap_err().code, "invalid_character", "{text:?}");
        }
    }
}
