//! Answers that Google would not give: each costs its project and its part, and nothing else.

use serde_json::{Value, json};
use strongroom::providers::ProviderError;

use super::{PAY, of, part};
use crate::support::google_scan::names;
use crate::support::peers::google_world::{Api, Google, Says};
use crate::support::peers::receiver::{Said, UPSTREAM};

fn raw(body: &Value) -> Says {
    Says::Raw(Said::json(200, body))
}

#[tokio::test]
async fn wrong_lists_of_accounts_and_keys_cost_their_own_project() {
    let peer = Google::start();
    peer.with_project("shop").account("shop", PAY, &json!({})).key("shop", PAY, "0a01", &json!({}));
    peer.key("shop", PAY, "<script>", &json!({})).key("shop", PAY, "0b02", &json!({"validAfterTime": "yesterday"}));
    peer.key("shop", PAY, "0c03", &json!({"validAfterTime": null, "validBeforeTime": null, "disabled": null}));
    peer.with_project("circle").says(Api::Accounts, "circle", raw(&json!({"accounts": [], "nextPageToken": "round"})));
    peer.with_project("nulls").says(Api::Accounts, "nulls", raw(&json!({"accounts": null, "nextPageToken": null})));
    let path = json!({"accounts": [{"email": "a/../../x@b"}, {"email": "https://evil.example/a@b"}, 7, null]});
    peer.with_project("paths").says(Api::Accounts, "paths", raw(&path));
    peer.with_project("endless").says(Api::Accounts, "endless", Says::Raw(Said::Endless));
    let away = Said::json(307, &json!({})).with("Location", "https://evil.example/v1/x");
    peer.with_project("away").says(Api::Accounts, "away", Says::Raw(away));
    let projects = "shop, circle, nulls, paths, endless, away";
    let found = part(&peer, "keys").of_projects(projects).run().await.unwrap();
    assert_eq!(names(&found), ["shop/0a01", "shop/0b02", "shop/0c03"], "a date that is none costs the date");
    assert!(of(&found, "0b02").get("made").is_none());
    let cause = |at: &str| found.gaps.iter().find(|gap| gap.at == at).map(|gap| gap.cause.clone());
    assert_eq!(cause(&format!("shop, {PAY}")), Some(ProviderError::BadAnswer));
    for project in ["circle", "paths"] {
        assert_eq!(cause(project), Some(ProviderError::BadAnswer), "{project}");
    }
    assert_eq!((cause("nulls"), cause("endless")), (None, Some(ProviderError::TooLarge)));
    assert_eq!(cause("away"), Some(ProviderError::Redirected { host: "evil.example".to_owned() }));
    assert!(found.gaps.iter().all(|gap| !gap.to_string().contains(UPSTREAM)));
    assert!(!peer.receiver.calls().iter().any(|call| call.target.contains("..") || call.target.contains("evil")));
}

#[tokio::test]
async fn wrong_lists_of_clusters_and_uses_cost_themselves() {
    let peer = Google::start();
    peer.with_project("shop").account("shop", PAY, &json!({})).key("shop", PAY, "0a01", &json!({}));
    peer.cluster("shop", "europe-west3", "prod", &json!({})).cluster("shop", "europe-west3", "<b>", &json!({}));
    peer.cluster("shop", "europe-west3", "odd", &json!({"location": 7}));
    peer.says(Api::Activities, "shop", raw(&json!({"activities": "none"})));
    let found = part(&peer, "keys").with("clusters", "on").run().await.unwrap();
    assert_eq!(names(&found), ["shop/0a01", "shop/gke/europe-west3/prod"]);
    let steps: Vec<&str> = found.gaps.iter().map(|gap| gap.step.doing).collect();
    assert_eq!(steps, ["Listing the clusters", "Reading the last use of the keys"]);
    assert!(!found.gaps[0].hides.may_be("shop", "0a01") && found.gaps[0].hides.may_be("shop", "gke/x/y"));
    assert!(!found.gaps[1].hides.may_be("shop", "0a01"));
}
