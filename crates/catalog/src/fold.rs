//! Text as filters compare it: one spelling for what people write in several.

use unicode_normalization::UnicodeNormalization;

/// Lower-cases, composes (Unicode's NFC) and makes every run of blanks one blank, so that `New  Delhi` and `new delhi`
/// are the same, and so is an accent that was typed as a sign of its own.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase).nfc());
    }
    folded
}

/// The same, cut to the length that its column takes, in characters.
pub(crate) fn fold_to(text: &str, max: usize) -> String {
    fold(text).chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_do_not_matter() {
        assert_eq!(fold("  New \t DELHI "), "new delhi");
        assert_eq!(fold("ÉCOLE मुंबई"), "école मुंबई");
        assert_eq!(fold("cafe\u{301}"), fold("CAFÉ"));
        assert_eq!(fold_to("ABCDEF", 3), "abc");
    }
}
