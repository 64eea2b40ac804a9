//! F11: limits of age, settings of alerts, and pauses of channels.

use strongroom::models::alert_settings::{self, AlertSettings};
use strongroom::models::events::Actor;
use strongroom::models::{channels, credential_limits, credentials};

use super::{alerts, basic, findings, keep, look, put_back};
use crate::support::app::TestApp;
use crate::support::sql;

fn save(app: &TestApp, aws: i32) {
    app.transaction(|conn| {
        let vault = &app.services.vault;
        let read = alert_settings::load(conn, vault)?;
        let kind_days = [("aws".to_owned(), aws), ("azure".to_owned(), 45)].into();
        alert_settings::save(conn, vault, &Actor::command_line(), &AlertSettings { kind_days, ..read })
    });
}

#[actix_web::test]
async fn limits_that_were_tampered_with_make_alerts_louder_and_say_so() {
    for attack in [
        "UPDATE alert_settings SET kind_days = '{\"aws\":0}'",
        "DELETE FROM alert_settings",
        "UPDATE alert_settings SET remind = false",
    ] {
        let app = TestApp::start();
        let mut ada = app.administrator();
        save(&app, 30);
        sql::run(&app, attack);
        let settings = alert_settings::load(&mut app.connect(), &app.services.vault).expect("settings");
        assert_eq!((settings.limit("azure", false, 90), settings.limit("aws", true, 90)), (Some(90), Some(90)));
        assert_eq!((settings.remind, settings.failed_scans), (true, 1), "{attack}");
        look(&app);
        assert_eq!(alerts(&app), ["the alert settings"], "{attack}");
        assert!(findings(&app).iter().any(|finding| finding.starts_with("alert_settings")), "{attack}");
        strongroom::alerting::refresh(&app.services).await.expect("read");
        for page in ["/alerts", "/alerts/settings"] {
            assert!(ada.get(page).await.has("[data-settings-doubt]"), "{attack} {page}");
        }
        save(&app, 30);
        assert_eq!(alerts(&app), [""; 0], "{attack}");
        assert_eq!(findings(&app), [""; 0], "{attack}");
    }
}

#[actix_web::test]
async fn the_trail_tells_which_settings_were_changed_from_what_to_what() {
    let app = TestApp::start();
    save(&app, 30);
    app.transaction(|conn| {
        let read = alert_settings::load(conn, &app.services.vault)?;
        let later = AlertSettings { remind: false, kind_days: [("aws".to_owned(), 0)].into(), ..read };
        alert_settings::save(conn, &app.services.vault, &Actor::command_line(), &later)
    });
    let told = "weekly reminders: on to off, aws: 30 days to never, azure: 45 days to the default";
    assert_eq!(sql::count(&app, &format!("events WHERE detail = '{told}'")), 1);
}

#[actix_web::test]
async fn settings_that_were_put_back_are_noticed() {
    let app = TestApp::start();
    save(&app, 30);
    keep(&app, "alert_settings");
    save(&app, 15);
    put_back(&app, "alert_settings", "single");
    assert!(alert_settings::load(&mut app.connect(), &app.services.vault).expect("settings").doubt.is_some());
}

#[actix_web::test]
async fn the_limit_of_one_credential_is_signed_and_recorded() {
    let app = TestApp::start();
    let id = basic(&app, "robot", "FIRST-1");
    let doubt = || credentials::find(&mut app.connect(), &app.services.vault, id).expect("a row").doubt();
    keep(&app, "credentials");
    app.transaction(|conn| credential_limits::set(conn, &app.services.vault, &Actor::command_line(), id, Some(30)));
    assert_eq!(doubt(), None);
    put_back(&app, "credentials", "id");
    assert!(doubt().is_some(), "the limit of before was put back");
    let app = TestApp::start();
    let id = basic(&app, "robot", "FIRST-1");
    sql::run(&app, "UPDATE credentials SET stale_after_days = 0 WHERE kind = 'basic'");
    let row = credentials::find(&mut app.connect(), &app.services.vault, id).expect("a row");
    assert!(row.doubt().is_some());
    assert!(app.administrator().get(&format!("/credentials/{id}")).await.has("[data-doubt]"));
}

#[actix_web::test]
async fn a_channel_is_not_silenced_by_sql() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let fields =
        [("name", "chat"), ("version", "webhook_channel"), ("credential", &ada_webhook(&app)), ("on_stale", "on")];
    let page = ada.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    sql::run(&app, "INSERT INTO channels (integration_id, not_before) SELECT id, '2099-01-01' FROM integrations");
    let paused = channels::paused(&mut app.connect(), &app.services.vault).expect("channels");
    assert_eq!((paused.waiting.len(), paused.doubted.len()), (0, 1));
    look(&app);
    assert_eq!(alerts(&app), ["chat"]);
    assert!(findings(&app).iter().any(|finding| finding.starts_with("channels ")));
}

/// A webhook on this machine.
fn ada_webhook(app: &TestApp) -> String {
    use strongroom::draft::Draft;
    use strongroom::form::Values;
    use strongroom::models::credentials::create;

    let values = Values::from_iter([("url", "https://127.0.0.1:9/hook")]);
    let kind = &strongroom::credentials::webhook::KIND;
    let draft = Draft::new(kind, "hook".to_owned(), String::new(), &values).expect("good values");
    app.transaction(|conn| create(conn, &app.services.vault, &Actor::command_line(), &draft.row())).to_string()
}
