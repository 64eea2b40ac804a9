//! Integrations from outside: added in the console, scanned by its worker, against real registries.

use strongroom::credentials;
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::models::events::{self, Actor, Filter};
use strongroom::models::runs::{self, Run};
use strongroom::models::{CredentialId, IntegrationId, credentials as stored, integrations};
use uuid::Uuid;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::signed;
use crate::support::wait::until;

mod adding;
mod addresses;
mod bulk;
mod connections;
mod destinations;
mod echoes;
mod export;
mod forms;
mod gaps;
mod gaps_seen;
mod hooks;
mod hooks_refused;
mod integrity;
mod labels;
mod large;
mod proxy;
mod purge;
mod queue;
mod scans;
mod table;
mod usages;
mod vendors;

/// A saved credential with a user name and a password.
fn basic(app: &TestApp, name: &str, username: &str, password: &str) -> CredentialId {
    let draft = basic_draft(name, username, password);
    app.transaction(|conn| stored::create(conn, &app.services.vault, &Actor::command_line(), &draft.row()))
}

fn basic_draft(name: &str, username: &str, password: &str) -> Draft {
    let values = Values::from_iter([("username", username), ("password", password)]);
    Draft::new(&credentials::basic::KIND, name.to_owned(), String::new(), &values).expect("a good credential")
}

/// The form as a person fills it in.
#[derive(Clone)]
struct Form(Vec<(&'static str, String)>);

impl Form {
    fn new(name: &str, registry: &str) -> Self {
        let start = [("name", name), ("version", "docker_v2"), ("registry", registry), ("schedule", "off")];
        Self(start.map(|(field, value)| (field, value.to_owned())).into())
    }

    fn with(mut self, field: &'static str, value: impl ToString) -> Self {
        self.0.retain(|(known, _)| *known != field);
        self.0.push((field, value.to_string()));
        self
    }

    async fn post(&self, visit: &mut Visit, path: &str) -> Page {
        let fields: Vec<(&str, &str)> = self.0.iter().map(|(field, value)| (*field, value.as_str())).collect();
        visit.post(path, &fields).await
    }

    /// Adds it and returns its id.
    async fn add(&self, visit: &mut Visit) -> IntegrationId {
        let page = self.post(visit, "/integrations").await;
        assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[role=alert]"));
        page.location().strip_prefix("/integrations/").expect("its page").parse().expect("its id")
    }
}

/// The last run, once it has ended.
async fn ended(app: &TestApp, integration: IntegrationId) -> Run {
    until("the run ends", || last_run(app, integration).filter(|run| !run.unfinished())).await
}

/// The last run, once somebody works on it.
async fn running(app: &TestApp, integration: IntegrationId) -> Run {
    until("the run starts", || last_run(app, integration).filter(|run| run.state.word() == "running")).await
}

/// The text of an element of the integration's page, once it begins so.
async fn until_page(what: &str, visit: &mut Visit, integration: IntegrationId, selector: &str, begins: &str) -> String {
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let page = visit.get(&format!("/integrations/{integration}")).await;
        if let Some(text) = page.texts(selector).into_iter().find(|text| text.starts_with(begins)) {
            return text;
        }
        assert!(std::time::Instant::now() < patience, "{what}: {}", page.text("main"));
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

fn last_run(app: &TestApp, integration: IntegrationId) -> Option<Run> {
    all_runs(app, integration).into_iter().next()
}

fn all_runs(app: &TestApp, integration: IntegrationId) -> Vec<Run> {
    runs::of(&mut app.connect(), integration, 1_000).expect("the runs")
}

async fn scan_now(app: &TestApp, visit: &mut Visit, integration: IntegrationId) -> Run {
    let page = visit.post(&format!("/integrations/{integration}/runs"), &[]).await;
    assert_eq!(page.status, 303);
    ended(app, integration).await
}

/// Actions of the audit trail about one subject, or all of them.
fn actions(app: &TestApp, subject_id: Option<Uuid>) -> Vec<String> {
    let filter = Filter { subject_id, ..Filter::default() };
    let found = events::list(&mut app.connect(), &filter, 1_000).expect("the trail");
    found.into_iter().map(|event| event.action).collect()
}

/// The password was given long ago.
fn forget_password(app: &TestApp) {
    signed::run(app, "UPDATE sessions SET authenticated_at = now() - interval '1 hour'");
}

fn row(app: &TestApp, id: IntegrationId) -> integrations::Integration {
    integrations::find(&mut app.connect(), &app.services.vault, id).expect("the integration").into_shown()
}
