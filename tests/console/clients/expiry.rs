//! Logins that end soon are announced as expiring credentials are, and no longer once they were rotated.

use strongroom::models::due_alerts::{self, Rules};
use strongroom::models::{ClientId, alerts};

use super::{add, add_token, logins};
use crate::support::app::{TestApp, Visit};
use crate::support::signed;
use crate::support::sql::{count, texts};

/// The clock turns once; the job of the console may hold the lock for a moment.
fn turn(app: &TestApp) {
    let rules = Rules { limits: Vec::new(), ahead: true, remind: true };
    while app.transaction(|conn| due_alerts::turn(conn, &rules)).is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn ends_in(app: &TestApp, client: ClientId, interval: &str) {
    signed::run(
        app,
        &format!("UPDATE client_logins SET expires_at = now() + interval '{interval}' WHERE client_id = '{client}'"),
    );
}

fn open(app: &TestApp, client: ClientId) -> bool {
    app.transaction(|conn| alerts::is_open(conn, "expiring", client.0))
}

async fn titles(visit: &mut Visit) -> String {
    visit.get("/alerts").await.text("main")
}

#[actix_web::test]
async fn a_login_that_ends_soon_is_alerted_about_until_it_is_rotated() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let client = add(&mut visit, "billing-api").await;
    add_token(&mut visit, client).await;
    turn(&app);
    assert!(!open(&app, client), "90 days ahead");
    ends_in(&app, client, "5 days");
    turn(&app);
    assert!(open(&app, client));
    let page = titles(&mut visit).await;
    assert!(page.contains("billing-api") && page.contains("in 5 days"), "{page}");
    let alert = texts(&app, "SELECT id::text AS text FROM alerts WHERE trigger = 'expiring'").remove(0);
    let one = visit.get(&format!("/alerts/{alert}")).await;
    assert!(
        one.has(&format!("a[href='/clients/{client}']")) && one.text("main").contains("choose Rotate at the login")
    );
    assert!(visit.get(&format!("/clients/{client}")).await.has(&format!("a[href='/alerts/{alert}']")));

    let login = logins(&app, client).remove(0);
    let form = format!("/clients/{client}/logins/{login}/rotate");
    assert_eq!(visit.post(&form, &[("expires", "90"), ("overlap", "1")]).await.status, 200);
    turn(&app);
    assert!(!open(&app, client), "the one that ends tomorrow is meant to");
    let why = texts(&app, "SELECT closed_why AS text FROM alerts WHERE trigger = 'expiring'").remove(0);
    assert_eq!(why, "its login was rotated or ended");
}

/// Only what a rotation replaced is meant to end.
#[actix_web::test]
async fn the_end_of_a_login_is_announced_though_a_later_one_lasts() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let client = add(&mut visit, "billing-api").await;
    add_token(&mut visit, client).await;
    ends_in(&app, client, "5 days");
    add_token(&mut visit, client).await;
    turn(&app);
    assert!(open(&app, client));
    let first = logins(&app, client).remove(0);
    let form = format!("/clients/{client}/logins/{first}/rotate");
    assert_eq!(visit.post(&form, &[("expires", "90"), ("overlap", "7")]).await.status, 200);
    let replaced = format!("client_logins WHERE id = '{first}' AND replaced_by IS NOT NULL");
    assert_eq!(count(&app, &replaced), 1);
    turn(&app);
    assert!(!open(&app, client));
    assert!(!visit.get(&format!("/clients/{client}")).await.text("[data-logins]").contains("Tampered"));
}

#[actix_web::test]
async fn a_login_that_is_over_is_critical_and_of_a_disabled_client_nobody_hears() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let client = add(&mut visit, "billing-api").await;
    add_token(&mut visit, client).await;
    ends_in(&app, client, "-1 hour");
    turn(&app);
    assert!(open(&app, client));
    assert!(visit.get(&format!("/clients/{client}")).await.text("[data-login]").contains("Expired"));
    assert_eq!(visit.get("/clients").await.text("[data-client] .state"), "Login expired");
    assert_eq!(visit.post(&format!("/clients/{client}/activation"), &[("active", "")]).await.status, 303);
    turn(&app);
    assert!(!open(&app, client));
}
