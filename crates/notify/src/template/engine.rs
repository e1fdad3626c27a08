//! The template engine, cut down to what texts need: no includes, no functions, a bound on work.

use std::collections::BTreeSet;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, value::Serde};
use serde_json::Value as Json;

use super::filters;

/// Steps that one text may take: far more than any needs, and an end to every loop.
const FUEL: u64 = 20_000;

/// Fills templates in. One serves the whole process.
#[derive(Debug)]
pub(crate) struct Engine(Environment<'static>);

/// Whether a text is HTML, in which what it names is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// It is not.
    Plain,
    /// It is.
    Html,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "text.txt",
            Self::Html => "text.html",
        }
    }
}

impl Engine {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::empty();
        environment.set_auto_escape_callback(|name| {
            if name == Form::Html.name() { AutoEscape::Html } else { AutoEscape::None }
        });
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("money", filters::money);
        environment.add_filter("day", filters::day);
        environment.add_filter("time", filters::time);
        environment.add_filter("upper", minijinja::filters::upper);
        environment.add_filter("lower", minijinja::filters::lower);
        environment.add_filter("trim", minijinja::filters::trim);
        environment.add_filter("length", minijinja::filters::length);
        Self(environment)
    }

    /// The names that a text refers to.
    ///
    /// # Errors
    /// With what is wrong with it, when it is no template.
    pub(super) fn names(&self, form: Form, text: &str) -> Result<BTreeSet<String>, String> {
        let template = self.0.template_from_named_str(form.name(), text).map_err(|error| told(&error))?;
        Ok(template.undeclared_variables(false).into_iter().collect())
    }

    /// The text with its names filled in.
    ///
    /// # Errors
    /// With what is wrong; never with a value.
    pub(super) fn fill(&self, form: Form, text: &str, values: &Json) -> Result<String, String> {
        self.0.render_named_str(form.name(), text, Serde(values)).map_err(|error| told(&error))
    }
}

/// What the engine says is wrong, and where. Its detail speaks of the template's text and names alone.
fn told(error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), ToOwned::to_owned);
    match error.line() {
        Some(line) => format!("{what} (line {line})"),
        None => what,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_escapes_what_it_names_and_a_text_does_not() {
        let values = json!({"title": "<b>A & B</b>"});
        let engine = Engine::new();
        assert_eq!(engine.fill(Form::Plain, "{{ title }}", &values).unwrap(), "<b>A & B</b>");
        let page = engine.fill(Form::Html, "<p>{{ title }}</p>", &values).unwrap();
        assert!(page.starts_with("<p>&lt;b&gt;A &amp; B"), "{page}");
    }

    #[test]
    fn an_endless_text_ends() {
        let values = json!({"title": "abcdefghijklmnopqrstuvwxyz"});
        let text = "{% for a in title %}{% for b in title %}{% for c in title %}{% for d in title %}x\
                    {% endfor %}{% endfor %}{% endfor %}{% endfor %}";
        assert!(Engine::new().fill(Form::Plain, text, &values).is_err());
    }

    #[test]
    fn there_is_nothing_to_call_and_nothing_to_include() {
        let engine = Engine::new();
        for text in ["{% include 'x' %}", "{{ range(5) }}", "{{ debug() }}", "{% import 'x' as y %}"] {
            assert!(engine.fill(Form::Plain, text, &json!({})).is_err(), "{text}");
        }
    }

    #[test]
    fn a_failure_names_no_value() {
        let values = json!({"title": "secret-canary", "amount": "secret-canary"});
        for text in ["{{ title | money }}", "{{ title.x.y }}", "{{ title + 1 }}", "{{ title | day }}"] {
            let told = Engine::new().fill(Form::Plain, text, &values).unwrap_err();
            assert!(!told.contains("canary"), "{told}");
        }
    }

    #[test]
    fn money_and_moments_are_written_as_in_india() {
        let values =
            json!({"amount": {"amount": 5_500_050, "currency": "INR"}, "at": "2026-01-31T20:00:00Z"});
        let text =
            Engine::new().fill(Form::Plain, "{{ amount | money }}, {{ at | time }}, {{ at | day }}", &values);
        assert_eq!(text.unwrap(), "₹55,000.50, 01-02-2026 01:30, 01-02-2026");
    }
}
