//! The form of an integration, its table, activation and deletion, and who may do what.

use strongroom::accounts::Role;

use super::{Form, basic, ended, last_run, row};
use crate::support::app::TestApp;
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::sql;

const CLOSED: &str = "http://127.0.0.1:1";

#[actix_web::test]
async fn the_form_has_the_fields_and_buttons_of_the_product_in_their_order() {
    let app = TestApp::start();
    basic(&app, "harbor robot", "robot", "secret");
    let mut visit = app.administrator();
    let page = visit.get("/integrations/new?version=docker_v2").await;
    let labels = |part: &str| -> Vec<String> {
        let labels = page.texts(&format!("{part} > .field > .field__label"));
        labels.into_iter().map(|label| label.trim_end_matches("optional").trim().to_owned()).collect()
    };
    assert_eq!(labels("#fields"), ["Registry type", "Registry", "Credential", "Name"]);
    let folded = [
        "Repository",
        "Repositories to exclude",
        "Tag",
        "Tags to exclude",
        "CA certificate",
        "Newest tags per repository",
        "Version pattern",
        "Schedule",
        "Owner",
        "Tags",
    ];
    assert_eq!(labels("#advanced .fields"), folded);
    assert!(!page.has("#advanced[open]"));
    assert_eq!(page.texts("#version option[selected]"), ["Docker Registry v2"]);
    assert_eq!(page.texts("#credential option"), ["None", "harbor robot — robot · 0 days"]);
    let schedule =
        ["Off", "Every hour", "Every 6 hours", "Every 12 hours", "Every 24 hours", "Every 7 days"].map(str::to_owned);
    assert_eq!(page.texts("#schedule option"), schedule);
    assert_eq!(page.texts("#schedule option[selected]"), ["Every 24 hours"]);
    assert_eq!(page.texts(".form__actions > *"), ["Add and scan", "Test connection", "Cancel"]);
    let fields = visit.fragment("/integrations/new?version=docker_v2&credential=").await;
    assert!(fields.has("#registry") && !fields.has("h1"));
    let filled = visit.get("/integrations/new?registry=https://ghcr.io&name=ghcr").await;
    assert_eq!(filled.attributes("#registry", "value"), ["https://ghcr.io"]);
    assert_eq!(filled.texts("#schedule option[selected]"), ["Every 24 hours"]);
}

#[actix_web::test]
async fn a_form_with_mistakes_comes_back_with_all_that_was_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let bad = Form::new("a\u{202e}b", "ftp://x").with("cap", "-1").with("tag", "a b").with("repository", "team/*");
    let page = bad.post(&mut visit, "/integrations").await;
    assert_eq!(page.status, 422);
    for field in ["name", "registry", "tag", "cap"] {
        assert!(page.has(&format!("#{field}-error")), "{field}");
    }
    assert_eq!(page.attributes("#repository", "value"), ["team/*"]);
    assert!(page.has("#advanced[open]"), "what is wrong is in sight");
    let extra = Form::new("a", CLOSED).with("active", "on").post(&mut visit, "/integrations").await;
    assert_eq!(extra.status, 422);
    for (field, value) in [("version", "nothing"), ("credential", "x"), ("schedule", "2"), ("name", "a\u{202e}b")] {
        let page = Form::new("a", CLOSED).with(field, value).post(&mut visit, "/integrations").await;
        assert_eq!(page.status, 422, "{field}");
    }
    let unknown = uuid::Uuid::new_v4();
    let page = Form::new("a", CLOSED).with("credential", unknown).post(&mut visit, "/integrations").await;
    assert_eq!((page.status, page.has("#credential-error")), (422, true));
    let shipped = visit.get("/integrations").await;
    assert_eq!(shipped.text(".empty h2"), "No integrations yet");
}

#[actix_web::test]
async fn an_address_that_the_operator_does_not_allow_is_refused_when_it_is_saved() {
    let app = TestApp::start_with(&["--egress-allow=192.0.2.0/24"]);
    let peer = Scripted::start(|_| Reply::json(serde_json::json!({}))).await;
    let mut visit = app.administrator();
    for (address, says) in [
        (peer.url().as_str(), "STRONGROOM_EGRESS_ALLOW"),
        ("http://169.254.169.254/", "reserved"),
        ("https://2130706433/", "STRONGROOM_EGRESS_ALLOW"),
        ("http://[::ffff:127.0.0.1]/", "STRONGROOM_EGRESS_ALLOW"),
    ] {
        let page = Form::new("a", address).post(&mut visit, "/integrations").await;
        assert_eq!(page.status, 422, "{address}");
        assert!(page.text("#registry-error").contains(says), "{address}");
    }
    assert!(peer.seen().is_empty());
}

#[actix_web::test]
async fn two_integrations_cannot_have_one_name() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    Form::new("Mirror", CLOSED).add(&mut visit).await;
    let page = Form::new(" mirror", CLOSED).post(&mut visit, "/integrations").await;
    assert_eq!(page.status, 422);
    assert!(page.text("#name-error").contains("already exists"));
}

#[actix_web::test]
async fn the_table_is_searched_and_paged_by_name() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for number in 0..60 {
        Form::new(&format!("mirror {number:02}"), CLOSED).add(&mut visit).await;
    }
    let first = visit.get("/integrations").await;
    let names = first.texts("tbody .row-link");
    assert_eq!((names.len(), names[0].as_str(), names[49].as_str()), (50, "mirror 00", "mirror 49"));
    assert!(!first.has("#previous"));
    let second = visit.get(&first.attributes("#next", "href")[0]).await;
    assert_eq!(second.texts("tbody .row-link").len(), 10);
    assert!(!second.has("#next"));
    let back = visit.get(&second.attributes("#previous", "href")[0]).await;
    assert_eq!(back.texts("tbody .row-link"), names);
    let found = visit.fragment("/integrations?q=ROR+3").await;
    assert_eq!(found.texts("tbody .row-link").len(), 15, "each with a 3 somewhere");
    assert!(!found.has("h1"));
    assert_eq!(visit.get("/integrations?q=%25").await.text(".empty"), "No integration matches. Show all");
}

#[actix_web::test]
async fn an_auditor_reads_and_changes_nothing() {
    let app = TestApp::start();
    let id = Form::new("mirror", CLOSED).add(&mut app.administrator()).await;
    let mut visit = app.user("otto", Role::Auditor);
    for path in ["/integrations".to_owned(), format!("/integrations/{id}"), format!("/integrations/{id}/images.csv")] {
        let page = visit.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        let actions = page.attributes("main form[method=post]", "action");
        assert!(actions.is_empty() && !page.has("a[href$='/edit'], a[href='/integrations/new']"), "{path}");
    }
    for path in [
        "/integrations/new?version=docker_v2".to_owned(),
        format!("/integrations/{id}/edit"),
        format!("/integrations/{id}/delete"),
    ] {
        assert_eq!(visit.get(&path).await.status, 403, "{path}");
    }
    for path in ["", "/edit", "/delete", "/runs", "/stop", "/activation"] {
        let path = if path.is_empty() { "/integrations".to_owned() } else { format!("/integrations/{id}{path}") };
        assert_eq!(visit.post(&path, &[]).await.status, 403, "{path}");
    }
    let mut operator = app.user("olga", Role::Operator);
    assert_eq!(operator.get(&format!("/integrations/{id}/edit")).await.status, 200);
}

#[actix_web::test]
async fn an_integration_that_is_switched_off_scans_nothing_and_stays_a_usage() {
    let app = TestApp::start();
    let credential = basic(&app, "robot", "robot", "secret");
    let mut visit = app.administrator();
    let id = Form::new("mirror", CLOSED).with("credential", credential).with("schedule", "1").add(&mut visit).await;
    ended(&app, id).await;
    let path = format!("/integrations/{id}");
    let page = visit.post(&format!("{path}/activation"), &[("active", "")]).await;
    assert_eq!((page.status, page.location()), (303, path.as_str()));
    let page = visit.get(&path).await;
    assert_eq!(page.text("h1"), "mirror Switched off");
    assert!(!page.texts(".page-head button").contains(&"Scan now".to_owned()));
    assert_eq!(visit.post(&format!("{path}/runs"), &[]).await.status, 409);
    assert_eq!(row(&app, id).next_run_at, None);
    let usages = strongroom::models::integration_list::usages(&mut app.connect(), credential, 10).unwrap();
    assert_eq!((usages.len(), usages[0].active), (1, false));
    visit.post(&format!("{path}/activation"), &[("active", "on")]).await;
    assert!(row(&app, id).next_run_at.is_some());
    assert!(visit.get(&path).await.texts(".page-head button").contains(&"Switch off".to_owned()));
}

#[actix_web::test]
async fn an_integration_is_deleted_after_a_question_with_all_that_it_found() {
    let app = TestApp::start();
    let credential = basic(&app, "robot", "robot", "secret");
    let mut visit = app.administrator();
    let id = Form::new("mirror", CLOSED).with("credential", credential).add(&mut visit).await;
    ended(&app, id).await;
    let page = visit.get(&format!("/integrations/{id}/delete")).await;
    assert_eq!(page.text("h1"), "Delete “mirror”?");
    assert_eq!(page.texts(".form__actions > *"), ["Delete", "Cancel"]);
    let seen = page.attributes("input[name=row_version]", "value").remove(0);
    assert_eq!(visit.post(&format!("/integrations/{id}/activation"), &[("active", "")]).await.status, 303);
    let late = visit.post(&format!("/integrations/{id}/delete"), &[("row_version", &seen)]).await;
    assert_eq!(late.status, 409, "it was switched off after the question");
    let page = visit.post(&format!("/integrations/{id}/delete"), &[]).await;
    assert_eq!((page.status, page.location()), (303, "/integrations"));
    assert_eq!(visit.get(&format!("/integrations/{id}")).await.status, 404);
    assert!(last_run(&app, id).is_none());
    let mut connection = app.connect();
    let actor = strongroom::models::events::Actor::command_line();
    strongroom::models::credentials::delete(&mut connection, &app.services.vault, &actor, credential)
        .expect("unused now");
}

#[actix_web::test]
async fn the_second_of_two_tabs_is_told_and_loses_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", CLOSED).add(&mut visit).await;
    let path = format!("/integrations/{id}/edit");
    let version = visit.get(&path).await.attributes("[name=row_version]", "value").remove(0);
    let mine = Form::new("mirror", CLOSED).with("row_version", version);
    assert_eq!(mine.clone().with("tag", "1.*").post(&mut visit, &path).await.status, 303);
    let page = mine.clone().with("repository", "team/*").post(&mut visit, &path).await;
    assert_eq!(page.status, 409);
    assert!(page.text("[role=alert]").starts_with("ada saved this integration meanwhile."));
    assert_eq!(page.attributes("#repository", "value"), ["team/*"]);
    assert!(row(&app, id).settings.contains("1.*"));
    let version = page.attributes("[name=row_version]", "value").remove(0);
    let page = mine.with("row_version", version).with("repository", "team/*").post(&mut visit, &path).await;
    assert_eq!(page.status, 303);
    assert!(row(&app, id).settings.contains("team/*"));
}

#[actix_web::test]
async fn what_is_no_integration_is_not_found() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for path in ["/integrations/x", "/integrations/%00", "/integrations/0193b2a4-0000-7000-8000-000000000000"] {
        assert_eq!(visit.get(path).await.status, 404, "{path}");
    }
    let id = Form::new("mirror", CLOSED).add(&mut visit).await;
    ended(&app, id).await;
    for query in ["after=x", "after=a:b", "before=a:b", "q=%00%ff", "part=run", "part=x&q=%27"] {
        assert_eq!(visit.get(&format!("/integrations/{id}?{query}")).await.status, 200, "{query}");
        assert_eq!(visit.fragment(&format!("/integrations/{id}?{query}")).await.status, 200, "{query}");
    }
    // A version of another release: shown, never a 500.
    sql::run(&app, "UPDATE integrations SET version = 'later', settings = 'x'");
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert!(page.status == 200 && page.text(".page-head p").contains("later (unsupported)"));
    assert_eq!(visit.get("/integrations").await.status, 200);
    assert_eq!(visit.get(&format!("/integrations/{id}/edit")).await.status, 409);
}
