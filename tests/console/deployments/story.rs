//! The life of a deployment in a real browser, against a real control plane: missing rights, applying the guide,
//! preview, deployment, an edit by somebody else, drift, restore, a bad image, undo, removal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::app::{PASSWORD, TestApp, Visit};
use crate::support::browser::{Browser, WIDE};
use crate::support::kubernetes::Lab;
use crate::support::sql;

const IMAGE: &str = "registry.example.com/agent:1";
/// The secret values that are written into the cluster, and must appear nowhere else.
const PULL: &str = "CanaryPull-0123456789";
const AGENT: &str = "CanaryAgent-0123456789";

async fn saved(visit: &mut Visit, fields: &[(&str, &str)]) -> String {
    let page = visit.post("/credentials", fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    page.location().to_owned()
}

/// Adds the deployment with its form, and confirms that its secrets go to that cluster. Returns the path of its page.
async fn add(browser: &Browser, namespace: &str) -> String {
    browser.goto("/integrations/new?version=kubernetes").await;
    browser.fill("Image", IMAGE).await;
    browser.fill("Namespace", namespace).await;
    browser.fill("Name", "Production agent").await;
    browser.choose("Credential", "production cluster").await;
    browser.choose("Pull secret", "registry robot").await;
    browser.choose("Agent secret", "agent token").await;
    browser.press("Add").await;
    browser.sees("read Secrets or create pods in that namespace").await;
    browser.script("document.getElementById('send_to').checked = true", Vec::new()).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Add").await;
    browser.sees("Nothing is deployed").await;
    browser.path().await
}

/// Waits until the current run has ended.
async fn ended(browser: &Browser, page: &str) {
    browser.sees("has been queued").await;
    let started = std::time::Instant::now();
    while browser.source().await.contains("id=\"run\"") {
        assert!(started.elapsed().as_secs() < 120, "the run does not end");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        browser.goto(page).await;
    }
}

async fn deploy(browser: &Browser, button: &str) {
    browser.press("Preview and deploy").await;
    browser.press(button).await;
}

#[actix_web::test]
async fn an_agent_is_deployed_watched_restored_undone_and_removed() {
    let (lab, app) = (Lab::open("story").await, TestApp::start());
    let login = lab.login();
    let namespace = format!("{}-agents", lab.name);
    let mut visit = app.administrator();
    let kubeconfig = lab.kubeconfig(&login);
    let cluster =
        saved(&mut visit, &[("kind", "kubeconfig"), ("name", "production cluster"), ("kubeconfig", &kubeconfig)]).await;
    let robot = [("kind", "basic"), ("name", "registry robot"), ("username", "robot"), ("password", PULL)];
    saved(&mut visit, &robot).await;
    saved(&mut visit, &[("kind", "api_token"), ("name", "agent token"), ("token", AGENT)]).await;

    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    let page = add(&browser, &namespace).await;

    browser.press("Preview and deploy").await;
    browser.sees("The login lacks rights").await;
    browser.picture("deployment-too-few-rights").await;
    lab.grant(&login, &[json!({"nonResourceURLs": ["*"], "verbs": ["*"]}), everything()]).await;
    browser.goto(&page).await;
    browser.press("Preview and deploy").await;
    browser.sees("The login has every right it needs").await;
    browser.sees("New").await;
    assert!(!browser.source().await.contains("Canary"), "a preview shows no secret");
    browser.picture("deployment-preview").await;
    browser.press("Deploy").await;
    browser.reloads_until(&page, "3 of 3 nodes").await;
    browser.sees("Ready").await;
    browser.picture("deployment-ready").await;

    let daemon_set = format!("/apis/apps/v1/namespaces/{namespace}/daemonsets/defender");
    let live = lab.administrator.get(&daemon_set).await.expect("a DaemonSet");
    let container = live["spec"]["template"]["spec"]["containers"][0]["name"].clone();
    let edit = json!({"spec": {"template": {"spec": {"containers":
        [{"name": container, "image": "registry.example.com/agent:theirs"}]}}}});
    let path = format!("{daemon_set}?fieldManager=kubectl-edit");
    let edit = Some(("application/strategic-merge-patch+json", &edit));
    assert_eq!(lab.administrator.send(reqwest::Method::PATCH, &path, edit).await.0, 200);
    browser.press("Check now").await;
    browser.reloads_until(&page, "Drifted").await;
    browser.sees("agent:theirs").await;
    browser.picture("deployment-drift").await;
    browser.press("Restore…").await;
    browser.sees("Take over").await;
    browser.picture("deployment-conflict").await;
    browser.press("Agree to all and deploy").await;
    ended(&browser, &page).await;
    browser.sees("3 of 3 nodes").await;
    assert!(!browser.source().await.contains("data-drift"), "no drift is left");

    browser.goto(&format!("{page}/edit")).await;
    browser.fill("Image", "registry.example.com/agent:broken").await;
    browser.press("Save").await;
    browser.sees("The settings have changed since the last deployment").await;
    deploy(&browser, "Deploy").await;
    ended(&browser, &page).await;
    browser.sees("ImagePullBackOff").await;
    browser.picture("deployment-bad-image").await;
    browser.press("Undo").await;
    browser.sees("agent:broken").await;
    browser.press("Go back and deploy").await;
    ended(&browser, &page).await;
    browser.sees("3 of 3 nodes").await;

    assert!(!browser.source().await.contains("Outdated"), "all pods are of these settings");

    browser.press("Remove").await;
    browser.sees("from the cluster?").await;
    browser.press("Remove").await;
    ended(&browser, &page).await;
    browser.picture("deployment-removed").await;
    browser.sees("Nothing is deployed").await;
    assert!(lab.administrator.get(&format!("/api/v1/namespaces/{namespace}")).await.is_none(), "the namespace is gone");
    is_nowhere(&app, &page).await;
    browser.goto(&cluster).await;
    browser.sees("Defender DaemonSet").await;
    assert_eq!(browser.complaints().await, [""; 0]);
    browser.close().await;
}

/// Checks that these values, plain or in base64, are neither in the pages nor in the stored records.
async fn is_nowhere(app: &TestApp, page: &str) {
    let mut auditor = app.user("olga", strongroom::accounts::Role::Auditor);
    let needles: Vec<String> = [PULL, AGENT].iter().flat_map(|one| [(*one).to_owned(), STANDARD.encode(one)]).collect();
    for path in ["/", page, "/integrations", "/audit", "/alerts", "/alerts?state=closed"] {
        let found = auditor.get(path).await;
        assert_eq!(found.status, 200, "{path}");
        assert!(needles.iter().all(|needle| !found.body.contains(needle)), "{path}");
    }
    for table in ["events", "items", "item_changes", "runs", "deployments", "alerts", "notices", "integrations"] {
        let rows = format!("{table} AS line WHERE line::text ~ '{}'", needles.join("|"));
        assert_eq!(sql::count(app, &rows), 0, "{table}");
    }
}

fn everything() -> serde_json::Value {
    json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
}
