//! A deployment in a real browser against a real control plane: too few rights, the guide applied, preview, deployment,
//! a foreign edit, drift, restoring, a bad image, undo, removal.

use serde_json::json;

use super::desk::saved;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::browser::{Browser, WIDE};
use crate::support::kubernetes::Lab;
use crate::support::sql;
use crate::support::sweep::{Canaries, Sweep};

const IMAGE: &str = "registry.example.com/agent:1";
/// What is handed on to the cluster, and must be nowhere else.
const PULL: &str = "CanaryPull-7gQ2xLw9Zr4T";
const AGENT: &str = "CanaryAgent-Vb3nK8sYp6Hd";

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

/// Waits until the run that was asked for just now has ended. What says that it is queued is on one page only, so it is
/// gone when the next run is asked for.
async fn ended(browser: &Browser, page: &str) {
    browser.sees("has been queued").await;
    browser.goto(page).await;
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
    let new = browser.script("return document.querySelectorAll('[data-change=New]').length", Vec::new()).await;
    assert_eq!(new, 5, "namespace, service account, two secrets and the DaemonSet");
    let mut sweep = sweep();
    sweep.look("the preview", browser.source().await);
    assert_eq!(sweep.found, [""; 0]);
    browser.picture("deployment-preview").await;
    browser.press("Deploy").await;
    ended(&browser, &page).await;
    browser.sees("3 of 3 nodes").await;
    assert!(browser.source().await.contains("data-standing=\"Ready\""));
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
    ended(&browser, &page).await;
    browser.sees("Drifted").await;
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
    browser.sees("Go back").await;
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

/// Finds these values in any text, plain or encoded.
fn sweep() -> Sweep {
    let mut canaries = Canaries::default();
    canaries.add("the pull secret", PULL);
    canaries.add("the agent secret", AGENT);
    canaries.sweep()
}

/// Checks that they are neither in the pages nor in the stored records.
async fn is_nowhere(app: &TestApp, page: &str) {
    let (mut sweep, mut auditor) = (sweep(), app.user("olga", strongroom::accounts::Role::Auditor));
    for path in ["/", page, "/integrations", "/clusters", "/audit", "/alerts", "/alerts?state=closed"] {
        let found = auditor.get(path).await;
        assert_eq!(found.status, 200, "{path}");
        sweep.look(path, &found.body);
    }
    for table in ["events", "items", "item_changes", "runs", "deployments", "alerts", "notices", "integrations"] {
        for row in sql::texts(app, &format!("SELECT line::text AS text FROM {table} AS line")) {
            sweep.look(table, row);
        }
    }
    assert_eq!(sweep.found, [""; 0]);
}

fn everything() -> serde_json::Value {
    json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
}
