//! Somebody who can write to the database, and what they do not get: each test plays an attack by SQL, and looks at
//! what left the console and what it said. The letters and numbers are those of the red team's report.

use diesel::RunQueryDsl;
use diesel::sql_query;
use diesel::sql_types::Text;
use strongroom::credentials;
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::models::events::Actor;
use strongroom::models::{CredentialId, IntegrationId, credentials as stored, store_health};
use strongroom::verification;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;
use crate::support::wait::until;

mod blind;
mod exported;
mod follow;
mod held;
mod integrations;
mod keys;
mod limits;
mod memory;
mod sessions;
mod setup;
mod silence;
mod trail;
mod unreadable;
mod users;

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Keeps the rows of a table as they are now.
fn keep(app: &TestApp, table: &str) {
    for (part, _) in parts(table) {
        keep(app, part);
    }
    sql::run(app, &format!("DROP TABLE IF EXISTS kept_{table}; CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
}

/// Puts the kept rows back over those that are there now, whole.
fn put_back(app: &TestApp, table: &str, key: &str) {
    let columns: Vec<Name> = sql_query(
        "SELECT column_name::text AS name FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' AND is_identity = 'NO'",
    )
    .bind::<Text, _>(table)
    .load(&mut app.connect())
    .expect("columns");
    let set: Vec<String> = columns.iter().map(|Name { name }| format!("{name} = k.{name}")).collect();
    let set = set.join(", ");
    sql::run(app, &format!("UPDATE {table} t SET {set} FROM kept_{table} k WHERE t.{key} = k.{key}"));
    for (part, key) in parts(table) {
        let whole = format!(
            "DELETE FROM {part} WHERE {key} IN (SELECT id FROM kept_{table});
             INSERT INTO {part} SELECT * FROM kept_{part}"
        );
        sql::run(app, &whole);
    }
}

/// Tables whose rows are a part of a row of that table, and by which column.
fn parts(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "integrations" => &[("usages", "integration_id")],
        "credentials" => &[("secrets", "credential_id")],
        _ => &[],
    }
}

/// Puts kept rows back that are gone.
fn insert_back(app: &TestApp, table: &str) {
    for table in [table].into_iter().chain(parts(table).iter().map(|(part, _)| *part)) {
        sql::run(app, &format!("INSERT INTO {table} SELECT * FROM kept_{table} ON CONFLICT DO NOTHING"));
    }
}

/// What `strongroom verify` finds.
fn findings(app: &TestApp) -> Vec<String> {
    let walk = verification::verify(&mut app.connect(), &app.services.vault).expect("it answers");
    walk.failures.iter().map(ToString::to_string).collect()
}

/// Looks at the few rows on which everything rests, as the console does every few seconds.
fn look(app: &TestApp) {
    let health = app.transaction(|conn| store_health::examine(conn, &app.services.vault));
    app.transaction(|conn| store_health::tell(conn, &app.services.vault, &health, true));
}

/// What alerts are open about integrity: the subjects' names.
fn alerts(app: &TestApp) -> Vec<String> {
    let open = "SELECT subject_name AS name FROM alerts WHERE trigger = 'integrity' AND closed_at IS NULL ORDER BY 1";
    let names: Vec<Name> = sql_query(open).load(&mut app.connect()).expect("alerts");
    names.into_iter().map(|row| row.name).collect()
}

fn has_event(app: &TestApp, action: &str) -> bool {
    sql::count(app, &format!("events WHERE action = '{action}'")) > 0
}

/// A saved credential with a user name and a password.
fn basic(app: &TestApp, name: &str, password: &str) -> CredentialId {
    let values = Values::from_iter([("username", "robot"), ("password", password)]);
    let draft = Draft::new(&credentials::basic::KIND, name.to_owned(), String::new(), &values).expect("good values");
    app.transaction(|conn| stored::create(conn, &app.services.vault, &Actor::command_line(), &draft.row()))
}

/// Gives a credential another password, by its form.
async fn change_password(visit: &mut Visit, id: CredentialId, password: &str) -> Page {
    let path = format!("/credentials/{id}/edit");
    let form = visit.get(&path).await;
    let version = form.attributes("input[name=row_version]", "value").remove(0);
    let name = form.attributes("input[name=name]", "value").remove(0);
    let fields = [("row_version", version.as_str()), ("name", &name), ("username", "robot"), ("password", password)];
    visit.post(&path, &fields).await
}

/// A scan of a registry with a credential; its id.
async fn add_scan(visit: &mut Visit, name: &str, registry: &str, credential: CredentialId) -> IntegrationId {
    let credential = credential.to_string();
    let fields = [
        ("name", name),
        ("version", "docker_v2"),
        ("registry", registry),
        ("credential", &credential),
        ("schedule", "off"),
    ];
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, [role=alert]"));
    page.location().strip_prefix("/integrations/").expect("its page").parse().expect("its id")
}

/// Waits until no run is going on.
async fn settled(app: &TestApp) {
    until("the runs end", || (sql::count(app, "runs WHERE state IN ('queued', 'running')") == 0).then_some(())).await;
}
