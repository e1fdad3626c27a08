//! Why a listing is rejected: a fixed list, with what the seller is told in English and in Hindi.

use std::str::FromStr;

use kernel::ParseError;
use serde::Serialize;

/// A reason for a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Something that may not be sold here.
    ProhibitedItem,
    /// An imitation of a brand.
    Counterfeit,
    /// What is said is not so.
    Misleading,
    /// The same thing is listed already.
    Duplicate,
    /// It belongs into another category.
    WrongCategory,
    /// Photos that show too little, or something else.
    BadPhotos,
    /// A phone number, address or link in the text or a photo.
    ContactInText,
    /// Words or pictures that offend.
    Offensive,
    /// A price that cannot be meant.
    UnrealisticPrice,
    /// Too little is said to judge it.
    IncompleteDetails,
    /// An attempt to cheat.
    Fraud,
    /// Something else, which the note says.
    Other,
}

impl ReasonCode {
    /// All of them, in the order in which moderators are offered them.
    pub const ALL: [Self; 12] = [
        Self::ProhibitedItem,
        Self::Counterfeit,
        Self::Misleading,
        Self::Duplicate,
        Self::WrongCategory,
        Self::BadPhotos,
        Self::ContactInText,
        Self::Offensive,
        Self::UnrealisticPrice,
        Self::IncompleteDetails,
        Self::Fraud,
        Self::Other,
    ];

    /// The code, as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProhibitedItem => "prohibited_item",
            Self::Counterfeit => "counterfeit",
            Self::Misleading => "misleading",
            Self::Duplicate => "duplicate",
            Self::WrongCategory => "wrong_category",
            Self::BadPhotos => "bad_photos",
            Self::ContactInText => "contact_in_text",
            Self::Offensive => "offensive",
            Self::UnrealisticPrice => "unrealistic_price",
            Self::IncompleteDetails => "incomplete_details",
            Self::Fraud => "fraud",
            Self::Other => "other",
        }
    }

    /// Whether the reason alone tells the seller nothing.
    pub fn needs_note(self) -> bool {
        self == Self::Other
    }

    /// What the seller is told, in English.
    pub fn english(self) -> &'static str {
        match self {
            Self::ProhibitedItem => "This item may not be sold here.",
            Self::Counterfeit => "This looks like a counterfeit of a brand.",
            Self::Misleading => "The title, description or photos do not match what is offered.",
            Self::Duplicate => "You have already listed this item.",
            Self::WrongCategory => "The listing is in the wrong category.",
            Self::BadPhotos => "The photos are unclear or do not show the item.",
            Self::ContactInText => "Phone numbers, addresses and links may not be in the text or photos.",
            Self::Offensive => "The listing has offensive words or pictures.",
            Self::UnrealisticPrice => "The price is not realistic.",
            Self::IncompleteDetails => "Important details are missing.",
            Self::Fraud => "The listing appears to be fraudulent.",
            Self::Other => "The listing does not follow our rules; see the note.",
        }
    }

    /// What the seller is told, in Hindi.
    pub fn hindi(self) -> &'static str {
        match self {
            Self::ProhibitedItem => "यह वस्तु यहाँ नहीं बेची जा सकती।",
            Self::Counterfeit => "यह किसी ब्रांड की नकल लगती है।",
            Self::Misleading => "शीर्षक, विवरण या फ़ोटो वस्तु से मेल नहीं खाते।",
            Self::Duplicate => "आप यह वस्तु पहले ही सूचीबद्ध कर चुके हैं।",
            Self::WrongCategory => "विज्ञापन ग़लत श्रेणी में है।",
            Self::BadPhotos => "फ़ोटो साफ़ नहीं हैं या वस्तु नहीं दिखाते।",
            Self::ContactInText => "विवरण या फ़ोटो में फ़ोन नंबर, पता या लिंक नहीं हो सकते।",
            Self::Offensive => "विज्ञापन में आपत्तिजनक शब्द या चित्र हैं।",
            Self::UnrealisticPrice => "मूल्य वास्तविक नहीं लगता।",
            Self::IncompleteDetails => "ज़रूरी जानकारी नहीं दी गई है।",
            Self::Fraud => "विज्ञापन धोखाधड़ी जैसा लगता है।",
            Self::Other => "विज्ञापन हमारे नियमों के अनुसार नहीं है; टिप्पणी देखें।",
        }
    }
}

impl FromStr for ReasonCode {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or_else(|| {
            let codes = Self::ALL.map(Self::as_str).join(", ");
            ParseError::new("unknown_reason", format!("must be one of {codes}"))
        })
    }
}

/// What the seller is told, in each language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ReasonTextView {
    /// In English.
    #[schema(example = "The photos are unclear or do not show the item.")]
    pub en: &'static str,
    /// In Hindi.
    #[schema(example = "फ़ोटो साफ़ नहीं हैं या वस्तु नहीं दिखाते।")]
    pub hi: &'static str,
}

impl From<ReasonCode> for ReasonTextView {
    fn from(reason: ReasonCode) -> Self {
        Self { en: reason.english(), hi: reason.hindi() }
    }
}

/// A reason as it is offered to moderators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReasonView {
    /// What to send as `reasonCode`.
    pub code: ReasonCode,
    /// What the seller is told.
    pub text: ReasonTextView,
    /// Whether a note is required with it.
    pub needs_note: bool,
}

/// Every reason, in the order in which moderators are offered them.
pub fn reasons() -> Vec<ReasonView> {
    ReasonCode::ALL
        .into_iter()
        .map(|code| ReasonView { code, text: code.into(), needs_note: code.needs_note() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_reads_back_from_its_code_which_is_also_its_json() {
        for reason in ReasonCode::ALL {
            assert_eq!(reason.as_str().parse::<ReasonCode>().unwrap(), reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
            assert!(reason.as_str().len() <= 32, "it fits its column");
        }
        assert!("Other".parse::<ReasonCode>().is_err());
    }

    #[test]
    fn each_reason_is_told_in_both_languages() {
        let texts: std::collections::HashSet<_> =
            ReasonCode::ALL.into_iter().flat_map(|reason| [reason.english(), reason.hindi()]).collect();
        assert_eq!(texts.len(), 24);
        assert!(ReasonCode::ALL.into_iter().all(|reason| !reason.hindi().is_ascii()));
    }
}
