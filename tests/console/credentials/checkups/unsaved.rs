//! The Test button of the form for a new credential: what it finds, and that nothing is stored.

use strongroom::accounts::Role;

use super::{CANARY, borrowed, certificate, pressed, rows_and_events};
use crate::credentials::samples;
use crate::support::app::{TestApp, Visit};
use crate::support::peers::receiver::Said;
use crate::support::peers::{forges, free_port};

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
async fn a_token_that_a_forge_sends_back_is_not_shown() {
    const TOKEN: &str = "ghp_CanaryCanaryCanaryCanary0123456789";
    let peer = forges::github(TOKEN, None);
    peer.say(Said::json(200, &serde_json::json!({"login": TOKEN})).with("X-OAuth-Scopes", TOKEN));
    let app = TestApp::start_with(&[&format!("--endpoints=github={}", peer.url())]);
    let fields = [("kind", "github_token"), ("name", "forge"), ("token", TOKEN)];
    let page = pressed(&mut app.user("olga", Role::Operator), "/credentials/test", &fields).await;
    assert_eq!((page.status, page.text(".finding .badge")), (200, "Works".to_owned()), "{}", page.body);
    assert!(page.body.contains("the secret, sent back and removed") && !page.body.contains("Canary"), "{}", page.body);
}

#[actix_web::test]
async fn what_could_not_be_saved_is_not_tested_either() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let mut fields = certificate("");
    fields.retain(|(name, _)| *name != "certificate");
    let page = visit.post("/credentials/test", &borrowed(&fields)).await;
    assert_eq!(page.status, 422);
    assert!(page.text(".error-summary").starts_with("Not tested."));
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
