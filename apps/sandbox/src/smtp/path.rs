//! Paths: the addresses in `MAIL FROM` and `RCPT TO` (RFC 5321 §4.1.2 and §4.5.3.1).

/// Splits `<path> PARAM=VALUE …` into the path without its brackets and the parameters.
/// `None` when there is no path in brackets.
pub(super) fn split(argument: &str) -> Option<(&str, Vec<&str>)> {
    let inner = argument.strip_prefix('<')?;
    let (path, rest) = inner.split_at_checked(closing_bracket(inner)?)?;
    let parameters = rest.strip_prefix('>')?;
    if parameters.is_empty() {
        return Some((path, Vec::new()));
    }
    // A blank separates the path from its parameters.
    let parameters = parameters.strip_prefix(' ')?;
    Some((path, parameters.split_ascii_whitespace().collect()))
}

/// The first `>` that is not within a quoted local part.
fn closing_bracket(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.bytes().position(|byte| {
        let closes = byte == b'>' && !quoted;
        if byte == b'"' && !escaped {
            quoted = !quoted;
        }
        escaped = byte == b'\\' && quoted && !escaped;
        closes
    })
}

/// The mailbox of a path: a source route before it is ignored, as RFC 5321 §4.1.1.3 asks. `None` when it is not one.
pub(super) fn mailbox(path: &str) -> Option<&str> {
    let mailbox = match path.strip_prefix('@') {
        Some(route) => route.split_once(':')?.1,
        None => path,
    };
    let (local, domain) = mailbox.rsplit_once('@')?;
    (path.len() <= 254 && is_local_part(local) && is_domain(domain)).then_some(mailbox)
}

fn is_local_part(local: &str) -> bool {
    let atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    (1..=64).contains(&local.len()) && (is_quoted(local) || local.split('.').all(atom))
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn is_quoted(local: &str) -> bool {
    let Some(content) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut escaped = false;
    for byte in content.bytes() {
        if !(b' '..=b'~').contains(&byte) || (byte == b'"' && !escaped) {
            return false;
        }
        escaped = byte == b'\\' && !escaped;
    }
    !escaped
}

fn is_domain(domain: &str) -> bool {
    if let Some(literal) = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return is_address(literal);
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.len() <= 255 && domain.split('.').all(label)
}

fn is_address(literal: &str) -> bool {
    match literal.strip_prefix("IPv6:") {
        Some(six) => six.parse::<std::net::Ipv6Addr>().is_ok(),
        None => literal.parse::<std::net::Ipv4Addr>().is_ok(),
    }
}

/// Whether a client may call itself so in `EHLO` or `HELO`. Underscores are let through: machines have such names.
pub(super) fn is_client_name(name: &str) -> bool {
    is_domain(&name.replace('_', "x"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_at_its_bracket_and_parameters_follow() {
        assert_eq!(split("<a@b.in>"), Some(("a@b.in", vec![])));
        assert_eq!(split("<a@b.in> SIZE=5 BODY=7BIT"), Some(("a@b.in", vec!["SIZE=5", "BODY=7BIT"])));
        assert_eq!(split("<\"a>\\\"b\"@c.in>"), Some(("\"a>\\\"b\"@c.in", vec![])));
        for argument in ["a@b.in", "<a@b.in", " <a@b.in>", "<a@b.in>SIZE=5", ""] {
            assert_eq!(split(argument), None, "{argument}");
        }
    }

    #[test]
    fn mailboxes_are_told_from_what_is_none() {
        for path in ["a@b.in", "a.b+c@localhost", "\"a b\"@c.in", "a@[127.0.0.1]", "a@[IPv6:::1]"] {
            assert_eq!(mailbox(path), Some(path), "{path}");
        }
        assert_eq!(mailbox("@relay.in,@other.in:a@b.in"), Some("a@b.in"));
        for path in [
            "a",
            "a@",
            "@b.in",
            ".a@b.in",
            "a..b@c.in",
            "a b@c.in",
            "a@b..in",
            "a@-b.in",
            "a@[1.2]",
            "\"a@b.in",
        ] {
            assert_eq!(mailbox(path), None, "{path}");
        }
        assert_eq!(mailbox(&format!("{}@b.in", "a".repeat(65))), None);
    }

    #[test]
    fn clients_call_themselves_by_a_domain_or_an_address() {
        for name in ["mail.example.in", "dev_box", "_dmarc", "[127.0.0.1]", "localhost"] {
            assert!(is_client_name(name), "{name}");
        }
        for name in ["", "a b", "a..b", "<a>", "[x]"] {
            assert!(!is_client_name(name), "{name}");
        }
    }
}
