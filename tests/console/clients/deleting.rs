//! Disabling and deleting a client.

use super::{add, add_token, key, let_fetch};
use crate::support::app::TestApp;
use crate::support::sql::count;

#[actix_web::test]
async fn a_disabled_client_keeps_its_usages_and_is_enabled_with_the_password() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await);
    let_fetch(&mut visit, client, key, "deploy").await;
    let form = format!("/clients/{client}/activation");
    app.give_password_long_ago();
    assert_eq!(visit.post(&form, &[("active", "")]).await.location(), format!("/clients/{client}"));
    assert_eq!(visit.get("/clients?state=disabled").await.texts("[data-client] th"), ["billing-api"]);
    assert_eq!(count(&app, "credentials WHERE name = 'prod' AND usage_count = 1"), 1);
    assert!(visit.post(&form, &[("active", "on")]).await.location().starts_with("/account/confirm"));
    assert_eq!(count(&app, "clients WHERE active"), 0);
}

#[actix_web::test]
async fn deleting_a_client_says_what_ends_with_it_and_wants_its_name() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await);
    add_token(&mut visit, client).await;
    let_fetch(&mut visit, client, key, "deploy").await;
    let form = format!("/clients/{client}/delete");
    let question = visit.get(&form).await;
    assert!(question.text("main").contains("deploy") && question.text("main").contains("never fetched"));
    let wrong = visit.post(&form, &[("name", "billing"), ("row_version", "1")]).await;
    assert_eq!((wrong.status, count(&app, "clients")), (422, 1));
    let gone = visit.post(&form, &[("name", "billing-api"), ("row_version", "1")]).await;
    assert_eq!((gone.status, gone.location()), (303, "/clients"));
    for table in ["clients", "client_logins", "client_rules"] {
        assert_eq!(count(&app, table), 0, "{table}");
    }
    assert_eq!(count(&app, "credentials WHERE name = 'prod' AND usage_count = 0"), 1);
    let trail = visit.get("/audit?what=client.deleted").await;
    assert!(trail.text("main").contains("with the rules deploy"));
}
