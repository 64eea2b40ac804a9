//! A rule, and the kubeconfig that verifies a login, are usages of the credential.

use super::{add, cluster, key, let_fetch, let_in};
use crate::support::app::TestApp;
use crate::support::sql::count;

#[actix_web::test]
async fn a_rule_is_a_usage_of_its_credential_and_keeps_it() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await);
    let_fetch(&mut visit, client, key, "deploy").await;
    let page = visit.get(&format!("/credentials/{key}")).await;
    assert_eq!(page.text(".tabs a[href='#usages'] span"), "1");
    assert!(page.has(&format!(".graph a[href='/clients/{client}']")));
    assert!(page.text(".graph__ends").contains("fetches deploy"), "{}", page.text(".graph__ends"));
    let question = visit.get(&format!("/credentials/{key}/delete")).await;
    assert!(question.has(&format!("a[href='/clients/{client}']")) && !question.has("form.form"));
    assert!(!question.has("a[href$='/replace']"), "there is no integration to move");
    let refused = visit.post(&format!("/credentials/{key}/delete"), &[("name", "prod"), ("row_version", "1")]).await;
    assert_eq!((refused.status, count(&app, "credentials WHERE name = 'prod'")), (409, 1));
    assert_eq!(count(&app, "credentials WHERE name = 'prod' AND usage_count = 1"), 1);
    // As a row of the list unfolds it.
    assert!(visit.fragment(&format!("/credentials/{key}/usages")).await.has(&format!("a[href='/clients/{client}']")));
}

#[actix_web::test]
async fn a_kubeconfig_that_verifies_a_login_is_in_use() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let client = add(&mut visit, "billing-api").await;
    let id = cluster(&mut visit, "cluster").await;
    let_in(&mut visit, client, id).await;
    let shown = visit.get(&format!("/clients/{client}")).await;
    assert!(shown.text("[data-login]").contains("billing/api, shop/*"));
    assert!(shown.has(&format!("[data-login] a[href='/credentials/{id}']")));
    assert!(visit.get(&format!("/credentials/{id}")).await.text(".graph__ends").contains("billing-api"));
    let refused = visit.post(&format!("/credentials/{id}/delete"), &[("name", "cluster"), ("row_version", "1")]).await;
    assert_eq!(refused.status, 409);
}

#[actix_web::test]
async fn a_client_is_found_by_the_palette() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let client = add(&mut visit, "billing-api").await;
    let page = visit.get("/search?q=billing").await;
    assert!(page.has(&format!("a[data-hit][href='/clients/{client}']")));
    assert!(visit.get("/search?q=clients").await.has("a[data-hit][href='/clients']"));
}
