//! What the console does with a deployment by itself, and what becomes of it when its integration is deleted.

use serde_json::json;

use super::desk::{Desk, row_version};
use crate::support::sql;
use crate::support::wait::until;

const OPEN: &str = "alerts WHERE trigger = 'drift' AND closed_at IS NULL";
const CLOSED: &str = "alerts WHERE trigger = 'drift' AND closed_at IS NOT NULL";

#[actix_web::test]
async fn a_look_at_its_time_finds_drift_and_its_alert_closes_when_restored() {
    let mut desk = Desk::open("alarm").await;
    let page = desk.added("a").await;
    desk.deploy(&page, "").await;
    let soon = "deployments WHERE next_look_at BETWEEN now() + interval '10 minutes' AND now() + interval '15 minutes'";
    assert_eq!((sql::count(&desk.app, soon), sql::count(&desk.app, OPEN)), (1, 0));

    let container = json!({"name": "defender", "image": "registry.example.com/agent:theirs"});
    let edit = json!({"spec": {"template": {"spec": {"containers": [container]}}}});
    desk.lab.administrator.merge(&desk.daemon_set_path("a"), "kubectl-edit", &edit).await;
    sql::run(&desk.app, "UPDATE deployments SET next_look_at = now()");
    until("drift is an alert", || (sql::count(&desk.app, OPEN) == 1).then_some(())).await;
    desk.settled().await;
    assert_eq!(sql::count(&desk.app, "runs WHERE cause = 'schedule' AND action = 'observe'"), 1);
    assert_eq!(sql::count(&desk.app, soon), 1, "the next look is due as late again");
    assert_eq!(desk.standing(&page).await, ["Drifted"]);
    assert_eq!(desk.administrator.get("/alerts").await.attributes("[data-alert]", "data-alert").len(), 1);

    let preview = desk.administrator.post(&format!("{page}/preview"), &[]).await;
    let agreed = preview.attributes("button[name=all]", "value").remove(0);
    desk.deploy(&page, &agreed).await;
    assert_eq!((sql::count(&desk.app, OPEN), sql::count(&desk.app, CLOSED)), (0, 1));
}

#[actix_web::test]
async fn a_deleted_integration_leaves_its_agent_there_unless_it_is_ticked() {
    let mut desk = Desk::open("deleted").await;
    let (stays, goes) = (desk.added("stays").await, desk.added("goes").await);
    desk.deploy(&stays, "").await;
    desk.deploy(&goes, "").await;

    let form = desk.administrator.get(&format!("{stays}/delete")).await;
    assert!(form.has("#remove") && !form.has("#remove[checked]"));
    let version = row_version(&mut desk.administrator, &stays).await;
    let deleted = desk.administrator.post(&format!("{stays}/delete"), &[("row_version", &*version)]).await;
    assert_eq!((deleted.status, deleted.location()), (303, "/integrations"));
    assert_eq!(desk.administrator.get(&stays).await.status, 404);

    let version = row_version(&mut desk.administrator, &goes).await;
    let ticked = [("row_version", &*version), ("remove", "on")];
    let queued = desk.administrator.post(&format!("{goes}/delete"), &ticked).await;
    assert_eq!((queued.status, queued.location()), (303, goes.as_str()));
    until("the integration is gone", || (sql::count(&desk.app, "deployments") == 0).then_some(())).await;
    assert_eq!(desk.administrator.get(&goes).await.status, 404);
    assert!(desk.daemon_set("stays").await.is_some(), "nobody asked for its removal");
    let namespace = format!("/api/v1/namespaces/{}", desk.namespace("goes"));
    assert!(desk.lab.administrator.get(&namespace).await.is_none(), "nothing is left");
}
