//! A scan that cannot read everything, in the console: its end, its gaps, and the inventory that it leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use strongroom::models::IntegrationId;
use strongroom::models::runs::Run;

use super::{Form, actions, ended, scan_now};
use crate::support::app::{TestApp, Visit};
use crate::support::peers::receiver::{Receiver, Said};
use crate::support::peers::shelf::Shelf;
use crate::support::sql;

/// All of the registry is read, then `team/secret` is closed and `team/app:2` is no manifest, then all is read again.
struct Story {
    app: TestApp,
    visit: Visit,
    id: IntegrationId,
    part: Arc<AtomicUsize>,
    _peer: Receiver,
}

impl Story {
    async fn begin() -> (Self, Run) {
        let part = Arc::new(AtomicUsize::new(0));
        let now = Arc::clone(&part);
        let shelf = Shelf::default().with("team/app", "1").with("team/app", "2").with("team/secret", "1");
        let shelf = shelf.with("team/web", "1");
        let peer = Receiver::start(move |call| match (now.load(Ordering::SeqCst), call.path()) {
            (1, path) if path.starts_with("/v2/team/secret/") => Said::json(403, &json!({})),
            (1, "/v2/team/app/manifests/2") => Said::html(200),
            (1, "/v2/_catalog") => Said::json(200, &json!({"repositories": ["team/app", "team/secret"]})),
            (2, path) if path.contains("/tags/") => Said::json(403, &json!({})),
            _ => shelf.answer(call),
        });
        let app = TestApp::start();
        let mut visit = app.administrator();
        let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
        let run = ended(&app, id).await;
        (Self { app, visit, id, part, _peer: peer }, run)
    }

    async fn scan(&mut self, part: usize) -> Run {
        self.part.store(part, Ordering::SeqCst);
        scan_now(&self.app, &mut self.visit, self.id).await
    }

    async fn page(&mut self) -> crate::support::app::Page {
        self.visit.get(&format!("/integrations/{}", self.id)).await
    }
}

#[actix_web::test]
async fn field_r03_r13_a_scan_with_gaps_ends_partly_and_keeps_what_they_hide() {
    let (mut story, run) = Story::begin().await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("succeeded", 4, 0));
    assert!(!story.page().await.has("#gaps"));

    let run = story.scan(1).await;
    assert_eq!((run.state.word(), run.found, run.gaps, run.removed), ("partly", 1, 2, 1));
    let page = story.page().await;
    assert_eq!(page.attributes("[data-gap]", "data-gap"), ["team/secret", "team/app:2"]);
    let reasons = page.texts("[data-gap] small");
    assert!(reasons[0].starts_with("Listing the tags failed: the registry does not allow this"), "{reasons:?}");
    assert!(reasons[1].starts_with("Reading the manifest failed: what the registry gave is not"), "{reasons:?}");
    // Hidden by a gap is not gone, and gone is not hidden.
    assert_eq!(page.texts("#results tbody th"), ["team/app", "team/app", "team/secret"]);
    assert_eq!(page.texts("#results tbody tr:has([data-kept]) th"), ["team/app", "team/secret"]);
    assert_eq!(page.texts("#changed li"), ["team/web:1 Gone"]);
    let history = page.texts(".timeline li");
    assert!(history[0].starts_with("Partly read just now"), "{history:?}");
    assert!(history[0].contains("1 image: 1 gone · 2 gaps. Listing the tags of team/secret failed"), "{history:?}");
    assert!(history[0].ends_with("One other part could not be read either."), "{history:?}");

    let run = story.scan(0).await;
    assert_eq!((run.state.word(), run.added, run.changed, run.removed), ("succeeded", 1, 0, 0));
    let page = story.page().await;
    assert!(!page.has("#gaps") && !page.has("[data-kept]"));
}

#[actix_web::test]
async fn a_scan_with_gaps_is_told_everywhere_as_what_it_is() {
    let (mut story, _) = Story::begin().await;
    story.scan(1).await;
    assert_eq!(story.visit.get("/integrations").await.text("tbody .state"), "Partly read");
    let dashboard = story.visit.get("/").await;
    assert_eq!(dashboard.text("[data-need=gaps] h3 strong"), "1");
    assert!(dashboard.text(".activity .state.is-warn").contains("1 image, 2 gaps in"));
    assert!(actions(&story.app, Some(story.id.0)).contains(&"scan.partly".to_owned()));
    assert_eq!(sql::count(&story.app, "events WHERE detail = '1 images, 2 gaps'"), 1);
    let images = story.visit.get(&format!("/integrations/{}/images.csv", story.id)).await;
    let found_by: Vec<&str> = images.body.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    assert_eq!(found_by, ["last scan", "earlier scan", "earlier scan"]);
    let gaps = story.visit.get(&format!("/integrations/{}/gaps.csv", story.id)).await;
    assert_eq!((gaps.status, gaps.header("content-type")), (200, "text/csv; charset=utf-8"));
    let lines: Vec<&str> = gaps.body.lines().collect();
    assert!(lines[0] == "at,reason" && lines[1].starts_with("team/secret,") && lines.len() == 3, "{lines:?}");
}

#[actix_web::test]
async fn a_scan_with_gaps_is_no_failure_in_a_row_and_closes_the_alert() {
    let (mut story, _) = Story::begin().await;
    for part in [2, 2, 1, 2, 2] {
        story.scan(part).await;
    }
    let open = "alerts WHERE trigger = 'failed_scan' AND closed_at IS NULL";
    assert_eq!(sql::count(&story.app, open), 0, "no three failures in a row");
    let run = story.scan(2).await;
    assert_eq!((run.state.word(), sql::count(&story.app, open)), ("failed", 1));
    // The inventory of the last scan that read something stays, and so do its gaps.
    assert_eq!(story.page().await.attributes("#gaps", "data-gaps"), ["2"]);
    story.scan(1).await;
    assert_eq!(sql::count(&story.app, open), 0);
}

#[actix_web::test]
async fn thousands_of_gaps_are_counted_and_the_first_thousand_named() {
    let mut shelf = Shelf::default().with("big", "good");
    (0..1_500).for_each(|number| shelf.list("big", &format!("bad-{number:04}")));
    let peer = Receiver::start(move |call| shelf.answer(call));
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).with("cap", "0").add(&mut visit).await;
    let run = ended(&app, id).await;
    assert_eq!((run.state.word(), run.found, run.gaps), ("partly", 1, 1_500));
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.texts("#gaps h2 small"), ["1,500"]);
    assert_eq!(page.texts("[data-gap]").len(), 5);
    assert!(page.text("#gaps").contains("and 1,495 more; the first 1,000 are named"));
    let file = visit.get(&format!("/integrations/{id}/gaps.csv")).await;
    assert_eq!(file.body.lines().count(), 1 + 1_000);
}

#[actix_web::test]
async fn field_r07_the_page_says_that_a_scan_waits_and_until_when() {
    let shelf = Shelf::default().with("app", "1");
    let peer = Receiver::start(move |call| match call.path().contains("/manifests/") {
        true => Said::json(429, &json!({})).with("Retry-After", "600"),
        false => shelf.answer(call),
    });
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    let label = super::until_page("it waits", &mut visit, id, "#run .progress strong", "Waiting until ").await;
    assert!(label.ends_with("UTC, as the registry asks"), "{label}");
    let asked = peer.calls().len();
    // The lease is renewed meanwhile, nobody asks the registry, and Stop ends it.
    let lease = "runs WHERE lease_until > now() + interval '20 seconds'";
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!((sql::count(&app, lease), peer.calls().len()), (1, asked));
    visit.post(&format!("/integrations/{id}/stop"), &[]).await;
    assert_eq!(ended(&app, id).await.state.word(), "stopped");
}
