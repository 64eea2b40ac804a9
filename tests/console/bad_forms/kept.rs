//! A form that is refused as a whole comes back with what was typed, but for secrets.

use strongroom::models::alert_settings;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::one_of_each::OneOfEach;
use crate::support::sql;

/// Presses *Back to the form*.
async fn back(visit: &mut Visit, refused: &Page) -> Page {
    let forms = refused.forms();
    let (action, fields) = forms.first().expect("the way back");
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("redraw", "on"));
    visit.post(action, &fields).await
}

fn channel<'a>(name: &'a str, authority: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("version", "email"),
        ("name", name),
        ("host", "127.0.0.1"),
        ("port", "1"),
        ("tls", "none"),
        ("ca_certificate", authority),
        ("from", "room@example.com"),
    ]
}

#[actix_web::test]
async fn a_form_that_is_tried_too_often_keeps_what_was_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let tried = [&channel("Night watch", "")[..], &[("try", "connection")]].concat();
    let mut refused = visit.post("/integrations", &tried).await;
    for _ in 0..10 {
        refused = visit.post("/integrations", &tried).await;
    }
    assert_eq!((refused.status, refused.header("retry-after").is_empty()), (429, false));
    let page = back(&mut visit, &refused).await;
    assert_eq!((page.status, page.attributes("#name", "value")), (200, vec!["Night watch".to_owned()]));
    assert_eq!(page.attributes("#host", "value"), ["127.0.0.1"]);
    assert_eq!(page.attributes("#from", "value"), ["room@example.com"]);
    // The limit is that of the user, so the next form is refused at once.
    let secret = "hvs.CANARYCANARYCANARYCANARY";
    let fields = [("kind", "api_token"), ("name", "Vault"), ("description", "of the build"), ("token", secret)];
    let refused = visit.post("/credentials/test", &fields).await;
    assert_eq!(refused.status, 429);
    let page = back(&mut visit, &refused).await;
    assert_eq!(
        (page.attributes("#name", "value"), page.text("#description")),
        (vec!["Vault".into()], "of the build".into())
    );
    assert!(!refused.body.contains(secret) && !page.body.contains(secret));
}

#[actix_web::test]
async fn a_form_that_is_too_large_keeps_all_that_is_not() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let long = "x".repeat(300 << 10);
    let refused = visit.post("/integrations", &channel("Night watch", &long)).await;
    assert_eq!(refused.status, 413);
    let page = back(&mut visit, &refused).await;
    assert_eq!((page.status, page.attributes("#name", "value")), (200, vec!["Night watch".to_owned()]));
    assert_eq!(page.attributes("#from", "value"), ["room@example.com"], "a field behind the long one is kept too");
    assert_eq!(page.text("#ca_certificate"), "");
}

/// Where a form is posted, with what, and which element holds what afterwards.
type Filled<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);

#[actix_web::test]
async fn every_form_with_text_comes_back_from_an_error_filled_in() {
    let app = TestApp::start();
    let things = OneOfEach::in_console(&app);
    let mut visit = app.administrator();
    // Whatever is saved now is refused, and reading works.
    sql::run(&app, "CREATE RULE nothing AS ON UPDATE TO keks WHERE false DO INSTEAD NOTHING");
    crate::support::wait::until("the store is held", || app.services.trail.is_held().then_some(())).await;
    let forms: [Filled; 6] = [
        (
            "/credentials",
            &[("kind", "basic"), ("name", "Kept"), ("description", ""), ("username", "robot"), ("password", "another")],
            "#name",
            "Kept",
        ),
        (
            "/credentials/{id}/edit",
            &[("row_version", "1"), ("name", "Kept"), ("username", "robot"), ("password", "")],
            "#name",
            "Kept",
        ),
        ("/integrations", &channel("Kept", ""), "#name", "Kept"),
        ("/users/new", &[("username", "kept"), ("role", "operator")], "#username", "kept"),
        (
            "/integrations/{id}/recipients",
            &[("address", "kept@example.com"), ("on_stale", "on")],
            "#address",
            "kept@example.com",
        ),
        ("/alerts/settings", &[("row_version", "0"), ("failed_scans", "7"), ("remind", "on")], "#failed_scans", "7"),
    ];
    for (route, fields, field, value) in forms {
        let refused = visit.post(&things.path(route), fields).await;
        assert_eq!(refused.status, 503, "{route}: {}", refused.text("main"));
        let page = back(&mut visit, &refused).await;
        assert_eq!((page.status, page.attributes(field, "value")), (200, vec![value.to_owned()]), "{route}");
    }
    let settings = alert_settings::load(&mut app.connect(), &app.services.vault).expect("the settings");
    assert_eq!(settings.row_version, 0, "nothing was saved");
}
