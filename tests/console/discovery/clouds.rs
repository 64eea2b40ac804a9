//! The stories of the other clouds in a real browser: a credential, a scan of what it sees, *Add scan*, the inventory of
//! that scan, and everything is covered.

use serde_json::json;

use super::story::add_scan;
use crate::support::app::TestApp;
use crate::support::azure_scan::service_key;
use crate::support::browser::{Browser, WIDE};
use crate::support::google_scan::endpoints;
use crate::support::peers::azure_management::Management;
use crate::support::peers::entra::{self, SECRET};
use crate::support::peers::google::account;
use crate::support::peers::google_world::Google;
use crate::support::peers::oracle_cloud;
use crate::support::peers::oracle_registry::{TENANCY, USER, fingerprint, key};
use crate::support::peers::receiver::Receiver;

const SUBSCRIPTION: &str = "5c2a1d8e-0b1f-4f2e-9d3c-7a6b5c4d3e2f";

/// Adds a cloud scan of functions alone with the credential `scanner`, covers what it finds, and looks at it again.
async fn covers_the_functions(app: &TestApp, credential: &[(&str, &str)], version: &str) {
    let mut visit = app.administrator();
    let page = visit.post("/credentials", credential).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto(&format!("/integrations/new?version={version}")).await;
    browser.fill("Name", "Everything there").await;
    browser.choose("Credential", "scanner").await;
    let only = "for (const part of ['keys', 'registries', 'clusters']) document.getElementById(part).checked = false";
    browser.script(only, Vec::new()).await;
    browser.press("Add and scan").await;
    // In the form the name is in a field, not in a text.
    browser.sees("Everything there").await;
    browser.reloads_until("/", "region with functions is not scanned").await;
    add_scan(&browser, "functions", "pay").await;
    browser.goto("/discovery?covered=no").await;
    browser.sees("Everything is covered").await;
    browser.goto(page.location()).await;
    for label in ["Cloud Scan", "Serverless Scan"] {
        browser.sees(label).await;
    }
    browser.close().await;
}

#[actix_web::test]
async fn functions_of_google_are_found_and_covered_with_a_click() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    let app = TestApp::start_with(&[&endpoints(&peer.url())]);
    let key = account();
    let fields = [("kind", "gcp"), ("name", "scanner"), ("service_account", &*key), ("level", "project")];
    covers_the_functions(&app, &fields, "google_cloud").await;
}

#[actix_web::test]
async fn function_apps_of_azure_are_found_and_covered_with_a_click() {
    let (peer, login) = (Management::start(), entra::start(None));
    peer.subscription(SUBSCRIPTION, "Production").app(SUBSCRIPTION, "pay", &json!({}));
    let endpoints = format!("--endpoints=azure-login={},azure-management={}", login.url(), peer.receiver.url());
    let app = TestApp::start_with(&[&endpoints]);
    let key = service_key(SECRET, Some(SUBSCRIPTION));
    let fields = [("kind", "azure"), ("name", "scanner"), ("method", "service_key"), ("service_key", &*key)];
    covers_the_functions(&app, &fields, "azure_tenant").await;
}

#[actix_web::test]
async fn registries_of_oracle_are_found_and_one_is_covered_with_a_click() {
    let peer = Receiver::start(oracle_cloud::answer);
    let services = ["oci-identity", "oci-artifacts", "oci-registry", "oci-functions", "oci-clusters"];
    let moved = services.map(|service| format!("{service}={}", peer.url())).join(",");
    let app = TestApp::start_with(&[&format!("--endpoints={moved}")]);
    let mut visit = app.administrator();
    let print = fingerprint(key());
    let owner = [("user_ocid", USER), ("tenancy_ocid", TENANCY), ("fingerprint", print.as_str())];
    let fields = [&[("kind", "oci"), ("name", "scanner")][..], &owner, &[("private_key", key())]].concat();
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/integrations/new?version=oracle_cloud").await;
    browser.fill("Name", "Everything there").await;
    browser.choose("Credential", "scanner").await;
    browser.press("Add and scan").await;
    // In the form the name is in a field, not in a text.
    browser.sees("Everything there").await;
    browser.reloads_until("/discovery?kind=registries&covered=no", "eu-frankfurt-1.ocir.io, shop").await;
    let open = async || browser.script("return document.querySelectorAll('a[data-add]').length", Vec::new()).await;
    let before = open().await.as_u64().expect("a number");
    let shop = "return [...document.querySelectorAll('tr')].find(row => row.textContent.includes(arguments[0]))
        .querySelector('a[data-add]').getAttribute('href')";
    let href = browser.script(shop, vec!["eu-frankfurt-1.ocir.io, shop".into()]).await;
    browser.goto(href.as_str().expect("an address")).await;
    browser.press("Add and scan").await;
    browser.sees("shop/app").await;
    browser.goto("/discovery?kind=registries&covered=no").await;
    assert_eq!(open().await.as_u64(), Some(before - 1));
    browser.goto(page.location()).await;
    for label in ["Cloud Scan", "Registry Scan"] {
        browser.sees(label).await;
    }
    browser.close().await;
}
