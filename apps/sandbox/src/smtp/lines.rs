//! Lines of an SMTP conversation: they end with CR LF and nothing else (RFC 5321 §2.3.8), and have a longest length.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What was read up to a line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A proper line, without its end.
    Proper(Vec<u8>),
    /// A line that ends with a line feed alone. Mail servers that disagree about where such lines end can be made
    /// to see different messages, so they are never taken.
    BareLineFeed,
    /// A line with a carriage return within it, for the same reason.
    BareReturn,
    /// A line longer than the limit; it was skipped.
    TooLong,
    /// The client has closed its side.
    End,
}

/// Reads a line of at most `limit` bytes, its end not counted.
///
/// # Errors
/// When the connection breaks.
pub(super) async fn read(source: &mut (impl AsyncBufRead + Unpin), limit: usize) -> io::Result<Line> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let chunk = source.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(Line::End);
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(chunk.len(), |at| at + 1);
        too_long |= line.len() + taken > limit + 2;
        if !too_long {
            line.extend(chunk.iter().take(taken));
        }
        source.consume(taken);
        if end.is_some() {
            return Ok(if too_long { Line::TooLong } else { finish(&line) });
        }
    }
}

fn finish(line: &[u8]) -> Line {
    match line.strip_suffix(b"\r\n") {
        Some(content) if !content.contains(&b'\r') => Line::Proper(content.to_vec()),
        Some(_) => Line::BareReturn,
        None => Line::BareLineFeed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(mut text: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        loop {
            let line = read(&mut text, 5).await.unwrap();
            if line == Line::End {
                return lines;
            }
            lines.push(line);
        }
    }

    #[tokio::test]
    async fn lines_end_with_both_characters() {
        assert_eq!(
            lines(b"a\r\n\r\nb\nc\rd\r\n12345\r\nunfinished").await,
            [
                Line::Proper(b"a".to_vec()),
                Line::Proper(Vec::new()),
                Line::BareLineFeed,
                Line::BareReturn,
                Line::Proper(b"12345".to_vec()),
            ]
        );
    }

    #[tokio::test]
    async fn a_long_line_is_skipped_to_its_end() {
        assert_eq!(lines(b"123456\r\nabc\r\n").await, [Line::TooLong, Line::Proper(b"abc".to_vec())]);
    }
}
