//! What is handed on to a cluster: who says that it belongs there, who may lead it elsewhere, and that a new secret of
//! it is deployed by itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use strongroom::integrations::deployments::{AGENT_SECRET, PULL_SECRET};
use strongroom::models::deployments;
use strongroom::runs::deploy::UNCONFIRMED;

use super::desk::{Desk, id_in, kubeconfig, post, row_version, saved, with};
use crate::support::app::PASSWORD;
use crate::support::sql;
use crate::support::wait::until;

const ALLOWED: &str = "events WHERE action = 'integration.destination_allowed'";

#[actix_web::test]
async fn an_operator_neither_hands_a_secret_on_nor_leads_one_elsewhere() {
    let mut desk = Desk::open("operator").await;
    let form = desk.form("a");
    let refused = format!("#{AGENT_SECRET}-error");
    let page = post(&mut desk.operator, "/integrations", &form).await;
    assert_eq!((page.status, page.has(&refused), page.has("#send_to")), (422, true, false));
    assert_eq!(sql::count(&desk.app, "usages WHERE role = 'agent_secret'"), 0);

    let added = desk.added("a").await;
    let edit = format!("{added}/edit");
    let version = row_version(&mut desk.operator, &added).await;
    let image = with(&form, &[("row_version", &version), ("image", "registry.example.com/agent:2")]);
    let page = post(&mut desk.operator, &edit, &image).await;
    assert_eq!(page.status, 303, "{:?}", page.texts("[id$=-error]"));

    let namespace = desk.namespace("b");
    let other = kubeconfig(&mut desk.operator, "other", &desk.lab.kubeconfig(&desk.lab.login())).await;
    let version = row_version(&mut desk.operator, &added).await;
    for elsewhere in [("namespace", namespace), ("credential", id_in(&other))] {
        let fields = with(&form, &[("row_version", &version), (elsewhere.0, &elsewhere.1)]);
        let page = post(&mut desk.operator, &edit, &fields).await;
        assert_eq!((page.status, page.has(&refused)), (422, true), "{}", elsewhere.0);
    }
    assert_eq!(sql::count(&desk.app, ALLOWED), 1, "the administrator's own");
}

#[actix_web::test]
async fn an_administrator_says_each_time_that_a_secret_belongs_there() {
    let mut desk = Desk::open("says").await;
    let form = desk.form("a");
    // Though the password was given a moment ago.
    let asked = post(&mut desk.administrator, "/integrations", &form).await;
    assert_eq!((asked.status, asked.has("#destination #password")), (422, true));
    let place = format!("{}/{}", desk.lab.server().trim_start_matches("https://"), desk.namespace("a"));
    let question = asked.text("#destination");
    assert!(question.contains("agent token") && question.contains(&place), "{question}");
    let yes = asked.attributes("#send_to", "value").remove(0);
    for (half, missing) in [(("send_to", &*yes), "#password-error"), (("password", PASSWORD), "#send_to-error")] {
        let page = post(&mut desk.administrator, "/integrations", &with(&form, &[half])).await;
        assert_eq!((page.status, page.has(missing)), (422, true), "{missing}");
    }
    let both = with(&form, &[("send_to", &yes), ("password", PASSWORD)]);
    let added = post(&mut desk.administrator, "/integrations", &both).await;
    assert_eq!(added.status, 303, "{:?}", added.texts("[id$=-error]"));

    let page = added.location().to_owned();
    let (version, namespace) = (row_version(&mut desk.administrator, &page).await, desk.namespace("b"));
    let moved = with(&both, &[("row_version", &version), ("namespace", &namespace)]);
    let asked = post(&mut desk.administrator, &format!("{page}/edit"), &moved).await;
    assert_eq!((asked.status, asked.has("#send_to-error")), (422, true), "it was said of another namespace");
    let yes = asked.attributes("#send_to", "value").remove(0);
    let moved = post(&mut desk.administrator, &format!("{page}/edit"), &with(&moved, &[("send_to", &yes)])).await;
    assert_eq!(moved.status, 303, "{:?}", moved.texts("[id$=-error]"));
    let detail = format!("{ALLOWED} AND detail LIKE 'agent token to %' AND detail LIKE '%{}%'", desk.lab.name);
    assert_eq!(sql::count(&desk.app, &detail), 2, "each time is in the trail");
}

#[actix_web::test]
async fn the_login_that_leads_a_secret_is_changed_by_administrators_alone() {
    let mut desk = Desk::open("leader").await;
    let (page, cluster) = (desk.added("a").await, desk.cluster.clone());
    let elsewhere = desk.lab.administrators_kubeconfig().replace("127.0.0.1", "127.0.0.2");
    let version = row_version(&mut desk.operator, &cluster).await;
    let renamed = vec![("row_version", version), ("name", "production".to_owned())];
    let done = post(&mut desk.operator, &format!("{cluster}/edit"), &renamed).await;
    assert_eq!(done.status, 303, "a name leads nowhere: {:?}", done.texts("main p"));

    let version = row_version(&mut desk.operator, &cluster).await;
    let rotated =
        vec![("row_version", version.clone()), ("kubeconfig", elsewhere.clone()), ("goal", "save".to_owned())];
    assert_eq!(post(&mut desk.operator, &format!("{cluster}/rotate"), &rotated).await.status, 409);
    let edited = vec![("row_version", version), ("name", "production".to_owned()), ("kubeconfig", elsewhere)];
    assert_eq!(post(&mut desk.operator, &format!("{cluster}/edit"), &edited).await.status, 409);
    let done = post(&mut desk.administrator, &format!("{cluster}/edit"), &edited).await;
    assert_eq!(done.status, 303, "{:?}", done.texts("main p"));

    // It leads to another cluster now, and nobody has said that the token belongs there.
    let preview = desk.administrator.post(&format!("{page}/preview"), &[]).await;
    assert!(preview.text("[data-failed]").contains(UNCONFIRMED), "{}", preview.text("[data-failed]"));
}

#[actix_web::test]
async fn a_new_secret_of_the_agent_is_deployed_by_itself_and_once() {
    const SECOND: &str = "CanaryAgent-of-the-second-version";
    let mut desk = Desk::open("renewed").await;
    let page = desk.added("a").await;
    desk.deploy(&page, "").await;
    let annotations = |live: &serde_json::Value| live["spec"]["template"]["metadata"]["annotations"].to_string();
    let before = annotations(&desk.daemon_set("a").await.expect("a DaemonSet"));

    // Whoever may edit the credential reaches what uses it.
    let agent = desk.agent.clone();
    let version = row_version(&mut desk.operator, &agent).await;
    let edit = vec![("row_version", version), ("name", "agent token".to_owned()), ("token", SECOND.to_owned())];
    let saved = post(&mut desk.operator, &format!("{agent}/edit"), &edit).await;
    assert_eq!(saved.status, 303, "{:?}", saved.texts("main p"));
    let ended = "runs WHERE cause = 'secret' AND state = 'succeeded'";
    until("it is deployed", || (sql::count(&desk.app, ended) == 1).then_some(())).await;

    let secret = format!("/api/v1/namespaces/{}/secrets/defender-secret", desk.namespace("a"));
    let live = desk.lab.administrator.get(&secret).await.expect("a Secret");
    assert_eq!(live["data"]["token"], STANDARD.encode(SECOND));
    let live = desk.daemon_set("a").await.expect("a DaemonSet");
    assert_ne!(annotations(&live), before, "so that the pods restart");
    assert_eq!(live["metadata"]["generation"], 2);
    assert_eq!(sql::count(&desk.app, "events WHERE action = 'deployment.deployed'"), 2, "each is in the trail");
    let vault = desk.app.services.vault.clone();
    assert_eq!(desk.app.transaction(|conn| deployments::queue_due(conn, &vault, "tests")), 0, "nothing else is due");
}

#[actix_web::test]
async fn a_pull_secret_is_led_to_another_registry_by_administrators_alone() {
    let mut desk = Desk::open("registry").await;
    let robot = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "CanaryPull-1")];
    let robot = id_in(&saved(&mut desk.administrator, &robot).await);
    let form = with(&desk.form("a"), &[(AGENT_SECRET, ""), (PULL_SECRET, &robot)]);
    let added = desk.add(&form).await;
    let version = row_version(&mut desk.operator, &added).await;
    let image = with(&form, &[("row_version", &version), ("image", "registry.example.net/agent:1")]);
    let page = post(&mut desk.operator, &format!("{added}/edit"), &image).await;
    assert_eq!((page.status, page.has("#pull_secret-error")), (422, true));
}
