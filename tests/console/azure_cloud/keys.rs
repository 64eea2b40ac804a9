//! The long-term keys of a tenant: what is read of them, and what is said where they may not be read.

use serde_json::json;
use strongroom::providers::ProviderError;

use super::scan;
use crate::support::azure_scan::facts;
use crate::support::peers::azure_management::Management;
use crate::support::peers::entra::{CLIENT, TENANT};
use crate::support::peers::graph::{Graph, HINT, certificate, secret};
use crate::support::peers::receiver::{Receiver, Said, UPSTREAM};

const OTHER: &str = "0d0d0d0d-6c27-41d3-9749-ca5c9cc4a622";
const PRINT: &str = "52ED9B5038A47B9E2E2190715CC238359D4F8F73";

fn id(digit: char) -> String {
    format!("{}-6c27-41d3-9749-ca5c9cc4a622", digit.to_string().repeat(8))
}

fn tenant() -> Graph {
    let graph = Graph::start();
    let old = secret(&id('1'), "ci", "2019-03-01T10:00:00Z", "2299-12-30T00:00:00Z");
    let ended = secret(&id('2'), "", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z");
    graph.application(CLIENT, "Deploy", &[old], &[]).application(OTHER, "Mailer", &[ended], &[]);
    graph.principal(OTHER, "Mailer", &[secret(&id('3'), "", "2026-01-01T00:00:00Z", "2028-01-01T00:00:00Z")], &[]);
    graph.principal(&id('9'), "Without keys", &[], &[]);
    graph.application(&id('8'), "Signed", &[], &[certificate(&id('4'), "CN=ci", PRINT, "2028-01-01T00:00:00Z")]);
    graph
}

#[tokio::test]
async fn every_secret_and_certificate_of_a_tenant_is_found_with_its_end() {
    let (graph, management) = (tenant(), Management::start());
    let found = scan(&graph, &management).with("keys", "on").run().await.unwrap();
    assert_eq!(found.gaps, []);
    let names: Vec<&str> = found.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(names, [id('1'), id('2'), id('3'), id('4')]);
    assert!(found.items.iter().all(|item| item.place == TENANT));
    let old = facts(&found, &id('1'));
    assert_eq!((&old["owner"], &old["arn"], &old["kind"]), (&json!("Deploy"), &json!(CLIENT), &json!("azure")));
    assert_eq!((&old["made"], old.get("expires")), (&json!(1_551_434_400), None), "the year 2299 is no end");
    assert_eq!((&old["held_as"], old.get("perhaps")), (&json!(format!("secret of {CLIENT}")), None));
    let ended = facts(&found, &id('2'));
    assert_eq!((&ended["active"], &ended["perhaps"]), (&json!(false), &json!(true)), "one of two secrets");
    assert_eq!(facts(&found, &id('4'))["held_as"], PRINT);
    assert!(found.items.iter().all(|item| !item.facts.contains(HINT)), "a secret's first characters are not kept");
    assert!(management.receiver.calls().is_empty(), "keys need no subscription");
    assert!(graph.receiver.calls().iter().all(|call| call.method == "GET"));
}

#[tokio::test]
async fn a_permission_of_graph_that_is_missing_is_named_with_its_way() {
    let (graph, management) = (tenant(), Management::start());
    graph.change(|world| world.denied = true);
    let error = scan(&graph, &management).with("keys", "on").run().await.unwrap_err().to_string();
    assert!(error.contains("Microsoft Graph knows the credential, but does not allow Application.Read.All"), "{error}");
    assert!(error.contains("administrator") && !error.contains(UPSTREAM), "{error}");
    let tested = scan(&graph, &management).with("keys", "on").check().await.unwrap_err().to_string();
    assert!(tested.contains("Application.Read.All"), "{tested}");
    graph.change(|world| (world.denied, world.busy) = (false, 1));
    let found = scan(&graph, &management).with("keys", "on").run().await.unwrap();
    assert_eq!((found.items.len(), found.gaps.len()), (4, 0), "a pause is waited for");
    let said = scan(&graph, &management).with("keys", "on").check().await.unwrap();
    assert_eq!(said, "Microsoft Graph let Strongroom in and lists 1 application on its first page.");
}

#[tokio::test]
async fn odd_answers_of_graph_cost_themselves_and_lead_no_token_away() {
    let (graph, management) = (tenant(), Management::start());
    let sink = Receiver::start(|_| Said::json(200, &json!({"value": []})));
    let elsewhere = sink.url().replace("127.0.0.1", "127.0.0.2");
    let round = format!("{}/v1.0/applications?$select=keyCredentials", graph.receiver.url());
    for (said, cause) in [
        (Said::json(200, &json!({"value": [], "@odata.nextLink": round})), Some(ProviderError::BadAnswer)),
        (Said::json(200, &json!({"value": [], "@odata.nextLink": elsewhere})), None),
        (Said::json(200, &json!({"value": [7, {"appId": "x"}]})), Some(ProviderError::BadAnswer)),
        (Said::html(200), Some(ProviderError::BadAnswer)),
        (Said::Endless, Some(ProviderError::TooLarge)),
    ] {
        graph.change(|world| world.instead = Some(said));
        let found = scan(&graph, &management).with("keys", "on").run().await.unwrap();
        assert_eq!(found.items.len(), 1, "the service principals are read all the same");
        let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
        match cause {
            Some(cause) => assert_eq!(gap.cause, cause),
            None => assert!(matches!(gap.cause, ProviderError::Redirected { .. }), "{gap:?}"),
        }
        assert!(gap.hides.may_be(TENANT, &id('1')) && !gap.to_string().contains(UPSTREAM));
    }
    assert!(sink.calls().is_empty());
}
