//! The gateway is killed, again and again, wherever it happens to be.

use std::time::{Duration, Instant};

use super::{Gateway, Place, deadlines};
use crate::dice::Dice;

/// Kills the gateway each time it has served for one to three seconds, and now and then while it starts, until the
/// moment has come; leaves it running. Gives the number of kills.
///
/// # Errors
/// When the gateway ends by itself, or does not come back.
pub async fn disturb(
    gateway: &mut Gateway,
    place: &Place,
    dice: &mut Dice,
    until: Instant,
) -> anyhow::Result<u32> {
    let mut kills = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(1_000 + dice.below(2_001))).await;
        if Instant::now() >= until {
            return Ok(kills);
        }
        gateway.kill().await?;
        kills += 1;
        while dice.below(8) == 0 {
            gateway.launch(None)?;
            tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
            gateway.kill().await?;
            kills += 1;
        }
        deadlines::leases_run_out(place).await?;
        gateway.start(None).await?;
    }
}
