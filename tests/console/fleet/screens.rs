//! The *Clusters* pages in a real browser: accessible in light and dark, wide and narrow.

use strongroom::accounts::Role;

use crate::support::browser::{Browser, Look, NARROW, WIDE};

/// A usual desktop size, 16:10.
const DESK: Look = Look { width: 1440, ..WIDE };

#[actix_web::test]
async fn the_pages_of_clusters_are_accessible_in_light_and_dark_wide_and_narrow() {
    let mut fleet = super::fleet().await;
    let rows = fleet.visit.get("/clusters").await.attributes("[data-ticks] td input", "name");
    let ticked: Vec<(&str, &str)> = rows.iter().skip(1).map(|id| (id.as_str(), "on")).collect();
    let begun = [&ticked[..], &[("image", "registry.example.com/security/agent:2.14.1"), ("at_once", "2")]].concat();
    let rollout = fleet.visit.post("/rollouts", &begun).await.location().to_owned();
    fleet.visit.post(&format!("{rollout}/stop"), &[]).await;
    let auditor = fleet.app.user("otto", Role::Auditor);
    let pages = [("all", "/clusters"), ("none", "/clusters?q=nothing"), ("upgrade", rollout.as_str())];
    for (name, look) in [
        ("wide", DESK),
        ("dark", Look { dark: true, ..DESK }),
        ("narrow", NARROW),
        ("narrow-dark", Look { dark: true, ..NARROW }),
    ] {
        let browser = Browser::open(&fleet.app.url, look).await;
        for (who, visit) in [("", &fleet.visit), ("-auditor", &auditor)] {
            browser.take(visit.cookie.as_deref()).await;
            for (page, path) in pages {
                browser.goto(path).await;
                browser.picture(&format!("clusters-{page}-{name}{who}")).await;
                assert!(browser.overflow().await <= 0, "{page} {name}{who}");
                assert_eq!(browser.axe().await, Vec::<String>::new(), "{page} {name}{who}");
                assert_eq!(browser.complaints().await, Vec::<String>::new(), "{page} {name}{who}");
            }
        }
        browser.take(fleet.visit.cookie.as_deref()).await;
        browser.goto("/clusters").await;
        browser.script("document.querySelector('[data-ticks] td input[name]').click()", Vec::new()).await;
        browser.press("Upgrade…").await;
        browser.sees("Clusters at once").await;
        browser.picture(&format!("clusters-upgrade-form-{name}")).await;
        assert_eq!(browser.axe().await, Vec::<String>::new(), "{name}");
        browser.close().await;
    }
}
