//! One SMTP connection: reads commands, drives the session, delivers the mail.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::lines::{self, Line};
use super::mail;
use super::reply::{HOST, Reply};
use super::session::{MAX_MESSAGE, Session, Step, too_large};
use crate::faults::{Outcome, Target};
use crate::inbox::{Channel, Letter};
use crate::stage::Stage;

/// The longest command line: 512 bytes with its end (RFC 5321 §4.5.3.1.4), and room for the parameters that SIZE
/// (26 bytes, RFC 1870 §3) and 8BITMIME (17 bytes, RFC 6152 §2) add.
const MAX_COMMAND: usize = 512 - 2 + 26 + 17;

/// The longest line of a message, without its end and the dot that hides a dot (RFC 5321 §4.5.3.1.6).
const MAX_TEXT: usize = 998;

/// A client that is being talked to.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    patience: Duration,
}

/// Whether the conversation goes on.
enum Next {
    GoOn,
    Over,
}

impl Connection {
    /// A conversation in which the client may be silent for `patience`.
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        Self { stream: BufReader::new(stream), patience }
    }

    /// Tells the client to come back later.
    pub(super) async fn turn_away(mut self) -> io::Result<()> {
        self.say(&Reply::closing("has too many connections")).await
    }

    /// Talks until the client leaves, is silent for too long, or the server stops.
    pub(super) async fn converse(mut self, stage: &Stage, stopping: &CancellationToken) -> io::Result<()> {
        let ended = tokio::select! {
            () = stopping.cancelled() => None,
            ended = self.talk(stage) => Some(ended),
        };
        match ended {
            None => self.say(&Reply::closing("shuts down")).await,
            Some(Err(error)) if error.kind() == io::ErrorKind::TimedOut => {
                self.say(&Reply::closing("waited too long")).await
            }
            Some(ended) => ended,
        }
    }

    async fn talk(&mut self, stage: &Stage) -> io::Result<()> {
        let mut session = Session::new();
        let mut copies = 1;
        self.say(&Reply::new(220, format!("{HOST} ESMTP"))).await?;
        loop {
            let step = match self.line(MAX_COMMAND).await? {
                Line::Proper(line) => session.command(&line),
                Line::TooLong => Step::Answer(Reply::new(500, "the line is too long")),
                Line::BareLineFeed | Line::BareReturn => {
                    Step::Answer(Reply::new(500, "lines end with CR LF, and these stand nowhere else"))
                }
                Line::End => return Ok(()),
            };
            match step {
                Step::Answer(reply) => self.say(&reply).await?,
                Step::Close(reply) => return self.say(&reply).await,
                Step::Begin(reply) => match stage.faults.take(Target::Smtp).begin().await {
                    Outcome::Serve { copies: asked } => {
                        copies = asked;
                        self.say(&reply).await?;
                    }
                    Outcome::Fail { code } => {
                        session.reset();
                        if let Next::Over = self.fail(code).await? {
                            return Ok(());
                        }
                    }
                    Outcome::Drop => return Ok(()),
                },
                Step::Data(reply) => {
                    self.say(&reply).await?;
                    let Some(message) = self.message().await? else {
                        return Ok(());
                    };
                    let recipients = session.reset();
                    let reply = message
                        .map_or_else(|refused| refused, |text| deliver(stage, copies, &recipients, &text));
                    self.say(&reply).await?;
                }
            }
        }
    }

    /// Answers with the code that a fault asks for; after 421 the connection is closed.
    async fn fail(&mut self, code: u16) -> io::Result<Next> {
        if code == 421 {
            self.say(&Reply::closing("fails, as a fault asks for")).await?;
            return Ok(Next::Over);
        }
        self.say(&Reply::new(code, "failed, as a fault asks for")).await?;
        Ok(Next::GoOn)
    }

    /// Reads a message up to the dot, undoing the hiding of dots (RFC 5321 §4.5.2). `None` when the client leaves
    /// before the end; a reply when the message cannot be taken.
    async fn message(&mut self) -> io::Result<Option<Result<Vec<u8>, Reply>>> {
        let mut text = Vec::new();
        let mut refused = None;
        let mut after_bare = false;
        loop {
            let line = self.line(MAX_TEXT + 1).await?;
            let bare = line == Line::BareLineFeed;
            let taken = match line {
                Line::End => return Ok(None),
                Line::Proper(line) if line == b"." && !after_bare => {
                    return Ok(Some(refused.map_or(Ok(text), Err)));
                }
                Line::Proper(_) if refused.is_some() => Ok(()),
                Line::Proper(line) => append(&mut text, line.strip_prefix(b".").unwrap_or(&line)),
                Line::TooLong => Err(line_too_long()),
                Line::BareLineFeed | Line::BareReturn => {
                    Err(Reply::new(554, "the message has CR or LF where no line ends"))
                }
            };
            after_bare = bare;
            // The first thing that was wrong is told, once the client has said all of it.
            refused = refused.or(taken.err());
        }
    }

    async fn line(&mut self, limit: usize) -> io::Result<Line> {
        let line = timeout(self.patience, lines::read(&mut self.stream, limit)).await;
        line.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn say(&mut self, reply: &Reply) -> io::Result<()> {
        self.stream.write_all(reply.to_wire().as_bytes()).await?;
        self.stream.flush().await
    }
}

/// Adds a line to a message that has room for it.
fn append(text: &mut Vec<u8>, line: &[u8]) -> Result<(), Reply> {
    if line.len() > MAX_TEXT {
        return Err(line_too_long());
    }
    if text.len() + line.len() + 2 > MAX_MESSAGE {
        return Err(too_large());
    }
    text.extend_from_slice(line);
    text.extend_from_slice(b"\r\n");
    Ok(())
}

fn line_too_long() -> Reply {
    Reply::new(554, format!("the message has a line of more than {MAX_TEXT} bytes"))
}

/// Puts the mail into the inbox, once for every recipient.
fn deliver(stage: &Stage, copies: usize, recipients: &[String], text: &[u8]) -> Reply {
    let Some(mail) = mail::parse(text) else {
        return Reply::new(554, "the message has no header");
    };
    for recipient in recipients {
        let letter = Letter {
            channel: Channel::Email,
            to: recipient,
            subject: mail.subject.as_deref(),
            body: &mail.body,
            dlt_template_id: None,
        };
        stage.deliver(copies, letter);
    }
    Reply::new(250, "mail taken")
}
