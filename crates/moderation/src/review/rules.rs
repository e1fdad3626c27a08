//! What a decision must say.

use kernel::{FieldErrors, InvalidInput, ParseError, bounded_text};

use super::Decision;
use crate::ReasonCode;

/// The shortest and the longest note, in characters.
const NOTE: (usize, usize) = (2, 500);

/// A decision that says all it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    reason: Option<ReasonCode>,
    note: Option<String>,
}

impl Verdict {
    /// Reads `decision` (`APPROVE` or `REJECT`), `reasonCode` and `note`.
    ///
    /// # Errors
    /// With every field that is wrong: a rejection needs a reason, an approval has none, and the reason `other` needs
    /// a note.
    pub fn parse(
        decision: &str,
        reason_code: Option<&str>,
        note: Option<&str>,
    ) -> Result<Self, InvalidInput> {
        let mut errors = FieldErrors::default();
        let decision = errors.check("decision", parse_decision(decision));
        let has_reason = reason_code.is_some();
        let reason = reason_code.and_then(|code| errors.check("reasonCode", code.parse::<ReasonCode>()));
        let has_note = note.is_some();
        let note = note.and_then(|note| errors.check("note", bounded_text(note, NOTE.0, NOTE.1, true)));
        match decision {
            Some(Decision::Approved) if has_reason => {
                errors.add("reasonCode", "not_allowed", "must be left out of an approval");
            }
            Some(Decision::Rejected) if !has_reason => {
                errors.add("reasonCode", "required", "a rejection needs a reason");
            }
            Some(Decision::Rejected) if reason.is_some_and(ReasonCode::needs_note) && !has_note => {
                errors.add("note", "required", "this reason needs a note that says which");
            }
            _ => {}
        }
        errors.finish()?;
        Ok(Self { reason, note })
    }

    /// An approval without a note, as the marketplace gives it by itself.
    pub fn approval() -> Self {
        Self { reason: None, note: None }
    }

    /// Approved or rejected.
    pub fn decision(&self) -> Decision {
        if self.reason.is_some() { Decision::Rejected } else { Decision::Approved }
    }

    /// Why it is rejected.
    pub fn reason(&self) -> Option<ReasonCode> {
        self.reason
    }

    /// What the moderator adds for the seller.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

fn parse_decision(text: &str) -> Result<Decision, ParseError> {
    match text {
        "APPROVE" => Ok(Decision::Approved),
        "REJECT" => Ok(Decision::Rejected),
        _ => Err(ParseError::new("unknown_decision", "must be APPROVE or REJECT")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(decision: &str, reason: Option<&str>, note: Option<&str>) -> Vec<(String, String)> {
        match Verdict::parse(decision, reason, note) {
            Ok(_) => Vec::new(),
            Err(InvalidInput(errors)) => errors.into_iter().map(|error| (error.field, error.code)).collect(),
        }
    }

    fn one(field: &str, code: &str) -> Vec<(String, String)> {
        vec![(field.to_owned(), code.to_owned())]
    }

    #[test]
    fn an_approval_has_no_reason_and_may_have_a_note() {
        let verdict = Verdict::parse("APPROVE", None, Some(" Nice photos. ")).unwrap();
        assert_eq!((verdict.decision(), verdict.reason()), (Decision::Approved, None));
        assert_eq!(verdict.note(), Some("Nice photos."));
        assert_eq!(fields("APPROVE", Some("fraud"), None), one("reasonCode", "not_allowed"));
        assert_eq!(Verdict::approval().decision(), Decision::Approved);
    }

    #[test]
    fn a_rejection_names_its_reason() {
        let verdict = Verdict::parse("REJECT", Some("duplicate"), None).unwrap();
        assert_eq!((verdict.decision(), verdict.reason()), (Decision::Rejected, Some(ReasonCode::Duplicate)));
        assert_eq!(fields("REJECT", None, None), one("reasonCode", "required"));
        assert_eq!(fields("REJECT", Some("because"), None), one("reasonCode", "unknown_reason"));
    }

    #[test]
    fn another_reason_is_said_in_the_note() {
        assert_eq!(fields("REJECT", Some("other"), None), one("note", "required"));
        assert_eq!(fields("REJECT", Some("other"), Some("   ")), one("note", "too_short"));
        assert!(fields("REJECT", Some("other"), Some("Sold by a minor.")).is_empty());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = fields("MAYBE", Some("because"), Some(&"x".repeat(501)));
        let wrong: Vec<_> = wrong.iter().map(|(field, code)| (field.as_str(), code.as_str())).collect();
        assert_eq!(
            wrong,
            [("decision", "unknown_decision"), ("reasonCode", "unknown_reason"), ("note", "too_long")]
        );
    }
}
