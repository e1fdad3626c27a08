//! Running the place: settings, typed in code, changed by staff, recorded.
//!
//! A setting is a constant of [`settings`]: its key, type, default, bounds and description stand in the code, and the
//! database keeps only what staff changed. A value that was stored and no longer fits falls back to the default.
//!
//! Invariants:
//! - What is read is always of the setting's type and within its bounds.
//! - A change, its history row, its audit record and its event commit together, and versions have no gaps.
//! - A change is seen by this process at once, and by the others within [`Settings::SEEN_WITHIN`].
//!
//! ```no_run
//! # async fn example(db: store::Database, ambient: kernel::Ambient) {
//! use platform::{Settings, settings};
//!
//! let all = Settings::new(db, ambient);
//! let days: i64 = all.get(&settings::LISTING_EXPIRY_DAYS).await;
//! # }
//! ```

mod error;
mod setting;

pub use error::PlatformError;
pub use setting::settings;
pub use setting::{
    Category, Definition, Rule, Setting, SettingChangeView, SettingValue, SettingView, Settings,
};
