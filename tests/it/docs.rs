//! The documents tell the truth: settings, endpoints, tests and links that they name are there, and none is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::sources::{root, sources};

pub(crate) fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The variables of .env.example with their values, unquoted.
fn example_variables() -> BTreeMap<String, String> {
    let is_variable = |line: &&str| line.starts_with("#DGT_");
    let example = text(".env.example");
    let pairs = example.lines().filter(is_variable).map(|line| {
        let (name, value) = line[1..].split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('"').to_owned())
    });
    pairs.collect()
}

/// The variables of a section's keys with their defaults, as the environment would write them.
fn default_variables() -> BTreeMap<String, String> {
    let defaults: toml::Table = text("apps/gateway/src/config/defaults.toml").parse().unwrap();
    let mut variables = BTreeMap::new();
    for (section, value) in defaults {
        match value {
            toml::Value::Table(keys) => {
                for (key, value) in keys {
                    variables.insert(format!("DGT__{section}__{key}").to_uppercase(), written(&value));
                }
            }
            single => drop(variables.insert(format!("DGT__{section}").to_uppercase(), written(&single))),
        }
    }
    variables
}

fn written(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[test]
fn the_example_environment_has_every_setting_with_its_default() {
    let example = example_variables();
    for (name, default) in default_variables() {
        assert_eq!(example.get(&name), Some(&default), "{name} in .env.example");
    }
}

#[test]
fn every_variable_of_the_example_environment_is_read() {
    let mut file = toml::Table::new();
    for (name, value) in example_variables() {
        let path = name.trim_start_matches("DGT__").to_lowercase();
        if path.starts_with("sandbox__") {
            continue;
        }
        // The file refuses unknown keys; lists are written as such there.
        let value = if is_list_key(&path) {
            let items = value.split(',').filter(|item| !item.is_empty());
            toml::Value::Array(items.map(|item| toml::Value::String(item.to_owned())).collect())
        } else {
            toml::Value::String(value)
        };
        match path.split_once("__") {
            None => drop(file.insert(path, value)),
            Some((section, key)) => {
                let table = file.entry(section).or_insert_with(|| toml::Table::new().into());
                table.as_table_mut().unwrap().insert(key.to_owned(), value);
            }
        }
    }
    let path = std::env::temp_dir().join(format!("dgt-example-{}.toml", std::process::id()));
    std::fs::write(&path, file.to_string()).unwrap();
    let read = gateway::config::load(Some(&path)).map(drop);
    std::fs::remove_file(&path).unwrap();
    read.unwrap();
}

fn is_list_key(path: &str) -> bool {
    let defaults: toml::Table = text("apps/gateway/src/config/defaults.toml").parse().unwrap();
    let default = |(section, key)| defaults.get(section)?.get(key);
    path.split_once("__").and_then(default).is_some_and(toml::Value::is_array)
}

#[test]
fn the_example_environment_has_every_setting_of_the_sandbox() {
    let config = text("apps/sandbox/src/config.rs") + &text("apps/sandbox/src/razorpay/config.rs");
    let named = config.split("env = \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let example = example_variables().into_keys().filter(|name| name.starts_with("DGT__SANDBOX__"));
    assert_eq!(named.collect::<BTreeSet<_>>(), example.collect::<BTreeSet<_>>());
}

/// What the generator of docs/api.md makes of a document.
fn rendered(document: &str) -> Output {
    let mut python = Command::new("python3")
        .arg(root().join("tests/docs/api.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    python.wait_with_output().unwrap()
}

#[test]
fn the_api_reference_is_up_to_date() {
    let output = rendered(&gateway::openapi::json().unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let is_current = String::from_utf8(output.stdout).unwrap() == text("docs/api.md");
    assert!(is_current, "docs/api.md is out of date: run `make docs`");
}

#[test]
fn an_operation_without_an_example_is_refused() {
    let document = |field: &str| {
        format!(
            r#"{{"paths": {{"/x": {{"get": {{"responses": {{"200": {{"description": "", "content": {{"application/json":
            {{"schema": {{"type": "object", "required": ["name"], "properties": {{"name": {field}}}}}}}}}}}}}}}}}}},
            "components": {{"schemas": {{"Problem": {{"example": {{}}}}}}}}}}"#
        )
    };
    assert!(rendered(&document(r#"{"type": "string", "example": "Asha"}"#)).status.success());
    let refused = rendered(&document(r#"{"type": "string"}"#));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("GET /x 200.name"));
}

/// What stands between backticks.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Method and path of every operation.
fn operations() -> BTreeSet<String> {
    let document: serde_json::Value = serde_json::from_str(&gateway::openapi::json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let is_method = |name: &&String| ["get", "post", "put", "patch", "delete"].contains(&name.as_str());
    let each = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .keys()
            .filter(is_method)
            .map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    each.collect()
}

#[test]
fn the_feature_list_names_exactly_the_operations_that_run() {
    let features = text("docs/features.md");
    let is_operation = |name: &&str| {
        name.split_once(" /").is_some_and(|(method, _)| method.chars().all(|c| c.is_ascii_uppercase()))
    };
    let listed: BTreeSet<String> = quoted(&features).filter(is_operation).map(str::to_owned).collect();
    let run = operations();
    assert_eq!(run.difference(&listed).collect::<Vec<_>>(), [""; 0], "missing in docs/features.md");
    assert_eq!(listed.difference(&run).collect::<Vec<_>>(), [""; 0], "in docs/features.md, but not running");
}

#[test]
fn every_metric_is_in_the_operations_guide() {
    let mut counted = BTreeSet::new();
    for (path, text) in sources().iter().filter(|(path, _)| !path.starts_with(root().join("tests"))) {
        for macro_name in ["counter!(", "gauge!(", "histogram!("] {
            for call in text.split(&format!("metrics::{macro_name}")).skip(1) {
                let name = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
                counted.insert(
                    name.unwrap_or_else(|| panic!("{}: a metric without a plain name", path.display()))
                        .to_owned(),
                );
            }
        }
    }
    let guide = text("docs/operations.md");
    let listed: BTreeSet<_> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.ends_with("_total") || name.ends_with("_seconds") || name.ends_with("_dead"))
        .map(str::to_owned)
        .collect();
    assert_eq!(counted, listed);
}

#[test]
fn every_link_in_the_documents_leads_to_a_file() {
    let folder = root().join("docs");
    let mut documents: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.extend([root().join("README.md"), root().join("CONTRIBUTING.md")]);
    for path in documents.iter().filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let document = std::fs::read_to_string(path).unwrap();
        let targets = document.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            let leads_to: &Path = &path.parent().unwrap().join(target);
            assert!(leads_to.exists(), "{}: {target}", path.display());
        }
    }
}

/// What looks like a socket event: two words with a colon between them.
fn event_names(text: &str) -> BTreeSet<String> {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split('"')
        .filter(|quoted| quoted.split_once(':').is_some_and(|(thing, what)| is_word(thing) && is_word(what)))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_socket_event_is_described_and_nothing_else_is() {
    let folder = root().join("crates/marketplace/src/telling");
    let lobby = root().join("apps/gateway/src/realtime/lobby.rs");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).chain([lobby]);
    let without_tests =
        |path| std::fs::read_to_string(path).unwrap().split("#[cfg(test)]").next().unwrap().to_owned();
    let told = event_names(&files.map(without_tests).collect::<String>());
    assert!(told.len() > 15, "{told:?}");
    assert_eq!(told, event_names(&text("docs/asyncapi.yaml")));
}
