//! A wallet's history as a file for spreadsheets: CSV (RFC 4180), written page by page.

use kernel::UserId;

use super::page::{self, Position, Row};
use super::{TransactionFilter, TransactionStatus};
use crate::{Ledger, LedgerError};

/// Rows per piece.
const PIECE: u32 = 500;

/// The first line. Amounts stand twice: in paise, and in rupees as decimal text.
const HEADER: &str = "id,created_at,type,amount_paise,amount_rupees,spendable_before_paise,spendable_after_paise,\
    spendable_after_rupees,held_before_paise,held_after_paise,held_after_rupees,reference_kind,reference_id,status,\
    reason\r\n";

/// A statement being written, latest row first. Its memory is one piece's, however long the history.
#[derive(Debug)]
pub struct Statement {
    ledger: Ledger,
    user: UserId,
    filter: TransactionFilter,
    at: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Begin,
    After(Position),
    End,
}

impl Ledger {
    /// The user's history as CSV; nothing is read before the first piece is asked for.
    pub fn statement(&self, user: UserId, filter: TransactionFilter) -> Statement {
        Statement { ledger: self.clone(), user, filter, at: Place::Begin }
    }
}

impl Statement {
    /// The next piece of the file, up to 500 rows; `None` at the end. Rows that come into being meanwhile are not in
    /// it, and none is lost or doubled.
    ///
    /// # Errors
    /// When the database fails; the piece can be asked for again.
    pub async fn next_piece(&mut self) -> Result<Option<String>, LedgerError> {
        let (after, mut piece) = match self.at {
            Place::Begin => (None, HEADER.to_owned()),
            Place::After(at) => (Some(at), String::new()),
            Place::End => return Ok(None),
        };
        let mut rows = page::after(self.ledger.db.reader()?, self.user, &self.filter, after, PIECE).await?;
        let full = usize::try_from(PIECE).unwrap_or(usize::MAX);
        let goes_on = rows.len() > full;
        rows.truncate(full);
        for row in &rows {
            write_line(&mut piece, row);
        }
        self.at = match rows.last() {
            Some(last) if goes_on => Place::After(last.at),
            _ => Place::End,
        };
        Ok(Some(piece))
    }
}

fn write_line(piece: &mut String, row: &Row) {
    let paise = |amount: i64| amount.to_string();
    let cells = [
        row.id(),
        row.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        row.says.as_str().to_owned(),
        paise(row.amount),
        rupees(row.amount),
        paise(row.before.spendable),
        paise(row.after.spendable),
        rupees(row.after.spendable),
        paise(row.before.held),
        paise(row.after.held),
        rupees(row.after.held),
        text(&row.reference.kind),
        text(&row.reference.id),
        TransactionStatus::Completed.as_str().to_owned(),
        text(row.reason.as_deref().unwrap_or_default()),
    ];
    piece.push_str(&cells.join(","));
    piece.push_str("\r\n");
}

/// Paise as rupees with two decimals, exactly.
fn rupees(paise: i64) -> String {
    let sign = if paise < 0 { "-" } else { "" };
    let paise = paise.unsigned_abs();
    format!("{sign}{}.{:02}", paise / 100, paise % 100)
}

/// Free text as a cell. A spreadsheet takes what begins like a formula for one and runs it, so such text gets an
/// apostrophe before it, which spreadsheets read as "this is text" (OWASP, CSV Injection).
fn text(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        "'"
    } else {
        ""
    };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupees_are_exact() {
        for (paise, written) in [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "-0.05"),
            (123_456, "1234.56"),
            (i64::MAX, "92233720368547758.07"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(rupees(paise), written);
        }
    }

    #[test]
    fn a_formula_becomes_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"] {
            assert!(text(formula).starts_with("\"'"), "{formula:?}");
        }
        assert_eq!(text("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
    }

    #[test]
    fn what_would_end_a_cell_is_quoted() {
        assert_eq!(text("plain words"), "plain words");
        assert_eq!(text("a,b"), "\"a,b\"");
        assert_eq!(text("he said \"no\""), "\"he said \"\"no\"\"\"");
        assert_eq!(text("two\nlines"), "\"two\nlines\"");
    }

    #[test]
    fn the_header_names_each_cell() {
        assert_eq!(HEADER.split(',').count(), 15);
    }
}
