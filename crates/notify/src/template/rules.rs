//! What a template must be, before it is stored.

use kernel::{FieldErrors, InvalidInput, ParseError};
use serde_json::{Map, Value as Json};

use super::engine::{Engine, Form};
use super::{TemplateKey, TemplateParts};
use crate::{Channel, Kind, Variable};

/// The longest SMS that Twilio takes, in characters.
pub(super) const MAX_SMS: usize = 1_600;

/// The longest title or subject once filled in, in characters.
const MAX_TITLE: usize = 200;

/// The longest text of a notification or push once filled in, in characters: push messages have 4096 bytes in all.
const MAX_BODY: usize = 1_000;

/// The longest source of one text, in characters.
const MAX_SOURCE: usize = 20_000;

/// Checks a template by filling it in with the samples.
///
/// # Errors
/// With everything that is wrong, each under the name of its text.
pub(super) fn check(
    engine: &Engine,
    key: TemplateKey,
    parts: TemplateParts,
) -> Result<TemplateParts, InvalidInput> {
    let mut errors = FieldErrors::default();
    let samples = samples(key.kind);
    let body_limit = match key.channel {
        Channel::InApp | Channel::Push => MAX_BODY,
        Channel::Sms => MAX_SMS,
        Channel::Email => MAX_SOURCE,
    };
    let mut text = |field: &str, form: Form, source: Option<&str>, limit: usize| {
        if let Some(source) = source {
            errors.check(field, check_text(engine, key, form, source, &samples, limit));
        }
    };
    text("title", Form::Plain, parts.title.as_deref(), MAX_TITLE);
    text("body", Form::Plain, Some(&parts.body), body_limit);
    text("html", Form::Html, parts.html.as_deref(), 2 * MAX_SOURCE);
    check_shape(key.channel, &parts, &mut errors);
    errors.finish()?;
    Ok(parts)
}

/// Which texts a way has.
fn check_shape(channel: Channel, parts: &TemplateParts, errors: &mut FieldErrors) {
    match (channel, &parts.title) {
        (Channel::Sms, Some(_)) => errors.add("title", "not_allowed", "an SMS has no title"),
        (Channel::InApp | Channel::Push | Channel::Email, None) => {
            errors.add("title", "required", "must be given: an SMS alone has no title");
        }
        (Channel::InApp | Channel::Push | Channel::Email, Some(title)) if title.contains(['\n', '\r']) => {
            errors.add("title", "invalid_character", "must be one line");
        }
        _ => {}
    }
    if channel != Channel::Email && parts.html.is_some() {
        errors.add("html", "not_allowed", "only a mail has HTML");
    }
    match &parts.dlt_template_id {
        Some(_) if channel != Channel::Sms => {
            errors.add("dltTemplateId", "not_allowed", "only an SMS is registered with the operators");
        }
        Some(id) if id.is_empty() || id.len() > 30 || !id.bytes().all(|b| b.is_ascii_digit()) => {
            errors.add(
                "dltTemplateId",
                "invalid_format",
                "must be the id that the operators gave: up to 30 digits",
            );
        }
        _ => {}
    }
}

fn check_text(
    engine: &Engine,
    key: TemplateKey,
    form: Form,
    source: &str,
    samples: &Json,
    limit: usize,
) -> Result<(), ParseError> {
    if source.chars().count() > MAX_SOURCE {
        return Err(ParseError::new("too_long", format!("must have at most {MAX_SOURCE} characters")));
    }
    let names = engine.names(form, source).map_err(|told| ParseError::new("invalid_template", told))?;
    let unknown: Vec<_> = names.into_iter().filter(|name| samples.get(name).is_none()).collect();
    if !unknown.is_empty() {
        let known = variables(key.kind).map(|variable| variable.name).collect::<Vec<_>>().join(", ");
        let told = format!("names what is not known: {}; known are {known}", unknown.join(", "));
        return Err(ParseError::new("unknown_variable", told));
    }
    let filled =
        engine.fill(form, source, samples).map_err(|told| ParseError::new("invalid_template", told))?;
    let length = filled.chars().count();
    if filled.trim().is_empty() {
        return Err(ParseError::new("too_short", "must not be empty once it is filled in"));
    }
    if length > limit {
        let told = format!("has {length} characters with the samples filled in; at most {limit} are sent");
        return Err(ParseError::new("too_long", told));
    }
    Ok(())
}

/// What a kind's texts may name.
pub(super) fn variables(kind: Kind) -> impl Iterator<Item = &'static Variable> {
    kind.spec().variables.iter().chain(Variable::COMMON)
}

/// A sample of everything that a kind's texts may name.
pub(super) fn samples(kind: Kind) -> Json {
    let samples: Map<_, _> =
        variables(kind).map(|variable| (variable.name.to_owned(), variable.sample.value())).collect();
    Json::Object(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    fn wrong(channel: Channel, parts: TemplateParts) -> Vec<(String, String)> {
        let key = TemplateKey { kind: Kind::ListingApproved, channel, language: Language::English };
        match check(&Engine::new(), key, parts) {
            Ok(_) => Vec::new(),
            Err(InvalidInput(errors)) => errors.into_iter().map(|error| (error.field, error.code)).collect(),
        }
    }

    fn one(field: &str, code: &str) -> Vec<(String, String)> {
        vec![(field.to_owned(), code.to_owned())]
    }

    fn push(title: &str, body: &str) -> TemplateParts {
        TemplateParts { title: Some(title.to_owned()), body: body.to_owned(), ..Default::default() }
    }

    fn sms(body: &str) -> TemplateParts {
        TemplateParts { body: body.to_owned(), ..Default::default() }
    }

    #[test]
    fn what_is_no_template_is_told_with_its_line() {
        assert_eq!(wrong(Channel::Push, push("Hi", "line\n{{ title")), one("body", "invalid_template"));
        assert_eq!(wrong(Channel::Push, push("{% if %}", "x")), one("title", "invalid_template"));
        assert_eq!(wrong(Channel::Push, push("Hi", "{{ title | nosuch }}")), one("body", "invalid_template"));
    }

    #[test]
    fn an_unknown_variable_is_named() {
        let key =
            TemplateKey { kind: Kind::ListingApproved, channel: Channel::Push, language: Language::English };
        let error = check(&Engine::new(), key, push("Hi", "{{ titel }} {{ phone }}")).unwrap_err();
        assert_eq!(error.0[0].code, "unknown_variable");
        assert!(error.0[0].message.contains("phone, titel"), "{}", error.0[0].message);
        assert!(error.0[0].message.contains("title"), "{}", error.0[0].message);
    }

    #[test]
    fn each_way_has_its_own_texts() {
        assert!(wrong(Channel::Push, push("Hi", "x")).is_empty());
        assert_eq!(wrong(Channel::Push, sms("x")), one("title", "required"));
        assert_eq!(wrong(Channel::Sms, push("Hi", "x")), one("title", "not_allowed"));
        let page = TemplateParts { html: Some("<p>x</p>".to_owned()), ..push("Hi", "x") };
        assert_eq!(wrong(Channel::InApp, page.clone()), one("html", "not_allowed"));
        assert!(wrong(Channel::Email, page).is_empty());
        let registered =
            TemplateParts { dlt_template_id: Some("1107160000000012345".to_owned()), ..sms("x") };
        assert!(wrong(Channel::Sms, registered.clone()).is_empty());
        let title = Some("Hi".to_owned());
        assert_eq!(
            wrong(Channel::Email, TemplateParts { title, ..registered.clone() }),
            one("dltTemplateId", "not_allowed")
        );
        let odd = TemplateParts { dlt_template_id: Some("11-07".to_owned()), ..registered };
        assert_eq!(wrong(Channel::Sms, odd), one("dltTemplateId", "invalid_format"));
    }

    #[test]
    fn an_sms_fits_what_the_provider_takes() {
        assert!(wrong(Channel::Sms, sms(&"x".repeat(1_600))).is_empty());
        assert_eq!(wrong(Channel::Sms, sms(&"x".repeat(1_601))), one("body", "too_long"));
        assert_eq!(wrong(Channel::Sms, sms("{{ title }}".repeat(100).as_str())), one("body", "too_long"));
        assert_eq!(wrong(Channel::Sms, sms("  ")), one("body", "too_short"));
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(wrong(Channel::Email, push("a\r\nBcc: x@y.in", "x")), one("title", "invalid_character"));
    }
}
