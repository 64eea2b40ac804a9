//! The Alerts pages: what is listed, one alert, what people do about it, the settings, and the limits of age.

mod bulk;
mod limits;
mod list;
mod one;
mod screens;
mod settings;

use diesel::prelude::*;
use strongroom::alerting;
use strongroom::models::alert_list::{self, Filter, Line, Owner, State};
use strongroom::models::alerts::{self, Subject};
use strongroom::models::credentials;
use strongroom::models::{AlertId, CredentialId};
use uuid::Uuid;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::signed;
use crate::support::sql;

/// Adds an AWS access key through its form.
async fn key(visit: &mut Visit, name: &str) -> CredentialId {
    let fields = [
        ("kind", "aws"),
        ("name", name),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
    ];
    add(visit, &fields).await
}

async fn add(visit: &mut Visit, fields: &[(&str, &str)]) -> CredentialId {
    let page = visit.post("/credentials", fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, .field__error"));
    page.location().rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

/// Lets a secret be as old as that, `91 days`, in a row that Strongroom holds for its own.
fn age(app: &TestApp, id: CredentialId, interval: &str) {
    let set = format!("UPDATE credentials SET secret_set_at = now() - interval '{interval}' WHERE id = '{id}'");
    signed::run(app, &set);
    let row = credentials::find(&mut app.connect(), &app.services.vault, id).expect("a row");
    assert_eq!(row.doubt(), None);
}

/// An access key that is 91 days old, with its alert.
async fn old_key(app: &TestApp, visit: &mut Visit, name: &str) -> (CredentialId, AlertId) {
    let id = key(visit, name).await;
    age(app, id, "91 days");
    decide(app).await;
    (id, alert(app, id).expect("an alert"))
}

/// Looks at the clock, here and not sometime: the console's own job may be at it just now.
async fn decide(app: &TestApp) {
    while alerting::find_due(&app.services).await.expect("decided").is_none() {}
    alerting::refresh(&app.services).await.expect("read");
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: AlertId,
}

/// The open alert about a subject.
fn alert(app: &TestApp, subject: impl Into<Uuid>) -> Option<AlertId> {
    let subject: Uuid = subject.into();
    let query = format!("SELECT id FROM alerts WHERE subject_id = '{subject}' AND closed_at IS NULL");
    diesel::sql_query(query).load::<Found>(&mut app.connect()).expect("alerts").pop().map(|found| found.id)
}

/// How much was said of an alert.
fn notices(app: &TestApp, alert: AlertId, event: &str) -> i64 {
    sql::count(app, &format!("notices WHERE alert_id = '{alert}' AND event = '{event}'"))
}

/// Raises an alert as its cause would; about a user, since what is about a credential closes when there is none.
fn raise(app: &TestApp, trigger: &str, name: &str, words: &str) -> AlertId {
    let subject = Subject { kind: "user", id: Uuid::new_v4(), name };
    app.transaction(|conn| match trigger {
        "integrity" => alerts::raise_integrity(conn, &app.services.vault, subject, words),
        _ => alerts::raise(conn, trigger, subject, words),
    });
    alert(app, subject.id).expect("an alert")
}

/// The alerts of a trigger in that state, the worst first.
pub fn listed(app: &TestApp, state: State, trigger: &str) -> Vec<Line> {
    let (trigger, search) = (trigger.to_owned(), String::new());
    let filter = Filter { state, trigger, severity: 0, owner: Owner::Any, search };
    alert_list::page(&mut app.connect(), &filter, None, 100).expect("alerts")
}

/// The sentences of the list.
fn titles(page: &Page) -> Vec<String> {
    page.attributes("[data-alert] .row-link", "title")
}

/// The groups of the list, in their order.
fn groups(page: &Page) -> Vec<String> {
    page.attributes("[data-group]", "data-group")
}
