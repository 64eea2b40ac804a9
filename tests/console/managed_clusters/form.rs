//! Choosing a cluster: from the list on the form, and from discovered clusters.

use serde_json::json;
use strongroom::models::{CredentialId, IntegrationId, runs};

use crate::support::app::{TestApp, Visit};
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::google_scan::endpoints;
use crate::support::page::Page;
use crate::support::peers::google::account;
use crate::support::peers::google_world::{Api, Google, Says};
use crate::support::process::{PATIENCE, wait_for};

fn google() -> (Google, TestApp) {
    let google = Google::start();
    google.with_project("shop").cluster("shop", "europe-west3", "prod", &json!({}));
    google.cluster("shop", "asia-east1", "test", &json!({"privateClusterConfig": {"enablePrivateEndpoint": true}}));
    let app = TestApp::start_with(&[&endpoints(&google.url())]);
    (google, app)
}

fn id_in<T: std::str::FromStr>(location: &str) -> T {
    location.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

async fn credential(visit: &mut Visit) -> String {
    let account = account();
    let fields = [("kind", "gcp"), ("name", "deployer"), ("service_account", &*account), ("level", "project")];
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    id_in::<CredentialId>(page.location()).to_string()
}

fn attribute(page: &Page, selector: &str, name: &str) -> String {
    page.attributes(selector, name).into_iter().next().unwrap_or_default()
}

fn filled(page: &Page, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| attribute(page, &format!("#{name}"), "value")).collect()
}

#[actix_web::test]
async fn a_cluster_is_chosen_from_the_list_of_its_credential() {
    let (google, app) = google();
    let mut visit = app.administrator();
    let credential = credential(&mut visit).await;
    let form = [("version", "gke"), ("credential", credential.as_str()), ("image", "r.example/agent:1")];
    let page = visit.post("/integrations", &[&form[..], &[("list", "clusters")]].concat()).await;
    assert_eq!((page.status, page.texts("[data-cluster] th")), (200, vec!["test".to_owned(), "prod".to_owned()]));
    let picks = attribute(&page, "[data-cluster=prod] button", "value");
    let page = visit.post("/integrations", &[&form[..], &[("pick", picks.as_str())]].concat()).await;
    assert_eq!(filled(&page, &["project", "cluster", "image"]), ["shop", "europe-west3/prod", "r.example/agent:1"]);
    let evil = visit.post("/integrations", &[&form[..], &[("pick", "image=evil")]].concat()).await;
    assert_eq!(evil.status, 400);
    let page = visit.post("/integrations", &[("version", "gke"), ("list", "clusters")]).await;
    assert!(page.texts("#credential-error")[0].contains("Choose a credential first"));
    google.says(Api::Clusters, "shop", Says::Denied);
    let page = visit.post("/integrations", &[&form[..], &[("list", "clusters")]].concat()).await;
    assert!(page.texts("[data-clusters-failed]")[0].contains("container.clusters.list"));
}

#[actix_web::test]
async fn the_list_of_clusters_is_accessible_wide_and_narrow() {
    let (_google, app) = google();
    let mut visit = app.administrator();
    credential(&mut visit).await;
    for (name, look) in [("wide", WIDE), ("narrow-dark", Look { dark: true, ..NARROW })] {
        let browser = Browser::open(&app.url, look).await;
        browser.take(visit.cookie.as_deref()).await;
        browser.goto("/integrations/new?version=gke").await;
        browser.choose("Credential", "deployer").await;
        // On a phone, the bar at the top may cover the element that is scrolled to.
        browser.script("document.querySelector('button[name=list]').click()", Vec::new()).await;
        browser.sees("that the credential can see").await;
        browser.picture(&format!("clusters-list-{name}")).await;
        assert!(browser.overflow().await <= 0, "{name}");
        assert_eq!(browser.axe().await, Vec::<String>::new(), "{name}");
        browser.script("document.querySelector('[data-cluster=prod] button').click()", Vec::new()).await;
        // All else on the page that comes is on this one too.
        let value = "return document.getElementById('cluster')?.value";
        let filled_in = async || browser.script(value, Vec::new()).await == "europe-west3/prod";
        wait_for("the cluster is filled in", PATIENCE, filled_in).await;
        browser.close().await;
    }
}

#[actix_web::test]
async fn a_discovered_cluster_opens_a_filled_in_deployment_form() {
    let (_google, app) = google();
    let mut visit = app.administrator();
    let credential = credential(&mut visit).await;
    let scan = [("version", "google_cloud"), ("name", "Shop"), ("credential", credential.as_str()), ("clusters", "on")];
    let page = visit.post("/integrations", &[&scan[..], &[("projects", "own"), ("schedule", "off")]].concat()).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let id: IntegrationId = id_in(page.location());
    let ended = || runs::of(&mut app.connect(), id, 1).unwrap().iter().all(|run| !run.unfinished());
    wait_for("the scan ends", PATIENCE, async || ended()).await;
    let page = visit.get("/discovery?kind=clusters&q=prod").await;
    let page = visit.get(&attribute(&page, "a[data-deploy]", "href")).await;
    assert_eq!(filled(&page, &["project", "cluster"]), ["shop", "europe-west3/prod"]);
    assert!(page.has("#endpoint-public[checked]"));
    assert_eq!(attribute(&page, "#credential option[selected]", "value"), credential);
}
