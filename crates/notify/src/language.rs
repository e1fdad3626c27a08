//! The languages that people are written to in.

/// A language that every text here exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English, also for languages there is no text in.
    #[default]
    English,
    /// Hindi.
    Hindi,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Hindi];

    /// The language of a tag such as `hi`, `hi-IN` or `en_GB` (RFC 5646 §2.1: its first part, in any case).
    pub fn of_tag(tag: &str) -> Self {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("hi") { Self::Hindi } else { Self::English }
    }

    /// The tag: `en` or `hi`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hindi => "hi",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_language() {
        for tag in ["hi", "HI", "hi-IN", "hi_IN"] {
            assert_eq!(Language::of_tag(tag), Language::Hindi, "{tag}");
        }
        for tag in ["en", "en-GB", "ta", "", "hindi"] {
            assert_eq!(Language::of_tag(tag), Language::English, "{tag}");
        }
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.tag()), language);
        }
    }
}
