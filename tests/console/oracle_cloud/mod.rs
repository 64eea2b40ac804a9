//! A scan of a tenancy of Oracle Cloud, by a user's API key.

use std::collections::BTreeMap;

use serde_json::Value;
use strongroom::credentials::oci::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::scan::{Gap, Scan};
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::{Endpoints, Service};

use crate::support::outside::World;
use crate::support::peers::oracle_cloud::{self, HALF};
use crate::support::peers::oracle_registry::{COMPARTMENT, TENANCY, USER, fingerprint, key, new_key};
use crate::support::peers::receiver::{Receiver, Said, UPSTREAM};

/// The settings and the key of one scan.
struct Tenancy<'a> {
    peer: &'a Receiver,
    pem: &'a str,
    settings: Vec<(&'static str, &'static str)>,
}

impl<'a> Tenancy<'a> {
    fn of(peer: &'a Receiver) -> Self {
        let settings = vec![("registries", "on"), ("functions", "on"), ("clusters", "on")];
        Self { peer, pem: key(), settings }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value));
        self
    }

    async fn ask<T>(&self, what: impl AsyncFnOnce(&'static Spec, &Context<'_>) -> T) -> T {
        let spec = Spec::find("oracle_cloud").unwrap();
        let settings = form::check(spec.fields, &self.settings.iter().copied().collect(), None).expect("good settings");
        let at = || self.peer.url().parse().unwrap();
        let services = [
            Service::OciIdentity,
            Service::OciArtifacts,
            Service::OciRegistry,
            Service::OciFunctions,
            Service::OciClusters,
        ];
        let moved = services.into_iter().fold(Endpoints::default(), |all, service| all.with(service, at()));
        let world = World::new(Egress::new(vec!["127.0.0.0/8".parse().unwrap()]), moved);
        let print = fingerprint(self.pem);
        let values = Values::from_iter([
            ("user_ocid", USER),
            ("tenancy_ocid", TENANCY),
            ("fingerprint", print.as_str()),
            ("private_key", self.pem),
        ]);
        let secret = Secret { kind: &KIND, values: &values, stored: None };
        what(spec, &Context::new(world.outside(), &settings, "A scan", Some(secret))).await
    }

    async fn scan(&self) -> Result<Scan, Gap> {
        self.ask(async |spec, cx| spec.scanner().unwrap().scan(cx).await).await
    }

    async fn check(&self) -> Result<String, String> {
        let said = self.ask(async |spec, cx| spec.check.unwrap()(cx).await).await;
        said.map(|said| said.unwrap()).map_err(|failure| failure.to_string())
    }
}

/// Facts by name.
fn found(scan: &Scan) -> BTreeMap<String, Value> {
    let facts = |facts: &str| serde_json::from_str(facts).expect("facts");
    scan.items.iter().map(|item| (item.name.clone(), facts(&item.facts))).collect()
}

#[tokio::test]
async fn an_api_key_sees_registries_functions_and_clusters_of_all_regions() {
    let peer = Receiver::start(oracle_cloud::answer);
    let scan = Tenancy::of(&peer).scan().await.unwrap();
    assert!(scan.items.iter().all(|item| item.place == TENANCY));
    let found = found(&scan);
    let cluster = format!("{COMPARTMENT}/ocid1.cluster.oc1.eu-frankfurt-1.prod");
    let mut names = Vec::new();
    for region in ["eu-frankfurt-1", "us-ashburn-1"] {
        names.push(format!("functions/{region}/{COMPARTMENT}"));
        names.push(format!("ocir/{region}/{COMPARTMENT}"));
        names.push(format!("ocir/{region}/{TENANCY}"));
        names.push(format!("oke/{region}/{cluster}"));
    }
    names.sort();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), names);
    let registry = &found[&format!("ocir/eu-frankfurt-1/{COMPARTMENT}")];
    assert_eq!((&registry["title"], &registry["number"]), (&"eu-frankfurt-1.ocir.io, shop".into(), &1.into()));
    assert_eq!(registry["scope"], format!("registry/eu-frankfurt-1.ocir.io/{COMPARTMENT}"));
    let add: Values = registry["add"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .collect();
    assert_eq!(
        (add.get("version"), add.get("region"), add.get("compartment")),
        ("oracle", "eu-frankfurt-1", COMPARTMENT)
    );
    let whole = &found[&format!("ocir/eu-frankfurt-1/{TENANCY}")];
    assert!(whole["add"].as_array().unwrap().contains(&serde_json::json!(["compartment", ""])));
    assert_eq!(found[&format!("functions/us-ashburn-1/{COMPARTMENT}")]["number"], 2);
    let cluster = &found[&format!("oke/eu-frankfurt-1/{cluster}")];
    assert_eq!(
        (&cluster["title"], &cluster["version"], &cluster["access"]),
        (&"prod".into(), &"1.33.1".into(), &"Public and private".into())
    );
    assert!(found.values().all(|facts| facts["account"] == "acme"));
}

#[tokio::test]
async fn a_compartment_that_the_user_may_not_see_is_a_gap_of_its_own() {
    let peer = Receiver::start(oracle_cloud::answer);
    let scan = Tenancy::of(&peer).with("regions", "eu-frankfurt-1").scan().await.unwrap();
    assert_eq!(scan.items.len(), 4);
    let gaps: Vec<String> = scan.gaps.iter().map(Gap::to_string).collect();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(
        gaps.iter().any(|gap| gap.starts_with("Listing the clusters of half in eu-frankfurt-1 failed")),
        "{gaps:?}"
    );
    assert!(gaps.iter().any(|gap| gap.contains("inspect functions-family") && !gap.contains(UPSTREAM)), "{gaps:?}");
    assert!(scan.gaps.iter().all(|gap| gap.hides.may_be(TENANCY, &format!("oke/eu-frankfurt-1/{HALF}/x"))
        || gap.hides.may_be(TENANCY, &format!("functions/eu-frankfurt-1/{HALF}"))));
    assert!(scan.gaps.iter().all(|gap| !gap.hides.may_be(TENANCY, &format!("oke/eu-frankfurt-1/{COMPARTMENT}/x"))));
}

#[tokio::test]
async fn a_right_that_lacks_everywhere_is_one_gap_a_region_and_a_list_that_lacks_leaves_the_rest() {
    let denied = || Said::json(404, &serde_json::json!({"code": "NotAuthorizedOrNotFound", "message": UPSTREAM}));
    let peer = Receiver::start(move |call| match call.path() {
        path if path.starts_with("/20180222/") || path == "/20160918/compartments" => denied(),
        _ => oracle_cloud::answer(call),
    });
    let scan = Tenancy::of(&peer).scan().await.unwrap();
    let gaps: Vec<(&str, &str)> = scan.gaps.iter().map(|gap| (gap.step.label, gap.at.as_str())).collect();
    let expected =
        [("Listing clusters", "eu-frankfurt-1"), ("Listing clusters", "us-ashburn-1"), ("Listing compartments", "")];
    assert_eq!(gaps, expected);
    assert_eq!(scan.items.len(), 4, "the registries are in one list, and the tenancy itself has no functions");
}

#[tokio::test]
async fn a_wrong_key_ends_the_scan_of_a_tenancy_and_a_test_says_what_the_key_sees() {
    let peer = Receiver::start(oracle_cloud::answer);
    let wrong = new_key();
    let error = Tenancy { pem: &wrong, ..Tenancy::of(&peer) }.scan().await.unwrap_err().to_string();
    assert!(error.starts_with("Signing in failed") && error.contains("refused the key"), "{error}");
    let said = Tenancy::of(&peer).check().await.unwrap();
    assert!(said.contains("1 repository") && said.contains("Regions to read: 2; compartments: 3."), "{said}");
}
