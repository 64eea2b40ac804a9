//! What the dashboard says of an estate in which something of each sort is wrong, against the lists that it leads to.

use strongroom::models::CredentialId;

use crate::support::app::{Page, TestApp, Visit};
use crate::support::signed;
use crate::support::wait::until;

async fn add(visit: &mut Visit, fields: &[(&str, &str)]) -> CredentialId {
    let page = visit.post("/credentials", fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary, .field__error"));
    page.location().rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

async fn key(visit: &mut Visit, name: &str) -> CredentialId {
    let fields = [
        ("kind", "aws"),
        ("name", name),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
    ];
    add(visit, &fields).await
}

/// A scan of a registry that does not answer; all of them fail alike.
async fn failing_scan(visit: &mut Visit, name: &str) {
    let form = [("name", name), ("version", "docker_v2"), ("registry", "http://127.0.0.1:1"), ("schedule", "off")];
    assert_eq!(visit.post("/integrations", &form).await.status, 303);
}

fn figure(page: &Page, name: &str) -> (String, String) {
    let figure = format!("[data-figure={name}]");
    (page.text(&format!("{figure} strong")), page.attributes(&figure, "href").remove(0))
}

/// Count, names of the rows, and where all of them are.
fn group(page: &Page, name: &str) -> (String, Vec<String>, String) {
    let group = format!("[data-need={name}]");
    let all = page.attributes(&format!("{group} .need__head a"), "href").remove(0);
    (page.text(&format!("{group} h3 strong")), page.texts(&format!("{group} .need__name a")), all)
}

fn rows(page: &Page) -> usize {
    page.texts("#results tbody th").len()
}

#[actix_web::test]
async fn every_figure_and_group_counts_the_list_that_it_leads_to() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for number in 1..=5 {
        let id = key(&mut visit, &format!("key {number}")).await;
        let old = "UPDATE credentials SET secret_set_at = now() - interval";
        signed::run(&app, &format!("{old} '{} days' WHERE id = '{id}'", 88 + number));
    }
    let soon = add(&mut visit, &[("kind", "api_token"), ("name", "soon"), ("token", "TOKEN-1234567890")]).await;
    signed::run(&app, &format!("UPDATE credentials SET expires_at = now() + interval '76 hours' WHERE id = '{soon}'"));
    let failed = add(&mut visit, &[("kind", "api_token"), ("name", "failed"), ("token", "TOKEN-1234567890")]).await;
    signed::run(
        &app,
        &format!(
            "UPDATE credentials SET tested_at = now(), test_verdict = 'refused', test_sentence = 'No.', tested_by = 'ada',
                 test_failed = true WHERE id = '{failed}'"
        ),
    );
    for name in ["Mirror", "Other mirror"] {
        failing_scan(&mut visit, name).await;
    }
    let ended = || crate::support::sql::count(&app, "runs WHERE state = 'failed'") == 2;
    until("both scans fail", || ended().then_some(())).await;

    let page = visit.get("/").await;
    assert_eq!(figure(&page, "credentials"), ("8".to_owned(), "/credentials".to_owned()));
    assert_eq!(figure(&page, "stale"), ("4".to_owned(), "/credentials?state=stale".to_owned()));
    assert_eq!(figure(&page, "failing"), ("3".to_owned(), "#failing".to_owned()));
    assert_eq!(page.text("[data-figure=failing] small"), "2 integrations, 1 test");
    assert_eq!(page.text("[data-figure=expiring] small"), "next in 4 days");
    assert_eq!(figure(&page, "open").0, "0");
    assert_eq!(page.attributes("[data-need]", "data-need"), ["integrations", "tests", "stale", "expiring"]);

    let (count, names, all) = group(&page, "stale");
    assert_eq!((count.as_str(), names.join(", ").as_str()), ("4", "key 5, key 4, key 3"), "the oldest first");
    assert_eq!(rows(&visit.get(&all).await), 4);
    assert_eq!(page.text("[data-need=stale] .need__amount"), "93 days");
    let rotate = page.attributes("[data-need=stale] [data-rotate]", "href");
    assert_eq!((rotate.len(), visit.get(&rotate[0]).await.status), (3, 200));
    let (count, names, all) = group(&page, "expiring");
    assert_eq!((count.as_str(), names), ("1", vec!["soon".to_owned()]));
    assert_eq!(rows(&visit.get(&all).await), 1);
    assert_eq!(page.text("[data-need=expiring] .need__amount"), "4 days");
    let (count, names, _) = group(&page, "integrations");
    assert_eq!((count.as_str(), names), ("2", vec!["Mirror".to_owned()]), "one cause is one row");
    assert_eq!(page.text("[data-need=integrations] .need__name small"), "and 1 more");
    assert_eq!(group(&page, "tests").1, ["failed"]);
    assert!(page.has("#failing[data-need=integrations]"));

    // The limit stands before the first column that is over it, and the columns over it are what is stale.
    let columns = page.texts("[data-stored] li strong");
    assert_eq!(columns.join(" "), "0 0 0 0 0 1 4 0 0 0");
    assert!(page.text("[data-stored] li:nth-child(7) em").contains("90"));
    assert_eq!(page.texts(".activity .state.is-bad").len(), 2);
}

#[actix_web::test]
async fn an_empty_console_needs_no_attention_and_gives_no_advice() {
    let app = TestApp::start();
    let page = app.administrator().get("/").await;
    assert!(page.has("[data-all-clear]") && !page.has("[data-need]") && !page.has(".distribution"));
    assert!(!page.text("main").contains("delete"));
}
