//! The credentials' screens: adding, table, page, editing, deletion.

mod adding;
mod bulk;
mod checkups;
mod deleting;
mod editing;
mod import;
mod integrity;
mod labels;
mod page;
mod pasted;
mod races;
mod replacing;
mod rotating;
mod round_trips;
pub mod samples;
mod searching;
mod secrets;
mod table;
mod told;

pub use table::walk;

use diesel::prelude::*;
use strongroom::form::Values;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, IntegrationId, credentials, transaction};

use crate::support::app::{Page, TestApp, Visit};

/// Adds a basic credential through its form and returns its id.
async fn add(visit: &mut Visit, name: &str) -> CredentialId {
    add_of(visit, &[("kind", "basic"), ("name", name), ("username", "robot"), ("password", "first secret")]).await
}

async fn add_of(visit: &mut Visit, fields: &[(&str, &str)]) -> CredentialId {
    let page = visit.post("/credentials", fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, .field__error"));
    id_in(page.location())
}

fn id_in(location: &str) -> CredentialId {
    location.rsplit('/').next().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id in {location}"))
}

/// An integration that uses the credential.
fn integrate(app: &TestApp, name: &str, credential: CredentialId) -> IntegrationId {
    let new = NewIntegration {
        family: "registry_scan",
        version: "docker_v2",
        name,
        credential_id: Some(credential),
        host: "registry.example.com",
        further: &[],
        settings: "{}",
        every_hours: None,
    };
    let actor = Actor::command_line();
    transaction(&mut app.connect(), &|conn| integrations::create(conn, &app.services.vault, &actor, &new))
        .expect("an integration")
}

/// What is stored, opened.
fn stored(app: &TestApp, id: CredentialId) -> Values {
    let (row, sealed) = credentials::find_sealed(&mut app.connect(), &app.services.vault, id).expect("a row");
    let row = row.trust().expect("the row is trusted");
    let plaintext = app.services.vault.open(&row.context(), &sealed).expect("it opens");
    Values::from_json(&plaintext).expect("values")
}

fn row(app: &TestApp, id: CredentialId) -> credentials::Credential {
    credentials::find(&mut app.connect(), &app.services.vault, id).expect("a row").into_shown()
}

/// Why the row of a credential does not count, if it does not.
fn doubt(app: &TestApp, id: CredentialId) -> Option<strongroom::models::trust::Doubt> {
    credentials::find(&mut app.connect(), &app.services.vault, id).expect("a row").doubt()
}

/// Actions in the trail about one subject, oldest first.
fn actions(app: &TestApp, id: CredentialId) -> Vec<String> {
    use strongroom::models::schema::events;
    let query = events::table.filter(events::subject_id.eq(id)).order((events::at, events::lane, events::seq));
    query.select(events::action).load(&mut app.connect()).expect("events")
}

fn execute(app: &TestApp, statement: &str) {
    let changed = diesel::sql_query(statement).execute(&mut app.connect()).expect(statement);
    assert!(changed > 0, "{statement}");
}

/// The version that an edit form says it edits.
async fn version(visit: &mut Visit, id: CredentialId) -> String {
    let page = visit.get(&format!("/credentials/{id}/edit")).await;
    page.attributes("input[name=row_version]", "value").remove(0)
}

/// Posts an edit of a basic credential as of the current version.
async fn edit(visit: &mut Visit, id: CredentialId, fields: &[(&str, &str)]) -> Page {
    let version = version(visit, id).await;
    let fields: Vec<(&str, &str)> = [&[("row_version", version.as_str())][..], fields].concat();
    visit.post(&format!("/credentials/{id}/edit"), &fields).await
}
