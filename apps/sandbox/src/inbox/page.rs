//! The inbox as a page that shows itself anew every few seconds. Everything in it that was sent to us is escaped.

use std::fmt::{self, Write};
use std::sync::Arc;

use super::{Channel, Filter, Message};
use crate::html::Escaped;

/// How many messages the page shows; the JSON has all of them.
const SHOWN: usize = 200;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3">
<title>Sandbox inbox</title>
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
nav a { margin-right: 1rem }
article { border: 1px solid #8886; border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0 }
header { display: flex; flex-wrap: wrap; gap: .75rem; color: #777 }
h2 { font-size: 1rem; margin: .5rem 0 0 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .5rem 0 0 }
.channel { font-weight: 600 }
</style>
</head>
<body>
<h1>Inbox</h1>
"#;

/// The whole page.
pub(super) fn render(filter: &Filter, messages: &[Arc<Message>]) -> String {
    let mut page = String::from(HEAD);
    // Writing to a string cannot fail.
    let _ = write_body(&mut page, filter, messages);
    page
}

fn write_body(page: &mut String, filter: &Filter, messages: &[Arc<Message>]) -> fmt::Result {
    write_navigation(page, filter)?;
    match messages.len() {
        0 => writeln!(page, "<p>Nothing has arrived.</p>")?,
        count if count > SHOWN => writeln!(page, "<p>The latest {SHOWN} of {count} messages.</p>")?,
        1 => writeln!(page, "<p>1 message.</p>")?,
        count => writeln!(page, "<p>{count} messages.</p>")?,
    }
    for message in messages.iter().take(SHOWN) {
        write_message(page, message)?;
    }
    page.write_str("</body>\n</html>\n")
}

fn write_navigation(page: &mut String, filter: &Filter) -> fmt::Result {
    page.write_str("<nav><a href=\"/inbox\">all</a>")?;
    for channel in Channel::ALL {
        write!(page, "<a href=\"/inbox?channel={0}\">{0}</a>", channel.name())?;
    }
    page.write_str("</nav>\n<form method=\"get\" action=\"/inbox\">")?;
    if let Some(channel) = filter.channel {
        write!(page, "<input type=\"hidden\" name=\"channel\" value=\"{}\">", channel.name())?;
    }
    let to = filter.to.as_deref().unwrap_or_default();
    writeln!(
        page,
        "<label>To <input name=\"to\" value=\"{}\"></label> <button>Filter</button></form>",
        Escaped(to)
    )
}

fn write_message(page: &mut String, message: &Message) -> fmt::Result {
    writeln!(
        page,
        "<article><header><span class=\"channel\">{}</span><span>{}</span><time>{}</time></header>",
        message.channel.name(),
        Escaped(&message.to),
        message.received_at.format("%Y-%m-%d %H:%M:%S UTC")
    )?;
    if let Some(subject) = &message.subject {
        writeln!(page, "<h2>{}</h2>", Escaped(subject))?;
    }
    writeln!(page, "<pre>{}</pre></article>", Escaped(&message.body))
}
