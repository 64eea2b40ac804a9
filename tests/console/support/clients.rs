//! Clients of a console, made as its use cases make them, and what they may fetch.
#![allow(dead_code, reason = "each test uses what it needs")]

use chrono::{DateTime, Utc};
use strongroom::accounts::tokens;
use strongroom::credentials::{self as kinds, basic};
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::models::client_logins::{self, Method, NewLogin};
use strongroom::models::client_rules::{self, NewRule};
use strongroom::models::clients::{self, NewClient};
use strongroom::models::credentials::{self, Secret};
use strongroom::models::events::Actor;
use strongroom::models::{ClientId, ClientLoginId, ClientRuleId, CredentialId};

use super::app::TestApp;

/// A console that releases stored values.
pub fn releasing() -> TestApp {
    TestApp::start_with(&["--release-values=on"])
}

/// A client of a console.
pub struct Client<'a> {
    pub app: &'a TestApp,
    pub id: ClientId,
}

/// A login, and its secret.
pub struct Login {
    pub id: ClientLoginId,
    pub secret: String,
}

impl Login {
    /// The bearer token of a login by token.
    pub fn token(&self) -> String {
        format!("srt_{}_{}", self.id.0.simple(), self.secret)
    }
}

impl<'a> Client<'a> {
    pub fn new(app: &'a TestApp, name: &str) -> Self {
        Self::with(app, NewClient { name, token_minutes: 15, ..NewClient::default() })
    }

    pub fn with(app: &'a TestApp, new: NewClient<'_>) -> Self {
        let (vault, actor) = (&app.services.vault, Actor::command_line());
        Self { app, id: app.transaction(|conn| clients::create(conn, vault, &actor, &new)) }
    }

    pub fn login(&self, method: Method, expires_at: Option<DateTime<Utc>>) -> Login {
        let (vault, actor, secret) = (&self.app.services.vault, Actor::command_line(), tokens::new_token());
        let id = self.app.transaction(|conn| {
            let client = clients::find(conn, vault, self.id)?.trust()?;
            let secret_hash = Some(tokens::hash(&secret));
            let new = NewLogin { method, secret_hash, settings: "", credential: None, expires_at };
            client_logins::make(conn, vault, &actor, &client, &new)
        });
        Login { id, secret }
    }

    /// A new bearer token.
    pub fn token(&self) -> String {
        self.login(Method::Token, None).token()
    }

    /// A new id and secret.
    pub fn app_role(&self) -> (String, String) {
        let login = self.login(Method::AppRole, None);
        (login.id.0.to_string(), login.secret)
    }

    /// Lets it fetch a credential in a form.
    pub fn may(&self, rule: &str, form: &str, credential: CredentialId, settings: &[(&str, &str)]) -> ClientRuleId {
        let (vault, actor) = (&self.app.services.vault, Actor::command_line());
        let settings: Values = settings.iter().copied().collect();
        let settings = String::from_utf8(settings.to_json().to_vec()).expect("JSON");
        self.app.transaction(|conn| {
            let client = clients::find(conn, vault, self.id)?.trust()?;
            let new = NewRule { name: rule, credential, form, settings: &settings };
            client_rules::make(conn, vault, &actor, &client, &new)
        })
    }

    /// Lets it fetch the stored user name and password of a new credential.
    pub fn value(&self, rule: &str, password: &str) -> CredentialId {
        let credential = login(self.app, &format!("{rule} of {}", self.id), password);
        self.may(rule, "value", credential, &[]);
        credential
    }

    pub fn set_active(&self, active: bool) {
        let (vault, actor) = (&self.app.services.vault, Actor::command_line());
        self.app.transaction(|conn| clients::set_active(conn, vault, &actor, self.id, active));
    }

    pub fn end(&self, login: &Login) {
        let (vault, actor) = (&self.app.services.vault, Actor::command_line());
        self.app.transaction(|conn| {
            let client = clients::find(conn, vault, self.id)?.into_shown();
            client_logins::end(conn, vault, &actor, &client, login.id)
        });
    }
}

/// A credential with the user name `app`.
pub fn login(app: &TestApp, name: &str, password: &str) -> CredentialId {
    stored(app, basic::KIND.slug, name, &[("username", "app"), ("password", password)])
}

pub fn stored(app: &TestApp, kind: &str, name: &str, values: &[(&str, &str)]) -> CredentialId {
    let (vault, actor) = (&app.services.vault, Actor::command_line());
    let draft = draft(kind, name, values);
    app.transaction(|conn| credentials::create(conn, vault, &actor, &draft.row()))
}

/// The credential of [`login`] gets another password.
pub fn rotate(app: &TestApp, id: CredentialId, password: &str) {
    let (vault, actor) = (&app.services.vault, Actor::command_line());
    app.transaction(|conn| {
        let row = credentials::find(conn, vault, id)?.into_shown();
        let draft = draft(basic::KIND.slug, &row.name, &[("username", "app"), ("password", password)]);
        credentials::update(conn, vault, &actor, (id, row.row_version), &draft.row(), Secret::Replaced)
    });
}

fn draft(kind: &str, name: &str, values: &[(&str, &str)]) -> Draft {
    let kind = kinds::find(kind).expect("a kind");
    let values = strongroom::form::check(kind.fields, &values.iter().copied().collect(), None).expect("good values");
    Draft::new(kind, name.to_owned(), String::new(), &values).expect("a good credential")
}
