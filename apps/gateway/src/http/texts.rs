//! How the schema says what `kernel::bounded_text` takes, so that clients and tests can know beforehand.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};

/// Characters that no text takes: control characters but for tab and line breaks, and those that hide or reorder.
const NEVER: &str =
    r"\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u200B\u202A-\u202E\u2066-\u2069\uFEFF";

/// A line of `min` (at least 1) to `max` characters, not counting blanks at its ends.
pub(super) fn line(min: usize, max: usize) -> ObjectBuilder {
    let (inner, edge) = (format!(r"[^\t\n\r{NEVER}]"), format!(r"[^\s{NEVER}]"));
    text(min, max, &inner, &edge)
}

/// A text of `min` (at least 1) to `max` characters in any number of lines, not counting blanks at its ends.
pub(super) fn lines(min: usize, max: usize) -> ObjectBuilder {
    let (inner, edge) = (format!("[^{NEVER}]"), format!(r"[^\s{NEVER}]"));
    text(min, max, &inner, &edge)
}

/// What a person is called.
pub(super) fn person_name() -> ObjectBuilder {
    line(1, 80).description(Some("What one is called")).examples(["Asha Rao"])
}

/// Why somebody decided something about somebody else.
pub(super) fn reason() -> ObjectBuilder {
    lines(3, 500).description(Some("Why, for the record")).examples(["Sold the same phone to three people"])
}

/// The same text, or null.
pub(super) fn or_null(text: ObjectBuilder) -> ObjectBuilder {
    text.schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
}

fn text(min: usize, max: usize, inner: &str, edge: &str) -> ObjectBuilder {
    let core = match min {
        0 | 1 => format!("{edge}({inner}*{edge})?"),
        _ => format!("{edge}{inner}{{{},}}{edge}", min - 2),
    };
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(min))
        .max_length(Some(max))
        .pattern(Some(format!(r"^\s*{core}\s*$")))
}
