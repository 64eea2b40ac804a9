//! The whole way in the console: a key, an integration by its form, its inventory, what changed, a gap, the file.

use std::fmt::Debug;
use std::str::FromStr;

use serde_json::json;
use strongroom::models::IntegrationId;
use strongroom::models::alert_list::State;
use strongroom::models::runs::{self, Run};

use crate::alerts::listed;
use crate::support::app::{TestApp, Visit};
use crate::support::peers::lambda::{ENVIRONMENT, KEY, Lambda, SECRET, Says};
use crate::support::wait::until;

const RUNTIME_ENDED: &str = "AWS supported nodejs16.x until 2024-06-12.";

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

fn estate() -> Lambda {
    let peer = Lambda::start();
    peer.holds("eu-central-1", "pay", &json!({"Runtime": "nodejs16.x"})).holds("eu-central-1", "pay-out", &json!({}));
    peer.holds("us-east-1", "web", &json!({"Runtime": null, "PackageType": "Image", "CodeSize": 0}));
    peer
}

#[actix_web::test]
async fn functions_go_from_the_form_to_the_inventory_and_its_file() {
    let peer = estate();
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", peer.url())]);
    let mut visit = app.administrator();
    let key = [("kind", "aws"), ("name", "function key"), ("method", "access_key"), ("access_key_id", KEY)];
    let key: String = added(&mut visit, "/credentials", &[&key[..], &[("secret_access_key", SECRET)]].concat()).await;

    let form = visit.get("/integrations/new").await;
    assert!(form.has("[data-provider=lambda]"), "{}", form.text("main"));
    let shown = visit.get("/integrations/new?version=lambda&regions=chosen&sts=on").await;
    assert_eq!(shown.texts("#version option")[0], "AWS Lambda");
    assert!(shown.has("#region_names") && shown.has("#role") && shown.has("#exclude_functions"));

    let fields = [("name", "All functions"), ("version", "lambda"), ("regions", "aws"), ("versions", "latest")];
    let fields = [&fields[..], &[("credential", key.as_str()), ("schedule", "off")]].concat();
    let tried = visit.post("/integrations", &[&fields[..], &[("try", "connection")]].concat()).await;
    assert!(tried.text(".notice.is-good").contains("lists 1 function in us-east-1"), "{:?}", tried.texts(".notice"));
    let id: IntegrationId = added(&mut visit, "/integrations", &fields).await;
    let run = ended(&app, id, 1).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("succeeded", 3, 0), "{:?}", run.error);

    let path = format!("/integrations/{id}");
    let page = visit.get(&path).await;
    assert_eq!(page.texts("#results tbody th"), ["eu-central-1", "eu-central-1", "us-east-1"]);
    let heads = page.texts("#results thead th");
    assert_eq!(heads[..4], ["Region", "Function", "Runtime", "Runtime support"]);
    let cells = page.texts("#results tbody tr:first-child td");
    assert_eq!(cells[..3], ["pay", "nodejs16.x", "Ended 2024-06-12"]);
    assert!(page.text("#results").contains("AWS's table of September 2026"));
    assert!(page.text("main").contains("Serverless Scan · AWS Lambda"));
    assert!(!page.body.contains(ENVIRONMENT));
    let found = visit.get(&format!("{path}?q=web")).await;
    assert_eq!(found.texts("#results tbody td:nth-child(2)"), ["web"]);
    let used = visit.get(&format!("/credentials/{key}")).await;
    assert!(used.text("main").contains("Serverless Scan"), "{}", used.text("main"));
    let policy = used.texts("pre").concat();
    assert!(policy.contains("lambda:ListFunctions") && policy.contains("account:ListRegions"), "{policy}");
    let home = visit.get("/").await;
    assert!(home.text("main").contains("3 functions"), "{}", home.text("main"));

    let file = visit.get(&format!("{path}/items.csv")).await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"functions.csv\"");
    let lines: Vec<&str> = file.body.lines().collect();
    assert!(
        lines[0].trim_start_matches('\u{feff}').starts_with("region,function,runtime,runtime_support"),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with("eu-central-1,pay,nodejs16.x,Ended 2024-06-12,1048576,2026-03-01T12:00:00"));
    assert!(!file.body.contains(ENVIRONMENT));
}

#[actix_web::test]
async fn what_changed_is_told_and_a_gap_keeps_its_region() {
    let peer = estate();
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", peer.url())]);
    let mut visit = app.administrator();
    let key = [("kind", "aws"), ("name", "function key"), ("method", "access_key"), ("access_key_id", KEY)];
    let key: String = added(&mut visit, "/credentials", &[&key[..], &[("secret_access_key", SECRET)]].concat()).await;
    let fields = [("name", "All functions"), ("version", "lambda"), ("regions", "aws"), ("versions", "latest")];
    let fields = [&fields[..], &[("credential", key.as_str()), ("schedule", "off")]].concat();
    let id: IntegrationId = added(&mut visit, "/integrations", &fields).await;
    assert_eq!(ended(&app, id, 1).await.found, 3);
    let old = |state| listed(&app, state, "old_runtime");
    let [alert] = &old(State::Open)[..] else { panic!("one function is old") };
    assert_eq!((alert.subject_name.as_str(), alert.words.as_str()), ("eu-central-1/pay", RUNTIME_ENDED));
    let page = visit.get(&format!("/alerts/{}", alert.id)).await;
    let item = page.attributes("a[href^='/items/']", "href")[0].to_owned();
    assert_eq!(visit.get(&item).await.location(), format!("/integrations/{id}?q=pay"));

    peer.drop("eu-central-1", "pay");
    peer.drop("eu-central-1", "pay-out");
    peer.holds("eu-central-1", "pay", &json!({"CodeSha256": "changed="})).holds("eu-central-1", "new", &json!({}));
    peer.says("us-east-1", Says::Denied);
    let path = format!("/integrations/{id}");
    assert_eq!(visit.post(&format!("{path}/runs"), &[]).await.status, 303);
    let run = ended(&app, id, 2).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("partly", 2, 1));
    assert!(old(State::Open).is_empty(), "the new code has a runtime that is supported");
    assert_eq!(old(State::Closed)[0].closed_why.as_deref(), Some("its runtime is supported"));
    let page = visit.get(&path).await;
    assert_eq!(page.attributes("[data-gap]", "data-gap"), ["us-east-1"]);
    assert!(page.text("[data-gap]").contains("does not allow lambda:ListFunctions"));
    assert_eq!(page.texts("#results tbody tr:has([data-kept]) th"), ["us-east-1"]);
    let changes = page.texts("#changed li");
    assert_eq!(changes, ["eu-central-1/new New", "eu-central-1/pay Changed", "eu-central-1/pay-out Gone"]);
}
