//! The Test button: before saving and on what is saved; what is recorded, and what never is.

use strongroom::accounts::Role;
use strongroom::models::credential_tests;
use strongroom::models::events::Actor;
use strongroom::providers::probe::{Finding, Verdict};
use strongroom::testing;

use super::{actions, add, add_of, execute, row, samples, stored, version};
use crate::support::app::{Page, TestApp, Visit};
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::peers::free_port;
use crate::support::sql;

const CANARY: &str = "canary-3f9a1c77-never-on-a-page";

type Fields = Vec<(&'static str, String)>;

fn sample(kind: &str) -> Fields {
    samples::all(CANARY).into_iter().find(|(slug, _)| *slug == kind).expect("a sample").1
}

/// The form of a certificate, which is tested without anybody's answer: by its dates.
fn certificate(name: &str) -> Fields {
    let mut fields = vec![("kind", "certificate".to_owned()), ("name", name.to_owned())];
    fields.extend(sample("certificate"));
    fields
}

fn borrowed(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

async fn add_certificate(visit: &mut Visit, name: &str) -> uuid::Uuid {
    add_of(visit, &borrowed(&certificate(name))).await
}

/// Posts as htmx does.
async fn pressed(visit: &mut Visit, path: &str, fields: &[(&str, &str)]) -> Page {
    let request = visit.request(reqwest::Method::POST, path).form(fields);
    visit.send(request.header("sec-fetch-site", "same-origin").header("hx-request", "true")).await
}

fn last(app: &TestApp, id: uuid::Uuid) -> Option<credential_tests::LastTest> {
    credential_tests::last(&mut app.connect(), id).expect("an answer")
}

fn rows_and_events(app: &TestApp) -> (i64, i64) {
    (sql::count(app, "credentials"), sql::count(app, "events"))
}

#[actix_web::test]
async fn a_test_before_saving_says_what_it_found_and_stores_nothing() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let fields = certificate("pair");
    let before = rows_and_events(&app);
    let page = visit.post("/credentials/test", &borrowed(&fields)).await;
    assert_eq!(page.status, 200, "{:?}", page.texts(".error-summary"));
    assert_eq!(page.text("h1"), "Add credential");
    assert_eq!(page.text("#test-result .badge"), "Works");
    assert_eq!(page.attributes("#name", "value"), ["pair"], "what was typed and is no secret stays");
    assert!(page.has("#test-result + .notice"), "without a script the secrets must be typed again");
    let fragment = pressed(&mut visit, "/credentials/test", &borrowed(&fields)).await;
    assert_eq!(fragment.text(".finding .badge"), "Works");
    assert!(!fragment.body.contains("<form") && !fragment.body.contains("<h1"));
    for page in [&page, &fragment] {
        assert!(!page.body.contains("PRIVATE KEY"), "the key came back");
    }
    assert_eq!(rows_and_events(&app), before);
}

#[actix_web::test]
async fn every_type_can_be_tested_before_saving_and_no_secret_comes_back() {
    // Nobody listens there, and nothing leaves this machine.
    let services = ["azure-login", "azure-metadata", "google-token", "ibm-iam", "oci-identity", "github", "gitlab"];
    let moved = services.map(|service| format!("{service}=http://127.0.0.1:{}", free_port())).join(",");
    let app = TestApp::start_with(&[&format!("--endpoints={moved}")]);
    let mut visits: Vec<Visit> = (0..3).map(|number| app.user(&format!("olga {number}"), Role::Operator)).collect();
    let before = rows_and_events(&app);
    for (number, (kind, sample)) in samples::all(CANARY).into_iter().enumerate() {
        // Their addresses are in the values; against peers they are tested elsewhere.
        if matches!(kind, "aws" | "kubeconfig") {
            continue;
        }
        let mut fields = vec![("kind", kind.to_owned()), ("name", "new".to_owned())];
        fields.extend(sample.into_iter().filter(|(name, _)| *name != "server_url"));
        let page = pressed(&mut visits[number % 3], "/credentials/test", &borrowed(&fields)).await;
        assert_eq!(page.status, 200, "{kind}: {}", page.body);
        assert!(page.has(".finding .badge") && !page.text(".finding strong").is_empty(), "{kind}");
        assert!(!page.body.contains(CANARY) && !page.body.contains(samples::key_line()), "{kind}");
    }
    assert_eq!(rows_and_events(&app), before);
}

#[actix_web::test]
async fn what_could_not_be_saved_is_not_tested_either() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let mut fields = certificate("");
    fields.retain(|(name, _)| *name != "certificate");
    let page = visit.post("/credentials/test", &borrowed(&fields)).await;
    assert_eq!(page.status, 422);
    assert!(page.text(".error-summary").starts_with("Nothing was tested."));
    assert!(page.has("#name-error") && page.has("#certificate-error"));
    assert!(!page.has(".finding"));
    let page = pressed(&mut visit, "/credentials/test", &borrowed(&fields)).await;
    assert_eq!((page.status, page.header("hx-retarget")), (422, "#page"));
    assert!(page.has("#name-error") && !page.body.contains("<html"));
    for fields in [vec![("kind", "nonsense")], vec![("kind", "basic"), ("surplus", "1")]] {
        assert_eq!(visit.post("/credentials/test", &fields).await.status, 422);
    }
}

#[actix_web::test]
async fn a_test_of_a_saved_credential_is_recorded_and_audited() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let id = add_certificate(&mut visit, "pair").await;
    assert_eq!(
        visit.get(&format!("/credentials/{id}")).await.text("#test-result"),
        "These values have not been tested yet."
    );
    let page = visit.post(&format!("/credentials/{id}/test"), &[]).await;
    assert_eq!((page.status, page.text("h1")), (200, "pair".to_owned()));
    assert_eq!(page.text("#test-result .badge"), "Works");
    assert!(page.text("#test-result").contains("by olga"));
    assert!(!page.body.contains("PRIVATE KEY"));
    let recorded = last(&app, id).expect("a record");
    assert_eq!((recorded.verdict.as_str(), recorded.by.as_str()), ("ok", "olga"));
    assert_eq!(actions(&app, id), ["credential.created", "credential.opened", "credential.tested"]);
    row(&app, id).check(&app.app.vault).expect("the row check holds");
    let fragment = pressed(&mut visit, &format!("/credentials/{id}/test"), &[]).await;
    assert_eq!(fragment.text(".finding .badge"), "Works");
    assert!(!fragment.body.contains("<h1"));
    // Shown from then on, to everybody.
    let mut auditor = app.user("otto", Role::Auditor);
    let page = auditor.get(&format!("/credentials/{id}")).await;
    assert_eq!(page.text("#test-result .badge"), "Works");
    assert!(page.texts(".timeline li").iter().any(|line| line.starts_with("Tested by olga")));
    let table = auditor.get("/credentials?q=pair").await;
    assert!(table.text("td[data-label='Last test']").starts_with("Works"));
    assert!(auditor.get("/audit").await.body.contains("tested the credential"));
}

#[actix_web::test]
async fn a_type_without_a_test_of_its_own_opens_and_records_nothing() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let id = add(&mut visit, "robot").await;
    let page = visit.post(&format!("/credentials/{id}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Not testable here");
    assert_eq!((last(&app, id), actions(&app, id)), (None, vec!["credential.created".to_owned()]));
}

#[actix_web::test]
async fn an_auditor_sees_no_button_and_may_not_test() {
    let app = TestApp::start();
    let id = add_certificate(&mut app.administrator(), "pair").await;
    let mut visit = app.user("otto", Role::Auditor);
    assert!(!visit.get(&format!("/credentials/{id}")).await.texts("main button").contains(&"Test".to_owned()));
    assert_eq!(visit.post(&format!("/credentials/{id}/test"), &[]).await.status, 403);
    assert_eq!(visit.post("/credentials/test", &borrowed(&certificate("pair"))).await.status, 403);
    assert_eq!(last(&app, id), None);
}

#[actix_web::test]
async fn an_edit_form_is_tested_with_the_stored_secret_and_with_what_was_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    let version = version(&mut visit, id).await;
    let path = format!("/credentials/{id}/test");
    // Blank: the stored one, opened and audited.
    let page = visit.post(&path, &[("row_version", &version), ("name", "renamed"), ("certificate", "")]).await;
    assert_eq!((page.status, page.text("#test-result .badge")), (200, "Works".to_owned()));
    assert_eq!(page.text("h1"), "Edit pair");
    assert_eq!(actions(&app, id), ["credential.created", "credential.opened"]);
    // Typed: nothing is opened.
    let pair = sample("certificate").into_iter().find(|(name, _)| *name == "certificate").expect("a pair").1;
    let fields = [("row_version", version.as_str()), ("name", "renamed"), ("certificate", pair.as_str())];
    let page = visit.post(&path, &fields).await;
    assert_eq!((page.status, page.text("#test-result .badge")), (200, "Works".to_owned()));
    assert_eq!(actions(&app, id).len(), 2);
    let after = row(&app, id);
    assert_eq!((after.name.as_str(), after.row_version), ("pair", 1), "nothing is saved");
    assert_eq!(last(&app, id), None, "what is on the screen is not what is saved");
    // Somebody saved meanwhile.
    assert_eq!(visit.post(&path, &[("row_version", "7"), ("name", "x")]).await.status, 409);
}

#[actix_web::test]
async fn a_stored_secret_never_goes_to_an_address_that_came_with_the_request() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("an option");
    let mut fields = vec![("kind", "github_token".to_owned()), ("name", "hub".to_owned())];
    fields.extend(sample("github_token"));
    let id = add_of(&mut visit, &borrowed(&fields)).await;
    let version = version(&mut visit, id).await;
    let elsewhere = format!("https://{}", listener.local_addr().expect("an address"));
    let fields = [("row_version", version.as_str()), ("name", "hub"), ("server_url", &elsewhere), ("token", "")];
    let page = visit.post(&format!("/credentials/{id}/test"), &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#token-error").contains("has changed"), "{:?}", page.texts(".error-summary"));
    assert_eq!(actions(&app, id), ["credential.created"], "nothing was opened");
    assert!(listener.accept().is_err(), "somebody connected");
    assert_eq!(stored(&app, id).get("token"), CANARY);
}

#[actix_web::test]
async fn an_altered_credential_is_not_tested() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    execute(&app, &format!("UPDATE credentials SET identity = 'mallory' WHERE id = '{id}'"));
    for _ in 0..2 {
        assert_eq!(visit.post(&format!("/credentials/{id}/test"), &[]).await.status, 409);
    }
    assert!(row(&app, id).integrity_failed_at.is_some());
    assert_eq!(last(&app, id), None);
}

#[actix_web::test]
async fn more_than_ten_tests_a_minute_of_one_user_wait() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let fields = [("kind", "basic"), ("name", "new"), ("username", "robot"), ("password", CANARY)];
    for _ in 0..10 {
        assert_eq!(visit.post("/credentials/test", &fields).await.status, 200);
    }
    let page = visit.post("/credentials/test", &fields).await;
    assert_eq!(page.status, 429);
    assert!(page.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds <= 61));
    assert_eq!(app.user("ada", Role::Operator).post("/credentials/test", &fields).await.status, 200);
}

#[actix_web::test]
async fn new_values_are_untested_until_they_are_tested() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    visit.post(&format!("/credentials/{id}/test"), &[]).await;
    let first = version(&mut visit, id).await;
    let rename = [("row_version", first.as_str()), ("name", "renamed"), ("certificate", "")];
    let mut fields = sample("certificate");
    fields.retain(|(name, _)| *name == "ca_certificate");
    let mut fields: Vec<(&str, &str)> = borrowed(&fields);
    fields.extend(rename);
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    let second = version(&mut visit, id).await;
    let other = sample("certificate");
    let mut fields = borrowed(&other);
    fields.extend([("row_version", second.as_str()), ("name", "renamed")]);
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    assert_eq!(last(&app, id), None);
}

#[actix_web::test]
async fn two_replicas_test_each_due_credential_once_and_tell_of_the_failures() {
    let app = TestApp::start();
    let other = TestApp::replica(app.database.clone(), &[]);
    let mut visit = app.administrator();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(add_certificate(&mut visit, &format!("pair {number}")).await);
    }
    let robot = add(&mut visit, "robot").await;
    let altered = add_certificate(&mut visit, "altered").await;
    execute(&app, &format!("UPDATE credentials SET identity = 'mallory' WHERE id = '{altered}'"));
    execute(&app, "UPDATE credentials SET next_test_at = now() - interval '50 hours'");
    let (ours, theirs) = futures_util::join!(testing::test_due(&app.app), testing::test_due(&other.app));
    // The consoles' own clocks may have been first with some.
    assert!(ours.expect("tested") + theirs.expect("tested") <= 13);
    for id in &ids {
        let tested = actions(&app, *id).iter().filter(|action| *action == "credential.tested").count();
        assert_eq!(tested, 1);
        assert_eq!(last(&app, *id).expect("a record").by, "Strongroom");
    }
    assert_eq!(actions(&app, robot), ["credential.created"]);
    assert!(row(&app, altered).integrity_failed_at.is_some() && last(&app, altered).is_none());
    let soon = "credentials WHERE kind = 'certificate' AND next_test_at BETWEEN now() AND now() + interval '1 day'";
    assert_eq!(sql::count(&app, soon), 13, "each is due again at its own moment");
    assert_eq!(testing::test_due(&app.app).await.expect("nothing due"), 0);
}

#[actix_web::test]
async fn a_failed_test_asks_for_attention_until_one_goes_well() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    let quiet = |page: &Page| !page.body.contains("pair");
    assert!(quiet(&visit.get("/alerts").await) && quiet(&visit.get("/").await));
    let found = Finding::new(Verdict::NotTrusted, "The role does not trust this key.", "");
    let actor = Actor::system();
    testing::record(&app.app, actor, id, 1, &found).await.expect("recorded");
    let page = visit.get("/alerts").await;
    assert_eq!(page.texts("#results li a"), ["The test of “pair” failed: The role does not trust this key."]);
    assert_eq!(visit.get(&format!("/credentials/{id}")).await.texts(".timeline li.is-bad").len(), 1);
    let page = visit.get("/").await;
    assert!(page.texts("section[aria-labelledby=attention] .badge").contains(&"Failed test".to_owned()));
    visit.post(&format!("/credentials/{id}/test"), &[]).await;
    assert!(quiet(&visit.get("/alerts").await) && quiet(&visit.get("/").await));
}

#[actix_web::test]
async fn an_expiry_that_the_provider_told_is_kept_in_the_row_without_disturbing_an_edit() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "gitlab_token"), ("name", "lab"), ("token", CANARY)];
    let id = add_of(&mut visit, &fields).await;
    let version = version(&mut visit, id).await;
    let mut found = Finding::ok("The token works.");
    let told = row(&app, id).created_at + chrono::Duration::days(9) + chrono::Duration::nanoseconds(7);
    found.expires_at = Some(told);
    let actor = Actor::system();
    testing::record(&app.app, actor.clone(), id, 1, &found).await.expect("recorded");
    let after = row(&app, id);
    assert_eq!(after.expires_at.map(|at| at.timestamp()), Some(told.timestamp()));
    after.check(&app.app.vault).expect("the row check holds");
    assert!(visit.get("/credentials?state=expiring").await.body.contains("lab"));
    // The edit that was under way goes through.
    let fields = [("row_version", version.as_str()), ("name", "renamed"), ("token", "")];
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    assert!(row(&app, id).expires_at.is_some());
    // A test of values that are no longer saved changes nothing.
    found.expires_at = None;
    testing::record(&app.app, actor, id, 7, &Finding::ok("Late.")).await.expect("told");
    assert_eq!(last(&app, id).expect("the first").sentence, "The token works.");
}

#[actix_web::test]
async fn the_daily_tests_can_be_switched_off() {
    use strongroom::config::Tests;
    assert_eq!(TestApp::start_with(&["--test-credentials=off"]).app.settings.test_credentials, Tests::Off);
    assert_eq!(TestApp::start().app.settings.test_credentials, Tests::Daily);
}

#[actix_web::test]
async fn the_button_answers_beside_itself_and_what_was_typed_stays() {
    let app = TestApp::start();
    let visit = app.user("olga", Role::Operator);
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials/new?kind=certificate").await;
    browser.press("Test").await;
    browser.sees("Nothing was tested.").await;
    browser.fill("Name", "pair").await;
    let pair = sample("certificate").into_iter().find(|(name, _)| *name == "certificate").expect("a pair").1;
    browser.fill("Client certificate with private key", &pair).await;
    browser.press("Test").await;
    browser.sees("The certificate is valid until").await;
    browser.picture("test-unsaved").await;
    assert!(!browser.source().await.contains("Enter the name."), "what was mended is no longer complained of");
    assert!(browser.axe().await.is_empty());
    // The key is still in its field.
    browser.press("Save").await;
    browser.sees("These values have not been tested yet.").await;
    let path = browser.path().await;
    browser.press("Test").await;
    browser.sees("The certificate is valid until").await;
    browser.picture("test-saved").await;
    assert!(browser.axe().await.is_empty() && browser.complaints().await.is_empty());
    let id = super::id_in(&path);
    let mut found = Finding::new(
        Verdict::NotTrusted,
        "The role scanner of account 123456789012 does not trust this key.",
        "Add this statement to the trust policy of the role.",
    );
    found.facts.push(("Account", "123456789012".to_owned()));
    found.snippets.push(("Trust policy of scanner".to_owned(), "{ \"Effect\": \"Allow\" }".to_owned()));
    testing::record(&app.app, Actor::system(), id, 1, &found).await.expect("recorded");
    for (name, look) in
        [("narrow", NARROW), ("dark", Look { dark: true, ..WIDE }), ("large", Look { width: 1600, ..WIDE })]
    {
        let browser = Browser::open(&app.url, look).await;
        browser.take(visit.cookie.as_deref()).await;
        for (page, path) in [("page", path.as_str()), ("table", "/credentials"), ("alerts", "/alerts")] {
            browser.goto(path).await;
            browser.picture(&format!("test-{page}-{name}")).await;
            assert!(browser.overflow().await <= 0, "{page} {name}");
            assert_eq!(browser.axe().await, Vec::<String>::new(), "{page} {name}");
        }
        browser.goto(&path).await;
        browser.press("Test").await;
        browser.sees("The certificate is valid until").await;
        browser.picture(&format!("test-found-{name}")).await;
        testing::record(&app.app, Actor::system(), id, 1, &found).await.expect("recorded");
        browser.close().await;
    }
    browser.close().await;
}
