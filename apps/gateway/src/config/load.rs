//! Reading the settings, with errors that name the key and say what would be right.

use std::path::{Path, PathBuf};

use config::{Config as Sources, Environment, File, FileFormat};
use thiserror::Error;

use super::Config;
use super::production;

const DEFAULTS: &str = include_str!("defaults.toml");

/// Keys that hold lists; in the environment their items are separated by commas.
const LISTS: [&str; 4] =
    ["server.trusted_proxies", "server.cors_origins", "auth.former_public_keys_pem", "auth.sealing_keys"];

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file named on the command line is not there.
    #[error("the configuration file {0} does not exist")]
    NoFile(PathBuf),
    /// A key is unknown, missing, or of the wrong form.
    #[error("the configuration cannot be used: {0}")]
    Invalid(#[from] config::ConfigError),
    /// Production would run with settings that are fit for development only.
    #[error("the production profile refuses to start:\n{}", .0.iter().map(|fault| format!("  - {fault}")).collect::<Vec<_>>().join("\n"))]
    NotForProduction(Vec<String>),
}

/// Reads defaults, then the file if one is given, then the environment.
///
/// # Errors
/// When a key is unknown or wrong, or production would be unsafe; all faults of the latter kind are told at once.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let mut sources = Sources::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = file {
        if !path.exists() {
            return Err(ConfigError::NoFile(path.to_owned()));
        }
        sources = sources.add_source(File::from(path));
    }
    let mut environment = Environment::with_prefix("DGT")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .ignore_empty(true);
    for key in LISTS {
        environment = environment.with_list_parse_key(key);
    }
    let environment = environment.source(Some(ours()));
    let config: Config = sources.add_source(environment).build()?.try_deserialize()?;
    let faults = production::faults(&config);
    if faults.is_empty() { Ok(config) } else { Err(ConfigError::NotForProduction(faults)) }
}

/// The variables that are meant for the gateway: the sandbox and the tests have sections of their own.
fn ours() -> std::collections::HashMap<String, String> {
    let foreign = ["DGT__SANDBOX__", "DGT__DEMO__"];
    std::env::vars()
        .filter(|(name, _)| {
            name.starts_with("DGT__") && !foreign.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect()
}

/// The defaults alone, for tests that set what they need themselves.
///
/// # Errors
/// When the defaults themselves are broken.
#[cfg(test)]
pub(super) fn defaults() -> Result<Config, ConfigError> {
    Ok(Sources::builder()
        .add_source(File::from_str(DEFAULTS, FileFormat::Toml))
        .build()?
        .try_deserialize()?)
}
