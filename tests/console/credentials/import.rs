//! *Import*: files of other tools are looked into, chosen from and added; nothing of them comes back or stays.

use base64::Engine as _;
use strongroom::accounts::Role;

use crate::support::app::{TestApp, Visit};
use crate::support::browser::{Browser, WIDE};
use crate::support::sql;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn profiles() -> String {
    format!(
        "[billing]\naws_access_key_id = AKIAIOSFODNN7BILLNG\naws_secret_access_key = {SECRET}\n[sso]\nsso_session = corp\n\
         [deploy]\naws_access_key_id = AKIAIOSFODNN7DEPLOY\naws_secret_access_key = {SECRET}\n"
    )
}

async fn look(visit: &mut Visit, text: &str) -> String {
    let request = visit.request(reqwest::Method::POST, "/credentials/import");
    let page = visit
        .send(request.header("hx-request", "true").header("sec-fetch-site", "same-origin").form(&[("text", text)]))
        .await;
    assert!(!page.body.contains(SECRET), "a secret came back");
    page.body
}

#[actix_web::test]
async fn a_file_is_looked_into_and_the_chosen_ones_are_added() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let text = profiles();
    let body = look(&mut visit, &text).await;
    assert_eq!(body.matches("data-offer=\"aws\"").count(), 2, "{body}");
    assert!(body.contains("data-skipped") && body.contains("profile sso"), "{body}");
    let fields =
        [("text", text.as_str()), ("add", "chosen"), ("pick.1", "on"), ("name.0", "a"), ("name.1", "Deploy key")];
    let done = visit.post("/credentials/import", &fields).await;
    assert!(done.body.contains("data-imported=\"true\"") && !done.body.contains("data-imported=\"false\""));
    assert_eq!(
        sql::texts(&app, "SELECT name || ' ' || identity AS text FROM credentials WHERE NOT shipped"),
        ["Deploy key AKIAIOSFODNN7DEPLOY"]
    );
    let again = look(&mut visit, &text).await;
    assert!(again.contains("Stored already: Deploy key"), "{again}");
}

#[actix_web::test]
async fn one_that_is_refused_takes_no_other_with_it() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let text = "type,name,username,password\nbasic,Robot,robot,pass\nbasic,Robot,other,word\n";
    let fields = [
        ("text", text),
        ("add", "chosen"),
        ("pick.0", "on"),
        ("pick.1", "on"),
        ("name.0", "Robot"),
        ("name.1", "Robot"),
    ];
    let done = visit.post("/credentials/import", &fields).await;
    assert_eq!(done.body.matches("data-imported=\"true\"").count(), 1, "{}", done.body);
    assert_eq!(done.body.matches("data-imported=\"false\"").count(), 1);
    assert_eq!(sql::count(&app, "credentials WHERE NOT shipped"), 1);
}

#[actix_web::test]
async fn a_token_that_stands_where_a_name_belongs_is_not_shown() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let token = "ghp_0123456789abcdefghijklmnopqrstuvwx";
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("{token}:x-oauth-basic"));
    let text = format!("{{\"auths\": {{\"ghcr.io\": {{\"auth\": \"{auth}\"}}}}}}");
    let page = visit.post("/credentials/import", &[("text", &text)]).await;
    assert!(page.body.contains("data-offer=\"basic\"") && !page.body.contains(token), "{}", page.body);
    let fields = [("text", text.as_str()), ("add", "chosen"), ("pick.0", "on"), ("name.0", token)];
    let done = visit.post("/credentials/import", &fields).await;
    assert!(done.body.contains("data-imported=\"false\"") && !done.body.contains(token), "{}", done.body);
}

#[actix_web::test]
async fn without_script_a_file_is_imported_under_proposed_names() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let text = profiles();
    let looked = visit.post("/credentials/import", &[("text", &text)]).await;
    assert!(looked.status == 200 && !looked.body.contains(SECRET));
    visit.post("/credentials/import", &[("text", &text), ("add", "all")]).await;
    assert_eq!(sql::count(&app, "credentials WHERE name IN ('billing', 'deploy')"), 2);
}

#[actix_web::test]
async fn what_is_no_file_to_import_is_said_and_changes_nothing() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    for text in ["", "hello", "{\"auths\": 7", "kind: Config\nclusters: []\nusers: []\ncontexts: []"] {
        let page = visit.post("/credentials/import", &[("text", text)]).await;
        assert!(matches!(page.status, 200 | 422), "{text}: {}", page.status);
    }
    assert!(visit.post("/credentials/import", &[("text", "hello")]).await.body.contains("data-problem"));
    assert_eq!(sql::count(&app, "credentials WHERE NOT shipped"), 0);
}

#[actix_web::test]
async fn in_a_browser_the_file_stays_beside_what_it_holds() {
    let app = TestApp::start();
    let visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials/import").await;
    let paste = "document.getElementById('text').value = arguments[0]";
    browser.script(paste, vec![serde_json::json!(profiles())]).await;
    browser.press("See what's inside").await;
    browser.sees("profile sso").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    browser.press("Import selected").await;
    browser.sees("2 of 2 imported").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
