//! Rules that no compiler knows, over the sources themselves.

use std::path::{Path, PathBuf};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below `apps`, `crates`, `migrations` and `tests`, with its text.
pub(crate) fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open: Vec<_> = ["apps", "crates", "migrations", "tests"].map(|name| root().join(name)).into();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                open.push(path);
            } else if name.ends_with(".rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn is_test(path: &Path) -> bool {
    path.components()
        .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "it" | "benches" | "testkit")))
        || path.file_name().is_some_and(|name| name == "tests.rs")
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} does not begin with //!", path.display());
    }
}

#[test]
fn only_one_place_turns_errors_into_answers() {
    let places: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| {
            path.starts_with(root().join("apps/gateway")) && text.contains("impl ResponseError for")
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(places, [root().join("apps/gateway/src/http/error.rs")]);
}

#[test]
fn lints_are_expected_with_a_reason_and_never_allowed() {
    for (path, text) in sources() {
        let allowed =
            text.lines().filter(|line| !is_test(&path) && line.trim_start().starts_with("#[allow("));
        assert_eq!(allowed.count(), 0, "{} allows a lint", path.display());
    }
}

#[test]
fn no_test_is_skipped_or_tried_again() {
    let this_file = Path::new(file!()).file_name().unwrap();
    for (path, text) in sources().into_iter().filter(|(path, _)| path.file_name() != Some(this_file)) {
        for forbidden in ["#[ignore", "#[serial", "#[should_panic"] {
            assert!(!text.contains(forbidden), "{} has {forbidden}]", path.display());
        }
    }
}

#[test]
fn money_is_never_a_float_or_a_decimal() {
    for (path, text) in sources().into_iter().filter(|(path, _)| !is_test(path)) {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let names_money = ["price", "amount", "paise", "balance"].iter().any(|word| line.contains(word));
            let is_inexact = line.contains("f64") || line.contains("f32") || line.contains("Decimal");
            assert!(!(names_money && is_inexact), "{}: {line}", path.display());
        }
    }
}

#[test]
fn entities_never_reach_the_wire() {
    for (path, text) in
        sources().into_iter().filter(|(path, _)| path.components().any(|part| part.as_os_str() == "entity"))
    {
        assert!(
            !text.contains("Deserialize") && !text.contains("ToSchema"),
            "{} can be read from a client",
            path.display()
        );
    }
}
