//! The Alerts pages: what is listed, one alert, what people do about it, the settings, and the limits of age.

mod limits;
mod list;
mod one;
mod screens;
mod settings;

use diesel::prelude::*;
use strongroom::alerting;
use strongroom::models::alerts::{self, Subject};
use strongroom::models::credentials;
use strongroom::models::schema::credentials as columns;
use uuid::Uuid;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;

/// Adds an AWS access key through its form.
async fn key(visit: &mut Visit, name: &str) -> Uuid {
    let fields = [
        ("kind", "aws"),
        ("name", name),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
    ];
    add(visit, &fields).await
}

async fn add(visit: &mut Visit, fields: &[(&str, &str)]) -> Uuid {
    let page = visit.post("/credentials", fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, .field__error"));
    page.location().rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

/// Lets a secret be as old as that, `91 days`, in a row that Strongroom holds for its own.
fn age(app: &TestApp, id: Uuid, interval: &str) {
    let set = format!("UPDATE credentials SET secret_set_at = now() - interval '{interval}' WHERE id = '{id}'");
    app.transaction(|conn| {
        diesel::sql_query(&set).execute(conn)?;
        let row = credentials::find(conn, id)?;
        let parts: [&[u8]; 11] = [
            row.id.as_bytes(),
            row.kind.as_bytes(),
            row.name.as_bytes(),
            row.note.as_bytes(),
            row.identity.as_bytes(),
            row.facts.as_bytes(),
            &[u8::from(row.ages), u8::from(row.shipped)],
            &row.expires_at.map_or(i64::MIN, |at| at.timestamp_micros()).to_be_bytes(),
            &row.secret_version.to_be_bytes(),
            &row.secret_set_at.timestamp_micros().to_be_bytes(),
            &row.row_version.to_be_bytes(),
        ];
        let mac = app.app.vault.mac("credentials", &parts);
        diesel::update(columns::table.find(id)).set(columns::row_mac.eq(mac)).execute(conn)?;
        Ok(())
    });
    let row = credentials::find(&mut app.connect(), id).expect("a row");
    row.check(&app.app.vault).expect("the row check holds");
}

/// An access key that is 91 days old, with its alert.
async fn old_key(app: &TestApp, visit: &mut Visit, name: &str) -> (Uuid, Uuid) {
    let id = key(visit, name).await;
    age(app, id, "91 days");
    decide(app).await;
    (id, alert(app, id).expect("an alert"))
}

/// Looks at the clock, here and not sometime: the console's own job may be at it just now.
async fn decide(app: &TestApp) {
    while alerting::find_due(&app.app).await.expect("decided").is_none() {}
    alerting::refresh(&app.app).await.expect("read");
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
}

/// The open alert about a subject.
fn alert(app: &TestApp, subject: Uuid) -> Option<Uuid> {
    let query = format!("SELECT id FROM alerts WHERE subject_id = '{subject}' AND closed_at IS NULL");
    diesel::sql_query(query).load::<Found>(&mut app.connect()).expect("alerts").pop().map(|found| found.id)
}

/// How much was said of an alert.
fn notices(app: &TestApp, alert: Uuid, event: &str) -> i64 {
    sql::count(app, &format!("notices WHERE alert_id = '{alert}' AND event = '{event}'"))
}

/// Raises an alert as its cause would; about a user, since what is about a credential closes when there is none.
fn raise(app: &TestApp, trigger: &str, name: &str, words: &str) -> Uuid {
    let subject = Subject { kind: "user", id: Uuid::new_v4(), name };
    app.transaction(|conn| alerts::raise(conn, trigger, subject, words));
    alert(app, subject.id).expect("an alert")
}

/// The sentences of the list.
fn titles(page: &Page) -> Vec<String> {
    page.texts("#results li a")
}
