//! The order of an SMTP conversation, without any I/O: a command goes in, what to do comes out (RFC 5321 §4.1.4).

use super::path;
use super::reply::{HOST, Reply};

/// The largest message that is taken, in bytes: 10 MiB.
pub(super) const MAX_MESSAGE: usize = 10 * 1024 * 1024;

/// How many recipients a mail may have; RFC 5321 §4.5.3.1.8 asks for at least this many.
const MAX_RECIPIENTS: usize = 100;

/// What a command leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// This is answered.
    Answer(Reply),
    /// A mail transaction begins, and this is answered.
    Begin(Reply),
    /// This is answered, and the message follows.
    Data(Reply),
    /// This is answered, and the connection is closed.
    Close(Reply),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeting {
    Missing,
    Plain,
    Extended,
}

/// How far a conversation has come.
#[derive(Debug)]
pub(super) struct Session {
    greeting: Greeting,
    /// The recipients so far, while a mail transaction is open.
    recipients: Option<Vec<String>>,
}

impl Session {
    /// A conversation that has not begun.
    pub(super) fn new() -> Self {
        Self { greeting: Greeting::Missing, recipients: None }
    }

    /// Takes one command line, without its line end.
    pub(super) fn command(&mut self, line: &[u8]) -> Step {
        let Some(line) = std::str::from_utf8(line).ok().filter(|line| line.is_ascii()) else {
            return answer(500, "commands are written in ASCII");
        };
        // RFC 5321 §4.1.1 asks to bear blanks at the end.
        let line = line.trim_ascii_end();
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.greet(argument, Greeting::Extended),
            "HELO" => self.greet(argument, Greeting::Plain),
            "MAIL" => self.mail(argument),
            "RCPT" => self.rcpt(argument),
            "DATA" => self.data(argument),
            "RSET" if argument.is_empty() => {
                self.reset();
                answer(250, "forgotten")
            }
            "QUIT" if argument.is_empty() => Step::Close(Reply::new(221, format!("{HOST} goodbye"))),
            "RSET" | "QUIT" => answer(501, "this command takes no argument"),
            "NOOP" => answer(250, "nothing done"),
            "HELP" => answer(214, "EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT"),
            "VRFY" if argument.is_empty() => answer(501, "VRFY takes a name or a mailbox"),
            "VRFY" => answer(252, "not verified, but mail for it is taken"),
            "EXPN" | "STARTTLS" | "AUTH" | "BDAT" | "ETRN" => answer(502, "command not implemented"),
            _ => answer(500, "command not recognized"),
        }
    }

    /// Ends the transaction, whatever became of it, and tells who its recipients were.
    pub(super) fn reset(&mut self) -> Vec<String> {
        self.recipients.take().unwrap_or_default()
    }

    fn greet(&mut self, name: &str, greeting: Greeting) -> Step {
        if !path::is_client_name(name) {
            return answer(501, "say who you are: a domain or an address in brackets");
        }
        self.reset();
        self.greeting = greeting;
        let hello = format!("{HOST} greets {name}");
        if greeting == Greeting::Plain {
            return answer(250, hello);
        }
        Step::Answer(Reply::lines(
            250,
            vec![
                hello,
                format!("SIZE {MAX_MESSAGE}"),
                "8BITMIME".to_owned(),
                "PIPELINING".to_owned(),
                "HELP".to_owned(),
            ],
        ))
    }

    fn mail(&mut self, argument: &str) -> Step {
        if self.greeting == Greeting::Missing {
            return answer(503, "say EHLO or HELO first");
        }
        if self.recipients.is_some() {
            return answer(503, "a mail transaction is already open");
        }
        let Some((sender, parameters)) = after(argument, "FROM:").and_then(path::split) else {
            return answer(501, "the syntax is MAIL FROM:<address>");
        };
        // The empty path is the sender of bounces.
        if !sender.is_empty() && path::mailbox(sender).is_none() {
            return answer(501, "the sender is no mailbox");
        }
        if let Err(refused) = self.check_mail_parameters(&parameters) {
            return Step::Answer(refused);
        }
        self.recipients = Some(Vec::new());
        Step::Begin(Reply::new(250, "sender taken"))
    }

    fn check_mail_parameters(&self, parameters: &[&str]) -> Result<(), Reply> {
        for parameter in parameters {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let name = name.to_ascii_uppercase();
            match name.as_str() {
                _ if self.greeting != Greeting::Extended => return Err(unknown_parameter()),
                "SIZE" => match value.parse::<usize>() {
                    Ok(size) if size > MAX_MESSAGE => return Err(too_large()),
                    Ok(_) => {}
                    // 20 digits are allowed (RFC 1870 §3), which is more than fits.
                    Err(_) if is_long_number(value) => return Err(too_large()),
                    Err(_) => return Err(Reply::new(501, "SIZE is a number of bytes")),
                },
                "BODY" if value.eq_ignore_ascii_case("7BIT") || value.eq_ignore_ascii_case("8BITMIME") => {}
                "BODY" => return Err(Reply::new(501, "BODY is 7BIT or 8BITMIME")),
                _ => return Err(unknown_parameter()),
            }
        }
        Ok(())
    }

    fn rcpt(&mut self, argument: &str) -> Step {
        let Some(recipients) = &mut self.recipients else {
            return answer(503, "say MAIL FROM first");
        };
        let Some((recipient, parameters)) = after(argument, "TO:").and_then(path::split) else {
            return answer(501, "the syntax is RCPT TO:<address>");
        };
        let postmaster = recipient.eq_ignore_ascii_case("postmaster").then_some(recipient);
        let Some(mailbox) = postmaster.or_else(|| path::mailbox(recipient)) else {
            return answer(501, "the recipient is no mailbox");
        };
        if !parameters.is_empty() {
            return Step::Answer(unknown_parameter());
        }
        if recipients.len() >= MAX_RECIPIENTS {
            return answer(452, "too many recipients");
        }
        recipients.push(mailbox.to_owned());
        answer(250, "recipient taken")
    }

    fn data(&self, argument: &str) -> Step {
        if !argument.is_empty() {
            return answer(501, "DATA takes no argument");
        }
        match &self.recipients {
            None => answer(503, "say MAIL FROM first"),
            Some(recipients) if recipients.is_empty() => answer(503, "say RCPT TO first"),
            Some(_) => Step::Data(Reply::new(354, "go on, and end with a dot on a line of its own")),
        }
    }
}

fn answer(code: u16, text: impl Into<String>) -> Step {
    Step::Answer(Reply::new(code, text))
}

/// The message exceeds what `SIZE` announces.
pub(super) fn too_large() -> Reply {
    Reply::new(552, format!("the message is larger than {MAX_MESSAGE} bytes"))
}

fn unknown_parameter() -> Reply {
    Reply::new(555, "a parameter is not known")
}

fn is_long_number(value: &str) -> bool {
    (1..=20).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit())
}

/// What follows a keyword, whatever its case.
fn after<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let (found, rest) = argument.split_at_checked(keyword.len())?;
    found.eq_ignore_ascii_case(keyword).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(step: &Step) -> u16 {
        match step {
            Step::Answer(reply) | Step::Begin(reply) | Step::Data(reply) | Step::Close(reply) => reply.code,
        }
    }

    fn codes(commands: &[&str]) -> Vec<u16> {
        let mut session = Session::new();
        commands.iter().map(|line| code(&session.command(line.as_bytes()))).collect()
    }

    #[test]
    fn a_mail_takes_its_course() {
        let course =
            ["EHLO me.in", "MAIL FROM:<a@b.in> SIZE=10 BODY=8BITMIME", "rcpt to:<c@d.in>", "DATA", "QUIT"];
        assert_eq!(codes(&course), [250, 250, 250, 354, 221]);
        assert_eq!(
            codes(&["HELO me.in", "MAIL FROM:<>", "RCPT TO:<Postmaster>", "DATA"]),
            [250, 250, 250, 354]
        );
    }

    #[test]
    fn what_comes_out_of_order_is_refused() {
        assert_eq!(codes(&["MAIL FROM:<a@b.in>", "RCPT TO:<a@b.in>", "DATA"]), [503, 503, 503]);
        assert_eq!(
            codes(&["EHLO me.in", "MAIL FROM:<a@b.in>", "MAIL FROM:<a@b.in>", "DATA"]),
            [250, 250, 503, 503]
        );
    }

    #[test]
    fn a_reset_and_a_new_greeting_forget_the_transaction() {
        for forget in ["RSET", "EHLO me.in", "HELO me.in"] {
            let told = codes(&["EHLO me.in", "MAIL FROM:<a@b.in>", forget, "RCPT TO:<a@b.in>"]);
            assert_eq!(told, [250, 250, 250, 503], "{forget}");
        }
    }

    #[test]
    fn malformed_and_unknown_commands_are_told_apart() {
        let malformed = [
            "EHLO",
            "MAIL FROM:a@b.in",
            "MAIL FROM:<a@b.in> SIZE=x",
            "MAIL FROM:<a>",
            "DATA now",
            "QUIT now",
            "VRFY",
        ];
        let mut session = Session::new();
        session.command(b"EHLO me.in");
        for line in malformed {
            assert_eq!(code(&session.command(line.as_bytes())), 501, "{line}");
        }
        assert_eq!(
            codes(&["BREW coffee", "", "STARTTLS", "VRFY asha", "NOOP x", "HELP"]),
            [500, 500, 502, 252, 250, 214]
        );
        assert_eq!(code(&session.command("MAIL FROM:<आशा@b.in>".as_bytes())), 500);
    }

    #[test]
    fn parameters_are_checked() {
        for (parameters, expected) in [
            ("SIZE=10485760", 250),
            ("SIZE=10485761", 552),
            ("SIZE=99999999999999999999", 552),
            ("BODY=BINARYMIME", 501),
            ("RET=HDRS", 555),
        ] {
            let mail = format!("MAIL FROM:<a@b.in> {parameters}");
            assert_eq!(codes(&["EHLO me.in", &mail]), [250, expected], "{parameters}");
        }
        assert_eq!(codes(&["HELO me.in", "MAIL FROM:<a@b.in> SIZE=10"]), [250, 555]);
        assert_eq!(codes(&["EHLO me.in", "MAIL FROM:<>", "RCPT TO:<a@b.in> NOTIFY=NEVER"]), [250, 250, 555]);
    }

    #[test]
    fn the_hundred_and_first_recipient_is_one_too_many() {
        let mut session = Session::new();
        session.command(b"EHLO me.in");
        session.command(b"MAIL FROM:<a@b.in>");
        for _ in 0..MAX_RECIPIENTS {
            assert_eq!(code(&session.command(b"RCPT TO:<c@d.in>")), 250);
        }
        assert_eq!(code(&session.command(b"RCPT TO:<c@d.in>")), 452);
        assert_eq!(code(&session.command(b"DATA")), 354);
    }
}
