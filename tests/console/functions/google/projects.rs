//! What a scan of Google's functions reads, project by project, and what it says of one that it cannot read.

use serde_json::{Value, json};
use strongroom::integrations::cover::Extent;
use strongroom::integrations::scan::{Hides, Item};

use super::scan;
use crate::support::google_scan::{gaps, names};
use crate::support::peers::google_functions::{Api, ENVIRONMENT, Google, Says};
use crate::support::vendor_client;

fn facts(item: &Item) -> Value {
    serde_json::from_str(&item.facts).unwrap()
}

#[tokio::test]
async fn both_generations_and_services_are_listed_each_once() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.first_generation("shop", "us-central1", "mail", &json!({"buildConfig": {"runtime": "python38"}}));
    peer.service("shop", "europe-west3", "web", &json!({}));
    let base = json!({"baseImage": "google-22-full/nodejs22"});
    peer.service("shop", "europe-west3", "built", &json!({"buildConfig": base}));
    let found = scan(&peer).run().await.unwrap();
    let all = ["shop/europe-west3/built", "shop/europe-west3/pay", "shop/europe-west3/web", "shop/us-central1/mail"];
    assert_eq!((names(&found), found.gaps.len()), (all.map(str::to_owned).to_vec(), 0));
    let [built, pay, web, mail] = &found.items[..] else { panic!("four") };
    assert_eq!(
        (facts(pay)["runtime"].clone(), facts(pay)["kind"].clone()),
        (json!("nodejs24"), json!("Cloud Functions"))
    );
    assert_eq!((pay.fingerprint.as_str(), facts(pay)["state"].clone()), ("pay-00001-abc", json!("Active")));
    assert_eq!(facts(pay)["role"], "pay@shop.iam.gserviceaccount.com");
    assert_eq!((facts(web)["runtime"].clone(), facts(web)["package"].clone()), (json!(""), json!("Image")));
    assert_eq!(facts(built)["runtime"], "nodejs22");
    assert_eq!(
        (facts(mail)["kind"].clone(), facts(mail)["cloud"].clone()),
        (json!("Cloud Functions (1st gen)"), json!("google"))
    );
    assert!(facts(mail)["size"].is_null());
    assert!(found.items.iter().all(|item| !item.facts.contains(ENVIRONMENT)));
}

#[tokio::test]
async fn googles_clients_read_what_a_scan_of_its_functions_reads() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.first_generation("shop", "us-central1", "mail", &json!({})).service("shop", "us-central1", "web", &json!({}));
    let found = scan(&peer).run().await.unwrap();
    let line = |item: &Item| {
        let facts = facts(item);
        let fact = |name: &str| Some(facts[name].as_str().unwrap().to_owned()).filter(|text| !text.is_empty());
        let runtime = fact("runtime").unwrap_or_else(|| "-".to_owned());
        format!("{}/{} {runtime} {} {}", item.place, item.name, fact("revision").unwrap(), fact("role").unwrap())
    };
    let lines: Vec<String> = found.items.iter().map(line).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(vendor_client::read("google_functions", &peer.url(), "ya29.client"), lines);
}

#[tokio::test]
async fn a_service_beside_a_function_of_its_name_is_told_apart() {
    let peer = Google::start();
    peer.with_project("shop").first_generation("shop", "europe-west3", "pay", &json!({}));
    peer.service("shop", "europe-west3", "pay", &json!({})).service("shop", "us-central1", "pay", &json!({}));
    let found = scan(&peer).run().await.unwrap();
    let all = ["shop/europe-west3/pay", "shop/europe-west3/pay (Cloud Run)", "shop/us-central1/pay"];
    assert_eq!(names(&found), all);
    let patterns = scan(&peer).with("functions", "pay").with("exclude_functions", "x*").run().await.unwrap();
    assert_eq!(patterns.items.len(), 3);
    assert!(scan(&peer).with("exclude_functions", "pay").run().await.unwrap().items.is_empty());
}

#[tokio::test]
async fn projects_are_the_own_one_the_chosen_ones_or_all() {
    let peer = Google::start();
    for project in ["shop", "bank", "zoo"] {
        peer.with_project(project).function(project, "europe-west3", "pay", &json!({}));
    }
    assert_eq!(names(&scan(&peer).run().await.unwrap()), ["shop/europe-west3/pay"]);
    let chosen = scan(&peer).of_projects("zoo, bank").run().await.unwrap();
    assert_eq!(names(&chosen), ["bank/europe-west3/pay", "zoo/europe-west3/pay"]);
    let all = scan(&peer).of_all_projects();
    assert_eq!(all.run().await.unwrap().items.len(), 3);
    let progress = all.progress.lock().unwrap().clone();
    let last = progress.last().unwrap();
    assert_eq!((last.done, last.total, last.items), (3, 3, 3));
    let said = scan(&peer).of_all_projects().check().await.unwrap();
    let expected = "Google let Strongroom in and lists 1 function and 1 service of Cloud Run in shop. 2 other projects \
                    will be read too.";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_project_that_fails_is_a_gap_with_its_own_way_out() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.with_project("bank").says(Api::Functions, "bank", Says::Denied).says(Api::Run, "bank", Says::Perimeter);
    peer.service("bank", "europe-west3", "web", &json!({}));
    let found = scan(&peer).of_projects("shop, bank, nowhere").run().await.unwrap();
    assert_eq!(names(&found), ["shop/europe-west3/pay"]);
    let gaps = gaps(&found);
    let said = |number: usize, words: &str| assert!(gaps[number].1.contains(words), "{words}: {gaps:?}");
    assert_eq!(gaps.iter().map(|(at, _)| at.as_str()).collect::<Vec<_>>(), ["bank", "nowhere", "bank", "nowhere"]);
    said(
        0,
        "Listing the functions of bank failed: the service account lacks the permission cloudfunctions.functions.list",
    );
    said(0, "Cloud Functions Viewer (roles/cloudfunctions.viewer)");
    said(2, "perimeter of VPC Service Controls");
    said(1, "or there is no such project");
    assert!(found.gaps.iter().all(|gap| gap.hides == Hides::PlacesBelow(gap.at.clone())));
    let mut covers: Vec<_> = found.covers.iter().map(|cover| (cover.scope.as_str(), cover.extent)).collect();
    covers.sort_by_key(|(scope, _)| *scope);
    let expected = [
        ("functions/google/bank", Extent::Unread),
        ("functions/google/nowhere", Extent::Unread),
        ("functions/google/shop", Extent::Whole),
    ];
    assert_eq!(covers, expected);
}

#[tokio::test]
async fn locations_that_google_cannot_reach_are_gaps_of_their_own() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.unreachable(Api::Functions, "shop", &["projects/shop/locations/us-east1", "asia-east1"]);
    let found = scan(&peer).run().await.unwrap();
    assert_eq!((names(&found), found.gaps.len()), (vec!["shop/europe-west3/pay".to_owned()], 2));
    assert_eq!(found.gaps[0].at, "shop/asia-east1");
    assert!(found.gaps[0].to_string().contains("Google could not reach this location"), "{:?}", found.gaps[0]);
    assert!(
        found.gaps[1].hides.may_be("shop/us-east1", "any") && !found.gaps[1].hides.may_be("shop/europe-west3", "pay")
    );
}

#[tokio::test]
async fn a_function_whose_list_is_missing_does_not_turn_into_its_service() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.service("shop", "europe-west3", "web", &json!({}));
    peer.says(Api::Functions, "shop", Says::Denied);
    let found = scan(&peer).run().await.unwrap();
    assert_eq!(names(&found), ["shop/europe-west3/web"]);
    assert!(found.gaps[0].hides.may_be("shop/europe-west3", "pay"));
}

#[tokio::test]
async fn apis_that_are_switched_off_are_no_failure() {
    let peer = Google::start();
    peer.with_project("shop").with_project("bare").function("shop", "europe-west3", "pay", &json!({}));
    peer.says(Api::Functions, "bare", Says::Off("projects/7")).says(Api::Run, "bare", Says::Off("projects/7"));
    let all = scan(&peer).of_all_projects().run().await.unwrap();
    assert_eq!((all.items.len(), all.gaps.len()), (1, 0), "most projects have none");
    let chosen = scan(&peer).of_projects("shop, bare").run().await.unwrap();
    assert_eq!((chosen.items.len(), chosen.gaps.len()), (1, 1), "a project that was asked for by name");
    let said = chosen.gaps[0].to_string();
    assert!(said.contains("the Cloud Functions API and the Cloud Run Admin API are switched off"), "{said}");
    assert_eq!(chosen.gaps[0].hides, Hides::Nothing);

    peer.says(Api::Functions, "shop", Says::Off("projects/1"));
    let own = scan(&peer).run().await.unwrap();
    assert_eq!((names(&own), own.gaps.len()), (vec!["shop/europe-west3/pay".to_owned()], 0), "its service is there");
    let said = scan(&peer).check().await.unwrap();
    assert!(
        said.contains("lists no functions and 1 service") && said.contains("The Cloud Functions API is switched off.")
    );
    peer.says(Api::Run, "shop", Says::Off("projects/1"));
    let own = scan(&peer).run().await.unwrap();
    assert_eq!((own.items.len(), own.gaps.len()), (0, 1));
}

#[tokio::test]
async fn an_api_that_is_off_in_the_accounts_own_project_hides_nothing_silently() {
    let peer = Google::start();
    for project in ["bank", "zoo"] {
        peer.with_project(project).first_generation(project, "europe-west3", "pay", &json!({}));
        peer.says(Api::Functions, project, Says::Off("projects/1"));
        peer.service(project, "europe-west3", "web", &json!({}));
    }
    let found = scan(&peer).of_all_projects().run().await.unwrap();
    assert_eq!((found.items.len(), found.gaps.len()), (2, 1));
    let said = found.gaps[0].to_string();
    assert!(said.contains("gcloud services enable cloudfunctions.googleapis.com --project shop"), "{said}");
    assert_eq!((found.gaps[0].others, &found.gaps[0].hides), (1, &Hides::All));
}

#[tokio::test]
async fn cloud_run_is_asked_location_by_location_where_it_wants_that() {
    let peer = Google::start();
    peer.asks_each_location().with_project("shop").service("shop", "europe-west3", "web", &json!({}));
    peer.service("shop", "us-central1", "api", &json!({}));
    let found = scan(&peer).run().await.unwrap();
    assert_eq!(
        (names(&found), found.gaps.len()),
        (vec!["shop/europe-west3/web".to_owned(), "shop/us-central1/api".to_owned()], 0)
    );
}

#[tokio::test]
async fn a_search_for_projects_that_finds_none_names_both_ways_out() {
    let peer = Google::start();
    let none = scan(&peer).of_all_projects().run().await.unwrap_err().to_string();
    assert!(none.starts_with("Listing the projects failed: the service account sees no project."), "{none}");
    peer.lists_no_projects();
    let off = scan(&peer).of_all_projects().run().await.unwrap_err().to_string();
    assert!(off.contains("the Cloud Resource Manager API is switched off"), "{off}");
    assert!(off.ends_with("Or choose the projects under Projects."), "{off}");
    let denied = scan(&peer).of_projects("nowhere").check().await.unwrap_err().to_string();
    assert!(denied.contains("Listing the functions of nowhere failed: the service account lacks"), "{denied}");
}

#[tokio::test]
async fn google_that_is_busy_is_asked_again_until_it_answers() {
    let peer = Google::start();
    peer.with_project("shop").function("shop", "europe-west3", "pay", &json!({}));
    peer.says(Api::Functions, "shop", Says::Busy(3));
    let found = scan(&peer).run().await.unwrap();
    assert_eq!((names(&found), found.gaps.len()), (vec!["shop/europe-west3/pay".to_owned()], 0));
    assert_eq!(peer.asked("shop"), 5, "three refusals and a page of each");
}
