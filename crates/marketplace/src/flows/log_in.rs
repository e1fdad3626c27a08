//! A login that brings the device's token along: push messages reach it from then on.

use identity::{LoggedIn, VerifyOtp};
use notify::{Platform, PushTarget};

use crate::{FlowError, Marketplace};

impl Marketplace {
    /// Logs in with a code and registers the device, if there is one. The code is used up by then, so a device that
    /// cannot be registered does not undo the login: the app registers it again at its next start.
    ///
    /// # Errors
    /// Identity's own.
    pub async fn log_in(
        &self,
        login: &VerifyOtp,
        device: Option<&(Platform, PushTarget)>,
    ) -> Result<LoggedIn, FlowError> {
        let logged_in = self.identity.verify_otp(login).await?;
        if let Some((platform, target)) = device
            && let Err(error) =
                self.notify.register_device((logged_in.user.id, logged_in.session), *platform, target).await
        {
            tracing::warn!(user = %logged_in.user.id, %error, "a device could not be registered at its login");
        }
        Ok(logged_in)
    }
}
