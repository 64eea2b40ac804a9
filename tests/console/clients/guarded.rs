//! A client that fetches a stored value is the business of administrators: nobody else comes to the value by its logins,
//! by the cluster that vouches for them, or by another client of its name.

use strongroom::accounts::Role;
use strongroom::models::{ClientId, CredentialId};

use super::values::{ON, named, release};
use super::{add, add_token, cluster, key, kubeconfig, let_in, logins, text};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::sql::count;

/// Saves another token of a kubeconfig over its current version.
async fn save(app: &TestApp, visit: &mut Visit, id: CredentialId, way: &str, more: &[(&str, &str)]) -> Page {
    let version = text(app, &format!("SELECT row_version::text AS text FROM credentials WHERE id = '{id}'"));
    let token = format!("not-a-secret-{version}-abcdefghijklmnopqrstuv");
    let fields = kubeconfig("cluster", &token);
    let own = fields.iter().map(|(name, value)| (*name, value.as_str()));
    let own = own.filter(|(name, _)| *name == "kubeconfig" || (way == "edit" && *name == "name"));
    let rest = [("row_version", version.as_str())].into_iter().chain(more.iter().copied());
    visit.post(&format!("/credentials/{id}/{way}"), &own.chain(rest).collect::<Vec<_>>()).await
}

fn version(app: &TestApp, id: CredentialId) -> String {
    text(app, &format!("SELECT secret_version::text AS text FROM credentials WHERE id = '{id}'"))
}

/// A client that fetches a value and is let in by a cluster.
async fn verified(visit: &mut Visit) -> (ClientId, CredentialId) {
    let (client, key) = (add(visit, "billing-api").await, key(visit, "prod").await.to_string());
    let cluster = cluster(visit, "cluster").await;
    let_in(visit, client, cluster).await;
    assert_eq!(release(visit, client, &key, &named()).await.status, 303);
    (client, cluster)
}

#[actix_web::test]
async fn a_cluster_that_vouches_for_a_value_is_changed_by_administrators() {
    let app = TestApp::start_with(ON);
    let mut visit = app.administrator();
    let (_, cluster) = verified(&mut visit).await;
    let mut olga = app.user("olga", Role::Operator);
    let before = version(&app, cluster);
    assert_eq!(save(&app, &mut olga, cluster, "edit", &[]).await.status, 409);
    assert_eq!(save(&app, &mut olga, cluster, "rotate", &[("goal", "save")]).await.status, 409);
    assert_eq!(version(&app, cluster), before);
    app.give_password_long_ago();
    let asked = save(&app, &mut visit, cluster, "edit", &[]).await;
    assert!(asked.status == 422 && asked.has("input[name=your_password]"), "{}", asked.status);
    assert_eq!(version(&app, cluster), before);
    assert_eq!(save(&app, &mut visit, cluster, "edit", &[("your_password", PASSWORD)]).await.status, 303);
    assert_ne!(version(&app, cluster), before);
}

#[actix_web::test]
async fn a_cluster_that_vouches_for_no_value_stays_with_operators() {
    let app = TestApp::start_with(ON);
    let mut olga = app.user("olga", Role::Operator);
    let (client, cluster) = (add(&mut olga, "billing-api").await, cluster(&mut olga, "cluster").await);
    let_in(&mut olga, client, cluster).await;
    assert_eq!(save(&app, &mut olga, cluster, "edit", &[]).await.status, 303);
}

#[actix_web::test]
async fn no_login_of_an_operator_gets_a_value_by_its_first_rule() {
    let app = TestApp::start_with(ON);
    let (mut visit, mut olga) = (app.administrator(), app.user("olga", Role::Operator));
    let (client, key) = (add(&mut olga, "billing-api").await, key(&mut visit, "prod").await.to_string());
    add_token(&mut olga, client).await;
    let refused = release(&mut visit, client, &key, &named()).await;
    let login = logins(&app, client).remove(0);
    assert_eq!((refused.status, count(&app, "client_rules")), (422, 0));
    let why = refused.text(".error-summary");
    assert!(why.contains(&login[30..]) && why.contains("added by olga"), "{why}");
    // An administrator's login in its place gets it.
    let form = format!("/clients/{client}/logins/{login}/rotate");
    assert_eq!(visit.post(&form, &[("expires", "90"), ("overlap", "0")]).await.status, 200);
    assert_eq!(release(&mut visit, client, &key, &named()).await.status, 303);
}

#[actix_web::test]
async fn no_cluster_of_an_operator_vouches_for_the_first_value() {
    let app = TestApp::start_with(ON);
    let (mut visit, mut olga) = (app.administrator(), app.user("olga", Role::Operator));
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await.to_string());
    let cluster = cluster(&mut visit, "cluster").await;
    let_in(&mut visit, client, cluster).await;
    assert_eq!(save(&app, &mut olga, cluster, "edit", &[]).await.status, 303);
    let refused = release(&mut visit, client, &key, &named()).await;
    assert_eq!((refused.status, count(&app, "client_rules")), (422, 0));
    assert!(refused.text(".error-summary").contains("“cluster” that olga saved last"));
    assert_eq!(save(&app, &mut visit, cluster, "edit", &[]).await.status, 303);
    assert_eq!(release(&mut visit, client, &key, &named()).await.status, 303);
}

#[actix_web::test]
async fn a_client_that_fetches_a_value_is_deleted_by_administrators() {
    let app = TestApp::start_with(ON);
    let mut visit = app.administrator();
    let (client, _) = verified(&mut visit).await;
    let mut olga = app.user("olga", Role::Operator);
    let (page, delete) = (format!("/clients/{client}"), format!("/clients/{client}/delete"));
    assert!(!olga.get(&page).await.has("a[href$='/delete'].is-danger:not([href*='/rules/'])"));
    assert_eq!(olga.get(&delete).await.status, 403);
    let name = [("name", "billing-api"), ("row_version", "1")];
    assert_eq!(olga.post(&delete, &name).await.status, 403);
    assert_eq!(count(&app, "clients"), 1);
    assert_eq!(visit.post(&delete, &name).await.status, 303);
}

#[actix_web::test]
async fn replacing_a_credential_names_the_clients_that_stay_with_it() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await);
    let form = format!("/credentials/{key}/replace");
    assert!(!visit.get(&form).await.has("[data-clients-left]"));
    assert_eq!(super::let_fetch(&mut visit, client, key, "deploy").await.status, 303);
    assert!(visit.get(&form).await.has(&format!("[data-clients-left] a[href='/clients/{client}']")));
}
