//! The whole way in the console: a service account is stored, its project is scanned, and its key is known on the page
//! *Cloud keys* by its id; the rights for each part stand apart on the credential's page.

use serde_json::json;
use strongroom::models::{IntegrationId, runs};

use super::PAY;
use crate::support::app::TestApp;
use crate::support::google_scan::endpoints;
use crate::support::peers::google::{EMAIL, KEY_ID, account};
use crate::support::peers::google_world::Google;
use crate::support::wait::until;

#[actix_web::test]
async fn a_stored_service_account_is_known_among_the_keys_of_its_project() {
    let peer = Google::start();
    peer.with_project("shop").account("shop", EMAIL, &json!({})).account("shop", PAY, &json!({}));
    peer.key("shop", EMAIL, KEY_ID, &json!({"validAfterTime": "2019-03-01T10:00:00Z"}));
    peer.key("shop", PAY, "0a01", &json!({"validBeforeTime": "2099-01-01T00:00:00Z"}));
    peer.cluster("shop", "europe-west3", "prod", &json!({}));
    let app = TestApp::start_with(&[&endpoints(&peer.url())]);
    let mut visit = app.administrator();
    let key = [("kind", "gcp"), ("name", "scanner"), ("service_account", &account()), ("level", "project")];
    let page = visit.post("/credentials", &key).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let credential = page.location().rsplit('/').next().unwrap().to_owned();

    let form = visit.get("/integrations/new?version=google_cloud&projects=chosen").await;
    assert!(form.has("#project_ids") && form.has("input[name=keys][checked]") && form.has("input[name=clusters]"));
    let fields = [("name", "Google"), ("version", "google_cloud"), ("projects", "own"), ("schedule", "off")];
    let parts = [("keys", "on"), ("clusters", "on"), ("credential", credential.as_str())];
    let fields = [&fields[..], &parts].concat();
    let tried = visit.post("/integrations", &[&fields[..], &[("try", "connection")]].concat()).await;
    let said = tried.text(".notice.is-good");
    assert!(said.contains("lists in shop: 1 service account; 1 cluster."), "{said} {:?}", tried.texts(".notice"));
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[id$=-error]"));
    let id: IntegrationId = page.location().rsplit('/').next().unwrap().parse().unwrap();
    let all = || runs::of(&mut app.connect(), id, 10).expect("the runs");
    let run = until("the run ends", || all().into_iter().find(|run| !run.unfinished())).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("succeeded", 3, 0), "{:?}", run.error);

    let keys = visit.get("/cloud-keys").await;
    let own = keys.text(&format!("tr[data-key-id={KEY_ID}]"));
    assert!(own.starts_with(EMAIL) && own.contains("Google Cloud") && own.contains("shop"), "{own}");
    let held = keys.attributes(&format!("tr[data-key-id={KEY_ID}] td[data-label='Stored here'] a"), "href");
    assert_eq!(held, [format!("/credentials/{credential}")]);
    assert_eq!(keys.text(&format!("tr[data-key-id={KEY_ID}] [data-expires]")), "never");
    assert!(
        keys.text("tr[data-key-id='0a01']").contains("Not stored")
            && keys.text("tr[data-key-id='0a01']").contains("2099")
    );

    let page = visit.get(&format!("/credentials/{credential}")).await;
    let policies = page.texts("pre");
    let with = |permission: &str| policies.iter().filter(|text| text.contains(permission)).count();
    assert_eq!((with("iam.serviceAccountKeys.list"), with("container.clusters.list")), (1, 1));
    assert!(
        policies
            .iter()
            .any(|text| text.contains("--project shop") && text.contains(&format!("serviceAccount:{EMAIL}")))
    );
    assert!(
        policies.iter().all(|text| !(text.contains("iam.serviceAccountKeys.list") && text.contains("policyanalyzer")))
    );
}
