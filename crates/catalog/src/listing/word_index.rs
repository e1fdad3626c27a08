//! Where each engine keeps a listing's terms, and how it looks for them: FTS5 on SQLite, a `tsvector` on PostgreSQL,
//! a full-text index in boolean mode on MariaDB. The terms themselves come from [`words`](super::words).

use kernel::{ListingId, TypedId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use store::{Engine, StoreError};

use super::words::{SearchWords, Term};

/// Files a listing under the terms of a document, instead of those before.
pub(super) async fn put(txn: &DatabaseTransaction, id: ListingId, document: &str) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    if engine == Engine::Sqlite {
        return put_fts5(txn, id, document).await;
    }
    let words = match engine {
        Engine::Postgres => "array_to_tsvector(string_to_array(?, ' '))",
        Engine::Sqlite | Engine::MariaDb => "?",
    };
    let update = format!("UPDATE listing_search SET words = {words} WHERE listing_id = ?");
    let values = || [Value::from(document), id.uuid().into()];
    if txn.execute_raw(engine.statement(&update, values())).await?.rows_affected() == 0 {
        let insert = format!("INSERT INTO listing_search (words, listing_id) VALUES ({words}, ?)");
        txn.execute_raw(engine.statement(&insert, values())).await?;
    }
    Ok(())
}

/// FTS5 knows rows by number alone; `listing_search` tells whose they are.
async fn put_fts5(txn: &DatabaseTransaction, id: ListingId, document: &str) -> Result<(), StoreError> {
    let engine = Engine::Sqlite;
    remove(txn, id).await?;
    let key = engine.statement("INSERT INTO listing_search (listing_id) VALUES (?)", [id.uuid().into()]);
    txn.execute_raw(key).await?;
    let insert = "INSERT INTO listing_words (rowid, words) \
                  SELECT word_row, ? FROM listing_search WHERE listing_id = ?";
    txn.execute_raw(engine.statement(insert, [document.into(), id.uuid().into()])).await?;
    Ok(())
}

/// Takes a listing out of the index.
pub(super) async fn remove(txn: &DatabaseTransaction, id: ListingId) -> Result<(), StoreError> {
    let engine = Engine::of(txn.get_database_backend());
    if engine == Engine::Sqlite {
        let words = "DELETE FROM listing_words \
                     WHERE rowid = (SELECT word_row FROM listing_search WHERE listing_id = ?)";
        txn.execute_raw(engine.statement(words, [id.uuid().into()])).await?;
    }
    let key = "DELETE FROM listing_search WHERE listing_id = ?";
    txn.execute_raw(engine.statement(key, [id.uuid().into()])).await?;
    Ok(())
}

/// The parts of a statement over `listings l` that finds what holds all the words.
pub(super) struct WordMatch {
    /// Follows `FROM listings l`.
    pub(super) join: &'static str,
    /// Holds for what has every word somewhere.
    pub(super) condition: &'static str,
    /// The value of `condition`.
    pub(super) value: Value,
    /// How many of the words stand in the title.
    pub(super) title_count: String,
    /// The values of `title_count`.
    pub(super) title_values: Vec<Value>,
}

/// How an engine looks for the words.
pub(super) fn matching(engine: Engine, words: &SearchWords) -> WordMatch {
    let (join, condition, in_title) = match engine {
        Engine::Sqlite => (
            " JOIN listing_search w ON w.listing_id = l.id",
            "w.word_row IN (SELECT rowid FROM listing_words WHERE listing_words MATCH ?)",
            "(w.word_row IN (SELECT rowid FROM listing_words WHERE listing_words MATCH ?))",
        ),
        Engine::Postgres => (
            " JOIN listing_search w ON w.listing_id = l.id",
            "w.words @@ CAST(? AS tsquery)",
            "CAST(w.words @@ CAST(? AS tsquery) AS INTEGER)",
        ),
        Engine::MariaDb => (
            " JOIN listing_search w ON w.listing_id = l.id",
            "MATCH(w.words) AGAINST (? IN BOOLEAN MODE)",
            "(MATCH(w.words) AGAINST (? IN BOOLEAN MODE) > 0)",
        ),
    };
    let counts: Vec<&str> = words.in_title().map(|_| in_title).collect();
    let integer = if engine == Engine::MariaDb { "SIGNED" } else { "BIGINT" };
    WordMatch {
        join,
        condition,
        value: all_of(engine, words.anywhere()).into(),
        title_count: format!("CAST({} AS {integer})", counts.join(" + ")),
        title_values: words.in_title().map(|term| one(engine, term).into()).collect(),
    }
}

/// A term in the engine's query language; terms are ASCII letters and digits, so there is nothing to escape.
fn one(engine: Engine, term: Term<'_>) -> String {
    match (engine, term.is_prefix) {
        (Engine::Sqlite, false) => format!("\"{term}\""),
        (Engine::Sqlite, true) => format!("\"{term}\"*"),
        (Engine::Postgres, false) => format!("'{term}'"),
        (Engine::Postgres, true) => format!("'{term}':*"),
        (Engine::MariaDb, false) => format!("+{term}"),
        (Engine::MariaDb, true) => format!("+{term}*"),
    }
}

fn all_of<'a>(engine: Engine, terms: impl Iterator<Item = Term<'a>>) -> String {
    let and = match engine {
        Engine::Sqlite => " AND ",
        Engine::Postgres => " & ",
        Engine::MariaDb => " ",
    };
    terms.map(|term| one(engine, term)).collect::<Vec<_>>().join(and)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_is_asked_for_all_words_in_its_own_language() {
        let words = SearchWords::parse("Red bic").unwrap();
        let asked = |engine| all_of(engine, words.anywhere());
        assert_eq!(asked(Engine::Sqlite), r#""xbred" AND "xbbic"*"#);
        assert_eq!(asked(Engine::Postgres), "'xbred' & 'xbbic':*");
        assert_eq!(asked(Engine::MariaDb), "+xbred +xbbic*");
    }
}
