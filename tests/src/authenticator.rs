//! An authenticator app (RFC 6238), and the file in which one is kept from one story to the next.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use kernel::Ambient;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use totp_rs::{Builder, Secret, Totp};

/// Seconds for which one code stands.
const STEP: u64 = 30;

/// An authenticator app with one account in it.
#[derive(Debug, Clone)]
pub struct Authenticator {
    totp: Totp,
    /// The time step whose code was given last; a code counts once.
    used: u64,
}

impl Authenticator {
    /// Scans the secret that enrolment shows, in base 32.
    ///
    /// # Errors
    /// When it is no secret.
    pub fn scan(base32: &str) -> anyhow::Result<Self> {
        let secret = Secret::try_from_base32(base32)
            .map_err(|error| anyhow!("the authenticator's secret cannot be read: {error}"))?;
        let totp = Builder::new().with_secret(secret.as_bytes().to_vec()).build();
        let totp = totp.map_err(|error| anyhow!("the authenticator cannot take the secret: {error}"))?;
        Ok(Self { totp, used: 0 })
    }

    /// A code that was not given before. Waits for the next one where the present one was, up to 30 seconds.
    ///
    /// # Errors
    /// When the clock is before 1970.
    pub async fn code(&mut self, ambient: &Ambient) -> anyhow::Result<SecretString> {
        let mut now = seconds(ambient)?;
        if now / STEP <= self.used {
            let next = (self.used + 1) * STEP;
            // A second more, so that a clock slightly behind ours takes it as well.
            tokio::time::sleep(Duration::from_secs(next.saturating_sub(now) + 1)).await;
            now = seconds(ambient)?;
        }
        self.used = now / STEP;
        Ok(SecretString::from(self.totp.generate(now).to_string()))
    }

    /// Seconds until [`code`](Self::code) has one to give; 0 when it has.
    pub fn wait(&self, ambient: &Ambient) -> u64 {
        let now = seconds(ambient).unwrap_or(0);
        if now / STEP > self.used { 0 } else { ((self.used + 1) * STEP).saturating_sub(now) }
    }
}

fn seconds(ambient: &Ambient) -> anyhow::Result<u64> {
    u64::try_from(ambient.now().timestamp()).context("the clock is before 1970")
}

/// Authenticators by the id of the person they belong to, in a file that only its owner can read.
#[derive(Debug)]
pub struct Drawer {
    path: PathBuf,
    kept: BTreeMap<String, Kept>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    secret: String,
    used_step: u64,
}

impl Drawer {
    /// Opens the file; one that is not there yet is empty.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let kept = match fs::read(path) {
            Ok(text) => serde_json::from_slice(&text)
                .with_context(|| format!("{} cannot be understood", path.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        Ok(Self { path: path.to_owned(), kept })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes out somebody's authenticator.
    ///
    /// # Errors
    /// When what was kept is no authenticator.
    pub fn take(&self, person: &str) -> anyhow::Result<Option<Authenticator>> {
        let Some(kept) = self.kept.get(person) else { return Ok(None) };
        let authenticator = Authenticator::scan(&kept.secret)?;
        Ok(Some(Authenticator { used: kept.used_step, ..authenticator }))
    }

    /// Puts it back.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep(&mut self, person: &str, authenticator: &Authenticator) -> anyhow::Result<()> {
        let secret = authenticator.totp.secret().to_base32();
        self.kept.insert(person.to_owned(), Kept { secret, used_step: authenticator.used });
        let whole = || format!("{} cannot be written", self.path.display());
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(whole)?;
        }
        // Beside it first, so that a crash leaves the old one or the new one.
        let draft = self.path.with_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .with_context(whole)?;
        file.write_all(&serde_json::to_vec_pretty(&self.kept)?).with_context(whole)?;
        fs::rename(&draft, &self.path).with_context(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;
    use testkit::{FakeClock, ambient};

    use super::*;

    /// "12345678901234567890" in base 32, the secret of RFC 6238's appendix B.
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[tokio::test]
    async fn the_codes_are_those_of_the_standard() {
        let ambient = ambient(&FakeClock::at("2005-03-18T01:58:29Z"));
        let code = Authenticator::scan(SECRET).unwrap().code(&ambient).await.unwrap();
        // Its eight digits are 07081804.
        assert_eq!(code.expose_secret(), "081804");
    }

    #[test]
    fn an_authenticator_is_kept_for_its_person_alone() {
        let path = std::env::temp_dir().join(format!("dgt-drawer-{}.json", Ambient::system().new_uuid()));
        let mut drawer = Drawer::open(&path).unwrap();
        let used = Authenticator { used: 7, ..Authenticator::scan(SECRET).unwrap() };
        drawer.keep("one", &used).unwrap();
        let again = Drawer::open(&path).unwrap();
        assert_eq!(again.take("one").unwrap().unwrap().used, 7);
        assert!(again.take("another").unwrap().is_none());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(&path).unwrap();
    }
}
