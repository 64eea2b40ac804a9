//! The whole way in the console: a key, an integration by its form, its inventory, what changed, a gap, the file.

use std::fmt::Debug;
use std::str::FromStr;

use serde_json::json;
use strongroom::models::runs::{self, Run};
use strongroom::models::{IntegrationId, alerts};

use crate::support::app::{TestApp, Visit};
use crate::support::peers::lambda::{KEY, Lambda, SECRET, Says};
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
    let old = |closed| alerts::list(&mut app.connect(), closed, "old_runtime", None, 10).unwrap();
    let [alert] = &old(false)[..] else { panic!("one function is old") };
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
    assert!(old(false).is_empty(), "the new code has a runtime that is supported");
    assert_eq!(old(true)[0].closed_why.as_deref(), Some("its runtime is supported"));
    let page = visit.get(&path).await;
    assert_eq!(page.attributes("[data-gap]", "data-gap"), ["us-east-1"]);
    assert!(page.text("[data-gap]").contains("does not allow lambda:ListFunctions"));
    assert_eq!(page.texts("#results tbody tr:has([data-kept]) th"), ["us-east-1"]);
    let changes = page.texts("#changed li");
    assert_eq!(changes, ["eu-central-1/new New", "eu-central-1/pay Changed", "eu-central-1/pay-out Gone"]);
}
