//! What the console says to programs: what is issued from a credential, and the protocols by which it is fetched.

use serde_json::Value;
use strongroom::models::IntegrationId;
use strongroom::models::events::{self as trail, Event, Filter};

use crate::support::app::{Page, TestApp, Visit};
use crate::support::peers::openbao::{OpenBao, ROOT};

mod attacks;
mod aws;
mod canary;
mod client;
mod entries;
mod fetching;
mod issue;
mod vault;

/// What a program gets that shows a token, with whatever header belongs to the protocol.
async fn program(app: &TestApp, token: &str, path: &str) -> Page {
    let mut visitor = app.visitor();
    let request = visitor.request(reqwest::Method::GET, path).bearer_auth(token);
    visitor.send(request).await
}

fn value(page: &Page) -> Value {
    serde_json::from_str(&page.body).unwrap_or_default()
}

/// The events of an action.
fn events(app: &TestApp, action: &str) -> Vec<Event> {
    let found = trail::list(&mut app.connect(), &Filter::default(), 1_000).expect("the trail");
    found.into_iter().filter(|event| event.action == action).collect()
}

/// A secret store at that Vault, added by its form.
async fn store(visit: &mut Visit, name: &str, bao: &OpenBao) -> IntegrationId {
    let token = [("kind", "api_token"), ("name", &*format!("token of {name}")), ("token", ROOT)];
    let key = visit.post("/credentials", &token).await.location().rsplit('/').next().expect("an id").to_owned();
    let url = bao.url();
    let fields = [
        ("name", name),
        ("version", "vault_kv"),
        ("address", url.as_str()),
        ("mount", "secret"),
        ("credential", key.as_str()),
        ("schedule", "off"),
    ];
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    page.location().rsplit('/').next().expect("an id").parse().expect("an id")
}

/// Runs one of the tools of the clients' own makers; what it printed, or how it failed.
pub async fn tool(program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(environment.iter().copied()).kill_on_drop(true);
    let ran = tokio::time::timeout(std::time::Duration::from_secs(60), command.output()).await;
    let output = ran.expect("it ends").expect("it is installed by script/test");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{}\n{}", text(&output.stdout), text(&output.stderr)))
    }
}

/// A file of the directory in which the clients' own libraries are installed.
fn installed(name: &str) -> String {
    let directory = std::env::var("STRONGROOM_TEST_MACHINE_CLIENTS").expect("script/test sets it");
    format!("{directory}/bin/{name}")
}
