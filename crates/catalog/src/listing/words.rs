//! Words, as search compares them: cut out of texts here, once for all three engines.
//!
//! Each engine's own idea of a word differs (MariaDB leaves out short words and English stop words and breaks
//! Hindi ones at their vowel signs; PostgreSQL reads `1e5` as a number; SQLite folds accents), so none of them is asked.
//! A word becomes a term of ASCII letters and digits that every engine takes as it is, and a beginning of a word
//! becomes a beginning of its term.

use kernel::{ParseError, bounded_text};
use unicode_normalization::UnicodeNormalization;

/// The longest term without its mark: with it, below the 84 characters that InnoDB indexes.
const MAX_TERM: usize = 80;
/// The most words that one search takes.
const MAX_WORDS: usize = 8;
/// Marks terms of the whole text. No stop word of InnoDB begins so, and with it no term is too short for it.
const ANYWHERE: &str = "xb";
/// Marks terms of the title, which are indexed twice.
const IN_TITLE: &str = "xt";

/// The terms under which a listing is found, joined by blanks.
pub(crate) fn document<'a>(title: &str, rest: impl IntoIterator<Item = &'a str>) -> String {
    let in_title = terms(title);
    let mut anywhere = in_title.clone();
    anywhere.extend(rest.into_iter().flat_map(terms));
    let mut marked: Vec<String> = in_title.iter().map(|term| format!("{IN_TITLE}{term}")).collect();
    marked.extend(anywhere.iter().map(|term| format!("{ANYWHERE}{term}")));
    marked.sort_unstable();
    marked.dedup();
    marked.join(" ")
}

/// What somebody searches for: one to eight words, the last of which may be just begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchWords(Vec<String>);

/// One condition on a listing's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term<'a> {
    mark: &'static str,
    term: &'a str,
    /// Whether the term is a beginning.
    pub(crate) is_prefix: bool,
}

impl std::fmt::Display for Term<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.mark, self.term)
    }
}

impl SearchWords {
    /// Reads a search; whatever is not a letter or a digit only separates words.
    ///
    /// # Errors
    /// When it is longer than 100 characters, or holds no word, or more than eight.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let terms = terms(&bounded_text(text, 1, 100, false)?);
        match terms.len() {
            0 => Err(ParseError::new("no_words", "must hold at least one letter or digit")),
            1..=MAX_WORDS => Ok(Self(terms)),
            _ => Err(ParseError::new("too_many_words", format!("must have at most {MAX_WORDS} words"))),
        }
    }

    /// The terms that must all be there.
    pub(crate) fn anywhere(&self) -> impl Iterator<Item = Term<'_>> {
        self.marked(ANYWHERE)
    }

    /// The same, to be counted in the title.
    pub(crate) fn in_title(&self) -> impl Iterator<Item = Term<'_>> {
        self.marked(IN_TITLE)
    }

    /// The terms, to tell one search from another.
    pub(crate) fn terms(&self) -> &[String] {
        &self.0
    }

    fn marked(&self, mark: &'static str) -> impl Iterator<Item = Term<'_>> {
        let last = self.0.len().saturating_sub(1);
        self.0.iter().enumerate().map(move |(index, term)| Term { mark, term, is_prefix: index == last })
    }
}

/// The terms of a text, in its order.
fn terms(text: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut term = String::new();
    // Decomposed (Unicode's NFD), an accent or a nukta is a sign of its own, however it was typed.
    for c in text.nfd().filter_map(unify) {
        if is_part_of_word(c) {
            c.to_lowercase().for_each(|c| push(&mut term, c));
        } else if !term.is_empty() {
            terms.push(std::mem::take(&mut term));
        }
    }
    if !term.is_empty() {
        terms.push(term);
    }
    terms
}

/// Writes a character so that different ones differ: ASCII stands for itself, `z` is doubled, and any other
/// character is `z` and its number in four digits of base 36, the first of which is never `z`.
fn push(term: &mut String, c: char) {
    let width = match c {
        'z' => 2,
        c if c.is_ascii() => 1,
        _ => 5,
    };
    if term.len() + width > MAX_TERM {
        return;
    }
    match width {
        1 => term.push(c),
        2 => term.push_str("zz"),
        _ => {
            term.push('z');
            let number = u32::from(c);
            for power in [46_656, 1_296, 36, 1] {
                term.extend(char::from_digit(number / power % 36, 36));
            }
        }
    }
}

/// One spelling for what is written in several: none for signs that people leave out, ASCII for Devanagari digits.
fn unify(c: char) -> Option<char> {
    match c {
        // Combining accents, the nuktas of the Indian scripts, the marks of kana; joiners, which only shape letters.
        '\u{300}'..='\u{36f}'
        | '\u{93c}'
        | '\u{9bc}'
        | '\u{a3c}'
        | '\u{abc}'
        | '\u{b3c}'
        | '\u{cbc}'
        | '\u{3099}'
        | '\u{309a}'
        | '\u{200c}'
        | '\u{200d}' => None,
        '\u{966}'..='\u{96f}' => char::from_digit(u32::from(c) - 0x966, 10),
        other => Some(other),
    }
}

/// Letters and digits, and the vowel signs and viramas of the Indian scripts, which stand inside words.
fn is_part_of_word(c: char) -> bool {
    let is_danda = matches!(c, '\u{964}' | '\u{965}' | '\u{970}');
    c.is_alphanumeric() || (('\u{900}'..='\u{dff}').contains(&c) && !is_danda)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(terms("iPhone-13, 128GB (new!)"), ["iphone", "13", "128gb", "new"]);
        assert_eq!(terms(" \t!?"), [""; 0]);
    }

    #[test]
    fn a_hindi_word_stays_whole() {
        assert_eq!(terms("हिन्दी, साइकिल।").len(), 2);
        assert_eq!(terms("ताज़ा"), terms("ताजा"), "a nukta may be left out");
        assert_eq!(terms("१३"), ["13"]);
    }

    #[test]
    fn accents_may_be_left_out_and_typed_in_either_way() {
        assert_eq!(terms("cafe\u{301}"), ["cafe"]);
        assert_eq!(terms("CAFÉ naïve"), ["cafe", "naive"]);
        assert_eq!(terms("İndore"), ["indore"]);
    }

    #[test]
    fn a_sign_in_one_piece_is_the_same_in_two() {
        assert_eq!(terms("\u{958}लम"), terms("कलम"), "Devanagari qa");
        assert_eq!(terms("\u{9cb}"), terms("\u{9c7}\u{9be}"), "the Bengali vowel sign o");
        assert_eq!(terms("がく").len(), 1, "kana stay whole");
    }

    #[test]
    fn the_title_is_indexed_twice() {
        assert_eq!(document("Red Bicycle", ["fast bicycle"]), "xbbicycle xbfast xbred xtbicycle xtred");
    }

    #[test]
    fn only_the_last_word_may_be_just_begun() {
        let words = SearchWords::parse("red bic").unwrap();
        let terms: Vec<_> = words.anywhere().map(|term| (term.to_string(), term.is_prefix)).collect();
        assert_eq!(terms, [("xbred".to_owned(), false), ("xbbic".to_owned(), true)]);
    }

    #[test]
    fn a_search_needs_one_to_eight_words() {
        assert_eq!(SearchWords::parse("'; --").unwrap_err().code, "no_words");
        assert_eq!(SearchWords::parse("a b c d e f g h i").unwrap_err().code, "too_many_words");
        assert!(SearchWords::parse("a b c d e f g h").is_ok());
    }

    proptest! {
        /// Nothing that a person types reaches an engine as more than letters and digits.
        #[test]
        fn terms_are_plain_and_short(text in "\\PC{0,200}") {
            for term in document(&text, [text.as_str()]).split(' ').filter(|term| !term.is_empty()) {
                prop_assert!(term.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
                prop_assert!((3..=84).contains(&term.len()), "{}", term);
            }
        }

        /// Different words have different terms, and a beginning stays a beginning.
        #[test]
        fn terms_keep_words_apart(one in "[a-z0-9क-न]{1,12}", other in "[a-z0-9क-न]{1,12}") {
            let (a, b) = (terms(&one).concat(), terms(&other).concat());
            prop_assert_eq!(a == b, one == other);
            prop_assert_eq!(a.starts_with(&b), one.starts_with(&other));
        }
    }
}
