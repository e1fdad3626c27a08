//! The statement: the history as CSV, in pieces.

use ledger::{Statement, TransactionFilter, TransactionType as T};
use testkit::{Domain, Scope, on_every_engine};

use crate::business::{Customer, Dice, Shop, wait};

async fn rest(statement: &mut Statement) -> Vec<String> {
    let mut pieces = Vec::new();
    while let Some(piece) = statement.next_piece().await.unwrap() {
        pieces.push(piece);
    }
    pieces
}

/// The cells of each line; none of the model's texts needs quotes.
fn cells(csv: &str) -> Vec<Vec<String>> {
    csv.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn rupees(paise: i64) -> String {
    format!("{}.{}{}", paise / 100, paise / 10 % 10, paise % 10)
}

/// What the model would write, latest first.
fn expected(customer: &Customer, is_wanted: impl Fn(T) -> bool) -> Vec<Vec<String>> {
    let rows = customer.rows.iter().rev().filter(|row| is_wanted(row.says));
    rows.map(|row| {
        vec![
            row.id.clone(),
            row.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            row.says.as_str().to_owned(),
            row.amount.to_string(),
            rupees(row.amount),
            row.spendable.0.to_string(),
            row.spendable.1.to_string(),
            rupees(row.spendable.1),
            row.held.0.to_string(),
            row.held.1.to_string(),
            rupees(row.held.1),
        ]
    })
    .collect()
}

on_every_engine! { Scope::Domain(Domain::Ledger) =>
    async fn a_statement_is_the_models_history(db: TestDb) {
        let (shop, dice) = (Shop::open(db), Dice::new(7));
        let mut customer = shop.customer();
        for _ in 0..40 {
            customer.live(&shop, &dice).await;
            wait(&shop, &dice);
        }
        for types in [Vec::new(), vec![T::Hold, T::CreditTopup]] {
            let filter = TransactionFilter::new(types.clone(), None, None).unwrap();
            let csv = rest(&mut shop.ledger.statement(customer.user, filter)).await.concat();
            let mut lines = cells(&csv);
            let header = lines.remove(0);
            assert_eq!(header[..5], ["id", "created_at", "type", "amount_paise", "amount_rupees"]);
            let amounts: Vec<_> = lines.iter().map(|line| line[..11].to_vec()).collect();
            assert_eq!(amounts, expected(&customer, |says| types.is_empty() || types.contains(&says)));
            assert!(lines.iter().all(|line| line.len() == header.len() && line[13] == "COMPLETED"));
        }
    }

    async fn a_long_statement_comes_in_pieces_that_nobody_can_shift(db: TestDb) {
        let shop = Shop::open(db);
        let mut customer = shop.customer();
        for _ in 0..505 {
            customer.top_up(&shop, 100).await;
        }
        let before = customer.clone();
        let mut statement = shop.ledger.statement(customer.user, TransactionFilter::default());
        let first = statement.next_piece().await.unwrap().unwrap();
        assert_eq!(first.lines().count(), 501, "the header and 500 rows");
        customer.top_up(&shop, 900).await;
        let rest = rest(&mut statement).await;
        assert_eq!(rest.len(), 1);
        let lines = cells(&(first + &rest[0]));
        let amounts: Vec<_> = lines[1..].iter().map(|line| line[..11].to_vec()).collect();
        assert_eq!(amounts, expected(&before, |_| true));
        assert!(shop.ledger.verify(|_| ()).await.unwrap().is_clean(), "a long history is checked in pages, too");
    }

    async fn a_spreadsheet_runs_nothing_that_stands_in_a_statement(db: TestDb) {
        let shop = Shop::open(db);
        let mut customer = shop.customer();
        customer.bonus(&shop, 100, Some("=HYPERLINK(\"http://example.com\",\"click\")")).await;
        let csv = rest(&mut shop.ledger.statement(customer.user, TransactionFilter::default())).await.concat();
        assert!(csv.ends_with(",COMPLETED,\"'=HYPERLINK(\"\"http://example.com\"\",\"\"click\"\")\"\r\n"), "{csv}");
    }

    async fn a_statement_of_nothing_is_its_header(db: TestDb) {
        let shop = Shop::open(db);
        let pieces = rest(&mut shop.ledger.statement(shop.ambient.new_id(), TransactionFilter::default())).await;
        assert_eq!((pieces.len(), pieces[0].lines().count()), (1, 1));
    }
}
