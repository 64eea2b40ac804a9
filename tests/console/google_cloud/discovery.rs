//! What the projects hold: registries, functions and clusters, and what a scan has to read to cover each.

use serde_json::{Value, json};
use strongroom::integrations::Spec;

use super::{of, part};
use crate::support::google_scan::{gaps, names};
use crate::support::peers::google_world::{Api, Google, Says};
use crate::support::vendor_client;

fn add(facts: &Value, field: &str) -> String {
    let fields = facts["add"].as_array().unwrap();
    fields.iter().find(|pair| pair[0] == field).expect(field)[1].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_registry_is_a_host_of_a_project_with_its_repositories_of_images() {
    let peer = Google::start();
    peer.with_project("shop").repository("shop", "europe-west3", "apps", "DOCKER");
    peer.repository("shop", "europe-west3", "tools", "DOCKER").repository("shop", "europe-west3", "wheels", "PYTHON");
    peer.repository("shop", "us", "gcr.io", "DOCKER").repository("shop", "asia-east1", "wheels", "PYTHON");
    let found = part(&peer, "registries").run().await.unwrap();
    let europe = "artifactregistry/europe-west3/europe-west3-docker.pkg.dev";
    assert_eq!(names(&found), [format!("shop/{europe}"), "shop/artifactregistry/us/gcr.io".to_owned()]);
    let facts = of(&found, europe);
    assert_eq!((facts["number"].as_i64(), facts["sort"].as_str()), (Some(2), Some("registry")));
    assert_eq!(
        (facts["title"].as_str(), facts["address"].as_str()),
        (Some("europe-west3-docker.pkg.dev/shop"), Some("europe-west3-docker.pkg.dev"))
    );
    assert_eq!(facts["scope"], "registry/europe-west3-docker.pkg.dev/shop");
    assert_eq!(
        (add(&facts, "version"), add(&facts, "repository")),
        ("google_artifacts".to_owned(), "shop/*".to_owned())
    );
    assert_eq!(of(&found, "artifactregistry/us/gcr.io")["scope"], "registry/gcr.io/shop");
    let said = part(&peer, "registries").check().await.unwrap();
    assert!(said.starts_with("Google let Strongroom in and lists in shop: "), "{said}");
}

#[tokio::test]
async fn functions_are_counted_by_project_and_location() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.first_generation("shop", "europe-west3", "mail", &json!({})).service(
        "shop",
        "europe-west3",
        "web",
        &json!({}),
    );
    peer.service("shop", "us-central1", "api", &json!({}));
    let found = part(&peer, "functions").run().await.unwrap();
    assert_eq!(names(&found), ["shop/functions/europe-west3", "shop/functions/us-central1"]);
    let facts = of(&found, "functions/europe-west3");
    assert_eq!((facts["number"].as_i64(), facts["scope"].as_str()), (Some(3), Some("functions/google/shop")));
    assert_eq!(
        (add(&facts, "version"), add(&facts, "project_ids")),
        ("google_functions".to_owned(), "shop".to_owned())
    );
    peer.says(Api::Functions, "shop", Says::Off("projects/1"));
    let found = part(&peer, "functions").run().await.unwrap();
    assert_eq!(of(&found, "functions/europe-west3")["number"], 2, "the other API still answers");
    assert_eq!(
        part(&peer, "functions").check().await.unwrap(),
        "Google let Strongroom in and lists in shop: 1 function or service."
    );
}

#[tokio::test]
async fn clusters_are_found_with_version_state_and_who_reaches_them() {
    let peer = Google::start();
    peer.with_project("shop").cluster("shop", "europe-west3", "prod", &json!({}));
    let private = json!({"enablePrivateNodes": true, "enablePrivateEndpoint": true});
    peer.cluster("shop", "us-central1-a", "lab", &json!({"privateClusterConfig": private, "status": "STOPPING"}));
    peer.unreachable(Api::Clusters, "shop", &["us-east1-b"]);
    let found = part(&peer, "clusters").run().await.unwrap();
    assert_eq!(names(&found), ["shop/gke/europe-west3/prod", "shop/gke/us-central1-a/lab"]);
    let prod = of(&found, "gke/europe-west3/prod");
    let fact = |name: &str| prod[name].as_str().unwrap().to_owned();
    assert_eq!(
        (fact("version"), fact("state"), fact("access")),
        ("1.33.2-gke.1".into(), "Running".into(), "Public".into())
    );
    assert_eq!(
        (of(&found, "gke/us-central1-a/lab")["access"].clone(), fact("scope")),
        (json!("Private"), String::new())
    );
    let [gap] = &found.gaps[..] else { panic!("a zone is missing") };
    assert!(gap.at == "shop/us-east1-b" && gap.to_string().contains("Google could not reach this location"), "{gap}");
    let hidden = |name: &str| gap.hides.may_be("shop", name);
    assert!(hidden("gke/us-east1-b/x") && hidden("gke/us-east1/x") && !hidden("gke/europe-west3/prod"));
}

#[tokio::test]
async fn a_project_that_has_switched_an_api_off_has_nothing_and_a_denied_one_is_told() {
    let peer = Google::start();
    peer.with_project("shop").cluster("shop", "europe-west3", "prod", &json!({}));
    peer.with_project("bare").with_project("bank");
    for api in [Api::Clusters, Api::Artifacts] {
        peer.says(api, "bare", Says::Off("projects/7")).says(api, "bank", Says::Denied);
    }
    let scan = part(&peer, "clusters").with("registries", "on").of_all_projects();
    let found = scan.run().await.unwrap();
    assert_eq!(names(&found), ["shop/gke/europe-west3/prod"]);
    let gaps = gaps(&found);
    assert_eq!(gaps.iter().map(|(at, _)| at.as_str()).collect::<Vec<_>>(), ["bank", "bank"]);
    assert!(
        gaps[0].1.contains("Kubernetes Engine Cluster Viewer")
            || gaps[1].1.contains("Kubernetes Engine Cluster Viewer")
    );
    let last = scan.progress.lock().unwrap().last().cloned().unwrap();
    assert_eq!((last.step.as_ref(), last.total), ("Listing clusters", 3));
    peer.says(Api::Clusters, "shop", Says::Off("projects/1"));
    let said = part(&peer, "clusters").check().await.unwrap();
    assert!(said.ends_with("in shop: no clusters, since the Kubernetes Engine API is switched off."), "{said}");
    let none = part(&peer, "clusters").run().await.unwrap();
    assert_eq!((none.items.len(), none.gaps.len()), (0, 0), "nothing is no failure");
}

#[tokio::test]
async fn googles_client_reads_the_clusters_that_a_scan_finds() {
    let peer = Google::start();
    peer.with_project("shop").cluster("shop", "europe-west3", "prod", &json!({}));
    peer.cluster("shop", "us-central1-a", "lab", &json!({"status": "STOPPING"}));
    let found = part(&peer, "clusters").run().await.unwrap();
    let line = |name: &str| {
        let facts = of(&found, name);
        format!("shop/{name} {} {}", facts["version"].as_str().unwrap(), facts["state"].as_str().unwrap())
    };
    let lines: Vec<String> = found.items.iter().map(|item| line(&item.name)).collect();
    assert_eq!(vendor_client::read("google_clusters", &peer.url(), "ya29.client"), lines);
}

#[test]
fn the_forms_that_discovery_fills_in_have_these_fields() {
    for (version, fields) in
        [("google_artifacts", &["registry", "repository"][..]), ("google_functions", &["projects", "project_ids"])]
    {
        let spec = Spec::find(version).expect(version);
        assert!(fields.iter().all(|name| spec.fields.iter().any(|field| field.name == *name)), "{version}");
    }
}
