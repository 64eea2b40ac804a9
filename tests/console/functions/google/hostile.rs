//! Answers that Google would not give: each costs its project, or one function of it, and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strongroom::providers::ProviderError;

use super::scan;
use crate::support::google_scan::names;
use crate::support::peers::google_functions::{Api, Google, Says};
use crate::support::peers::receiver::{Said, UPSTREAM};
use crate::support::wait::until;

fn says(peer: &Google, project: &str, body: &Value) {
    peer.with_project(project).says(Api::Functions, project, Says::Raw(Said::json(200, body)));
}

#[tokio::test]
async fn lists_without_end_and_wrong_answers_cost_their_own_project() {
    let peer = Google::start();
    peer.with_project("good").function("good", "europe-west3", "pay", &json!({}));
    says(&peer, "circle", &json!({"functions": [], "nextPageToken": "round and round"}));
    says(&peer, "text", &json!({"functions": "none"}));
    says(&peer, "number", &json!({"functions": [], "nextPageToken": 7}));
    says(&peer, "nulls", &json!({"functions": null, "nextPageToken": null, "unreachable": null}));
    peer.with_project("html").says(Api::Functions, "html", Says::Raw(Said::html(200)));
    peer.with_project("endless").says(Api::Functions, "endless", Says::Raw(Said::Endless));
    let away = Said::json(302, &json!({})).with("Location", "https://evil.example/v2/functions");
    peer.with_project("away").says(Api::Functions, "away", Says::Raw(away));
    let projects = "good, circle, text, number, nulls, html, endless, away";
    let found = scan(&peer).of_projects(projects).run().await.unwrap();
    assert_eq!(names(&found), ["good/europe-west3/pay"]);
    let cause = |project: &str| found.gaps.iter().find(|gap| gap.at == project).map(|gap| gap.cause.clone());
    for project in ["circle", "text", "number", "html"] {
        assert_eq!(cause(project), Some(ProviderError::BadAnswer), "{project}");
    }
    assert_eq!((cause("nulls"), cause("endless")), (None, Some(ProviderError::TooLarge)));
    assert_eq!(cause("away"), Some(ProviderError::Redirected { host: "evil.example".to_owned() }));
    assert_eq!(peer.asked("circle"), 3, "a circle is noticed, and the services are one more");
    assert!(found.gaps.iter().all(|gap| !gap.to_string().contains(UPSTREAM)));
}

#[tokio::test]
async fn a_function_of_google_that_cannot_be_read_is_left_out_and_named() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "good", &json!({}));
    peer.first_generation("shop", "europe-west3", "odd", &json!({"buildConfig": {"runtime": "x".repeat(100)}}));
    peer.first_generation("shop", "europe-west3", "<script>", &json!({}));
    peer.function("shop", "europe-west3", "good", &json!({}));
    let found = scan(&peer).run().await.unwrap();
    assert_eq!(names(&found), ["shop/europe-west3/good"], "one that is listed twice is there once");
    let gaps: Vec<&str> = found.gaps.iter().map(|gap| gap.at.as_str()).collect();
    assert_eq!(gaps, ["shop", "shop/europe-west3/odd"]);
    assert!(found.gaps[1].to_string().contains("Functions to exclude"));
    assert!(
        found.gaps[1].hides.may_be("shop/europe-west3", "odd")
            && !found.gaps[1].hides.may_be("shop/europe-west3", "good")
    );
}

#[tokio::test]
async fn a_silent_project_ends_with_its_time_and_the_scan_with_stop() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.with_project("quiet").says(Api::Functions, "quiet", Says::Raw(Said::Silent));
    let hasty = scan(&peer).hasty().of_projects("shop, quiet").run().await.unwrap();
    assert!(matches!(hasty.gaps[..], [ref gap] if matches!(gap.cause, ProviderError::Timeout { .. })), "{hasty:?}");

    let asked = peer.asked("quiet");
    let scan = scan(&peer).of_projects("quiet");
    let stop = async {
        until("the project is asked", || (peer.asked("quiet") > asked + 1).then_some(())).await;
        scan.stop.cancel();
        Instant::now()
    };
    let (result, stopped) = tokio::join!(scan.run(), stop);
    assert_eq!(result.unwrap_err().cause, ProviderError::Stopped);
    assert!(stopped.elapsed() < Duration::from_secs(2));
}
