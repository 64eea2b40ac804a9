//! What a client may fetch: added, edited and taken away.

use strongroom::accounts::Role;

use super::{add, history, key, let_fetch, rule_of};
use crate::support::app::TestApp;
use crate::support::sql::count;

#[actix_web::test]
async fn a_rule_names_a_credential_and_what_the_client_gets() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await);
    let form = visit.get(&format!("/clients/{client}/rules/new?form=aws_session")).await;
    let offered = form.texts("#credential option:not([value=''])");
    assert!(offered.len() == 2 && offered.iter().any(|name| name.starts_with("prod — AKIA")), "{offered:?}");
    assert_eq!(let_fetch(&mut visit, client, key, "deploy").await.status, 303);
    let page = visit.get(&format!("/clients/{client}")).await;
    assert_eq!(page.attributes("[data-rule]", "data-rule"), ["deploy"]);
    let line = page.text("[data-rule=deploy]");
    assert!(line.contains("AWS session from prod") && line.contains("Never fetched"), "{line}");
    assert!(history(&mut visit, client).await[0].starts_with("Rule added by ada"));
}

#[actix_web::test]
async fn the_name_of_a_rule_fits_in_an_address_and_is_the_clients_own() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await);
    for name in ["", "Deploy", "-deploy", "a/b", "a b", "ä", &"a".repeat(64)] {
        let page = let_fetch(&mut visit, client, key, name).await;
        assert!(page.status == 422 && page.has("#name-error"), "{name:?}");
    }
    for name in ["deploy", "0.a_b-c", &"a".repeat(63)] {
        assert_eq!(let_fetch(&mut visit, client, key, name).await.status, 303, "{name}");
    }
    assert_eq!(let_fetch(&mut visit, client, key, "deploy").await.status, 422, "taken");
    let other = add(&mut visit, "shop").await;
    assert_eq!(let_fetch(&mut visit, other, key, "deploy").await.status, 303, "another client's");
}

#[actix_web::test]
async fn a_rule_takes_only_credentials_that_its_form_is_issued_from() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let client = add(&mut visit, "billing-api").await;
    let basic = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "not-a-secret-9")];
    let page = visit.post("/credentials", &basic).await;
    let robot = super::id_of(&page).parse().expect("an id");
    for credential in [robot, strongroom::models::CredentialId::fresh()] {
        let page = let_fetch(&mut visit, client, credential, "deploy").await;
        assert_eq!((page.status, count(&app, "client_rules")), (422, 0));
    }
}

#[actix_web::test]
async fn a_rule_is_edited_and_taken_away_at_once() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let (client, first) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await);
    let second = key(&mut visit, "staging").await;
    let_fetch(&mut visit, client, first, "deploy").await;
    let rule = rule_of(&app, client, "deploy");
    let form = format!("/clients/{client}/rules/{rule}/edit");
    assert_eq!(visit.get(&form).await.attributes("#name", "value"), ["deploy"]);
    let fields = [
        ("row_version", "1"),
        ("form", "aws_session"),
        ("credential", &second.to_string()),
        ("name", "release"),
        ("session_minutes", "30"),
    ];
    assert_eq!(visit.post(&form, &fields).await.status, 303);
    assert_eq!(visit.post(&form, &fields).await.status, 409, "somebody else has saved");
    assert!(visit.get(&format!("/clients/{client}")).await.text("[data-rule=release]").contains("staging"));
    assert_eq!(count(&app, "credentials WHERE name = 'prod' AND usage_count = 0"), 1);
    let delete = format!("/clients/{client}/rules/{rule}/delete");
    assert!(visit.get(&delete).await.has("button.is-danger-fill"));
    assert_eq!(visit.post(&delete, &[]).await.status, 303);
    assert_eq!(count(&app, "client_rules"), 0);
    let trail = visit.get("/audit?what=client.rule_deleted").await.text("main");
    assert!(trail.contains("release") && trail.contains("for billing-api"), "{trail}");
}
