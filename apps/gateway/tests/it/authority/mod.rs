//! The authorisation table: every operation of the OpenAPI document × everybody who might call it → what they get.
//!
//! `table.toml` is the table. An operation that is not in it fails the test, and so does a row for an operation that
//! is gone. Each cell is tried on things of its own, so that no cell spoils the next.

mod fixtures;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use kernel::Role;
use serde::Deserialize;
use serde_json::Value;
use testkit::{Scope, on_every_engine};

use crate::support::{Session, TestApp};
use fixtures::Thing;
pub(crate) use fixtures::listing_body;

/// The columns: nobody, somebody else, the owner of the thing, and each role of staff.
const COLUMNS: [&str; 7] = ["anonymous", "stranger", "owner", "MODERATOR", "FINANCE", "ADMIN", "SUPER_ADMIN"];

/// One operation's row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The expected status for each of [`COLUMNS`].
    expect: [u16; 7],
    /// The thing whose id stands in the path; made anew by the owner for each cell.
    #[serde(default)]
    thing: Thing,
    /// The body, as JSON text; `$thing` and other names of fixtures are put in.
    body: Option<String>,
    /// What follows the path.
    #[serde(default)]
    query: String,
    /// Whether the caller's session does not survive the call, so that each cell needs a login of its own.
    #[serde(default)]
    ends_session: bool,
}

fn table() -> BTreeMap<String, Row> {
    toml::from_str(include_str!("table.toml")).unwrap()
}

fn operations() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&gateway::openapi::json().unwrap()).unwrap();
    let methods = ["get", "post", "put", "delete", "patch"];
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method, path)))
        .filter(|(method, _)| methods.contains(&method.as_str()))
        .map(|(method, path)| format!("{} {path}", method.to_uppercase()))
        .collect()
}

#[test]
fn every_operation_stands_in_the_table_and_nothing_else_does() {
    let rows: BTreeSet<_> = table().into_keys().collect();
    let operations = operations();
    let missing: Vec<_> = operations.difference(&rows).collect();
    let gone: Vec<_> = rows.difference(&operations).collect();
    assert!(missing.is_empty() && gone.is_empty(), "missing: {missing:#?}\nno longer there: {gone:#?}");
}

on_every_engine! { Scope::All =>
    async fn everybody_gets_what_the_table_says(db: TestDb) {
        let app = TestApp::start(db).await;
        let mut cast = Cast::assemble(&app).await;
        let mut wrong = Vec::new();
        for (operation, row) in table() {
            for (column, expected) in COLUMNS.iter().zip(row.expect) {
                cast.stay_fresh(&app).await;
                let status = cast.try_cell(&app, &operation, &row, column).await;
                if status != expected {
                    wrong.push(format!("{operation} as {column}: {status}, expected {expected}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
        app.stop().await;
    }
}

/// Everybody who might call, and who helps to make things.
pub(crate) struct Cast {
    people: BTreeMap<&'static str, Session>,
    fresh_since: i64,
}

impl Cast {
    async fn assemble(app: &TestApp) -> Self {
        app.state.market.seed(&kernel::Phone::parse("+919000000001").unwrap()).await.unwrap();
        let root = app.staff(Role::SuperAdmin).await;
        let mut people = BTreeMap::new();
        for (column, role) in
            [("MODERATOR", Role::Moderator), ("FINANCE", Role::Finance), ("ADMIN", Role::Admin)]
        {
            let mut session = app.staff_appointed_by(&root, role).await;
            app.refresh(&mut session).await;
            people.insert(column, session);
        }
        people.insert("stranger", app.member().await);
        let owner = app.member().await;
        // Enough for every boost that is tried.
        let bonus =
            ledger::templates::bonus("cast", owner.user_id.parse().unwrap(), kernel::Money::inr(1_000_000));
        app.state.market.ledger.post(&bonus.unwrap()).await.unwrap().journal().unwrap();
        people.insert("owner", owner);
        people.insert("SUPER_ADMIN", root);
        Self { people, fresh_since: 0 }
    }

    pub(crate) fn person(&self, column: &str) -> &Session {
        &self.people[column]
    }

    /// Access tokens last ten minutes and a second factor counts for five; both are renewed in time.
    async fn stay_fresh(&mut self, app: &TestApp) {
        let now = kernel::Clock::now(app.clock.as_ref()).timestamp();
        if now - self.fresh_since < 120 {
            return;
        }
        for session in self.people.values_mut() {
            app.refresh(session).await;
        }
        for session in self.people.values().filter(|session| session.secret.is_some()) {
            app.step_up(session).await;
        }
        self.fresh_since = kernel::Clock::now(app.clock.as_ref()).timestamp();
    }

    /// A second login of somebody, a day later: codes are counted by the day. Everybody's tokens are renewed after.
    pub(crate) async fn again(&mut self, app: &TestApp, column: &str) -> Session {
        app.clock.advance(chrono::TimeDelta::hours(25));
        let person = self.person(column).clone();
        let session = Session { secret: person.secret, ..app.login(&person.phone).await };
        self.stay_fresh(app).await;
        if session.secret.is_some() {
            app.step_up(&session).await;
        }
        session
    }

    async fn try_cell(&mut self, app: &TestApp, operation: &str, row: &Row, column: &str) -> u16 {
        let (method, path) = operation.split_once(' ').unwrap();
        let made = row.thing.make(app, self).await;
        let path = path.replace("{id}", &made.id).replace("{name}", &made.id);
        // Which template: any will do.
        let path = path
            .replace("{kind}", "listing.approved")
            .replace("{channel}", "sms")
            .replace("{language}", "en");
        let path = format!("{path}{}", made.fill(&row.query));
        // Where money moves a key is required, and elsewhere it does no harm: each cell has its own.
        let key = kernel::Ambient::system().new_uuid().to_string();
        let mut call = app.call(method.parse().unwrap(), &path).header("idempotency-key", &key);
        // Nobody's call carries no token, yet its body may hold one: the owner's.
        let person = if column == "anonymous" { "owner" } else { column };
        let doomed = if row.ends_session { Some(self.again(app, person).await) } else { None };
        let session = doomed.as_ref().unwrap_or_else(|| self.person(person));
        if column != "anonymous" {
            call = call.bearer(session);
        }
        if let Some(body) = &row.body {
            let code = match &session.secret {
                Some(secret) => app.fresh_totp(secret),
                None => "000000".to_owned(),
            };
            let text = made.fill(body).replace("$code", &code).replace("$refresh", &session.refresh);
            call = call.json(&serde_json::from_str(&text).unwrap());
        }
        if let Thing::Upload = row.thing {
            call = call.multipart(fixtures::photo_form());
        }
        call.send().await.status
    }
}
