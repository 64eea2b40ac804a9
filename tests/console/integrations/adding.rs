//! Adding an integration as people do: without a name, without the credential that it needs, with a long list of them.

use super::{Form, basic};
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::peers::certificates::Authority;

const CLOSED: &str = "http://127.0.0.1:1";

#[actix_web::test]
async fn what_nobody_names_is_named_after_where_it_leads() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for _ in 0..3 {
        Form::new(" ", CLOSED).add(&mut visit).await;
    }
    let page = visit.get("/integrations").await;
    assert_eq!(page.texts("tbody .row-link"), ["127.0.0.1:1", "127.0.0.1:1 2", "127.0.0.1:1 3"]);
    let edit = format!("{}/edit", page.attributes("tbody .row-link", "href")[0]);
    let refused = Form::new(" ", CLOSED).with("row_version", 1).post(&mut visit, &edit).await;
    assert_eq!((refused.status, refused.has("#name-error")), (422, true), "a saved one keeps a name");
}

#[actix_web::test]
async fn a_missing_credential_is_added_without_losing_the_form() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let authority = Authority::new().pem;
    let form = Form::new("Mirror & more", "http://127.0.0.1:1/a b?c").with("cap", 7).with("ca_certificate", &authority);
    let away = form.clone().with("add", "credential").post(&mut visit, "/integrations").await;
    assert_eq!(away.status, 303);
    let tiles = visit.get(away.location()).await;
    assert_eq!(tiles.texts(".kinds strong"), ["Basic authentication", "API token", "Certificate"]);
    let basic = tiles.attributes(".kinds a", "href").remove(0);
    let page = visit.get(&basic).await;
    let waiting = page.attributes("form[method=post] [name=for]", "value").remove(0);
    let fields =
        [("kind", "basic"), ("name", "Robot"), ("username", "ci"), ("password", "pa55w0rd"), ("for", &waiting)];
    let back = visit.post("/credentials", &fields).await;
    assert_eq!(back.status, 303, "{:?}", back.texts(".error-summary"));
    let page = visit.get(back.location()).await;
    assert_eq!(page.texts("#credential option[selected]"), ["Robot — ci · 0 days"]);
    let value = |field: &str| page.attributes(&format!("#{field}"), "value").remove(0);
    assert_eq!([value("name"), value("registry"), value("cap")], ["Mirror & more", "http://127.0.0.1:1/a b?c", "7"]);
    assert!(page.body.contains(authority.trim()), "{}", page.text("#ca_certificate"));
    assert_eq!(page.texts("#schedule option[selected]"), ["Off"]);
    // Elsewhere leads no address, whoever wrote it.
    let fields =
        [("kind", "basic"), ("name", "R"), ("username", "c"), ("password", "pa55w0rd"), ("for", "//a.example/?b")];
    let stays = visit.post("/credentials", &fields).await;
    assert!(stays.location().starts_with("/credentials/"), "{}", stays.location());
}

#[actix_web::test]
async fn a_form_that_is_too_long_for_the_way_is_not_left() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let form = Form::new("Mirror", CLOSED).with("repository", "team/".repeat(800)).with("tag", "v*,".repeat(1300));
    let page = form.with("add", "credential").post(&mut visit, "/integrations").await;
    assert!(page.has("#credential-error"));
    assert_eq!(page.attributes("#repository", "value")[0].len(), 4_000);
}

#[actix_web::test]
async fn a_secret_in_the_wrong_field_does_not_travel_in_the_address() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let secret = "glpat-0123456789abcdefghij";
    let form = Form::new(secret, CLOSED).with("add", "credential");
    let away = form.post(&mut visit, "/integrations").await;
    assert!(away.status == 303 && !away.location().contains(secret), "{}", away.location());
}

async fn picks(look: Look, picture: &str) {
    let app = TestApp::start();
    for number in 0..60 {
        basic(&app, &format!("Robot {number:02}"), &format!("robot-of-team-{}", number % 7), "pa55w0rd");
    }
    let mut visit = app.administrator();
    let browser = Browser::open(&app.url, look).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/integrations/new?version=docker_v2").await;
    browser.fill("Registry", CLOSED).await;
    browser.fill("Credential", "team-3 robot 45").await;
    browser.sees("Robot 45 — robot-of-team-3 · 0 days").await;
    browser.picture(picture).await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    assert!(browser.overflow().await <= 0);
    browser.enter("Credential").await;
    browser.unfold("Advanced").await;
    browser.fill("Tag", "v*").await;
    browser.press("Add and scan").await;
    browser.sees("Signing in failed").await;
    let page = visit.get(&browser.path().await).await;
    assert!(page.texts("dd a").contains(&"Robot 45".to_owned()), "{:?}", page.texts("dd a"));
    browser.close().await;
}

#[actix_web::test]
async fn a_long_list_of_credentials_is_searched_by_any_of_their_words() {
    picks(WIDE, "pick").await;
}

#[actix_web::test]
async fn a_long_list_of_credentials_is_searched_on_a_phone() {
    picks(NARROW, "pick-narrow").await;
}
