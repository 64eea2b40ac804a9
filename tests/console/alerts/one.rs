//! One alert: what it says, and what people do about it.

use strongroom::accounts::Role;

use super::{alert, decide, notices, old_key, titles};
use crate::support::app::TestApp;
use crate::support::sql;

#[actix_web::test]
async fn an_alert_says_what_is_wrong_where_it_is_used_and_what_to_do() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (credential, alert) = old_key(&app, &mut visit, "prod-ci").await;
    let fields = [
        ("name", "Registry of production"),
        ("version", "ecr"),
        ("registry", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
        ("schedule", "off"),
        ("credential", &credential.to_string()),
    ];
    let made = visit.post("/integrations", &fields).await;
    let page = visit.get(&format!("/alerts/{alert}")).await;
    assert!(page.text("h1").starts_with("The access key of “prod-ci” is 91 days old; its limit is 90 days."));
    assert!(page.text("section[aria-labelledby=remedy] p").contains("second access key"));
    let links = page.attributes("section[aria-labelledby=about] a", "href");
    assert_eq!(links[0], format!("/credentials/{credential}"));
    if made.status == 303 {
        assert_eq!(links[1], made.location());
    }
    assert_eq!(page.attributes(".timeline li", "data-entry"), ["raised"]);
    assert!(page.has("section[aria-labelledby=deliveries] [data-nobody]"));
    // The credential's own page leads here.
    let page = visit.get(&format!("/credentials/{credential}")).await;
    assert_eq!(page.attributes("section[aria-labelledby=alerts] a", "href"), [format!("/alerts/{alert}")]);
    assert_eq!(visit.get("/alerts/00000000-0000-4000-8000-000000000000").await.status, 404);
}

#[actix_web::test]
async fn somebody_looks_after_it_and_an_auditor_cannot() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (credential, alert) = old_key(&app, &mut visit, "prod-ci").await;
    let path = format!("/alerts/{alert}");
    let mut auditor = app.user("otto", Role::Auditor);
    assert!(!auditor.get(&path).await.has("main form"));
    assert_eq!(auditor.post(&format!("{path}/acknowledge"), &[]).await.status, 403);
    assert_eq!(auditor.post(&format!("{path}/snooze"), &[("days", "7")]).await.status, 403);

    let page = app.user("olga", Role::Operator).post(&format!("{path}/acknowledge"), &[]).await;
    assert_eq!((page.status, page.location()), (303, path.as_str()));
    let page = visit.get(&path).await;
    assert!(page.text("section[aria-labelledby=care] [data-owner]").starts_with("olga"));
    assert_eq!(page.attributes(".timeline li", "data-entry")[0], "alert.acknowledged");
    assert!(!page.has(".page-head form"), "once is enough");
    assert_eq!(visit.get("/alerts").await.text("[data-alert] [data-owner]"), "olga");
    // A page from before that is told who was first.
    let late = visit.post(&format!("{path}/acknowledge"), &[]).await;
    assert!(late.status == 409 && late.body.contains("Someone else already owns this alert"), "{}", late.status);

    sql::run(&app, &format!("DELETE FROM credentials WHERE id = '{credential}'"));
    decide(&app).await;
    assert_eq!(visit.post(&format!("{path}/acknowledge"), &[]).await.status, 409);
    let page = visit.get(&path).await;
    assert!(!page.has("main form") && page.text("section[aria-labelledby=remedy] p") == "Nothing is left to do.");
}

#[actix_web::test]
async fn a_snoozed_alert_stays_open_and_is_not_told_again_until_the_quiet_ends() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (_, alert) = old_key(&app, &mut visit, "prod-ci").await;
    let path = format!("/alerts/{alert}/snooze");
    for bad in ["", "2", "-7", "x", "90"] {
        assert_eq!(visit.post(&path, &[("days", bad)]).await.status, 400, "{bad}");
    }
    assert_eq!(visit.post(&path, &[("days", "7")]).await.status, 303);
    sql::run(&app, &format!("UPDATE alerts SET told_at = now() - interval '8 days' WHERE id = '{alert}'"));
    decide(&app).await;
    assert_eq!(notices(&app, alert, "reminder"), 0);
    let page = visit.get(&format!("/alerts/{alert}")).await;
    assert!(page.text("section[aria-labelledby=care] [data-snoozed]").contains("ada"));
    let page = visit.get("/alerts?state=snoozed").await;
    assert!(page.text("[data-alert]").contains("Snoozed by ada until"), "{}", page.text("[data-alert]"));
    assert_eq!(titles(&visit.get("/alerts").await), [""; 0]);

    assert_eq!(visit.post(&path, &[("days", "0")]).await.status, 303);
    decide(&app).await;
    assert_eq!(notices(&app, alert, "reminder"), 1);
    let entries = visit.get(&format!("/alerts/{alert}")).await.attributes(".timeline li", "data-entry");
    assert!(entries.contains(&"reminder".to_owned()), "{entries:?}");
}

#[actix_web::test]
async fn a_renamed_credential_keeps_its_alert_and_a_new_secret_closes_it() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (credential, before) = old_key(&app, &mut visit, "prod-ci").await;
    let edit = async |visit: &mut crate::support::app::Visit, name: &str, id: &str, secret: &str| {
        let path = format!("/credentials/{credential}/edit");
        let version = visit.get(&path).await.attributes("input[name=row_version]", "value").remove(0);
        let fields = [
            ("row_version", version.as_str()),
            ("name", name),
            ("method", "access_key"),
            ("access_key_id", id),
            ("secret_access_key", secret),
        ];
        let page = visit.post(&path, &fields).await;
        assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    };
    edit(&mut visit, "prod deployment", "AKIAIOSFODNN7EXAMPLE", "").await;
    decide(&app).await;
    assert_eq!(alert(&app, credential), Some(before), "the same alert");
    assert!(titles(&visit.get("/alerts").await)[0].contains("“prod deployment”"));
    edit(&mut visit, "prod deployment", "AKIAIOSFODNN7EXAMPL2", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKE2").await;
    assert_eq!(alert(&app, credential), None);
    let page = visit.get(&format!("/alerts/{before}")).await;
    let closed = "Old access key of “prod deployment”: closed, since its secret was replaced.";
    assert!(page.text("h1").starts_with(closed), "{}", page.text("h1"));
    assert_eq!(page.attributes(".timeline li", "data-entry")[0], "closed");
}

#[actix_web::test]
async fn names_that_want_to_be_markup_stay_text() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for name in ["<img src=x onerror=alert(1)>", "\"><script>alert(1)</script>", "{{7*7}}", "\u{202e}gnp.exe", "a & b"]
    {
        let made = super::raise(&app, "failed_test", name, name);
        for path in ["/alerts".to_owned(), format!("/alerts/{made}")] {
            let page = visit.get(&path).await;
            assert!(!page.has("main img") && !page.has("main script"), "{path}: {name}");
            let said = [titles(&page), page.texts("h1")].concat().join("\n");
            assert!(said.contains(&format!("The test of “{name}” failed: {name}")), "{path}: {said}");
        }
    }
}
