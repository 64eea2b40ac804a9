//! The settings: who may change them, what is refused, and two people at once.

use strongroom::accounts::Role;

use crate::support::app::TestApp;
use crate::support::sql;

const VALID: [(&str, &str); 4] = [("row_version", "0"), ("failed_scans", "3"), ("ahead", "on"), ("remind", "on")];

#[actix_web::test]
async fn administrators_change_the_settings_and_others_read_them() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let mut fields = VALID.to_vec();
    fields.extend([("stale_days", "60"), ("days_basic", "180"), ("days_gcp", "0")]);
    let page = visit.post("/alerts/settings", &fields).await;
    assert_eq!((page.status, page.location()), (303, "/alerts/settings"));
    for role in [Role::Operator, Role::Auditor] {
        let mut visit = app.user(role.slug(), role);
        let page = visit.get("/alerts/settings").await;
        assert_eq!(page.attributes("#stale_days", "value"), ["60"]);
        assert_eq!(page.attributes("#days_basic", "value"), ["180"]);
        assert_eq!(page.attributes("#days_gcp", "value"), ["0"]);
        assert!(page.has("fieldset[disabled]") && !page.has("main button"), "{role:?}");
        assert_eq!(visit.post("/alerts/settings", &fields).await.status, 403);
    }
    assert_eq!(sql::count(&app, "events WHERE action = 'alerts.settings_changed'"), 1);
}

#[actix_web::test]
async fn what_makes_no_sense_is_refused_where_it_stands() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (name, bad) in
        [("stale_days", "0"), ("stale_days", "x"), ("days_aws", "-1"), ("days_aws", "9999"), ("failed_scans", "0")]
    {
        let mut fields: Vec<_> = VALID.into_iter().filter(|(other, _)| *other != name).collect();
        fields.push((name, bad));
        let page = visit.post("/alerts/settings", &fields).await;
        assert_eq!(page.status, 422, "{name} {bad}");
        assert!(page.has(&format!("#{name}-error")) && page.has(&format!(".error-summary a[href='#{name}']")));
        assert_eq!(page.attributes(&format!("#{name}"), "value"), [bad]);
    }
    let mut fields = VALID.to_vec();
    fields.push(("days_surplus", "1"));
    assert_eq!(visit.post("/alerts/settings", &fields).await.status, 422);
    assert_eq!(sql::count(&app, "alert_settings"), 0);
}

#[actix_web::test]
async fn the_second_of_two_administrators_loses_nothing_and_overwrites_nothing() {
    let app = TestApp::start();
    let (mut ada, mut grace) = (app.administrator(), app.user("grace", Role::Administrator));
    let fields = |days| [&VALID[..], &[("stale_days", days)]].concat();
    assert_eq!(grace.post("/alerts/settings", &fields("60")).await.status, 303);
    let page = ada.post("/alerts/settings", &fields("30")).await;
    assert_eq!(page.status, 409);
    assert!(page.has(".notice[role=alert] [data-overtaken]"));
    assert_eq!(page.attributes("#stale_days", "value"), ["30"]);
    assert_eq!(ada.get("/alerts/settings").await.attributes("#stale_days", "value"), ["60"]);
    let version = page.attributes("input[name=row_version]", "value").remove(0);
    let mut fields: Vec<_> = fields("30").into_iter().filter(|(name, _)| *name != "row_version").collect();
    fields.push(("row_version", &version));
    assert_eq!(ada.post("/alerts/settings", &fields).await.status, 303);
}
