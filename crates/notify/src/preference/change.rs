//! Choosing.

use kernel::{TypedId, UserId};

use super::{Choices, KindPreference, KindWays, NewChoices, Preference, PreferencesView, rows};
use crate::{Category, Channel, Kind, Notify, NotifyError, clock};

impl Notify {
    /// Everything that somebody may choose, and what holds now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn preferences(&self, user: UserId) -> Result<PreferencesView, NotifyError> {
        Ok(view(&rows::load(self.db.reader()?, user).await?))
    }

    /// Keeps what somebody chose.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn choose(&self, user: UserId, new: &NewChoices) -> Result<PreferencesView, NotifyError> {
        let now = self.ambient.now();
        // Rows are locked in one order, whoever chooses.
        let NewChoices { mut preferences, mut kinds, quiet_hours } = new.clone();
        preferences.sort_by_key(|choice| (choice.category, choice.channel));
        kinds.sort_by_key(|choice| (choice.kind, choice.channel));
        self.db
            .in_txn(async |txn| {
                for choice in &preferences {
                    rows::set(txn, user, *choice, now).await?;
                }
                for choice in &kinds {
                    rows::set_kind(txn, user, *choice, now).await?;
                }
                if let Some(hours) = quiet_hours {
                    rows::set_quiet_hours(txn, user, hours, now).await?;
                }
                Ok::<_, NotifyError>(())
            })
            .await?;
        self.preferences(user).await
    }

    /// Where somebody unsubscribes from a category's mails with one click (RFC 8058).
    pub fn unsubscribe_link(&self, user: UserId, category: Category) -> url::Url {
        let token = super::unsubscribe::token(&self.config.cursors, user, category);
        let mut link = self.config.unsubscribe_url.clone();
        link.query_pairs_mut().append_pair("token", &token);
        link
    }

    /// Does what the link's token says: no more mails of its category, those of a kind that was switched on alone among
    /// them. Gives the category. It may be repeated.
    ///
    /// # Errors
    /// [`NotifyError::BadUnsubscribeToken`] when the token was not made here.
    pub async fn unsubscribe(&self, token: &str) -> Result<Category, NotifyError> {
        let (user, category) = super::unsubscribe::read(&self.config.cursors, token)?;
        let now = self.ambient.now();
        let choice = Preference { category, channel: Channel::Email, enabled: false };
        self.db
            .in_txn(async |txn| {
                rows::set(txn, user, choice, now).await?;
                let choices = rows::load(txn, user).await?;
                let opened = choices.kinds.into_iter().filter(|one| {
                    one.kind.category() == category
                        && one.channel == Channel::Email
                        && one.enabled == Some(true)
                });
                for one in opened {
                    rows::set_kind(txn, user, KindPreference { enabled: None, ..one }, now).await?;
                }
                Ok::<_, NotifyError>(())
            })
            .await?;
        tracing::info!(user = %user.uuid(), category = category.as_str(), "unsubscribed by a mail's link");
        Ok(category)
    }
}

fn view(choices: &Choices) -> PreferencesView {
    let mut preferences = Vec::new();
    for category in Category::ALL {
        for channel in Channel::ALL {
            let chosen = choices.chosen(category, channel);
            let enabled = chosen.unwrap_or_else(|| category.is_on_by_default(channel));
            preferences.push(Preference { category, channel, enabled });
        }
    }
    let is_locked =
        |category: &Category| Kind::all().filter(|kind| kind.category() == *category).all(Kind::is_critical);
    let ways = |kind: Kind| KindWays {
        kind,
        category: kind.category(),
        critical: kind.is_critical(),
        channels: Channel::ALL.into_iter().filter(|channel| choices.lets(kind, *channel)).collect(),
    };
    let mut kinds = choices.kinds.clone();
    kinds.sort_by_key(|choice| (choice.kind, choice.channel));
    PreferencesView {
        preferences,
        kinds,
        follows: Kind::all().map(ways).collect(),
        locked: Category::ALL.into_iter().filter(is_locked).collect(),
        quiet_hours: choices.quiet_hours,
        time_zone: clock::ZONE,
    }
}
