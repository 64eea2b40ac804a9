//! Programs that log in by an identity that somebody else vouches for: a real Kubernetes API server, an OpenID Connect
//! issuer, STS. Each has its right case, and what somebody would try instead.

use reqwest::StatusCode;
use serde_json::{Value, json};
use strongroom::integrations::identities::Identity;
use strongroom::models::client_logins::{self, Method, NewLogin};
use strongroom::models::clients::{self, NewClient};
use strongroom::models::events::Actor;
use strongroom::models::{ClientId, CredentialId};

use crate::support::app::TestApp;
use crate::support::sql;

mod aws;
mod kubernetes;
mod oidc;

/// A client without a login.
fn client(app: &TestApp, name: &str) -> ClientId {
    let new = NewClient { name, description: "", networks: Vec::new(), token_minutes: 15, bound_to_address: false };
    app.transaction(|conn| clients::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

/// Gives a client a login by an identity.
fn login(app: &TestApp, client: ClientId, identity: &Identity, credential: Option<CredentialId>) {
    let method = match identity {
        Identity::Kubernetes(_) => Method::Kubernetes,
        Identity::Oidc(_) => Method::Oidc,
        Identity::Aws(_) => Method::Aws,
    };
    let settings = identity.to_json();
    let new = NewLogin { method, secret_hash: None, settings: &settings, credential, expires_at: None };
    app.transaction(|conn| {
        let row = clients::find(conn, &app.services.vault, client)?.trust()?;
        client_logins::make(conn, &app.services.vault, &Actor::command_line(), &row, &new)
    });
}

/// `POST` of a program.
async fn post(app: &TestApp, path: &str, body: &Value) -> (StatusCode, Value) {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = http.post(format!("{}{path}", app.url)).json(body).send().await.expect("an answer");
    (answer.status(), answer.json().await.unwrap_or_default())
}

/// The session token of a login with a JWT, or the status of the refusal.
async fn log_in(app: &TestApp, client: &str, method: &str, token: &str) -> Result<String, StatusCode> {
    let body = json!({"method": method, "client": client, "token": token});
    match post(app, "/machine/v1/login", &body).await {
        (StatusCode::OK, answer) => Ok(answer["token"].as_str().expect("a token").to_owned()),
        (status, answer) => {
            let text = answer.to_string();
            assert!(!text.contains(token) && !text.contains("audience"), "{text}");
            Err(status)
        }
    }
}

/// Whether a session token is one.
async fn works(app: &TestApp, token: &str) -> bool {
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = http.get(format!("{}/machine/v1/rules", app.url)).bearer_auth(token).send().await;
    answer.expect("an answer").status() == StatusCode::OK
}

/// Why the last login failed, as the audit trail says it.
fn why(app: &TestApp) -> String {
    let failed = "SELECT detail AS text FROM events WHERE action = 'client.login_failed' ORDER BY at DESC LIMIT 1";
    sql::texts(app, failed).pop().unwrap_or_default()
}
