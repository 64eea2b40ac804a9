//! The access tokens of a GitLab server, as `runs` would start the scan, and through the console.

use strongroom::credentials::gitlab_token::KIND;
use strongroom::form::{self, Values};
use strongroom::integrations::Spec;
use strongroom::integrations::cloud::key::Facts;
use strongroom::integrations::context::{Context, Secret};
use strongroom::integrations::scan::{Gap, Scan};
use strongroom::models::{CredentialId, IntegrationId};
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::{Endpoints, Service};

use super::page::keys;
use super::{ended, id_in};
use crate::support::app::TestApp;
use crate::support::outside::World;
use crate::support::peers::gitlab_tokens::{self, ADA, OLD, ROOT, UNSCOPED};
use crate::support::peers::receiver::{Receiver, Said};
use crate::support::vendor_client;

/// A scan of gitlab.com, which stands at `url`.
pub(super) struct Work {
    settings: Values,
    credential: Values,
    world: World,
}

impl Work {
    pub fn of(url: &str, token: &str, settings: &[(&str, &str)]) -> Self {
        let spec = Spec::find("gitlab_tokens").unwrap();
        let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let moved = Endpoints::default().with(Service::Gitlab, url.parse().unwrap());
        Self {
            settings: form::check(spec.fields, &settings.iter().copied().collect(), None).expect("good settings"),
            credential: Values::from_iter([("token", token)]),
            world: World::new(egress, moved),
        }
    }

    fn context(&self) -> Context<'_> {
        let secret = Secret { kind: &KIND, values: &self.credential, stored: None };
        Context::new(self.world.outside(), &self.settings, "Lab", Some(secret))
    }

    pub async fn scan(&self) -> Result<Scan, Gap> {
        Spec::find("gitlab_tokens").unwrap().scanner().unwrap().scan(&self.context()).await
    }

    async fn check(&self) -> Result<String, String> {
        let check = Spec::find("gitlab_tokens").unwrap().check.unwrap();
        check(&self.context()).await.map(Option::unwrap_or_default).map_err(|failure| failure.to_string())
    }
}

pub(super) const ALL: &[(&str, &str)] = &[("personal", "on"), ("places", "on")];

pub(super) fn names(scan: &Scan) -> Vec<&str> {
    scan.items.iter().map(|item| item.name.as_str()).collect()
}

fn facts(scan: &Scan, name: &str) -> Facts {
    let item = scan.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name} in {scan:?}"));
    assert_eq!(item.place, "gitlab.com");
    serde_json::from_str(&item.facts).unwrap()
}

#[tokio::test]
async fn tokens_of_people_groups_and_projects_are_found_with_owner_and_dates() {
    let peer = Receiver::start(gitlab_tokens::answer);
    let scan = Work::of(&peer.url(), ADA, ALL).scan().await.unwrap();
    assert_eq!(names(&scan), ["group/10/301", "personal/101", "personal/102", "project/20/201"]);
    let own = facts(&scan, "personal/101");
    assert_eq!(
        (own.owner.as_str(), own.kind.as_str(), own.held_as.as_str()),
        ("ada", "gitlab_token", "gitlab.com/101")
    );
    assert_eq!(own.label, "Personal token “laptop” (read_api, read_registry)");
    assert_eq!(own.made.unwrap().to_rfc3339(), "2019-03-01T10:00:00+00:00");
    assert!(own.active && !own.never && own.used.is_some() && own.expires.is_none());
    assert!(!facts(&scan, "personal/102").active, "it was revoked");
    let project = facts(&scan, "project/20/201");
    assert_eq!((project.owner.as_str(), project.never), ("team/app", true));
    assert_eq!(project.expires.unwrap().to_rfc3339(), "2031-05-04T00:00:00+00:00");
    assert!(peer.calls().iter().all(|call| call.method == "GET"));
}

#[tokio::test]
async fn a_project_whose_tokens_may_not_be_listed_is_a_gap_and_no_more() {
    let peer = Receiver::start(gitlab_tokens::answer);
    let scan = Work::of(&peer.url(), ADA, ALL).scan().await.unwrap();
    let [gap] = scan.gaps.as_slice() else { panic!("{:?}", scan.gaps) };
    let said = gap.to_string();
    assert!(
        said.starts_with("Listing the access tokens of project ada/lab failed: the credential's user may"),
        "{said}"
    );
    assert!(said.contains("Maintainer or Owner"), "{said}");
    assert!(gap.hides.may_be("gitlab.com", "project/22/7") && !gap.hides.may_be("gitlab.com", "project/20/201"));
    let excluded = [ALL, &[("exclude", "ada/*")]].concat();
    assert_eq!(Work::of(&peer.url(), ADA, &excluded).scan().await.unwrap().gaps, []);
}

#[tokio::test]
async fn an_administrator_lists_the_tokens_of_all_each_once() {
    let peer = Receiver::start(gitlab_tokens::answer);
    let scan = Work::of(&peer.url(), ROOT, ALL).scan().await.unwrap();
    let all = ["group/10/301", "personal/101", "personal/102", "personal/103", "project/20/201"];
    assert_eq!((names(&scan), scan.gaps.len()), (all.to_vec(), 0));
    assert_eq!(facts(&scan, "personal/101").owner, "ada");
    let people = Work::of(&peer.url(), ROOT, &ALL[..1]).scan().await.unwrap();
    assert_eq!(names(&people), all[1..4]);
}

#[tokio::test]
async fn names_of_groups_and_projects_without_a_star_are_asked_for_alone() {
    let peer = Receiver::start(gitlab_tokens::answer);
    let settings = [("places", "on"), ("names", "team/app, team, nobody/knows")];
    let scan = Work::of(&peer.url(), ADA, &settings).scan().await.unwrap();
    assert_eq!(names(&scan), ["group/10/301", "project/20/201"]);
    let [gap] = scan.gaps.as_slice() else { panic!("{:?}", scan.gaps) };
    assert!(gap.to_string().contains("of nobody/knows failed: GitLab does not show it"), "{gap}");
    assert!(peer.calls().iter().all(|call| !["/api/v4/groups", "/api/v4/projects"].contains(&call.path())));
}

#[tokio::test]
async fn test_connection_of_gitlab_tokens_says_what_it_sees() {
    let peer = Receiver::start(gitlab_tokens::answer);
    let said = Work::of(&peer.url(), ADA, ALL).check().await.unwrap();
    let expected = "GitLab knows the token as ada's. It lists 1 personal access token of that user alone on its first \
                    page. It sees 2 groups and projects, and lists 2 tokens.";
    assert_eq!(said, expected);
    let lab = [("places", "on"), ("names", "ada/lab")];
    let said = Work::of(&peer.url(), ADA, &lab).check().await.unwrap_err();
    assert!(said.contains("of project ada/lab failed") && said.contains("Maintainer"), "{said}");
    let said = Work::of(&peer.url(), UNSCOPED, ALL).check().await.unwrap_err();
    assert!(said.contains("the token lacks the scope read_api. Create a token"), "{said}");
    let said = Work::of(&peer.url(), "glpat-WRONG", ALL).check().await.unwrap_err();
    assert!(said.contains("refused the access token") && !said.contains("WRONG"), "{said}");
}

#[tokio::test]
async fn python_gitlab_reads_the_tokens_that_a_scan_reads() {
    let peer = Receiver::start(gitlab_tokens::answer);
    let scan = Work::of(&peer.url(), ADA, ALL).scan().await.unwrap();
    let line = |name: &str| {
        let facts = facts(&scan, name);
        let title = facts.label.split(['“', '”']).nth(1).unwrap_or_default().to_owned();
        let day = |at: chrono::DateTime<chrono::Utc>| at.date_naive().to_string();
        let ends = facts.expires.map_or_else(|| "None".to_owned(), day);
        let active = if facts.active { "True" } else { "False" };
        format!("{name} {title} {} {ends} {active}", facts.made.map(day).unwrap_or_default())
    };
    let mut lines: Vec<String> = names(&scan).into_iter().map(line).collect();
    lines.sort();
    assert_eq!(vendor_client::read("gitlab_tokens", &peer.url(), ADA), lines);
}

#[tokio::test]
async fn a_scan_of_gitlab_tokens_waits_as_long_as_gitlab_asks() {
    let asked = std::sync::atomic::AtomicBool::new(false);
    let peer = Receiver::start(move |call| {
        let first = call.path().ends_with("/access_tokens") && !asked.swap(true, std::sync::atomic::Ordering::SeqCst);
        match first {
            true => Said::json(429, &serde_json::json!({"message": "Retry later"})).with("Retry-After", "1"),
            false => gitlab_tokens::answer(call),
        }
    });
    let scan = Work::of(&peer.url(), ADA, ALL).scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len()), (4, 1));
}

#[actix_web::test]
async fn a_stored_gitlab_token_is_known_among_all_once_it_was_tested() {
    let peer = Receiver::start(gitlab_tokens::answer);
    let app = TestApp::start_with(&[&format!("--endpoints=gitlab={}", peer.url())]);
    let mut visit = app.administrator();
    let page = visit.post("/credentials", &[("kind", "gitlab_token"), ("name", "lab"), ("token", ADA)]).await;
    let credential: CredentialId = id_in(page.location());
    assert_eq!(visit.post(&format!("/credentials/{credential}/test"), &[]).await.status, 200);
    let id = credential.to_string();
    let fields = [("name", "Lab"), ("version", "gitlab_tokens"), ("credential", id.as_str()), ("schedule", "off")];
    let page = visit.post("/integrations", &[&fields[..], ALL].concat()).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let integration: IntegrationId = id_in(page.location());
    assert_eq!(ended(&app, integration, 1).await.0, "partly", "one project keeps its tokens to itself");
    let page = visit.get("/cloud-keys").await;
    assert_eq!(keys(&page).len(), 4);
    assert_eq!(page.text(&format!("tr[data-key-id='personal/{OLD}'] td[data-label='Stored here']")), "lab");
    let add = page.attributes("tr[data-key-id='project/20/201'] a[data-store]", "href").remove(0);
    assert_eq!(visit.get(&add).await.attributes("input[name=kind]", "value"), ["gitlab_token"]);
    let page = visit.get(&format!("/credentials/{credential}")).await;
    let policies = page.text("[aria-labelledby=policies]");
    assert!(policies.contains("Access token for “Lab”") && policies.contains("Maintainer or Owner"), "{policies}");
}
