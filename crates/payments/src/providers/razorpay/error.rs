//! What Razorpay's errors mean. Their descriptions may repeat what a payer typed, so only words and numbers are kept.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::ProviderError;

/// Characters of a code or a reason.
const WORD_MAX: usize = 60;

/// `{"error": {"code", "description", "field", "source", "step", "reason", "metadata"}}` (razorpay.com/docs/errors).
#[derive(Debug, Deserialize)]
struct Problem {
    error: Detail,
}

#[derive(Debug, Deserialize)]
struct Detail {
    #[serde(default)]
    code: Json,
    #[serde(default)]
    reason: Json,
}

/// Reads an answer that is no success. An empty body stands for one that was too long or broke off.
pub(super) fn read(status: u16, retry_after: Option<Duration>, body: &[u8]) -> ProviderError {
    match status {
        429 => ProviderError::Unavailable { retry_after },
        300..=399 | 401 | 403 => ProviderError::Misconfigured { status },
        // 409: the first refund of this key is still being dealt with. 408: who knows how far it got.
        408 | 409 | 500.. => ProviderError::Unknown,
        _ => match serde_json::from_slice::<Problem>(body) {
            Ok(Problem { error }) => match word(&error.code) {
                Some(code) => ProviderError::Refused { status, code, reason: word(&error.reason) },
                None => ProviderError::Unknown,
            },
            // Not Razorpay's own voice, so not its decision.
            Err(_) => ProviderError::Unknown,
        },
    }
}

/// A code such as `BAD_REQUEST_ERROR`; anything else is not repeated.
fn word(value: &Json) -> Option<String> {
    let text = value.as_str()?;
    let is_word =
        (1..=WORD_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    is_word.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_words_and_nothing_a_payer_typed() {
        let body = br#"{"error":{"code":"BAD_REQUEST_ERROR","description":"asha@example.in is not valid","field":"email",
                       "source":"customer","step":"payment_initiation","reason":"input_validation_failed","metadata":{}}}"#;
        let error = read(400, None, body);
        assert_eq!(
            error.to_string(),
            "the payment provider refuses: BAD_REQUEST_ERROR (input_validation_failed)"
        );
        assert!(!format!("{error:?}").contains("asha"));
        let odd = br#"{"error":{"code":"BAD_REQUEST_ERROR","reason":"9876543210"}}"#;
        let reason = None;
        assert_eq!(
            read(400, None, odd),
            ProviderError::Refused { status: 400, code: "BAD_REQUEST_ERROR".into(), reason }
        );
    }

    #[test]
    fn what_is_not_razorpays_own_refusal_decides_nothing() {
        for body in [&b""[..], b"<html>", b"{}", b"[]", br#"{"error":"no"}"#, br#"{"error":{"code":400}}"#] {
            assert_eq!(read(400, None, body), ProviderError::Unknown);
        }
        let problem = br#"{"error":{"code":"SERVER_ERROR"}}"#;
        for status in [408, 409, 500, 502, 503, 504, 599] {
            assert_eq!(read(status, None, problem), ProviderError::Unknown, "{status}");
        }
    }

    #[test]
    fn too_many_requests_were_not_done_and_a_wrong_key_is_ours() {
        let wait = Some(Duration::from_secs(7));
        assert_eq!(read(429, wait, b""), ProviderError::Unavailable { retry_after: wait });
        for status in [301, 307, 401, 403] {
            assert_eq!(read(status, None, b"{}"), ProviderError::Misconfigured { status });
        }
    }
}
