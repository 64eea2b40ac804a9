//! A GitLab that lies, leads astray or never ends: a bounded gap each, and the rest is kept.

use serde_json::{Value, json};
use strongroom::providers::ProviderError;

use super::gitlab::{ALL, Work, names};
use crate::support::peers::gitlab_tokens::{self, ADA};
use crate::support::peers::receiver::{Call, Receiver, Said};
use crate::support::peers::vendor::{host, with};

const PROJECT: &str = "/api/v4/projects/20/access_tokens";

/// The one cause beside the project that ada may not read, when `project` answers for the tokens of team/app.
async fn cause(project: impl Fn(&Call) -> Said + Send + Sync + 'static) -> ProviderError {
    let peer = Receiver::start(move |call| match call.path() {
        PROJECT => project(call),
        _ => gitlab_tokens::answer(call),
    });
    let scan = Work::of(&peer.url(), ADA, ALL).scan().await.unwrap();
    assert!(names(&scan).contains(&"personal/101") && names(&scan).contains(&"group/10/301"), "the rest is kept");
    let mut gaps: Vec<_> = scan.gaps.into_iter().filter(|gap| gap.at == "project team/app").collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    let gap = gaps.remove(0);
    assert!(gap.hides.may_be("gitlab.com", "project/20/201") && !gap.hides.may_be("gitlab.com", "personal/1"));
    gap.cause
}

fn next(call: &Call, target: &str) -> Said {
    let page: u64 = call.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let token = json!([{"id": 1_000_000 + page, "name": "x"}]);
    Said::json(200, &token).with("Link", format!("<{target}>; rel=\"next\""))
}

#[tokio::test]
async fn tokens_in_endless_pages_are_cut_off() {
    let endless = |call: &Call| {
        let page: u64 = call.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
        next(call, &format!("{}{}", host(call), with(call, "page", page + 1)))
    };
    assert_eq!(cause(endless).await, ProviderError::TooLarge);
}

#[tokio::test]
async fn pages_of_tokens_that_lead_in_a_circle_end() {
    let circle = |call: &Call| next(call, &format!("{}{}", host(call), call.target));
    assert_eq!(cause(circle).await, ProviderError::BadAnswer);
}

#[tokio::test]
async fn no_token_is_sent_to_another_host_that_a_page_names() {
    let thief = Receiver::start(|_| Said::json(200, &json!([])));
    let elsewhere = thief.url().replace("127.0.0.1", "localhost") + "/api/v4/more";
    let named = cause(move |call| next(call, &elsewhere)).await;
    assert!(matches!(named, ProviderError::Redirected { .. }), "{named:?}");
    assert!(thief.calls().is_empty());
}

#[tokio::test]
async fn answers_about_tokens_that_are_huge_or_of_another_type_are_gaps() {
    assert_eq!(cause(|_| Said::Endless).await, ProviderError::TooLarge);
    let wrong: [Value; 4] = [json!(null), json!({"message": []}), json!("x"), json!([{"id": []}, 7, null])];
    for answer in wrong {
        assert_eq!(cause(move |_| Said::json(200, &answer)).await, ProviderError::BadAnswer);
    }
}

#[tokio::test]
async fn a_token_with_a_number_as_a_text_is_read_beside_one_that_is_not_understood() {
    let peer = Receiver::start(|call| match call.path() {
        PROJECT => Said::json(200, &json!([{"id": "9007199254740993", "scopes": null, "name": "\u{7}"}, {"id": "x"}])),
        _ => gitlab_tokens::answer(call),
    });
    let scan = Work::of(&peer.url(), ADA, ALL).scan().await.unwrap();
    assert!(names(&scan).contains(&"project/20/9007199254740993"), "{scan:?}");
    assert_eq!(scan.gaps.len(), 2, "{:?}", scan.gaps);
}
