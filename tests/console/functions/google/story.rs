//! The whole way in the console: a service account, an integration by its form, its inventory, the old runtime, what
//! changed, and the rights on the credential's page.

use std::fmt::Debug;
use std::str::FromStr;

use serde_json::json;
use strongroom::models::IntegrationId;
use strongroom::models::alert_list::State;
use strongroom::models::runs::{self, Run};

use crate::alerts::listed;
use crate::support::app::{TestApp, Visit};
use crate::support::google_scan::endpoints;
use crate::support::peers::google::{EMAIL, account};
use crate::support::peers::google_functions::ENVIRONMENT;
use crate::support::peers::google_world::{Api, Google, Says};
use crate::support::wait::until;

const RUNTIME_ENDED: &str = "Google supported python38 until 2024-10-14, and may disable what uses it from 2025-10-14.";

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
async fn functions_of_google_go_from_the_form_to_alert_and_change() {
    let peer = Google::start();
    let old = json!({"buildConfig": {"runtime": "python38", "environmentVariables": {"A": ENVIRONMENT}}});
    peer.with_project("shop").function("shop", "europe-west3", "pay", &old);
    peer.service("shop", "us-central1", "web", &json!({}));
    let app = TestApp::start_with(&[&endpoints(&peer.url())]);
    let mut visit = app.administrator();
    let key = [("kind", "gcp"), ("name", "scanner"), ("service_account", &account()), ("level", "project")];
    let key: String = added(&mut visit, "/credentials", &key).await;

    let shown = visit.get("/integrations/new?version=google_functions&projects=chosen").await;
    assert!(shown.texts("#version option").contains(&"Google Cloud Functions and Cloud Run".to_owned()));
    assert!(shown.has("#project_ids") && shown.has("#exclude_functions"));
    let fields = [("name", "Google"), ("version", "google_functions"), ("projects", "own"), ("schedule", "off")];
    let fields = [&fields[..], &[("credential", key.as_str())]].concat();
    let tried = visit.post("/integrations", &[&fields[..], &[("try", "connection")]].concat()).await;
    assert!(tried.text(".notice.is-good").contains("1 function and 1 service"), "{:?}", tried.texts(".notice"));
    let id: IntegrationId = added(&mut visit, "/integrations", &fields).await;
    let run = ended(&app, id, 1).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("succeeded", 2, 0), "{:?}", run.error);

    let path = format!("/integrations/{id}");
    let page = visit.get(&path).await;
    assert_eq!(page.texts("#results tbody th"), ["shop/europe-west3", "shop/us-central1"]);
    let heads = page.texts("#results thead th");
    assert_eq!(heads, ["Region", "Function", "Runtime", "Runtime support", "Modified", "Runs as", "State"]);
    assert_eq!(page.texts("#results tbody tr:last-child td")[..3], ["web", "Container image", "Unknown"]);
    assert!(page.text("#results").contains("Google's of April 2026") && !page.body.contains(ENVIRONMENT));
    let open = listed(&app, State::Open, "old_runtime");
    let [alert] = &open[..] else { panic!("one function is old") };
    assert_eq!((alert.subject_name.as_str(), alert.words.as_str()), ("shop/europe-west3/pay", RUNTIME_ENDED));

    let used = visit.get(&format!("/credentials/{key}")).await;
    let policy = used.texts("pre").concat();
    assert!(policy.contains("--permissions cloudfunctions.functions.list,run.services.list"), "{policy}");
    assert!(policy.contains(&format!("--member serviceAccount:{EMAIL}")), "{policy}");
    assert!(policy.contains("projects/shop/roles/strongroomFunctions"), "{policy}");

    peer.drop("shop", "pay").function("shop", "europe-west3", "new", &json!({})).says(Api::Run, "shop", Says::Denied);
    assert_eq!(visit.post(&format!("{path}/runs"), &[]).await.status, 303);
    let run = ended(&app, id, 2).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("partly", 1, 1));
    let page = visit.get(&path).await;
    assert!(page.text("[data-gap]").contains("lacks the permission run.services.list"));
    assert_eq!(page.texts("#results tbody tr:has([data-kept]) td:nth-child(2)").len(), 2, "the project hides all");
    let file = visit.get(&format!("{path}/items.csv")).await;
    assert!(file.body.contains("shop/europe-west3,new,nodejs24,Supported,,2026-03-01T12:00:00"), "{}", file.body);
    assert!(!file.body.contains(ENVIRONMENT));
}
