//! The stored value itself: released only where the operator allows it, by administrators, with the password and the
//! credential's name, and told to every administrator.

use serde_json::json;
use strongroom::accounts::Role;
use strongroom::form::Values;
use strongroom::models::ClientId;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::users;

use super::{add, add_token, key, logins};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::peers::smtp::MailServer;
use crate::support::process::{PATIENCE, wait_for};
use crate::support::sql::count;

pub const ON: &[&str] = &["--release-values=on"];

pub async fn release(visit: &mut Visit, client: ClientId, credential: &str, more: &[(&str, &str)]) -> Page {
    let fields = [("form", "value"), ("credential", credential), ("name", "robot")];
    visit.post(&format!("/clients/{client}/rules/new"), &[&fields[..], more].concat()).await
}

pub fn named() -> [(&'static str, &'static str); 2] {
    [("release", "prod"), ("password", PASSWORD)]
}

#[actix_web::test]
async fn no_value_is_released_unless_the_operator_of_the_console_allows_it() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await.to_string());
    let form = visit.get(&format!("/clients/{client}/rules/new")).await;
    assert!(!form.has("#form option[value=value]"));
    let page = release(&mut visit, client, &key, &named()).await;
    assert_eq!((page.status, count(&app, "client_rules")), (422, 0));
    assert!(page.text(".error-summary").contains("STRONGROOM_RELEASE_VALUES"));
}

#[actix_web::test]
async fn a_value_takes_an_administrator_the_name_and_the_password_each_time() {
    let app = TestApp::start_with(ON);
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await.to_string());
    let mut olga = app.user("olga", Role::Operator);
    assert!(!olga.get(&format!("/clients/{client}/rules/new")).await.has("#form option[value=value]"));
    assert_eq!(release(&mut olga, client, &key, &named()).await.status, 422);
    // The password was given a moment ago, and is asked for again.
    let asked = release(&mut visit, client, &key, &[]).await;
    assert!(asked.status == 422 && asked.has("[data-release] #release") && asked.has("#confirm input[type=password]"));
    assert!(asked.text("[data-release]").contains("“prod”"));
    assert!(asked.text("[data-release]").contains("No administrator is told by mail"), "there is no channel");
    for answer in [
        [("release", "prod"), ("password", "")],
        [("release", "staging"), ("password", PASSWORD)],
        [("release", "prod"), ("password", "not it")],
    ] {
        let page = release(&mut visit, client, &key, &answer).await;
        assert!(page.status == 422 && page.has("[data-release]"), "{answer:?}: {}", page.status);
    }
    assert_eq!(count(&app, "client_rules"), 0);
    assert_eq!(release(&mut visit, client, &key, &named()).await.status, 303);
    assert_eq!(count(&app, "client_rules WHERE allowed_by = 'ada' AND allowed_at IS NOT NULL"), 1);
    let trail = visit.get("/audit?what=client.value_allowed").await;
    assert!(trail.text("main").contains("by the rule robot of billing-api"));
    let shown = visit.get(&format!("/clients/{client}")).await;
    assert!(shown.text("[data-rule=robot]").contains("Stored value") && !shown.has("[data-held]"));
}

/// Whoever gives such a client a login gets the value too.
#[actix_web::test]
async fn a_client_that_fetches_a_value_is_opened_further_by_administrators_alone() {
    let app = TestApp::start_with(ON);
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await.to_string());
    add_token(&mut visit, client).await;
    assert_eq!(release(&mut visit, client, &key, &named()).await.status, 303);
    let mut olga = app.user("olga", Role::Operator);
    let (page, login) = (format!("/clients/{client}"), logins(&app, client).remove(0));
    let shown = olga.get(&page).await;
    assert!(!shown.has("a[href$='/logins/new'], a[href$='/rotate'], main a[href$='/edit']:not([href*='/rules/'])"));
    let rotate = format!("/logins/{login}/rotate");
    for (path, fields) in [
        ("/logins/new", vec![("method", "token"), ("expires", "90")]),
        (rotate.as_str(), vec![("expires", "90"), ("overlap", "7")]),
        ("/edit", vec![("row_version", "1"), ("name", "billing-api"), ("token_minutes", "15")]),
        ("/activation", vec![("active", "on")]),
    ] {
        assert_eq!(olga.post(&format!("{page}{path}"), &fields).await.status, 403, "{path}");
    }
    // What only takes away is theirs to do.
    assert_eq!(olga.post(&format!("{page}/activation"), &[("active", "")]).await.status, 303);
    assert_eq!(olga.post(&format!("{page}/logins/{login}/end"), &[]).await.status, 303);
}

#[actix_web::test]
async fn a_rule_that_was_made_before_the_setting_went_says_that_it_answers_nothing() {
    let app = TestApp::start_with(ON);
    let mut visit = app.administrator();
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await.to_string());
    assert_eq!(release(&mut visit, client, &key, &named()).await.status, 303);
    let later = TestApp::replica(app.database.clone(), &[]);
    let mut visit = later.user("grace", Role::Administrator);
    assert!(visit.get(&format!("/clients/{client}")).await.has("[data-held]"));
}

fn channel(app: &TestApp, server: &MailServer) {
    let mut settings: Values = server.settings();
    settings.set("accounts", "on");
    let settings = String::from_utf8(settings.to_json().to_vec()).expect("JSON");
    let new = NewIntegration {
        family: "alert_profile",
        version: "email",
        name: "Mail",
        credential_id: None,
        host: &server.address.to_string(),
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new));
}

#[actix_web::test]
async fn every_administrator_with_an_address_is_told_of_a_released_value() {
    let (app, server) = (TestApp::start_with(ON), MailServer::clear(json!({})));
    channel(&app, &server);
    let mut visit = app.administrator();
    for (name, role) in [("grace", Role::Administrator), ("olga", Role::Operator)] {
        let id = app.add_user(name, role);
        let change = users::Change::Email(Some(format!("{name}@example.com")));
        let vault = app.services.vault.clone();
        app.transaction(|conn| users::change(conn, &vault, &Actor::command_line(), id, &change, None));
    }
    let (client, key) = (add(&mut visit, "billing-api").await, key(&mut visit, "prod").await.to_string());
    let asked = release(&mut visit, client, &key, &[]).await.text("[data-release]");
    assert!(asked.contains("1 administrator is told by mail"), "{asked}");
    assert_eq!(release(&mut visit, client, &key, &named()).await.status, 303);
    wait_for("the mail arrives", PATIENCE, async || server.steps("mail").len() == 1).await;
    let mail = server.mails().remove(0);
    let text = mail.body("text/plain");
    for word in ["grace@example.com", "ada", "“prod”", "robot", "billing-api"] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    assert_eq!(count(&app, "deliveries WHERE kind = 'value_notice' AND state <> 'dropped'"), 1);
}
