//! Reading the settings, with errors that name the key and say what would be right.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use config::{Config as Sources, Environment, File, FileFormat};
use thiserror::Error;

use super::Config;
use super::production;

const DEFAULTS: &str = include_str!("defaults.toml");

/// Keys that hold lists; in the environment their items are separated by commas.
const LISTS: [&str; 6] = [
    "server.trusted_proxies",
    "server.cors_origins",
    "auth.former_public_keys_pem",
    "auth.sealing_keys",
    "notify.sms",
    "notify.mail",
];

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
    read(file, ours())
}

fn read(file: Option<&Path>, variables: HashMap<String, String>) -> Result<Config, ConfigError> {
    let mut sources = Sources::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = file {
        if !path.exists() {
            return Err(ConfigError::NoFile(path.to_owned()));
        }
        sources = sources.add_source(File::from(path));
    }
    for environment in environment(variables) {
        sources = sources.add_source(environment);
    }
    let config: Config = sources.build()?.try_deserialize()?;
    let faults = production::faults(&config);
    if faults.is_empty() { Ok(config) } else { Err(ConfigError::NotForProduction(faults)) }
}

/// The variables as sources: the lists, which are taken apart, and the others, which stay the texts they are until
/// their field reads them. To guess what a text is would make a number of `+919876543210` and lose its plus.
fn environment(variables: HashMap<String, String>) -> [Environment; 2] {
    let is_list = |name: &str| {
        let key = name.to_lowercase().replacen("dgt__", "", 1).replace("__", ".");
        LISTS.contains(&key.as_str())
    };
    let (lists, texts) = variables.into_iter().partition(|(name, _)| is_list(name));
    let source = |variables: HashMap<String, String>| {
        Environment::with_prefix("DGT")
            .prefix_separator("__")
            .separator("__")
            .ignore_empty(true)
            .source(Some(variables))
    };
    let lists =
        LISTS.into_iter().fold(source(lists).try_parsing(true).list_separator(","), |environment, key| {
            environment.with_list_parse_key(key)
        });
    [source(texts), lists]
}

/// The variables that are meant for the gateway: the sandbox and the tests have sections of their own.
fn ours() -> HashMap<String, String> {
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

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn each_variable_is_read_as_its_field_wants_it() {
        let variables = [
            ("DGT__TWILIO__FROM", "+919876543210"),
            ("DGT__TWILIO__AUTH_TOKEN", "00123456789012345678901234567e01"),
            ("DGT__METRICS__TOKEN", "TRUE"),
            ("DGT__SERVER__WORKERS", "3"),
            ("DGT__SERVER__CORS_ORIGINS", "https://a.example,https://b.example"),
            ("DGT__SERVER__TRUSTED_PROXIES", ""),
            ("DGT__RATE_LIMIT__ENABLED", "false"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = read(None, HashMap::from(variables)).unwrap();
        assert_eq!(config.twilio.from.as_deref(), Some("+919876543210"));
        assert_eq!(config.twilio.auth_token.expose_secret(), "00123456789012345678901234567e01");
        assert_eq!(config.metrics.token.unwrap().expose_secret(), "TRUE");
        assert_eq!(config.server.workers, 3);
        assert_eq!(config.server.cors_origins, ["https://a.example", "https://b.example"]);
        assert!(config.server.trusted_proxies.is_empty());
        assert!(!config.rate_limit.enabled);
    }

    #[test]
    fn an_unknown_variable_or_a_wrong_value_is_refused_by_name() {
        for (name, value, told) in [
            ("DGT__SERVER__BINDD", "127.0.0.1:1", "bindd"),
            ("DGT__SERVER__WORKERS", "many", "workers"),
            ("DGT__RATE_LIMIT__ENABLED", "perhaps", "enabled"),
        ] {
            let variables = HashMap::from([(name.to_owned(), value.to_owned())]);
            let error = read(None, variables).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
