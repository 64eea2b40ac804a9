//! The deployments of the estate: clusters that are ready, drifted, failing, removed, or were never deployed to.

use serde_json::json;
use strongroom::integrations::Spec;
use strongroom::models::deployments::{self, Look};
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, IntegrationId};

use super::app::TestApp;
use super::estate::{TEAMS, actor, values_of};

const CLUSTERS: usize = 14;
const IMAGE: &str = "registry.platform.example.com/security/node-agent";

/// Adds them, each by a kubeconfig of its own.
pub fn fill(app: &TestApp, kubeconfigs: &[CredentialId]) -> Vec<IntegrationId> {
    (0..CLUSTERS).map(|number| deployment(app, number, kubeconfigs[number % kubeconfigs.len()])).collect()
}

fn deployment(app: &TestApp, number: usize, credential: CredentialId) -> IntegrationId {
    let spec = Spec::find("kubernetes").expect("a version");
    let name = format!("Node agent of {}, production {number:02}", TEAMS[number % TEAMS.len()]);
    let image = format!("{IMAGE}:2.{}.1", 12 + number % 3);
    let settings = values_of(spec, &[("image", &image), ("namespace", "node-agent")]);
    let new = NewIntegration {
        family: spec.family().slug(),
        version: spec.slug,
        name: &name,
        credential_id: Some(credential),
        host: "the address in the credential",
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    let vault = &app.services.vault;
    let id = app.transaction(|conn| integrations::create(conn, vault, &actor(), &new));
    if let Some(look) = look(number, &image) {
        app.transaction(|conn| {
            deployments::begin(conn, vault, id, (&settings, "10.0.0.1:6443"), &[])?;
            deployments::saw(conn, id, &look, None, true)
        });
    }
    id
}

/// What the last look found; `None`: it was never deployed.
fn look(number: usize, image: &str) -> Option<Look> {
    let nodes = 3 + i32::try_from(number * 7 % 40).expect("a number");
    let path = ".spec.template.spec.containers[name=\"defender\"].image";
    let theirs = format!("{IMAGE}:2.9.0-hotfix-of-the-incident-in-october");
    let object = json!({"kind": "DaemonSet", "namespace": "node-agent", "name": "defender"});
    let drift = json!([{"object": object, "path": path, "before": image, "after": theirs}]);
    let trouble = "ImagePullBackOff on 2 nodes (ip-10-0-3-117.eu-central-1.compute.internal and one more): the node \
                   can't pull the image. Check its name, and the pull secret.";
    let (ready, drift, trouble) = match number % 7 {
        6 => return None,
        5 => return Some(Look { removed: true, state: json!({"removed": true}), ..Look::default() }),
        3 => (nodes - 2, json!([]), json!([trouble])),
        1 => (nodes, drift, json!([])),
        _ => (nodes, json!([]), json!([])),
    };
    let drifted = drift != json!([]);
    let state = json!({"cluster_version": "v1.33.2-eks-1552ad0", "image": image, "desired": nodes, "ready": ready,
        "updated": ready, "available": ready, "finished": ready == nodes, "trouble": trouble, "drift": drift});
    Some(Look {
        state,
        cluster_version: format!("v1.{}.2-eks-1552ad0", 31 + number % 4),
        image: image.to_owned(),
        desired: nodes,
        ready,
        finished: ready == nodes,
        drifted,
        removed: false,
    })
}
