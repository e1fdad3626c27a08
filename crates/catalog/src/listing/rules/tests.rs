//! The whole table of the state machine, and what it means for the moments of a listing.

use proptest::prelude::*;

use super::ListingStatus::{Active, Deleted, Draft, Expired, Paused, Pending, Rejected, Sold};
use super::*;

const SUBMIT: Action = Action::Submit { auto_approve: false };
const SUBMIT_AUTO: Action = Action::Submit { auto_approve: true };
const TOUCH: Action = Action::Edit { material: false, auto_approve: false };
const TOUCH_AUTO: Action = Action::Edit { material: false, auto_approve: true };
const REWRITE: Action = Action::Edit { material: true, auto_approve: false };
const REWRITE_AUTO: Action = Action::Edit { material: true, auto_approve: true };
const RESUME: Action = Action::Resume { overdue: false };
const RESUME_LATE: Action = Action::Resume { overdue: true };
const RENEW: Action = Action::Renew { due_soon: true };
const RENEW_EARLY: Action = Action::Renew { due_soon: false };

type Row = (Action, &'static [Who], [Result<ListingStatus, &'static str>; 8]);

/// Each action, who may do it, and what it leads to from DRAFT, PENDING, ACTIVE, PAUSED, EXPIRED, SOLD, REJECTED and
/// DELETED.
const TABLE: &[Row] = &[
    (
        SUBMIT,
        &[Who::Owner],
        [Ok(Pending), NO_SUBMIT, NO_SUBMIT, NO_SUBMIT, NO_SUBMIT, NO_SUBMIT, Ok(Pending), GONE],
    ),
    (
        SUBMIT_AUTO,
        &[Who::Owner],
        [Ok(Active), NO_SUBMIT, NO_SUBMIT, NO_SUBMIT, NO_SUBMIT, NO_SUBMIT, Ok(Active), GONE],
    ),
    (
        Action::Approve,
        &[Who::Reviewer],
        [NO_REVIEW, Ok(Active), NO_REVIEW, NO_REVIEW, NO_REVIEW, NO_REVIEW, NO_REVIEW, GONE],
    ),
    (
        Action::Reject,
        &[Who::Reviewer],
        [NO_REVIEW, Ok(Rejected), NO_REVIEW, NO_REVIEW, NO_REVIEW, NO_REVIEW, NO_REVIEW, GONE],
    ),
    (
        TOUCH,
        &[Who::Owner],
        [Ok(Draft), Ok(Pending), Ok(Active), Ok(Paused), Ok(Expired), CLOSED, Ok(Rejected), GONE],
    ),
    (
        TOUCH_AUTO,
        &[Who::Owner],
        [Ok(Draft), Ok(Pending), Ok(Active), Ok(Paused), Ok(Expired), CLOSED, Ok(Rejected), GONE],
    ),
    (
        REWRITE,
        &[Who::Owner],
        [Ok(Draft), Ok(Pending), Ok(Pending), Ok(Pending), Ok(Pending), CLOSED, Ok(Rejected), GONE],
    ),
    (
        REWRITE_AUTO,
        &[Who::Owner],
        [Ok(Draft), Ok(Pending), Ok(Active), Ok(Paused), Ok(Expired), CLOSED, Ok(Rejected), GONE],
    ),
    (
        Action::Pause,
        &[Who::Owner, Who::System],
        [NO_PAUSE, NO_PAUSE, Ok(Paused), NO_PAUSE, NO_PAUSE, NO_PAUSE, NO_PAUSE, GONE],
    ),
    (
        RESUME,
        &[Who::Owner],
        [NO_RESUME, NO_RESUME, NO_RESUME, Ok(Active), NO_RESUME, NO_RESUME, NO_RESUME, GONE],
    ),
    (
        RESUME_LATE,
        &[Who::Owner],
        [NO_RESUME, NO_RESUME, NO_RESUME, Err("listing_expired"), NO_RESUME, NO_RESUME, NO_RESUME, GONE],
    ),
    (
        Action::MarkSold,
        &[Who::Owner],
        [NO_SALE, NO_SALE, Ok(Sold), Ok(Sold), Ok(Sold), NO_SALE, NO_SALE, GONE],
    ),
    (
        RENEW,
        &[Who::Owner, Who::System],
        [NO_RENEW, NO_RENEW, Ok(Active), Ok(Paused), Ok(Active), NO_RENEW, NO_RENEW, GONE],
    ),
    (
        RENEW_EARLY,
        &[Who::Owner, Who::System],
        [NO_RENEW, NO_RENEW, EARLY, EARLY, Ok(Active), NO_RENEW, NO_RENEW, GONE],
    ),
    (
        Action::Expire,
        &[Who::System],
        [NO_END, NO_END, Ok(Expired), Ok(Expired), NO_END, NO_END, NO_END, GONE],
    ),
    (
        Action::Delete,
        &[Who::Owner],
        [Ok(Deleted), Ok(Deleted), Ok(Deleted), Ok(Deleted), Ok(Deleted), Ok(Deleted), Ok(Deleted), GONE],
    ),
];

const NO_SUBMIT: Result<ListingStatus, &str> = Err("listing_not_submittable");
const NO_REVIEW: Result<ListingStatus, &str> = Err("listing_not_pending");
const CLOSED: Result<ListingStatus, &str> = Err("listing_closed");
const NO_PAUSE: Result<ListingStatus, &str> = Err("listing_not_active");
const NO_RESUME: Result<ListingStatus, &str> = Err("listing_not_paused");
const NO_SALE: Result<ListingStatus, &str> = Err("listing_not_on_sale");
const NO_RENEW: Result<ListingStatus, &str> = Err("listing_not_renewable");
const EARLY: Result<ListingStatus, &str> = Err("renewal_too_early");
const NO_END: Result<ListingStatus, &str> = Err("listing_not_running");
const GONE: Result<ListingStatus, &str> = Err("listing_deleted");

#[test]
fn every_state_action_and_actor_is_decided_by_the_table() {
    let mut cases = 0;
    for (action, open_to, outcomes) in TABLE {
        for (status, expected) in ListingStatus::ALL.into_iter().zip(outcomes) {
            for who in [Who::Owner, Who::Reviewer, Who::System] {
                let expected = if open_to.contains(&who) { *expected } else { Err("not_allowed") };
                let found = next(status, *action, who).map_err(|refusal| refusal.code);
                assert_eq!(found, expected, "{status:?} {action:?} {who:?}");
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 16 * 8 * 3);
}

fn at(day: i64) -> DateTime<Utc> {
    "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::days(day)
}

const TERM: TimeDelta = TimeDelta::days(30);

fn active() -> Standing {
    let mut standing = Standing::draft(at(0));
    standing.act(SUBMIT, Who::Owner, at(0), TERM).unwrap();
    standing.act(Action::Approve, Who::Reviewer, at(1), TERM).unwrap();
    standing
}

#[test]
fn approval_publishes_for_a_term() {
    let standing = active();
    assert_eq!(standing.published_at, Some(at(1)));
    assert_eq!(standing.listed_at, at(1));
    assert_eq!(standing.expires_at, Some(at(31)));
}

#[test]
fn a_second_review_neither_bumps_nor_prolongs() {
    let mut standing = active();
    standing.act(REWRITE, Who::Owner, at(10), TERM).unwrap();
    standing.act(Action::Approve, Who::Reviewer, at(11), TERM).unwrap();
    assert_eq!((standing.listed_at, standing.expires_at), (at(1), Some(at(31))));
    standing.act(REWRITE, Who::Owner, at(20), TERM).unwrap();
    standing.act(Action::Approve, Who::Reviewer, at(40), TERM).unwrap();
    assert_eq!(standing.expires_at, Some(at(70)), "one that ran out while it waited gets a new term");
}

#[test]
fn a_renewal_keeps_the_days_that_are_left() {
    let mut standing = active();
    assert!(!standing.is_due_soon(at(27)));
    assert!(standing.is_due_soon(at(28)));
    standing.act(RENEW, Who::Owner, at(28), TERM).unwrap();
    assert_eq!((standing.expires_at, standing.renew_count), (Some(at(61)), 1));
    standing.act(Action::Expire, Who::System, at(61), TERM).unwrap();
    standing.act(RENEW, Who::Owner, at(100), TERM).unwrap();
    assert_eq!((standing.status, standing.expires_at, standing.renew_count), (Active, Some(at(130)), 2));
}

#[test]
fn a_sale_is_dated() {
    let mut standing = active();
    standing.act(Action::MarkSold, Who::Owner, at(3), TERM).unwrap();
    assert_eq!((standing.status, standing.sold_at), (Sold, Some(at(3))));
}

fn any_action() -> impl Strategy<Value = (Action, Who)> {
    let rows = TABLE.iter().flat_map(|(action, who, _)| who.iter().map(move |who| (*action, *who)));
    prop::sample::select(rows.collect::<Vec<_>>())
}

proptest! {
    /// Whatever happens in whatever order: what is ACTIVE was published and has an end, and nobody but a reviewer or a
    /// category without review makes it so.
    #[test]
    fn active_listings_were_published_and_end(actions in prop::collection::vec(any_action(), 0..40)) {
        let mut standing = Standing::draft(at(0));
        let mut approved = false;
        for (day, (action, who)) in (0..).zip(actions) {
            let was = standing;
            if standing.act(action, who, at(day), TERM).is_err() {
                prop_assert_eq!(standing, was, "a refusal changes nothing");
                continue;
            }
            approved |= matches!(action, Action::Approve | SUBMIT_AUTO);
            if standing.status == Active {
                prop_assert!(approved);
                prop_assert!(standing.published_at.is_some() && standing.expires_at.is_some());
                prop_assert_eq!(Some(standing.listed_at), standing.published_at);
            }
            prop_assert!(standing.status != Sold || standing.sold_at.is_some());
        }
    }
}
