//! Upgrades of many deployments, against the real control plane: a few at a time, by any console that runs jobs, and
//! none after the first failure.

use std::time::Duration;

use crate::support::app::{TestApp, Visit};
use crate::support::kubernetes::{Lab, Login};
use crate::support::page::Page;
use crate::support::process::wait_for;
use crate::support::sql;

use super::id_in;
use strongroom::models::{CredentialId, IntegrationId};

/// A rollout whose pods fail is waited for for half a minute.
const PATIENCE: Duration = Duration::from_secs(120);
const OLD: &str = "registry.example.com/agent:1";
const NEW: &str = "registry.example.com/agent:2";

/// Deployments of one cluster, each in a namespace of its own.
struct Fleet {
    lab: Lab,
    visit: Visit,
    ids: Vec<IntegrationId>,
}

impl Fleet {
    async fn of(app: &TestApp, number: usize) -> Self {
        let lab = Lab::open("fleet").await;
        let (mut visit, login) = (app.administrator(), lab.almighty().await);
        let credential = credential(&mut visit, &lab, &login).await;
        let mut ids = Vec::new();
        for number in 0..number {
            let (name, namespace) = (format!("cluster {number}"), format!("{}-{number}", lab.name));
            let fields = [
                ("version", "kubernetes"),
                ("name", name.as_str()),
                ("credential", credential.as_str()),
                ("image", OLD),
                ("namespace", namespace.as_str()),
                ("daemon_set", "defender"),
            ];
            let page = visit.post("/integrations", &fields).await;
            assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[id$=-error]"));
            ids.push(id_in(page.location()));
        }
        Self { lab, visit, ids }
    }

    /// Deploys to all clusters, with a console that runs jobs.
    async fn deployed(mut self, app: &TestApp) -> Self {
        for id in &self.ids {
            let page = self.visit.post(&format!("/integrations/{id}/deploy"), &[("row_version", "1")]).await;
            assert_eq!(page.status, 303, "{:?}", page.texts("main p"));
        }
        let ended = async || sql::count(app, "runs WHERE state = 'succeeded'") == self.ids.len() as i64;
        wait_for("all are deployed", PATIENCE, ended).await;
        self
    }

    /// Starts an upgrade of all deployments and returns its page.
    async fn upgrade(&mut self, image: &str, at_once: &str) -> Page {
        let ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
        let ticked = ids.iter().map(|id| (id.as_str(), "on"));
        let fields: Vec<(&str, &str)> = ticked.chain([("image", image), ("at_once", at_once)]).collect();
        self.visit.post("/rollouts", &fields).await
    }

    async fn ended(&mut self, path: &str) -> Page {
        let visit = self.visit.clone();
        let ended = async || {
            let page = visit.clone().get(path).await;
            page.has("[data-rollout]") && !page.has("[data-rollout=running]")
        };
        wait_for("the upgrade ends", PATIENCE, ended).await;
        self.visit.get(path).await
    }

    /// The image of a DaemonSet; blank if there is none.
    async fn image(&self, number: usize) -> String {
        let namespace = format!("{}-{number}", self.lab.name);
        let path = format!("/apis/apps/v1/namespaces/{namespace}/daemonsets/defender");
        let found = self.lab.administrator.get(&path).await.unwrap_or_default();
        found["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned()
    }
}

async fn credential(visit: &mut Visit, lab: &Lab, login: &Login) -> String {
    let kubeconfig = lab.kubeconfig(login);
    let fields = [("kind", "kubeconfig"), ("name", "cluster"), ("kubeconfig", kubeconfig.as_str())];
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    id_in::<CredentialId>(page.location()).to_string()
}

fn states(page: &Page) -> Vec<String> {
    page.texts("[data-step] .state")
}

#[actix_web::test]
async fn an_upgrade_continues_in_another_console_and_reaches_every_cluster() {
    // This console runs no jobs, as if it had died right after the form was sent.
    let app = TestApp::start_with(&["--only=web"]);
    let deploying = TestApp::replica(app.database.clone(), &[]);
    let mut fleet = Fleet::of(&app, 3).await.deployed(&app).await;
    drop(deploying);
    let begun = fleet.upgrade(NEW, "2").await;
    assert_eq!(begun.status, 303, "{:?}", begun.texts("main p"));
    let path = begun.location().to_owned();
    let page = fleet.visit.get(&path).await;
    assert_eq!((page.has("[data-rollout=running]"), states(&page)), (true, vec!["Waiting".to_owned(); 3]));
    let _other = TestApp::replica(app.database.clone(), &[]);
    let page = fleet.ended(&path).await;
    assert_eq!(states(&page), ["Upgraded"; 3], "{:?}", page.texts("[data-detail]"));
    for number in 0..3 {
        assert_eq!(fleet.image(number).await, NEW);
    }
    let table = fleet.visit.get("/clusters?state=ready").await;
    assert_eq!(table.attributes("[data-deployment]", "data-deployment").len(), 3);
    assert!(table.text("[data-upgrade]").contains("3 of 3. Finished."), "{:?}", table.texts("[data-upgrade]"));
}

#[actix_web::test]
async fn an_upgrade_starts_no_further_cluster_after_the_first_failure() {
    let app = TestApp::start();
    let mut fleet = Fleet::of(&app, 2).await.deployed(&app).await;
    let begun = fleet.upgrade("registry.example.com/agent:broken", "1").await;
    let page = fleet.ended(begun.location()).await;
    assert_eq!(states(&page), ["Failed", "Not upgraded"]);
    assert!(page.has("[data-rollout=failed]") && page.text("[data-detail]").contains("ImagePullBackOff"));
    assert_eq!(fleet.image(1).await, OLD, "nothing was deployed to the second");
    let form = fleet.visit.get(&format!("/integrations/{}/edit", fleet.ids[1])).await;
    assert_eq!(form.attributes("#image", "value"), [OLD], "nor were its settings changed");
}

#[actix_web::test]
async fn an_upgrade_is_stopped_and_a_wrong_form_begins_none() {
    let app = TestApp::start_with(&["--only=web"]);
    let mut fleet = Fleet::of(&app, 2).await;
    let ids: Vec<String> = fleet.ids.iter().map(ToString::to_string).collect();
    let form = fleet.visit.post("/clusters/upgrade", &[(ids[0].as_str(), "on")]).await;
    assert_eq!((form.status, form.texts("[data-chosen] li").len()), (200, 1));
    for (image, at_once, field) in [("not an image", "1", "image"), (NEW, "0", "at_once"), (NEW, "51", "at_once")] {
        let page = fleet.upgrade(image, at_once).await;
        assert!(page.status == 422 && page.has(&format!("#{field}-error")), "{image} {at_once}: {}", page.status);
        assert_eq!(page.attributes("#image", "value"), [image], "nothing is lost");
    }
    assert_eq!(fleet.visit.post("/rollouts", &[("image", NEW), ("at_once", "1")]).await.status, 422, "none is chosen");
    let path = fleet.upgrade(NEW, "1").await.location().to_owned();
    let stopped = fleet.visit.post(&format!("{path}/stop"), &[]).await;
    assert_eq!(stopped.status, 303);
    let page = fleet.visit.get(&path).await;
    assert_eq!((page.has("[data-rollout=stopped]"), states(&page)), (true, vec!["Not upgraded".to_owned(); 2]));
    let mut auditor = app.user("otto", strongroom::accounts::Role::Auditor);
    assert!(!auditor.get("/clusters").await.has("[data-ticks]"));
}
