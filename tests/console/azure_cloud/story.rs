//! From the form of a cloud scan of Azure to its page, the page *Cloud keys* and the credential's page.

use std::fmt::Debug;
use std::str::FromStr;

use serde_json::json;
use strongroom::models::{IntegrationId, runs};

use super::{OWN, registry};
use crate::support::app::{TestApp, Visit};
use crate::support::azure_scan::service_key;
use crate::support::peers::azure_management::Management;
use crate::support::peers::entra::{self, CLIENT, SECRET};
use crate::support::peers::graph::{Graph, HINT, secret};
use crate::support::wait::until;

const OTHER: &str = "0d0d0d0d-6c27-41d3-9749-ca5c9cc4a622";

async fn added<Id: FromStr<Err: Debug>>(visit: &mut Visit, path: &str, fields: &[(&str, &str)]) -> Id {
    let page = visit.post(path, fields).await;
    assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[id$=-error]"));
    page.location().rsplit('/').next().unwrap().parse().expect("an id")
}

#[actix_web::test]
async fn keys_of_applications_are_shown_as_stored_perhaps_or_not() {
    let (graph, peer, login) = (Graph::start(), Management::start(), entra::start(None));
    let key = |digit: &str| format!("{}-6c27-41d3-9749-ca5c9cc4a622", digit.repeat(8));
    let made = |digit: &str| secret(&key(digit), "ci", "2019-03-01T10:00:00Z", "2199-01-01T00:00:00Z");
    graph.application(CLIENT, "Deploy", &[made("1")], &[]).application(OTHER, "Mailer", &[made("2"), made("3")], &[]);
    peer.subscription(OWN, "Production");
    registry(&peer, OWN, "example", &json!({}));
    let moved = [
        ("azure-login", login.url()),
        ("azure-management", peer.receiver.url()),
        ("azure-graph", graph.receiver.url()),
    ];
    let moved: Vec<String> = moved.iter().map(|(name, url)| format!("{name}={url}")).collect();
    let app = TestApp::start_with(&[&format!("--endpoints={}", moved.join(","))]);
    let mut visit = app.administrator();
    let json = service_key(SECRET, Some(OWN));
    let fields = [("kind", "azure"), ("name", "reader"), ("method", "service_key"), ("service_key", json.as_str())];
    let credential: String = added(&mut visit, "/credentials", &fields).await;
    let form = visit.get("/integrations/new?version=azure_tenant").await;
    assert!(form.has("#keys[checked]") && form.has("#clusters[checked]"), "{}", form.text("main"));
    assert!(form.attributes("#subscriptions-all[checked]", "value") == ["all"]);
    let fields = [("name", "Tenant"), ("version", "azure_tenant"), ("keys", "on"), ("registries", "on")];
    let fields =
        [&fields[..], &[("subscriptions", "all"), ("credential", credential.as_str()), ("schedule", "off")]].concat();
    let id: IntegrationId = added(&mut visit, "/integrations", &fields).await;
    let all = || runs::of(&mut app.connect(), id, 10).expect("the runs");
    let run = until("the run ends", || all().into_iter().find(|run| !run.unfinished())).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("succeeded", 4, 0), "{:?}", run.error);

    let page = visit.get(&format!("/integrations/{id}")).await;
    let shown = page.text("#results");
    assert!(shown.contains("example.azurecr.io") && shown.contains("Client secret “ci”"), "{shown}");
    let keys = visit.get("/cloud-keys").await;
    let row = |owner: &str| keys.texts("tbody tr").into_iter().find(|row| row.contains(owner)).expect(owner);
    assert!(row("Deploy").contains("reader") && !row("Deploy").contains("Perhaps"), "{}", row("Deploy"));
    assert!(!row("Mailer").contains("reader"), "{}", row("Mailer"));
    let used = visit.get(&format!("/credentials/{credential}")).await;
    let policies = used.texts("pre").concat();
    assert!(policies.contains(&format!("az ad app permission admin-consent --id {CLIENT}")), "{policies}");
    assert!(policies.contains("Microsoft.ContainerRegistry/registries/read") && !policies.contains("managedClusters"));
    for page in [page, keys, used] {
        assert!(!page.body.contains(HINT) && !page.body.contains(SECRET));
    }
}
