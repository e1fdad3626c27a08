//! What the documents promise is held by tests: those that they name exist, and no invariant goes without one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::docs::{quoted, text};
use crate::sources::{root, sources};

/// Test names as documents write them, `package::test_name`.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    quoted(text).filter_map(|name| name.split_once("::")).collect()
}

/// The documents' invariants, each with the text up to the next one or the end of its paragraph.
fn invariants(document: &str) -> Vec<String> {
    let paragraphs = document.split("\n\n");
    let marked = paragraphs
        .flat_map(|paragraph| paragraph.split("Invariant:").skip(1).map(str::to_owned).collect::<Vec<_>>());
    marked.collect()
}

/// The folder of a package.
fn folder(package: &str) -> PathBuf {
    let at = match package {
        "acceptance" => "tests".to_owned(),
        "migrations" => "migrations".to_owned(),
        "gateway" | "sandbox" => format!("apps/{package}"),
        library => format!("crates/{library}"),
    };
    root().join(at)
}

#[test]
fn every_test_that_the_documents_name_exists() {
    let sources = sources();
    let exists = |package: &str, test: &str| {
        let (inside, function) = (folder(package), format!("fn {test}("));
        sources.iter().any(|(path, text)| path.starts_with(&inside) && text.contains(&function))
    };
    let documents =
        ["architecture", "notifications", "realtime"].map(|name| text(&format!("docs/{name}.md")));
    let invariants: Vec<_> = documents.iter().flat_map(|document| invariants(document)).collect();
    assert!(invariants.len() > 10, "the invariants were not found");
    for invariant in &invariants {
        assert!(!named_tests(invariant).is_empty(), "no test is named for:{invariant}");
    }
    let (features, money) = (text("docs/features.md"), text("docs/money.md"));
    let rows = features.lines().chain(money.lines()).filter(|line| line.starts_with("| "));
    let named =
        invariants.iter().flat_map(|invariant| named_tests(invariant)).chain(rows.flat_map(named_tests));
    let missing: Vec<_> = named.filter(|(package, test)| !exists(package, test)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:?}");
}

/// How many invariants of money there are.
const INVARIANTS_OF_MONEY: u32 = 30;

#[test]
fn every_invariant_of_money_is_held_by_a_test_or_has_nothing_to_hold_yet() {
    let money = text("docs/money.md");
    let (_, section) = money.split_once("## Which test holds what").unwrap();
    let (table, rest) = section.split_once("Nothing to hold yet").unwrap();
    let mut told = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")) {
        let Some(number) = row[2..].split(' ').next().and_then(|number| number.parse::<u32>().ok()) else {
            continue;
        };
        assert!(!named_tests(row).is_empty(), "no test is named for invariant {number}");
        assert!(told.insert(number), "invariant {number} stands there twice");
    }
    let numbers = rest.split('(').skip(1).filter_map(|rest| rest.split(')').next()?.parse::<u32>().ok());
    told.extend(numbers);
    assert_eq!(told, (1..=INVARIANTS_OF_MONEY).collect());
}

/// The tables whose rows are never changed, as the migrations make them.
fn append_only_tables() -> BTreeSet<String> {
    let migrations = sources();
    let migrations = migrations.iter().filter(|(path, _)| path.starts_with(root().join("migrations/src")));
    let mut tables = BTreeSet::from(["audit_log".to_owned()]);
    for (_, text) in migrations {
        let named = text.split("Step::AppendOnly(\"").skip(1).filter_map(|rest| rest.split('"').next());
        tables.extend(named.map(str::to_owned));
    }
    tables
}

#[test]
fn the_grants_close_every_table_of_history() {
    let history = append_only_tables();
    assert!(history.len() > 5, "the tables of history were not found");
    let is_name = |word: &str| word == "audit_log" || word.starts_with("ledger_");
    for file in
        ["migrations/grants/postgres.sql", "migrations/grants/mariadb.sql", "tests/system/acceptance.sh"]
    {
        let words = text(file);
        let words = words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let closed: BTreeSet<_> = words.filter(|word| is_name(word)).map(str::to_owned).collect();
        assert_eq!(closed, history, "{file}");
    }
}
