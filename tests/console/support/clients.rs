//! Clients of a console, made as its use cases make them, and what they may fetch.
#![allow(dead_code, reason = "each test uses what it needs")]

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use strongroom::accounts::tokens;
use strongroom::credentials::{self as kinds, basic};
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::integrations::Spec;
use strongroom::models::client_logins::{self, Method, NewLogin};
use strongroom::models::client_rules::{self, NewRule, Source};
use strongroom::models::clients::{self, NewClient};
use strongroom::models::credentials::{self, Secret};
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{self, ClientId, ClientLoginId, ClientRuleId, CredentialId, DbError, IntegrationId};
use strongroom::vault::Vault;

use super::app::TestApp;
use super::binary::Strongroom;

/// A console that releases stored values.
pub fn releasing() -> TestApp {
    TestApp::start_with(&["--release-values=on"])
}

/// Where a client is made: beside a console of this process, or beside the real binary.
pub trait Store {
    fn conn(&self) -> PgConnection;
    fn with_vault(&self, work: &mut dyn FnMut(&Vault));
}

impl Store for TestApp {
    fn conn(&self) -> PgConnection {
        self.connect()
    }

    fn with_vault(&self, work: &mut dyn FnMut(&Vault)) {
        work(&self.services.vault);
    }
}

impl Store for Strongroom {
    fn conn(&self) -> PgConnection {
        self.connect()
    }

    fn with_vault(&self, work: &mut dyn FnMut(&Vault)) {
        work(&self.vault());
    }
}

/// One transaction beside the running console.
fn change<T>(store: &dyn Store, work: impl Fn(&mut PgConnection, &Vault, &Actor) -> Result<T, DbError>) -> T {
    let mut done = None;
    store.with_vault(&mut |vault| {
        let work = |conn: &mut PgConnection| work(conn, vault, &Actor::command_line());
        done = Some(models::transaction(&mut store.conn(), &work).expect("a change"));
    });
    done.expect("a vault")
}

/// A client of a console.
pub struct Client<'a> {
    store: &'a dyn Store,
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
    pub fn new(store: &'a dyn Store, name: &str) -> Self {
        Self::with(store, NewClient { name, token_minutes: 15, ..NewClient::default() })
    }

    pub fn with(store: &'a dyn Store, new: NewClient<'_>) -> Self {
        Self { store, id: change(store, |conn, vault, actor| clients::create(conn, vault, actor, &new)) }
    }

    pub fn login(&self, method: Method, expires_at: Option<DateTime<Utc>>) -> Login {
        let secret = tokens::new_token();
        let id = change(self.store, |conn, vault, actor| {
            let client = clients::find(conn, vault, self.id)?.trust()?;
            let secret_hash = Some(tokens::hash(&secret));
            let new = NewLogin { method, secret_hash, settings: "", credential: None, expires_at };
            client_logins::make(conn, vault, actor, &client, &new)
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
        self.rule(rule, form, Source::Credential(credential), settings)
    }

    /// Lets it fetch an entry of a secret store.
    pub fn entry(&self, rule: &str, store: IntegrationId, entry: &str, settings: &[(&str, &str)]) -> ClientRuleId {
        self.rule(rule, "entry", Source::Store(store), &[&[("entry", entry)], settings].concat())
    }

    fn rule(&self, rule: &str, form: &str, source: Source, settings: &[(&str, &str)]) -> ClientRuleId {
        let settings: Values = settings.iter().copied().collect();
        let settings = String::from_utf8(settings.to_json().to_vec()).expect("JSON");
        change(self.store, |conn, vault, actor| {
            let client = clients::find(conn, vault, self.id)?.trust()?;
            let new = NewRule { name: rule, source, form, settings: &settings };
            client_rules::make(conn, vault, actor, &client, &new)
        })
    }

    /// Lets it fetch the stored user name and password of a new credential.
    pub fn value(&self, rule: &str, password: &str) -> CredentialId {
        let credential = login(self.store, &format!("{rule} of {}", self.id), password);
        self.may(rule, "value", credential, &[]);
        credential
    }

    pub fn set_active(&self, active: bool) {
        change(self.store, |conn, vault, actor| clients::set_active(conn, vault, actor, self.id, active));
    }

    pub fn end(&self, login: &Login) {
        change(self.store, |conn, vault, actor| {
            let client = clients::find(conn, vault, self.id)?.into_shown();
            client_logins::end(conn, vault, actor, &client, login.id)
        });
    }
}

/// A credential with the user name `app`.
pub fn login(store: &dyn Store, name: &str, password: &str) -> CredentialId {
    stored(store, basic::KIND.slug, name, &[("username", "app"), ("password", password)])
}

pub fn stored(store: &dyn Store, kind: &str, name: &str, values: &[(&str, &str)]) -> CredentialId {
    let draft = draft(kind, name, values);
    change(store, |conn, vault, actor| credentials::create(conn, vault, actor, &draft.row()))
}

/// A secret store at that Vault, with a credential of that token.
pub fn vault(store: &dyn Store, name: &str, (url, token): (&str, &str)) -> IntegrationId {
    let credential = stored(store, "api_token", &format!("token of {name}"), &[("token", token)]);
    let settings: Values = [("address", url), ("mount", "secret"), ("kv", "auto")].into_iter().collect();
    let spec = Spec::find("vault_kv").expect("a provider");
    let (host, settings) = (spec.host(&settings).expect("a host"), String::from_utf8(settings.to_json().to_vec()));
    let settings = settings.expect("JSON");
    change(store, |conn, vault, actor| {
        let new = NewIntegration {
            family: spec.family().slug(),
            version: spec.slug,
            name,
            credential_id: Some(credential),
            host: &host,
            further: &[],
            settings: &settings,
            every_hours: None,
        };
        integrations::create(conn, vault, actor, &new)
    })
}

/// The credential of [`login`] gets another password.
pub fn rotate(store: &dyn Store, id: CredentialId, password: &str) {
    change(store, |conn, vault, actor| {
        let row = credentials::find(conn, vault, id)?.into_shown();
        let draft = draft(basic::KIND.slug, &row.name, &[("username", "app"), ("password", password)]);
        credentials::update(conn, vault, actor, (id, row.row_version), &draft.row(), Secret::Replaced)
    });
}

fn draft(kind: &str, name: &str, values: &[(&str, &str)]) -> Draft {
    let kind = kinds::find(kind).expect("a kind");
    let values = strongroom::form::check(kind.fields, &values.iter().copied().collect(), None).expect("good values");
    Draft::new(kind, name.to_owned(), String::new(), &values).expect("a good credential")
}
