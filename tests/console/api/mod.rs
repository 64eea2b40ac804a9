//! The API of the seeds' vendor: its own client, and everything that must not come of it.

use std::io::Write;
use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};
use strongroom::accounts::api_tokens::written;
use strongroom::accounts::{Role, tokens};
use strongroom::models::api_tokens::{self, NewApiToken, Scope};
use strongroom::models::events::{self as trail, Actor, Event, Filter};
use strongroom::models::{ApiTokenId, UserId, users};

use crate::support::app::{Page, TestApp};
use crate::support::db::Scratch;

mod account;
mod attacks;
mod credentials;
mod described;
mod history;
mod large;
mod python;
mod registries;
mod screens;
mod sessions;
mod walk;

/// A token of a user, made as the console makes it.
struct Token {
    id: ApiTokenId,
    text: String,
}

fn token(app: &TestApp, user: UserId, scope: Scope, days: i64) -> Token {
    let (secret, vault) = (tokens::new_token(), &app.services.vault);
    let expires_at = chrono::Utc::now() + chrono::TimeDelta::days(days);
    let id = app.transaction(|conn| {
        let user = users::find(conn, vault, user)?.trust()?;
        let (name, secret_hash) = (scope.word(), tokens::hash(&secret));
        let new = NewApiToken { name, scope, secret_hash, expires_at };
        api_tokens::make(conn, vault, &Actor::command_line(), &user, &new)
    });
    Token { id, text: written(id, &secret).to_string() }
}

/// A program that has logged in.
struct Program<'a> {
    app: &'a TestApp,
    session: String,
}

impl<'a> Program<'a> {
    /// Of a new user of that role, by a token of that scope.
    async fn new(app: &'a TestApp, role: Role, scope: Scope) -> Self {
        let name = format!("{}-{}", role.slug(), scope.word());
        let user = app.add_user(&name, role);
        let token = token(app, user, scope, 1);
        Self::by(app, &name, &token.text).await
    }

    async fn by(app: &'a TestApp, name: &str, password: &str) -> Self {
        let page = log_in(app, name, password).await;
        assert_eq!(page.status, 200, "{}", page.body);
        Self { app, session: value(&page)["token"].as_str().expect("a token").to_owned() }
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Page {
        let mut visitor = self.app.visitor();
        let request = visitor.request(method, &format!("/api/v1{path}")).bearer_auth(&self.session);
        let request = body.iter().fold(request, |request, body| request.json(body));
        visitor.send(request).await
    }

    async fn get(&self, path: &str) -> Page {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Page {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> Page {
        self.call(Method::DELETE, path, None).await
    }

    /// The one of that name in the list.
    async fn credential(&self, name: &str) -> Option<Value> {
        let list = value(&self.get("/credentials").await);
        list.as_array().expect("a list").iter().find(|one| one["_id"] == name).cloned()
    }
}

async fn log_in(app: &TestApp, name: &str, password: &str) -> Page {
    let mut visitor = app.visitor();
    let request = visitor.request(Method::POST, "/api/v1/authenticate");
    visitor.send(request.json(&json!({"username": name, "password": password}))).await
}

fn value(page: &Page) -> Value {
    serde_json::from_str(&page.body).unwrap_or_default()
}

/// The sentence of an error.
fn error(page: &Page) -> String {
    assert!(page.header("content-type").starts_with("application/json"), "{}", page.header("content-type"));
    value(page)["err"].as_str().unwrap_or_else(|| panic!("no error: {} {}", page.status, page.body)).to_owned()
}

/// The events of an action.
fn events(app: &TestApp, action: &str) -> Vec<Event> {
    let found = trail::list(&mut app.connect(), &Filter::default(), 1_000).expect("the trail");
    found.into_iter().filter(|event| event.action == action).collect()
}

fn basic(name: &str, account: &str, secret: &str) -> Value {
    json!({"_id": name, "type": "basic", "accountID": account, "secret": {"plain": secret}, "serviceAccount": {}})
}

/// A console that speaks TLS, and its certificate.
struct Tls {
    app: TestApp,
    scratch: Scratch,
}

impl Tls {
    fn start(more: &[&str]) -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let scratch = Scratch::new();
        let (certificate, key) = (scratch.path.join("cert.pem"), scratch.path.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).expect("a file");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("a file");
        let tls = [format!("--tls-cert={}", certificate.display()), format!("--tls-key={}", key.display())];
        let flags: Vec<&str> = tls.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Self { app: TestApp::start_with(&flags), scratch }
    }

    /// What the vendor's own client gets of its methods, each with its arguments.
    fn client(&self, name: &str, secret: &str, calls: &Value) -> Vec<Value> {
        let certificate = self.scratch.path.join("cert.pem");
        let settings = json!({"url": self.app.url, "identity": name, "secret": secret, "verify": certificate});
        let python = std::env::var("STRONGROOM_TEST_VENDOR_CLIENTS").expect("script/test sets it");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/support/peers/vendor_api.py");
        let mut command = Command::new(python);
        // It writes a log of errors where it runs.
        command.arg(script).current_dir(&self.scratch.path).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("Python runs");
        let sent = json!({"settings": settings, "calls": calls}).to_string();
        child.stdin.take().expect("a pipe").write_all(sent.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}
