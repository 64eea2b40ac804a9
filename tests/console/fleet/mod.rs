//! The page *Clusters*: the table of deployments, its CSV file, and upgrades of many deployments.

use serde_json::json;
use strongroom::models::deployments::{self, Look};
use strongroom::models::{CredentialId, IntegrationId};

use crate::support::app::{TestApp, Visit};
use crate::support::peers::google::account;

mod screens;
mod upgrades;

fn id_in<T: std::str::FromStr>(location: &str) -> T {
    location.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

/// A store with deployments that share one credential.
struct Fleet {
    app: TestApp,
    visit: Visit,
    credential: String,
}

impl Fleet {
    async fn new() -> Self {
        let app = TestApp::start();
        let mut visit = app.administrator();
        let account = account();
        let fields = [("kind", "gcp"), ("name", "deployer"), ("service_account", &*account), ("level", "project")];
        let page = visit.post("/credentials", &fields).await;
        let credential = id_in::<CredentialId>(page.location()).to_string();
        Self { app, visit, credential }
    }

    /// Adds a deployment to the cluster of that name, with the result of its last check.
    async fn deploys(&mut self, name: &str, look: Option<Look>) {
        let cluster = format!("europe-west3/{name}");
        let fields = [
            ("version", "gke"),
            ("name", name),
            ("project", "shop"),
            ("cluster", cluster.as_str()),
            ("endpoint", "public"),
            ("image", "r.example/agent:1.0"),
            ("namespace", "defender"),
            ("daemon_set", "defender"),
            ("credential", self.credential.as_str()),
        ];
        let page = self.visit.post("/integrations", &fields).await;
        assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[id$=-error]"));
        let id: IntegrationId = id_in(page.location());
        let Some(look) = look else { return };
        let vault = self.app.services.vault.clone();
        self.app.transaction(|conn| {
            deployments::begin(conn, &vault, id, ("{}", "GKE"), &[])?;
            deployments::saw(conn, id, &look, None, true)
        });
    }

    async fn names(&mut self, address: &str) -> Vec<String> {
        let page = self.visit.get(address).await;
        assert_eq!(page.status, 200, "{address}");
        page.attributes("[data-deployment]", "data-deployment")
    }
}

fn look(version: &str, image: &str, (ready, desired): (i32, i32)) -> Look {
    Look {
        state: json!({"trouble": [], "drift": []}),
        cluster_version: version.to_owned(),
        image: image.to_owned(),
        desired,
        ready,
        finished: ready == desired && desired > 0,
        ..Look::default()
    }
}

/// One deployment in each state.
async fn fleet() -> Fleet {
    let mut fleet = Fleet::new().await;
    let field = json!({"object": {"kind": "DaemonSet"}, "path": ".spec", "before": "a", "after": "b"});
    fleet.deploys("alpha", Some(look("v1.33.2", "r.example/agent:1.0", (3, 3)))).await;
    let drifted = Look {
        drifted: true,
        state: json!({"drift": [field, field]}),
        ..look("v1.9.1", "r.example/agent:1.0", (2, 2))
    };
    fleet.deploys("bravo", Some(drifted)).await;
    let broken = Look {
        state: json!({"trouble": ["The image can't be pulled on node-2.", "More."]}),
        ..look("v1.10.0", "r.example/agent:2.0", (1, 3))
    };
    fleet.deploys("charlie", Some(broken)).await;
    let gone = Look { removed: true, state: json!({"removed": true}), ..Look::default() };
    fleet.deploys("delta", Some(gone)).await;
    fleet.deploys("echo", None).await;
    fleet
}

#[actix_web::test]
async fn every_deployment_shows_the_result_of_its_last_check() {
    let mut fleet = fleet().await;
    let page = fleet.visit.get("/clusters").await;
    assert_eq!(page.attributes("[data-deployment]", "data-deployment"), ["alpha", "bravo", "charlie", "delta", "echo"]);
    let cells = |name: &str| {
        let row = format!("[data-deployment={name}] td[data-label]");
        page.texts(&row).iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let [cluster, state, ready, version, image, drift, _] = &cells("bravo")[..] else { panic!("{:?}", cells("bravo")) };
    assert_eq!(cluster.trim(), "GKE bravo in europe-west3 of shop");
    assert_eq!(
        [state, ready, version, image, drift],
        ["Drifted", "2 of 2", "v1.9.1", "r.example/agent:1.0", "2 fields"]
    );
    assert_eq!(cells("charlie")[1], "Not ready The image can't be pulled on node-2.");
    assert_eq!(page.texts("td.is-wrong"), ["1 of 3"]);
    assert_eq!((cells("delta")[1].as_str(), cells("delta")[4].as_str()), ("Removed", ""));
    assert_eq!((cells("echo")[1].as_str(), cells("echo")[6].as_str()), ("Not deployed", "never"));
}

#[actix_web::test]
async fn clusters_are_filtered_searched_and_sorted() {
    let mut fleet = fleet().await;
    assert_eq!(fleet.names("/clusters?state=drifted").await, ["bravo"]);
    assert_eq!(fleet.names("/clusters?image=r.example%2Fagent%3A1.0").await, ["alpha", "bravo"]);
    assert_eq!(fleet.names("/clusters?version=v1.10.0").await, ["charlie"]);
    assert_eq!(fleet.names("/clusters?q=LPHA").await, ["alpha"]);
    assert!(fleet.names("/clusters?q=nowhere").await.is_empty());
    let by_state = ["charlie", "bravo", "alpha", "echo", "delta"];
    assert_eq!(fleet.names("/clusters?sort=state").await, by_state);
    let versions = fleet.names("/clusters?sort=version&dir=desc").await;
    assert_eq!(versions[..3], ["alpha", "charlie", "bravo"], "1.33, 1.10 and 1.9");
    assert_eq!(fleet.names("/clusters?sort=ready").await[2..4], ["charlie", "alpha"]);
    assert_eq!(fleet.names("/clusters?sort=seen").await.len(), 5);
    for bad in ["/clusters?sort=evil", "/clusters?state=evil", "/clusters?after=eyJ0IjpbXX0", "/clusters?dir=up"] {
        assert_eq!(fleet.visit.get(bad).await.status, 422, "{bad}");
    }
}

#[actix_web::test]
async fn the_table_of_clusters_is_read_a_page_at_a_time_in_every_order() {
    let mut fleet = Fleet::new().await;
    for number in 0..52 {
        let found =
            (number % 3 > 0).then(|| look(&format!("v1.{}.0", number % 5), "r.example/agent:1", (number % 4, 3)));
        fleet.deploys(&format!("c{number:02}"), found).await;
    }
    for sort in ["name", "state", "ready", "version", "image", "seen"] {
        for direction in ["", "desc"] {
            let address = format!("/clusters?sort={sort}&dir={direction}");
            let first = fleet.visit.get(&address).await;
            let next = first.attributes("#next", "href").remove(0);
            let mut all = first.attributes("[data-deployment]", "data-deployment");
            assert_eq!(all.len(), 50, "{address}");
            let second = fleet.visit.get(&next).await;
            all.extend(second.attributes("[data-deployment]", "data-deployment"));
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 52, "{address}");
            let back = second.attributes("#previous", "href").remove(0);
            let again = fleet.names(&back).await;
            assert_eq!(again, first.attributes("[data-deployment]", "data-deployment"), "{address}");
        }
    }
}

#[actix_web::test]
async fn filtered_clusters_are_exported() {
    let mut fleet = fleet().await;
    let file = fleet.visit.get("/clusters.csv?state=not-ready").await;
    let lines: Vec<&str> = file.body.lines().collect();
    assert!(
        lines[0].starts_with("deployment,type,cluster,state,desired,ready,kubernetes,image,drifted_fields,trouble")
    );
    let expected = "charlie,Google Kubernetes Engine,GKE charlie in europe-west3 of shop,Not ready,3,1,v1.10.0,\
                    r.example/agent:2.0,0,The image can't be pulled on node-2.,";
    assert!(lines.len() == 2 && lines[1].starts_with(expected), "{lines:?}");
}

#[actix_web::test]
async fn without_deployments_the_page_offers_to_add_one() {
    let app = TestApp::start();
    let page = app.administrator().get("/clusters").await;
    assert_eq!(page.texts(".empty h2"), ["No deployments yet"]);
    assert!(!page.has("#filter") && !page.has("#csv"));
    let mut auditor = app.user("otto", strongroom::accounts::Role::Auditor);
    assert!(!auditor.get("/clusters").await.has("a[data-new]"));
}
