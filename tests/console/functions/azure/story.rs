//! The whole way in the console: a service key, an integration by its form, its inventory, an alert, a gap.

use std::fmt::Debug;
use std::str::FromStr;

use serde_json::json;
use strongroom::models::IntegrationId;
use strongroom::models::alert_list::State;
use strongroom::models::runs::{self, Run};

use super::{OWN, TEST, sites};
use crate::alerts::listed;
use crate::support::app::{TestApp, Visit};
use crate::support::azure_scan::service_key;
use crate::support::peers::azure_management::{Management, SETTING, Says};
use crate::support::peers::entra::{self, CLIENT, SECRET};
use crate::support::wait::until;

/// The last of so many runs, once all have ended.
async fn ended(app: &TestApp, integration: IntegrationId, number: usize) -> Run {
    let all = || runs::of(&mut app.connect(), integration, 100).expect("the runs");
    let done = |runs: &Vec<Run>| runs.len() == number && runs.iter().all(|run| !run.unfinished());
    until("the run ends", || Some(all()).filter(done)).await.remove(0)
}

async fn added<Id: FromStr<Err: Debug>>(visit: &mut Visit, path: &str, fields: &[(&str, &str)]) -> Id {
    let page = visit.post(path, fields).await;
    assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[id$=-error]"));
    page.location().rsplit('/').next().unwrap().parse().expect("an id")
}

#[actix_web::test]
async fn function_apps_go_from_the_form_to_the_inventory_and_an_alert() {
    let (peer, login) = (Management::start(), entra::start(None));
    peer.subscription(OWN, "Production").app(OWN, "pay", &json!({"siteConfig": {"linuxFxVersion": "Python|3.9"}}));
    peer.slot(OWN, "pay", "staging", &json!({})).subscription(TEST, "Test").app(TEST, "api", &json!({}));
    let endpoints = format!("--endpoints=azure-login={},azure-management={}", login.url(), peer.receiver.url());
    let app = TestApp::start_with(&[&endpoints]);
    let mut visit = app.administrator();
    let key = service_key(SECRET, Some(OWN));
    let fields = [("kind", "azure"), ("name", "reader"), ("method", "service_key"), ("service_key", key.as_str())];
    let credential: String = added(&mut visit, "/credentials", &fields).await;

    let shown = visit.get("/integrations/new?version=azure_functions&subscriptions=chosen").await;
    assert_eq!(shown.texts("#version option[selected]"), ["Azure Function Apps"]);
    assert!(shown.has("#subscription_ids") && shown.has("#slots[checked]") && shown.has("#exclude_functions"));
    let fields = [("name", "Apps"), ("version", "azure_functions"), ("subscriptions", "all"), ("slots", "on")];
    let fields = [&fields[..], &[("credential", credential.as_str()), ("schedule", "off")]].concat();
    let tried = visit.post("/integrations", &[&fields[..], &[("try", "connection")]].concat()).await;
    assert!(tried.text(".notice.is-good").contains("lists 1 function app"), "{:?}", tried.texts(".notice"));
    let id: IntegrationId = added(&mut visit, "/integrations", &fields).await;
    let run = ended(&app, id, 1).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("succeeded", 3, 0), "{:?}", run.error);

    let path = format!("/integrations/{id}");
    let page = visit.get(&path).await;
    assert!(page.text("main").contains("Serverless Scan · Azure Function Apps"));
    let rows = page.texts("#results tbody td:nth-child(2)");
    assert_eq!(rows, ["pay", "pay/staging", "api"]);
    let cells = page.texts("#results tbody tr:first-child td");
    assert!(cells.contains(&"Python 3.9".to_owned()) && cells.contains(&"Ended 2025-10-31".to_owned()), "{cells:?}");
    assert!(
        cells.contains(&"Production".to_owned()) && !page.texts("#results thead th").contains(&"Code size".to_owned())
    );
    let open = listed(&app, State::Open, "old_runtime");
    let [alert] = &open[..] else { panic!("one app is old") };
    assert_eq!(alert.words, "Azure supported Python 3.9 until 2025-10-31.");

    let used = visit.get(&format!("/credentials/{credential}")).await;
    let policy = used.texts("pre").concat();
    assert!(
        policy.contains("Microsoft.Web/sites/slots/read") && policy.contains(&format!("--assignee {CLIENT}")),
        "{policy}"
    );
    let file = visit.get(&format!("{path}/items.csv")).await;
    assert!(file.body.contains(&format!("{OWN}/westeurope,pay/staging,Node.js 24,Supported")), "{}", file.body);
    assert!(![page.body, file.body, used.body].iter().any(|body| body.contains(SETTING) || body.contains(SECRET)));

    peer.clear(&sites(OWN));
    peer.says(&sites(TEST), Says::Denied);
    assert_eq!(visit.post(&format!("{path}/runs"), &[]).await.status, 303);
    let run = ended(&app, id, 2).await;
    assert_eq!((run.state.word(), run.gaps), ("partly", 1));
    let page = visit.get(&path).await;
    assert!(page.text("[data-gap]").contains("does not allow Microsoft.Web/sites/read"));
    assert_eq!(page.texts("#results tbody td:nth-child(2)"), ["api Earlier scan"], "the others are gone");
}
