//! Enums that the tables keep as lower-case words and the wire as upper-case ones.

/// Writes an enum whose variants have a word in the tables; `as_str` gives it and `read` finds it.
macro_rules! named {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident($what:literal) { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        $vis enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that the tables keep.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the tables' word.
            pub(crate) fn read(word: &str) -> Result<Self, store::StoreError> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|one| one.as_str() == word)
                    .ok_or_else(|| store::StoreError::Corrupt(format!(concat!($what, " is {}"), word)))
            }
        }
    };
}

pub(crate) use named;
