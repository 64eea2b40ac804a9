//! Clients: programs that fetch credentials. Added, given logins and rules, listed, watched and deleted by people; what
//! the programs themselves get is tested with the machines' API.

use strongroom::models::{ClientId, CredentialId};

use crate::credentials::samples;
use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;

mod deleting;
mod expiry;
mod guarded;
mod list;
mod logins;
mod rules;
mod usages;
mod values;

/// The one text that a query finds.
fn text(app: &TestApp, query: &str) -> String {
    sql::texts(app, query).remove(0)
}

/// The id at the end of the address that a form leads to.
fn id_of(page: &Page) -> &str {
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, [role=alert]"));
    page.location().rsplit('/').next().unwrap_or_default()
}

/// Adds a client by its form.
async fn add(visit: &mut Visit, name: &str) -> ClientId {
    let page = visit.post("/clients", &[("name", name), ("token_minutes", "15")]).await;
    id_of(&page).parse().expect("an id")
}

/// An AWS key, which sessions can be issued from.
async fn key(visit: &mut Visit, name: &str) -> CredentialId {
    let key = [("method", "access_key"), ("access_key_id", "AKIAIOSFODNN7EXAMPLE")];
    let secret = ("secret_access_key", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx");
    let page = visit.post("/credentials", &[&[("kind", "aws"), ("name", name), secret][..], &key].concat()).await;
    id_of(&page).parse().expect("an id")
}

/// Lets a client fetch sessions of a key.
async fn let_fetch(visit: &mut Visit, client: ClientId, key: CredentialId, rule: &str) -> Page {
    let fields = [("form", "aws_session"), ("credential", &key.to_string()), ("name", rule), ("session_minutes", "60")];
    visit.post(&format!("/clients/{client}/rules/new"), &fields).await
}

/// Adds a token, and returns the page that shows it.
async fn add_token(visit: &mut Visit, client: ClientId) -> Page {
    let page = visit.post(&format!("/clients/{client}/logins/new"), &[("method", "token"), ("expires", "90")]).await;
    assert_eq!(page.status, 200, "{:?}", page.texts(".error-summary"));
    page
}

/// The fields of a kubeconfig with that token.
fn kubeconfig(name: &str, token: &str) -> Vec<(&'static str, String)> {
    let (_, values) = samples::all(token).into_iter().find(|(kind, _)| *kind == "kubeconfig").expect("one");
    [("kind", "kubeconfig".to_owned()), ("name", name.to_owned())].into_iter().chain(values).collect()
}

/// A kubeconfig, which the logins of service accounts can be verified with.
async fn cluster(visit: &mut Visit, name: &str) -> CredentialId {
    let fields = kubeconfig(name, "not-a-secret-0123456789abcdefghijkl");
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let page = visit.post("/credentials", &fields).await;
    id_of(&page).parse().expect("an id")
}

/// Lets the service accounts of a cluster log in.
async fn let_in(visit: &mut Visit, client: ClientId, cluster: CredentialId) {
    let fields = [
        ("method", "kubernetes"),
        ("verify", "review"),
        ("credential", &*cluster.to_string()),
        ("audience", "strongroom"),
        ("accounts", "billing/api\nshop/*"),
        ("ends", "30"),
    ];
    let made = visit.post(&format!("/clients/{client}/logins/new"), &fields).await;
    assert_eq!(made.status, 303, "{:?}", made.texts(".error-summary"));
}

/// The ids of the logins of a client, the oldest first.
fn logins(app: &TestApp, client: ClientId) -> Vec<String> {
    let query = format!(
        "SELECT coalesce(string_agg(id::text, ',' ORDER BY made_at, id), '') AS text FROM client_logins
         WHERE client_id = '{client}'"
    );
    text(app, &query).split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

fn rule_of(app: &TestApp, client: ClientId, name: &str) -> String {
    text(app, &format!("SELECT id::text AS text FROM client_rules WHERE client_id = '{client}' AND name = '{name}'"))
}

/// What the history on the client's page says, the newest first.
async fn history(visit: &mut Visit, client: ClientId) -> Vec<String> {
    visit.get(&format!("/clients/{client}")).await.texts("[data-history] li")
}
