//! The pages of a deployment that has drifted, in a real browser: at five widths, light and dark, nothing is cut off and
//! axe finds nothing.

use serde_json::json;

use crate::screens::{FAULTS, WIDTHS};
use crate::support::app::{TestApp, Visit};
use crate::support::browser::{Browser, Look, WIDE};
use crate::support::kubernetes::Lab;
use crate::support::process::wait_for;
use crate::support::sql;

const RULES: &str = "- apiGroups: [\"\"]\n  resources: [\"nodes\", \"pods\"]\n  verbs: [\"get\", \"list\", \"watch\"]";

/// Deploys, lets somebody else change the image, and looks. The path of the page.
async fn drifted(lab: &Lab, app: &TestApp, visit: &mut Visit) -> String {
    let kubeconfig = lab.kubeconfig(&lab.almighty().await);
    let cluster = [("kind", "kubeconfig"), ("name", "production cluster"), ("kubeconfig", &*kubeconfig)];
    let credential =
        visit.post("/credentials", &cluster).await.location().rsplit('/').next().expect("an id").to_owned();
    let namespace = format!("{}-node-agents-of-the-platform", lab.name);
    let fields = [
        ("version", "kubernetes"),
        ("image", "registry.platform.example.com/security/node-agent:2.14.1"),
        ("namespace", &namespace),
        ("daemon_set", "defender"),
        ("rules", "own"),
        ("own_rules", RULES),
        ("name", "Node agent, production eu-central-1"),
        ("credential", &credential),
    ];
    let added = visit.post("/integrations", &fields).await;
    assert_eq!(added.status, 303, "{:?}", added.texts(".error-summary"));
    let page = added.location().to_owned();
    visit.post(&format!("{page}/deploy"), &[("row_version", "1")]).await;
    let ended = async |runs: i64| sql::count(app, "runs WHERE ended_at IS NOT NULL") == runs;
    wait_for("it is deployed", std::time::Duration::from_secs(90), async || ended(1).await).await;
    let path = format!("/apis/apps/v1/namespaces/{namespace}/daemonsets/defender?fieldManager=kubectl-edit");
    let edit = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image",
        "value": "registry.platform.example.com/security/node-agent:2.9.0-hotfix-of-the-incident-in-october"}]);
    let edit = Some(("application/json-patch+json", &edit));
    assert_eq!(lab.administrator.send(reqwest::Method::PATCH, &path, edit).await.0, 200);
    visit.post(&format!("{page}/runs"), &[]).await;
    wait_for("it was looked at", std::time::Duration::from_secs(90), async || ended(2).await).await;
    page
}

async fn faults(browser: &Browser, name: &str) -> Vec<String> {
    browser.picture(&format!("deployments-{name}")).await;
    let mut found = browser.script(FAULTS, Vec::new()).await.as_array().expect("a list").clone();
    if browser.overflow().await > 0 {
        found.push("wider than the window".into());
    }
    found.extend(browser.axe().await.into_iter().chain(browser.complaints().await).map(Into::into));
    found.into_iter().map(|fault| format!("{name}: {fault}")).collect()
}

#[actix_web::test]
async fn pages_of_a_drifted_deployment_fit_and_are_accessible() {
    let (lab, app) = (Lab::open("screens").await, TestApp::start());
    let mut visit = app.administrator();
    let page = drifted(&lab, &app, &mut visit).await;
    let looks = WIDTHS.map(|width| Look { width, ..WIDE });
    let dark = [360, 1440].map(|width| Look { width, dark: true, ..WIDE });
    let mut found = Vec::new();
    for look in looks.into_iter().chain(dark) {
        let name = |of: &str| format!("{of}-{}{}", look.width, if look.dark { "-dark" } else { "" });
        let browser = Browser::open(&app.url, look).await;
        browser.take(visit.cookie.as_deref()).await;
        for (of, path) in [("page", page.clone()), ("removal", format!("{page}/removal"))] {
            browser.goto(&path).await;
            found.extend(faults(&browser, &name(of)).await);
        }
        browser.goto(&page).await;
        browser.press("Restore…").await;
        browser.sees("Nothing has been changed yet").await;
        found.extend(faults(&browser, &name("preview")).await);
        browser.close().await;
    }
    assert!(found.is_empty(), "{found:#?}");
}
