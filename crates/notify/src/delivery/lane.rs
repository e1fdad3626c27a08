//! By which lane a message goes out, so that none waits behind those of another: what hangs at one provider holds up that
//! provider's alone, and nothing critical stands in line with news.

use crate::{Channel, Kind};

/// A lane: one way, for what is critical or for the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Push messages.
    Push,
    /// Text messages.
    Sms,
    /// Mail.
    Mail,
    /// Push messages that are critical.
    CriticalPush,
    /// Text messages that are critical.
    CriticalSms,
    /// Mail that is critical.
    CriticalMail,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 6] =
        [Self::Push, Self::Sms, Self::Mail, Self::CriticalPush, Self::CriticalSms, Self::CriticalMail];

    /// The lane of a message.
    pub fn of(kind: Kind, channel: Channel) -> Self {
        match (channel, kind.is_critical()) {
            // What stands in an inbox was written there with its event: no message goes that way.
            (Channel::InApp | Channel::Push, false) => Self::Push,
            (Channel::InApp | Channel::Push, true) => Self::CriticalPush,
            (Channel::Sms, false) => Self::Sms,
            (Channel::Sms, true) => Self::CriticalSms,
            (Channel::Email, false) => Self::Mail,
            (Channel::Email, true) => Self::CriticalMail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_critical_stands_in_no_line_with_news_and_no_way_in_that_of_another() {
        let ways = [Channel::Push, Channel::Sms, Channel::Email];
        let lanes = [Kind::WalletBonus, Kind::AccountBlocked].map(|kind| ways.map(|way| Lane::of(kind, way)));
        assert_eq!(lanes.concat(), Lane::ALL);
    }
}
