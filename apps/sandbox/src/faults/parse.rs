//! Reads the body that sets a fault, and tells every field that is wrong with it.

use std::time::Duration;

use kernel::{FieldErrors, InvalidInput, ParseError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Call, Effect, Fault, Outcome, Target};

/// The longest delay, in milliseconds: no client should wait longer than five minutes.
const MAX_DELAY_MS: u64 = 300_000;

const WHOLE_NUMBER: &str = "must be a whole number, not negative and not too large";
const TRUTH: &str = "must be true or false";
const CALL: &str = "must be order, capture, refund or read";

/// Reads `{target, delayMs?, error?, drop?, duplicate?, times?, after?, call?}`.
///
/// # Errors
/// When a field is missing, unknown, of the wrong type or out of its range, or when the fields contradict each other.
pub(super) fn parse(mut body: Map<String, Value>) -> Result<(Target, Fault), InvalidInput> {
    let mut errors = FieldErrors::default();
    let target = match body.remove("target").as_ref().and_then(Value::as_str) {
        Some("twilio") => Some(Target::Twilio),
        Some("smtp") => Some(Target::Smtp),
        Some("razorpay") => Some(Target::Razorpay),
        Some("fcm") => Some(Target::Fcm),
        _ => {
            errors.add("target", "unknown_target", "must be twilio, smtp, razorpay or fcm");
            None
        }
    };
    let fields = Fields::take(&mut body, &mut errors);
    for field in body.keys() {
        let known = "known are target, delayMs, error, drop, duplicate, times, after and call";
        errors.add(field, "unknown_field", known);
    }
    fields.check(target, &mut errors);
    match target {
        Some(target) if errors.is_empty() => Ok((target, fields.fault())),
        _ => Err(errors.into_error()),
    }
}

/// The fields that describe the fault, each of its type but not yet checked.
struct Fields {
    delay_ms: u64,
    error: Option<u16>,
    drop: bool,
    duplicate: bool,
    times: Option<u32>,
    after: bool,
    call: Option<Call>,
}

impl Fields {
    fn take(body: &mut Map<String, Value>, errors: &mut FieldErrors) -> Self {
        Self {
            delay_ms: take(body, "delayMs", WHOLE_NUMBER, errors).unwrap_or(0),
            error: take(body, "error", WHOLE_NUMBER, errors),
            drop: take(body, "drop", TRUTH, errors).unwrap_or(false),
            duplicate: take(body, "duplicate", TRUTH, errors).unwrap_or(false),
            times: take(body, "times", WHOLE_NUMBER, errors),
            after: take(body, "after", TRUTH, errors).unwrap_or(false),
            call: take(body, "call", CALL, errors),
        }
    }

    fn check(&self, target: Option<Target>, errors: &mut FieldErrors) {
        if self.delay_ms > MAX_DELAY_MS {
            errors.add("delayMs", "out_of_range", format!("must be at most {MAX_DELAY_MS}"));
        }
        if self.times == Some(0) {
            errors.add("times", "out_of_range", "must be at least 1; leave it out for always");
        }
        if let (Some(target), Some(code)) = (target, self.error) {
            errors.check("error", check_code(target, code));
        }
        let ends = [("error", self.error.is_some()), ("drop", self.drop), ("duplicate", self.duplicate)];
        for (field, _) in ends.into_iter().filter(|(_, asked)| *asked).skip(1) {
            errors.add(field, "contradiction", "only one of error, drop and duplicate can be had");
        }
        if self.after && self.error.is_none() && !self.drop {
            errors.add("after", "no_effect", "goes with error or drop");
        }
        for (field, asked) in [("after", self.after), ("call", self.call.is_some())] {
            if asked && target.is_some_and(|target| target != Target::Razorpay) {
                errors.add(field, "not_supported", "only razorpay has this");
            }
        }
        if errors.is_empty() && self.delay_ms == 0 && ends.iter().all(|(_, asked)| !asked) {
            errors.add("delayMs", "no_effect", "set delayMs, error, drop or duplicate");
        }
    }

    fn fault(&self) -> Fault {
        let outcome = match self.error {
            Some(code) => Outcome::Fail { code },
            None if self.drop => Outcome::Drop,
            None if self.duplicate => Outcome::Serve { copies: 2 },
            None => Outcome::Serve { copies: 1 },
        };
        let effect = Effect { delay: Duration::from_millis(self.delay_ms), outcome, after: self.after };
        Fault { effect, times: self.times, call: self.call }
    }
}

fn take<T: DeserializeOwned>(
    body: &mut Map<String, Value>,
    field: &str,
    rule: &str,
    errors: &mut FieldErrors,
) -> Option<T> {
    // Null is what `GET` shows for what is not set.
    let value = serde_json::from_value::<Option<T>>(body.remove(field)?);
    if value.is_err() {
        errors.add(field, "wrong_type", rule);
    }
    value.ok().flatten()
}

/// Twilio, Razorpay and Firebase fail with an HTTP error status, SMTP with a negative reply (RFC 5321 §4.2.1).
fn check_code(target: Target, code: u16) -> Result<(), ParseError> {
    let (fits, rule) = match target {
        Target::Twilio | Target::Razorpay | Target::Fcm => {
            ((400..600).contains(&code), "must be an HTTP status from 400 to 599")
        }
        Target::Smtp => (
            (400..600).contains(&code) && code % 100 < 60,
            "must be an SMTP reply code from 400 to 459 or from 500 to 559",
        ),
    };
    if fits { Ok(()) } else { Err(ParseError::new("out_of_range", rule)) }
}
