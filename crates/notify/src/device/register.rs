//! Registering, listing and removing devices.

use kernel::{DeviceId, SessionId, TypedId, UserId};
use sea_orm::DatabaseTransaction;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::{DeviceView, Platform, PushTarget, rows};
use crate::{Notify, NotifyError};

impl Notify {
    /// Registers a device for the login that it is used through, or notes that it is still there. Somebody else's becomes
    /// this person's; who has too many loses the one that was not seen for longest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn register_device(
        &self,
        (user, session): (UserId, SessionId),
        platform: Platform,
        target: &PushTarget,
    ) -> Result<DeviceView, NotifyError> {
        self.db
            .in_txn(async |txn| self.register_device_in_txn(txn, (user, session), platform, target).await)
            .await
    }

    async fn register_device_in_txn(
        &self,
        txn: &DatabaseTransaction,
        (user, session): (UserId, SessionId),
        platform: Platform,
        target: &PushTarget,
    ) -> Result<DeviceView, NotifyError> {
        let now = self.ambient.now();
        let hash = digest(target);
        let fresh: DeviceId = self.ambient.new_id();
        let sealed = self.config.sealing.seal(
            &self.ambient,
            &rows::place(fresh),
            target.value.expose_secret().as_bytes(),
        )?;
        let new = rows::NewDevice {
            id: fresh,
            user,
            session,
            kind: target.kind,
            platform,
            hash: &hash,
            sealed,
            now,
        };
        if !rows::insert(txn, &new).await? {
            rows::take_over(txn, &new).await?;
        }
        let mut devices = rows::of_user(txn, user).await?;
        let keep = usize::try_from(self.config.devices_per_user).unwrap_or(usize::MAX).max(1);
        for device in devices.iter().skip(keep) {
            rows::remove(txn, device.id).await?;
        }
        devices.truncate(keep);
        let device = rows::by_hash(txn, &hash).await?;
        device.ok_or(NotifyError::DeviceNotFound)
    }

    /// Somebody's devices, the one seen last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn devices(&self, user: UserId) -> Result<Vec<DeviceView>, NotifyError> {
        Ok(rows::of_user(self.db.reader()?, user).await?)
    }

    /// What somebody's devices are reached by, the one seen last first.
    ///
    /// # Errors
    /// [`NotifyError::Sealing`] when a token cannot be opened, or when the database fails.
    pub async fn push_targets(&self, user: UserId) -> Result<Vec<PushTarget>, NotifyError> {
        let reader = self.db.reader()?;
        let mut targets = Vec::new();
        for device in rows::of_user(reader, user).await? {
            if let Some(found) = rows::find(reader, device.id, user).await? {
                let value = self.config.sealing.open_text(&rows::place(device.id), &found.token)?;
                targets.push(PushTarget { kind: found.kind, value });
            }
        }
        Ok(targets)
    }

    /// Removes a device.
    ///
    /// # Errors
    /// [`NotifyError::DeviceNotFound`], also when it is somebody else's.
    pub async fn delete_device(&self, user: UserId, device: DeviceId) -> Result<(), NotifyError> {
        let sql = "DELETE FROM push_devices WHERE id = ? AND user_id = ?";
        match self.write_one(sql, vec![device.uuid().into(), user.uuid().into()]).await? {
            0 => Err(NotifyError::DeviceNotFound),
            _ => Ok(()),
        }
    }

    /// Removes the devices of a login that has ended, in the caller's transaction; gives how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_devices_of_session_in_txn(
        &self,
        txn: &DatabaseTransaction,
        session: SessionId,
    ) -> Result<u64, NotifyError> {
        Ok(rows::remove_of_session(txn, session).await?)
    }
}

/// What finds a token again. Tokens have more randomness than anybody can search.
fn digest(target: &PushTarget) -> String {
    let mut hasher = Sha256::new();
    hasher.update(target.kind.as_str());
    hasher.update(":");
    hasher.update(target.value.expose_secret());
    hex::encode(hasher.finalize())
}
