//! The words that are there before staff change them, in English and Hindi. A kind has a title and a sentence; its
//! push message, SMS and mail are made of them.

mod english;
mod hindi;

use super::{TemplateKey, TemplateParts};
use crate::{Channel, Kind, Language};

/// The default of a key.
pub(super) fn of(key: TemplateKey) -> TemplateParts {
    let (title, body) = words(key.kind, key.language);
    match key.channel {
        Channel::InApp | Channel::Push => {
            TemplateParts { title: Some(title.to_owned()), body: body.to_owned(), ..Default::default() }
        }
        Channel::Sms => TemplateParts { body: format!("{{{{ brand }}}}: {body}"), ..Default::default() },
        Channel::Email => TemplateParts {
            title: Some(title.to_owned()),
            body: mail(body, key.language),
            html: Some(page(title, body, key.language)),
            dlt_template_id: None,
        },
    }
}

fn words(kind: Kind, language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => english::of(kind),
        Language::Hindi => hindi::of(kind),
    }
}

/// What stands below a mail: why it came, and how to get no more of its sort.
fn footer(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English => ("Open", "Do not send me mails like this"),
        Language::Hindi => ("खोलें", "मुझे ऐसे ईमेल न भेजें"),
    }
}

fn mail(body: &str, language: Language) -> String {
    let (_, stop) = footer(language);
    format!(
        "{body}\n\n{{{{ link }}}}\n\n{{{{ brand }}}}{{% if unsubscribe %}}\n\n{stop}: {{{{ unsubscribe }}}}{{% endif %}}\n"
    )
}

/// A page without pictures or scripts: nothing in it tells anybody that it was read.
fn page(title: &str, body: &str, language: Language) -> String {
    let (open, stop) = footer(language);
    format!(
        "<!doctype html><html lang=\"{}\"><body style=\"font-family:sans-serif;max-width:36rem;margin:auto\">\
         <h1 style=\"font-size:1.2rem\">{title}</h1><p>{body}</p><p><a href=\"{{{{ link }}}}\">{open}</a></p>\
         <p style=\"color:#666\">{{{{ brand }}}}{{% if unsubscribe %}} · <a href=\"{{{{ unsubscribe }}}}\">{stop}</a>\
         {{% endif %}}</p></body></html>",
        language.tag()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Engine, rules};

    #[test]
    fn every_default_passes_the_check_that_staff_pass() {
        let engine = Engine::new();
        for kind in Kind::all() {
            for channel in Channel::ALL {
                for language in Language::ALL {
                    let key = TemplateKey { kind, channel, language };
                    let checked = rules::check(&engine, key, of(key));
                    assert!(checked.is_ok(), "{key:?}: {:?}", checked.unwrap_err());
                }
            }
        }
    }

    #[test]
    fn no_default_writes_html_of_its_own() {
        for kind in Kind::all() {
            for language in Language::ALL {
                let (title, body) = words(kind, language);
                assert!(
                    !title.contains(['<', '>', '&', '"']) && !body.contains(['<', '>', '&', '"']),
                    "{kind:?}"
                );
                assert!(title.chars().count() <= 60, "{kind:?}: a lock screen shows no more");
            }
        }
    }

    #[test]
    fn the_two_languages_say_different_things() {
        for kind in Kind::all() {
            if kind != Kind::Announcement {
                assert_ne!(words(kind, Language::English), words(kind, Language::Hindi), "{kind:?}");
                assert!(words(kind, Language::Hindi).1.chars().any(|c| ('\u{900}'..='\u{97f}').contains(&c)));
            }
        }
    }
}
