//! By which lane a message goes out, so that none waits behind those of another: what hangs at one provider holds up that
//! provider's alone, and nothing critical stands in line with news.

use crate::{Channel, Kind};

/// A lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What is critical, by whatever way.
    Critical,
    /// Push messages.
    Push,
    /// Text messages.
    Sms,
    /// Mail.
    Mail,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 4] = [Self::Critical, Self::Push, Self::Sms, Self::Mail];

    /// The lane of a message.
    pub fn of(kind: Kind, channel: Channel) -> Self {
        match channel {
            _ if kind.is_critical() => Self::Critical,
            // Nothing is sent to an inbox; whatever said so would be quick.
            Channel::InApp | Channel::Push => Self::Push,
            Channel::Sms => Self::Sms,
            Channel::Email => Self::Mail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_critical_stands_in_no_line_with_news() {
        assert_eq!(Lane::of(Kind::AccountBlocked, Channel::Sms), Lane::Critical);
        assert_eq!(Lane::of(Kind::AccountBlocked, Channel::Email), Lane::Critical);
        let lanes = [Channel::Push, Channel::Sms, Channel::Email].map(|way| Lane::of(Kind::WalletBonus, way));
        assert_eq!(lanes, [Lane::Push, Lane::Sms, Lane::Mail]);
    }
}
