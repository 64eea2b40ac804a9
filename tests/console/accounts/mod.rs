//! Users by mail: their addresses, invitations, password resets, and the end of an account. A real mail server takes what
//! is sent.

use serde_json::json;
use strongroom::accounts::Role;
use strongroom::form::Values;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{IntegrationId, UserId, users};

use crate::support::app::{Page, TestApp, Visit};
use crate::support::peers::smtp::{Mail, MailServer};
use crate::support::process::{PATIENCE, wait_for};
use crate::support::sql::count;

mod addresses;
mod channel;
mod deleting;
mod invitations;
mod links;
mod list;
mod resets;
mod story;

/// A password that passes the rules.
const GOOD: &str = "a much better passphrase";
const BETTER: &str = "an even better passphrase";

/// A console whose one channel writes to users.
struct Mailing {
    app: TestApp,
    server: MailServer,
    channel: IntegrationId,
}

impl Mailing {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(flags: &[&str]) -> Self {
        let (app, server) = (TestApp::start_with(flags), MailServer::clear(json!({})));
        let channel = channel(&app, &server, "Mail", true);
        Self { app, server, channel }
    }

    /// Waits for so many mails; they are in the order of arrival.
    async fn mails(&self, number: usize) -> Vec<Mail> {
        wait_for("the mails arrive", PATIENCE, async || self.server.steps("mail").len() >= number).await;
        let mails = self.server.mails();
        assert_eq!(mails.len(), number, "{:?}", self.server.recipients());
        mails
    }

    /// Nothing waits to be sent.
    async fn quiet(&self) {
        let waiting = async || count(&self.app, "deliveries WHERE state IN ('ready', 'sending')") == 0;
        wait_for("everything is sent", PATIENCE, waiting).await;
    }

    /// The path of the link in a mail.
    #[track_caller]
    fn link(&self, mail: &Mail) -> String {
        let text = mail.body("text/plain");
        let whole = text.split_whitespace().find(|word| word.contains("/password?token="));
        let whole = whole.unwrap_or_else(|| panic!("no link in {text}"));
        whole.strip_prefix(self.app.services.public_url.as_str().trim_end_matches('/')).expect("its address").to_owned()
    }

    /// A user with an address.
    fn user_at(&self, name: &str, role: Role, email: &str) -> UserId {
        let id = self.app.add_user(name, role);
        let change = users::Change::Email(Some(email.to_owned()));
        let (vault, actor) = (self.app.services.vault.clone(), Actor::command_line());
        self.app.transaction(|conn| users::change(conn, &vault, &actor, id, &change, None));
        id
    }

    /// Asks for a reset, and waits for its mail.
    async fn reset_link(&self, who: &str) -> String {
        let before = self.server.steps("mail").len();
        let page = self.app.visitor().post("/password/forgot", &[("who", who)]).await;
        assert!(page.status == 200 && page.has("[data-asked]"), "{}", page.body);
        let mail = self.mails(before + 1).await.remove(before);
        self.link(&mail)
    }
}

/// A channel without a login, marked or not.
fn channel(app: &TestApp, server: &MailServer, name: &str, marked: bool) -> IntegrationId {
    let mut settings: Values = server.settings();
    if marked {
        settings.set("accounts", "on");
    }
    let settings = String::from_utf8(settings.to_json().to_vec()).expect("JSON");
    let host = server.address.to_string();
    let new = NewIntegration {
        family: "alert_profile",
        version: "email",
        name,
        credential_id: None,
        host: &host,
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

/// Posts the form of a link.
async fn choose(visit: &mut Visit, link: &str, password: &str) -> Page {
    let token = link.rsplit_once('=').expect("a token").1;
    let fields = [("token", token), ("password", password), ("password_again", password)];
    visit.post("/password", &fields).await
}
