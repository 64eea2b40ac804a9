//! The first hour: who opens the address before there is a user, and the list of first steps.

use strongroom::accounts::{Role, tokens};
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::logins;

use crate::support::app::{Page, TestApp};
use crate::support::sql;

fn open(page: &Page) -> Vec<String> {
    page.attributes("[data-first-steps] li:not(.is-done)", "data-step")
}

#[actix_web::test]
async fn who_opens_a_console_without_users_reads_how_to_set_it_up() {
    let app = TestApp::start();
    let mut visit = app.visitor();
    assert_eq!(visit.get("/").await.location(), "/login");
    let page = visit.get("/login").await;
    assert!(page.has("[data-not-set-up]") && !page.has("form"));
    // Without a token, and with one that is none: the same answer.
    let forged = format!("/setup?token={}", tokens::new_token());
    let pages = [visit.get("/setup").await, visit.get(&forged).await];
    assert!(pages.iter().all(|page| page.status == 404 && page.has("[data-not-set-up]")));
    assert_eq!(pages[0].body, pages[1].body);
    let token = tokens::new_token();
    let minutes = logins::SETUP_MINUTES;
    logins::offer_setup(&mut app.connect(), &app.services.vault, &tokens::hash(&token), minutes).expect("a link");
    let page = visit.get(&format!("/setup?token={token}")).await;
    assert!(page.status == 200 && page.has("form") && !page.has("[data-not-set-up]"));
    app.add_user("ada", Role::Administrator);
    for path in ["/setup", &forged] {
        let page = visit.get(path).await;
        assert!(page.status == 404 && !page.has("[data-not-set-up]"), "{path}");
    }
    let page = visit.get("/login").await;
    assert!(page.has("form") && !page.has("[data-not-set-up]"));
}

#[actix_web::test]
async fn first_steps_are_ticked_by_what_was_done() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let all = ["credential", "test", "integration", "notify", "key_ring", "second"];
    assert_eq!(open(&visit.get("/").await), all);
    let fields = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "a secret")];
    assert_eq!(visit.post("/credentials", &fields).await.status, 303);
    assert_eq!(open(&visit.get("/").await), all[1..]);
    sql::run(
        &app,
        "UPDATE credentials SET tested_at = now(), test_verdict = 'ok', test_sentence = '', tested_by = 'ada'
         WHERE NOT shipped",
    );
    let form = [("name", "m"), ("version", "docker_v2"), ("registry", "http://127.0.0.1:1"), ("schedule", "off")];
    assert_eq!(visit.post("/integrations", &form).await.status, 303);
    assert_eq!(open(&visit.get("/").await), all[3..]);
    app.add_user("grace", Role::Administrator);
    let vault = app.services.vault.clone();
    let channel = NewIntegration {
        family: "alert_profile",
        version: "webhook_channel",
        name: "on call",
        credential_id: None,
        host: "http://127.0.0.1:1",
        further: &[],
        settings: r#"{"on_stale":"on"}"#,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &vault, &Actor::command_line(), &channel));
    assert_eq!(open(&visit.get("/").await), ["key_ring"]);
    // Nobody can know that a copy lies somewhere else.
    assert_eq!(visit.post("/first-steps", &[("step", "credential")]).await.status, 422);
    for _ in 0..2 {
        assert_eq!(visit.post("/first-steps", &[("step", "key_ring")]).await.location(), "/");
    }
    assert!(!visit.get("/").await.has("[data-first-steps]"));
    assert_eq!(sql::count(&app, "events WHERE action = 'first_steps.ticked' AND actor = 'ada'"), 1);
}

#[actix_web::test]
async fn first_steps_are_for_administrators_until_one_hides_them() {
    let app = TestApp::start();
    let (mut ada, mut olga) = (app.administrator(), app.user("olga", Role::Operator));
    assert!(ada.get("/").await.has("[data-first-steps]") && !olga.get("/").await.has("[data-first-steps]"));
    assert_eq!(olga.post("/first-steps", &[("step", "hidden")]).await.status, 403);
    assert_eq!(ada.post("/first-steps", &[("step", "hidden")]).await.status, 303);
    assert!(!ada.get("/").await.has("[data-first-steps]"));
    assert_eq!(sql::count(&app, "events WHERE action = 'first_steps.hidden'"), 1);
}
