//! SMTP replies (RFC 5321 §4.2): a code and one or more lines of text.

/// The name that the server gives itself.
pub(super) const HOST: &str = "sandbox.localhost";

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// A reply of one line.
    pub(super) fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    /// A reply of several lines.
    pub(super) fn lines(code: u16, lines: Vec<String>) -> Self {
        Self { code, lines }
    }

    /// The service closes the connection (RFC 5321 §3.8).
    pub(super) fn closing(why: &str) -> Self {
        Self::new(421, format!("{HOST} {why}, closing the connection"))
    }

    /// What goes over the wire: a hyphen after the code on every line but the last.
    pub(super) fn to_wire(&self) -> String {
        let last = self.lines.len().saturating_sub(1);
        let line = |(number, text)| {
            let separator = if number == last { ' ' } else { '-' };
            format!("{}{separator}{text}\r\n", self.code)
        };
        self.lines.iter().enumerate().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_but_the_last_announce_another() {
        let reply = Reply::lines(250, vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(reply.to_wire(), "250-a\r\n250 b\r\n");
        assert_eq!(Reply::new(221, "bye").to_wire(), "221 bye\r\n");
    }
}
