//! The arrows of the house point down, and only down: checked over `cargo metadata`, dev-dependencies included.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// Domains: each knows the kernel, the store and the guard of calls to the outside, and no other domain.
const DOMAINS: [&str; 7] = ["identity", "catalog", "ledger", "payments", "moderation", "notify", "platform"];

/// What a domain's tests may use beside: the databases, and the stand-in of the providers its clients talk to.
const TEST_TOOLS: [&str; 2] = ["testkit", "sandbox"];

static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(vec![
            "--locked".into(),
            "--offline".into(),
            "--filter-platform=x86_64-unknown-linux-gnu".into(),
        ])
        .exec()
        .unwrap()
});

/// Our packages by name, with the names of what each depends on directly, by kind.
fn direct() -> BTreeMap<String, Vec<(String, DependencyKind)>> {
    let ours = METADATA.workspace_packages();
    ours.iter()
        .map(|package| {
            let needs = package
                .dependencies
                .iter()
                .map(|dependency| (dependency.name.clone(), dependency.kind))
                .collect();
            (package.name.to_string(), needs)
        })
        .collect()
}

/// Everything that a package of ours is built from, by name; test tools left out.
fn built_from(name: &str) -> BTreeSet<String> {
    let resolve = METADATA.resolve.as_ref().unwrap();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let root =
        METADATA.workspace_packages().into_iter().find(|package| package.name == name).unwrap().id.clone();
    let mut seen: BTreeSet<PackageId> = BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        for dependency in &nodes[&id].deps {
            let is_built = dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
            if is_built && seen.insert(dependency.pkg.clone()) {
                open.push(dependency.pkg.clone());
            }
        }
    }
    seen.iter().map(|id| METADATA[id].name.to_string()).collect()
}

#[test]
fn a_domain_depends_on_kernel_store_and_outbound_alone() {
    let direct = direct();
    let ours: BTreeSet<_> = direct.keys().cloned().collect();
    for domain in DOMAINS.iter().filter(|domain| ours.contains(**domain)) {
        for (dependency, kind) in &direct[*domain] {
            let is_tool = *kind == DependencyKind::Development && TEST_TOOLS.contains(&dependency.as_str());
            let is_below = matches!(dependency.as_str(), "kernel" | "store" | "outbound");
            assert!(!ours.contains(dependency) || is_below || is_tool, "{domain} depends on {dependency}");
        }
    }
}

#[test]
fn the_arrows_point_down() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("kernel", &[][..]),
        ("store", &["kernel"]),
        ("outbound", &["kernel"]),
        ("migrations", &["store"]),
        ("testkit", &["kernel", "store", "migrations"]),
    ]);
    let direct = direct();
    let ours: BTreeSet<_> = direct.keys().cloned().collect();
    for (package, below) in allowed {
        for (dependency, kind) in &direct[package] {
            if ours.contains(dependency) && *kind != DependencyKind::Development {
                assert!(below.contains(&dependency.as_str()), "{package} depends on {dependency}");
            }
        }
    }
    for (package, dependencies) in &direct {
        for (dependency, kind) in dependencies {
            let is_test_only = dependency == "testkit";
            assert!(
                !is_test_only || *kind == DependencyKind::Development,
                "{package} is built from {dependency}"
            );
        }
    }
}

#[test]
fn only_gateway_realtime_and_sandbox_know_actix() {
    for package in direct()
        .keys()
        .filter(|name| !["gateway", "realtime", "sandbox", "acceptance"].contains(&name.as_str()))
    {
        let actix: Vec<_> =
            built_from(package).into_iter().filter(|name| name.starts_with("actix")).collect();
        assert!(actix.is_empty(), "{package} is built from {actix:?}");
    }
}

#[test]
fn only_the_crates_with_providers_send_http_requests() {
    for (package, dependencies) in direct() {
        let sends =
            dependencies.iter().any(|(name, kind)| name == "reqwest" && *kind == DependencyKind::Normal);
        let may = ["outbound", "notify", "payments", "identity", "sandbox", "acceptance"];
        let may = may.contains(&package.as_str());
        assert!(!sends || may, "{package} depends on reqwest");
    }
}

#[test]
fn there_is_one_tls_and_one_crypto_provider() {
    let names: Vec<_> = METADATA.packages.iter().map(|package| package.name.to_string()).collect();
    for forbidden in ["openssl", "openssl-sys", "native-tls", "rsa", "actix-governor"] {
        assert!(!names.iter().any(|name| name == forbidden), "{forbidden} is in the tree");
    }
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--workspace", "--locked", "--offline", "--edges", "normal,build", "--prefix", "none"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("aws-lc-rs v"), "the tree was not printed");
    assert!(!tree.lines().any(|line| line.starts_with("ring v")), "ring is built beside aws-lc-rs");
    for single in ["rustls", "aws-lc-rs", "sqlx-core", "reqwest", "sea-orm"] {
        assert_eq!(
            names.iter().filter(|name| *name == single).count(),
            1,
            "{single} is in the tree more than once"
        );
    }
}

#[test]
fn every_licence_is_permissive() {
    for package in &METADATA.packages {
        let licence = package.license.as_deref().unwrap_or_default();
        // One of the alternatives must be free of copyleft.
        let is_permissive = licence
            .split(" OR ")
            .any(|one| !one.contains("GPL") && !one.contains("SSPL") && !one.contains("BUSL"));
        assert!(
            is_permissive && (!licence.is_empty() || package.license_file.is_some()),
            "{}: {licence}",
            package.name
        );
    }
}

#[test]
fn every_package_keeps_the_house_lints_and_versions() {
    for package in METADATA.workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        let keeps = manifest.contains("[lints]\nworkspace = true");
        assert!(keeps || package.name == "testkit", "{} has lints of its own", package.name);
        let versions: Vec<_> = manifest
            .lines()
            .skip_while(|line| !line.starts_with("[dependencies]"))
            .take_while(|line| !line.starts_with("[["))
            .filter(|line| line.contains("version =") || line.contains("= \""))
            .collect();
        assert!(
            versions.is_empty(),
            "{} names versions: {versions:?}; they belong into the root manifest",
            package.name
        );
    }
}
