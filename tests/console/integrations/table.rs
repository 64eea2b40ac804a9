//! The table of integrations: filters with counts, and a search that looks through the credential's name too.

use strongroom::accounts::Role;

use crate::support::app::{TestApp, Visit};
use crate::support::sql;

async fn added(visit: &mut Visit, name: &str, credential: &str) -> String {
    let fields = [
        ("version", "docker_v2"),
        ("name", name),
        ("registry", "https://registry.example.com"),
        ("credential", credential),
        ("schedule", "off"),
    ];
    visit.post("/integrations", &fields).await.location().replace("/integrations/", "")
}

fn rows(body: &str) -> usize {
    body.matches("data-row=").count()
}

#[actix_web::test]
async fn integrations_are_found_by_any_words_and_by_their_credential() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let stored = [("kind", "basic"), ("name", "Harbor robot"), ("username", "robot"), ("password", "pass")];
    let id = visit.post("/credentials", &stored).await.location().replace("/credentials/", "");
    added(&mut visit, "Payments images", &id).await;
    added(&mut visit, "Search images", "").await;
    assert_eq!(rows(&visit.get("/integrations").await.body), 2);
    for (search, found) in
        [("robot", 1), ("images+search", 1), ("images+EXAMPLE.com", 2), ("docker+robot", 1), ("no", 0)]
    {
        let body = visit.get(&format!("/integrations?q={search}")).await.body;
        assert_eq!(rows(&body), found, "{search}");
    }
}

#[actix_web::test]
async fn failing_and_switched_off_integrations_are_a_click_away_with_counts() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let failing = added(&mut visit, "Fails", "").await;
    let off = added(&mut visit, "Off", "").await;
    sql::run(&app, "UPDATE runs SET state = 'failed', started_at = now(), ended_at = now(), error = 'Unreachable.'");
    visit.post(&format!("/integrations/{off}/activation"), &[("active", "")]).await;
    let body = visit.get("/integrations?state=failing").await.body;
    assert!(body.contains(&format!("data-row=\"{failing}\"")) && rows(&body) == 1, "{body}");
    assert!(body.contains("Unreachable."));
    let body = visit.get("/integrations?state=off&family=registry_scan").await.body;
    assert!(body.contains(&format!("data-row=\"{off}\"")) && rows(&body) == 1);
    assert_eq!(rows(&visit.get("/integrations?family=alert_profile").await.body), 0);
    assert_eq!(visit.get("/integrations?state=wild").await.status, 422);
}
