//! Answers that Azure would not give: each costs its subscription, or one app of it, and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strongroom::providers::ProviderError;

use super::{OWN, TEST, scan, sites};
use crate::support::azure_scan::{facts, names};
use crate::support::peers::azure_management::{Management, Says};
use crate::support::peers::receiver::{Receiver, Said, UPSTREAM};
use crate::support::wait::until;

fn numbered(number: usize) -> String {
    format!("{number:08}-0b1f-4f2e-9d3c-7a6b5c4d3e2f")
}

#[tokio::test]
async fn lists_of_azure_that_are_wrong_or_lead_elsewhere_cost_themselves() {
    let (peer, sink) = (Management::start(), Receiver::start(|_| Said::json(200, &json!({"value": []}))));
    peer.subscription(OWN, "Production").app(OWN, "pay", &json!({}));
    let round = format!("{}{}?api-version=2024-04-01&round=1", peer.receiver.url(), sites(&numbered(0)));
    // Another name of this machine is another host.
    let elsewhere = format!("{}/more", sink.url().replace("127.0.0.1", "127.0.0.2"));
    let json = |body: Value| Said::json(200, &body);
    let lists = [
        json(json!({"value": [], "nextLink": round})),
        json(json!({"value": [], "nextLink": elsewhere})),
        json(json!({"value": [], "nextLink": "https://management.azure.com.evil.example/"})),
        json(json!({"value": "none"})),
        json(json!({"values": []})),
        json(json!({"value": [7, null, {"id": 5}]})),
        Said::html(200),
        Said::Endless,
        Said::Half,
    ];
    let number = lists.len();
    for (at, said) in lists.into_iter().enumerate() {
        peer.subscription(&numbered(at), "Odd").says(&sites(&numbered(at)), Says::Raw(said));
    }
    let ids: Vec<String> = (0..number).map(numbered).chain([OWN.to_owned()]).collect();
    let chosen = scan(&peer).with("subscriptions", "chosen").with("subscription_ids", &ids.join(","));
    let found = tokio::time::timeout(Duration::from_secs(60), chosen.run()).await.expect("it ends").unwrap();
    assert_eq!(names(&found), [format!("{OWN}/westeurope/pay")]);
    let causes: Vec<&ProviderError> = (0..number)
        .map(|at| {
            let gap = found.gaps.iter().find(|gap| gap.at.contains(&numbered(at)));
            &gap.unwrap_or_else(|| panic!("{at}: {:?}", found.gaps)).cause
        })
        .collect();
    for at in [0, 3, 4, 5, 6] {
        assert_eq!(*causes[at], ProviderError::BadAnswer, "{at}");
    }
    assert!(causes[1..3].iter().all(|cause| matches!(cause, ProviderError::Redirected { .. })), "{causes:?}");
    assert_eq!(*causes[7], ProviderError::TooLarge);
    assert!(sink.calls().is_empty(), "no token goes to another host");
    assert_eq!(peer.asked(&sites(&numbered(0))).len(), 2, "a circle is noticed");
    assert!(found.gaps.iter().all(|gap| !gap.to_string().contains(UPSTREAM)));
}

#[tokio::test]
async fn a_function_app_with_odd_members_loses_them_alone() {
    let peer = Management::start();
    peer.subscription(OWN, "Production");
    peer.app(OWN, "odd", &json!({"state": 7, "lastModifiedTimeUtc": "soon", "reserved": "yes", "siteConfig": []}));
    peer.app(OWN, "bare", &json!({"properties": null, "identity": null}));
    peer.app(OWN, "nowhere", &json!({"location": {}}));
    peer.app(
        OWN,
        "other",
        &json!({"id": format!("/subscriptions/{TEST}/resourceGroups/x/providers/Microsoft.Web/sites/y")}),
    );
    peer.app(OWN, "path", &json!({"id": "/subscriptions/../x"})).app(OWN, "bare", &json!({}));
    let found = scan(&peer).run().await.unwrap();
    assert_eq!(names(&found), [format!("{OWN}/westeurope/bare"), format!("{OWN}/westeurope/odd")]);
    assert_eq!((&facts(&found, "odd")["state"], &facts(&found, "odd")["modified"]), (&json!(""), &json!(null)));
    let at: Vec<&str> = found.gaps.iter().map(|gap| gap.at.as_str()).collect();
    let whole = format!("Production ({OWN})");
    assert_eq!(at, [&whole, &whole, &format!("{OWN}/nowhere")]);
    assert!(found.gaps[2].to_string().contains("Function apps to exclude"));
}

#[tokio::test]
async fn a_silent_subscription_ends_with_its_time_and_the_scan_with_stop() {
    let peer = Management::start();
    peer.subscription(OWN, "Production").app(OWN, "pay", &json!({}));
    peer.subscription(TEST, "Test").says(&sites(TEST), Says::Raw(Said::Silent));
    let all = scan(&peer).hasty().with("subscriptions", "all").run().await.unwrap();
    assert!(matches!(all.gaps[..], [ref gap] if matches!(gap.cause, ProviderError::Timeout { .. })), "{all:?}");

    let asked = peer.asked(&sites(TEST)).len();
    let work = scan(&peer).with("subscriptions", "all");
    let stop = async {
        until("the subscription is asked", || (peer.asked(&sites(TEST)).len() > asked).then_some(())).await;
        work.stop.cancel();
        Instant::now()
    };
    let (result, stopped) = tokio::join!(work.run(), stop);
    assert_eq!(result.unwrap_err().cause, ProviderError::Stopped);
    assert!(stopped.elapsed() < Duration::from_secs(2));
}
