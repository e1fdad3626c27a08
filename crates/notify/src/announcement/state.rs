//! How an announcement moves on.

use std::str::FromStr;

use kernel::ParseError;
use serde::{Deserialize, Serialize};

/// How far an announcement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnnouncementStatus {
    /// It is being written.
    Draft,
    /// It waits for its hour.
    Scheduled,
    /// People are being told.
    Sending,
    /// Everybody was told.
    Sent,
    /// Staff ended it before its time.
    Stopped,
    /// Its time is over.
    Expired,
}

/// What happens to an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnnouncementEvent {
    /// It is given its hour.
    Schedule,
    /// It is taken back to be changed.
    Unschedule,
    /// Its hour has come.
    Begin,
    /// The last one was told.
    Finish,
    /// Staff end it.
    Stop,
    /// Its time is over.
    Expire,
}

impl AnnouncementEvent {
    /// Everything that can happen.
    pub const ALL: [Self; 6] =
        [Self::Schedule, Self::Unschedule, Self::Begin, Self::Finish, Self::Stop, Self::Expire];
}

impl AnnouncementStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Scheduled, Self::Sending, Self::Sent, Self::Stopped, Self::Expired];

    /// Where an event leads; `None` where it cannot happen.
    pub fn after(self, event: AnnouncementEvent) -> Option<Self> {
        use AnnouncementEvent as Event;
        match (self, event) {
            (Self::Draft, Event::Schedule) => Some(Self::Scheduled),
            (Self::Scheduled, Event::Unschedule) => Some(Self::Draft),
            // A fan-out that another process takes over begins once more.
            (Self::Scheduled | Self::Sending, Event::Begin) => Some(Self::Sending),
            (Self::Sending, Event::Finish) => Some(Self::Sent),
            (Self::Scheduled | Self::Sending | Self::Sent, Event::Stop) => Some(Self::Stopped),
            (Self::Scheduled | Self::Sending | Self::Sent, Event::Expire) => Some(Self::Expired),
            _ => None,
        }
    }

    /// Whether people are shown it.
    pub fn is_shown(self) -> bool {
        matches!(self, Self::Sending | Self::Sent)
    }

    /// The status as it is written on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
        }
    }
}

impl FromStr for AnnouncementStatus {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            ParseError::new("unknown_status", format!("must be one of {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole machine, one row per state: where each event leads.
    #[test]
    fn an_announcement_moves_as_the_table_says() {
        use AnnouncementStatus as S;
        let table = [
            (S::Draft, [Some(S::Scheduled), None, None, None, None, None]),
            (
                S::Scheduled,
                [None, Some(S::Draft), Some(S::Sending), None, Some(S::Stopped), Some(S::Expired)],
            ),
            (S::Sending, [None, None, Some(S::Sending), Some(S::Sent), Some(S::Stopped), Some(S::Expired)]),
            (S::Sent, [None, None, None, None, Some(S::Stopped), Some(S::Expired)]),
            (S::Stopped, [None; 6]),
            (S::Expired, [None; 6]),
        ];
        assert_eq!(table.len(), S::ALL.len());
        for (status, row) in table {
            for (event, next) in AnnouncementEvent::ALL.into_iter().zip(row) {
                assert_eq!(status.after(event), next, "{status:?} {event:?}");
            }
            assert_eq!(status.as_str().parse::<S>().unwrap(), status);
        }
    }

    #[test]
    fn what_ended_stays_ended() {
        for status in [AnnouncementStatus::Stopped, AnnouncementStatus::Expired] {
            assert!(AnnouncementEvent::ALL.iter().all(|event| status.after(*event).is_none()));
            assert!(!status.is_shown());
        }
    }
}
