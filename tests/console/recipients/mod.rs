//! Who gets the mail of a profile: invited by an administrator, confirmed and ended by the owner of the address, and
//! told nothing before and after. A real mail server takes what is sent.

use diesel::RunQueryDsl;
use serde_json::json;
use strongroom::credentials;
use strongroom::draft::Draft;
use strongroom::models::credentials as stored;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, IntegrationId, RecipientId, UserId};

use crate::outbox::access_key;
use crate::support::app::{Page, TestApp, Visit};
use crate::support::peers::smtp::{MailServer, PASSWORD, USER};
use crate::support::process::{PATIENCE, wait_for};
use crate::support::sql::{self, count};

mod letters;
mod links;
mod managing;
mod relay_story;
mod story;

/// A basic credential with the server's login.
fn login(app: &TestApp) -> CredentialId {
    let values = [("username", USER), ("password", PASSWORD)].into_iter().collect();
    let draft = Draft::new(&credentials::basic::KIND, "Mail account".to_owned(), String::new(), &values).unwrap();
    app.transaction(|conn| stored::create(conn, &app.services.vault, &Actor::command_line(), &draft.row()))
}

/// A profile that sends through the server.
fn profile(app: &TestApp, server: &MailServer) -> IntegrationId {
    profile_named(app, server, "On call")
}

fn profile_named(app: &TestApp, server: &MailServer, name: &str) -> IntegrationId {
    let credential = server.authority.is_some().then(|| login(app));
    let settings = String::from_utf8(server.settings().to_json().to_vec()).unwrap();
    let host = server.address.to_string();
    let new = NewIntegration {
        family: "alert_profile",
        version: "email",
        name,
        credential_id: credential,
        host: &host,
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

async fn invite(visit: &mut Visit, profile: IntegrationId, address: &str, triggers: &[&'static str]) -> Page {
    let mut fields = vec![("address", address)];
    fields.extend(triggers.iter().map(|trigger| (*trigger, "on")));
    visit.post(&format!("/integrations/{profile}/recipients"), &fields).await
}

/// Waits for so many mails; they are in the order of arrival.
async fn mails(server: &MailServer, number: usize) -> Vec<crate::support::peers::smtp::Mail> {
    wait_for("the mails arrive", PATIENCE, async || server.steps("mail").len() >= number).await;
    let mails = server.mails();
    assert_eq!(mails.len(), number, "{:?}", server.recipients());
    mails
}

/// The path of the link in a mail that leads there.
fn link(app: &TestApp, text: &str, to: &str) -> String {
    let whole = text.split_whitespace().find(|word| word.contains(to)).unwrap_or_else(|| panic!("no {to} in {text}"));
    whole.strip_prefix(app.url.as_str()).unwrap_or_else(|| panic!("{whole} leads elsewhere")).to_owned()
}

/// Invited and confirmed; the path of the link that ends it.
async fn subscribed(app: &TestApp, server: &MailServer, profile: IntegrationId, address: &str) -> RecipientId {
    let before = server.steps("mail").len();
    let invited = invite(&mut app.administrator_again(), profile, address, &["on_stale"]).await;
    assert_eq!(invited.status, 303, "{:?}", invited.texts("[role=alert]"));
    let mails = mails(server, before + 1).await;
    let path = link(app, mails[before].body("text/plain"), "/confirm/");
    let confirmed = app.visitor().post(&path, &[]).await;
    assert_eq!(confirmed.text("h1"), "Confirmed");
    path.split('/').nth(2).unwrap().parse().unwrap()
}

impl TestApp {
    /// The one administrator, in a session of their own.
    fn administrator_again(&self) -> Visit {
        #[derive(diesel::QueryableByName)]
        struct Id {
            #[diesel(sql_type = diesel::sql_types::Uuid)]
            id: UserId,
        }
        let found: Vec<Id> =
            diesel::sql_query("SELECT id FROM users WHERE name = 'ada'").load(&mut self.connect()).unwrap();
        found.first().map_or_else(|| self.administrator(), |row| self.session_of(row.id))
    }
}

/// An access key whose secret was stored 91 days ago.
fn old_key(app: &TestApp, name: &str) -> CredentialId {
    let id = access_key(app, name, "91 days");
    app.services.wake.alerts.notify_one();
    id
}

/// Everything that was decided has been told, and what was to be sent is sent.
async fn quiet(app: &TestApp) {
    wait_for("everything is sent", PATIENCE, async || {
        count(app, "notices WHERE digest_id IS NULL") + count(app, "deliveries WHERE state IN ('ready', 'sending')")
            == 0
    })
    .await;
}
