//! Entries of a secret store are passed on to a cluster, followed, and kept nowhere.

use serde_json::json;

use super::desk::Desk;
use crate::deployments::desk::{Fields, id_in, post, row_version, saved, with};
use crate::support::peers::openbao::{OpenBao, ROOT};
use crate::support::sql;
use crate::support::sweep::Canaries;
use crate::support::wait::until;

const FIRST: &str = "CanaryEntry-7Qm2xLw9Zr4T";
const SECOND: &str = "CanaryEntry-of-the-second-version";

/// The store with an entry, as an integration: the path of its page.
pub async fn store(desk: &mut Desk, bao: &OpenBao) -> String {
    bao.holds("team/db", json!({"username": "app", "password": FIRST})).await;
    added(desk, bao, "secret").await
}

/// A mount as an integration.
async fn added(desk: &mut Desk, bao: &OpenBao, mount: &str) -> String {
    let token = saved(&mut desk.administrator, &[("kind", "api_token"), ("name", "vault"), ("token", ROOT)]).await;
    let (url, id) = (bao.url(), id_in(&token));
    let form = [("version", "vault_kv"), ("address", &*url), ("mount", mount), ("name", "vault"), ("credential", &id)];
    let added = desk.administrator.post("/integrations", &form).await;
    assert_eq!(added.status, 303, "{:?}", added.texts(".error-summary, main p"));
    desk.settled().await;
    added.location().to_owned()
}

/// The form of the Secret `db` from the entry.
pub fn form(desk: &Desk, store: &str) -> Fields {
    let id = id_in(store);
    with(&desk.form(), &[("source", "entry"), ("store", &id), ("entry", "secret/team/db"), ("source_credential", "")])
}

#[actix_web::test]
async fn an_entry_is_passed_on_and_its_new_value_follows_by_itself() {
    let (mut desk, bao) = (Desk::open("entry").await, OpenBao::start().await);
    desk.workload("shop", true).await;
    let store = store(&mut desk, &bao).await;
    let form = with(&form(&desk, &store), &[("restart", "on")]);
    assert_eq!(desk.add(&form).await.status, 303);
    let mut pages = vec![desk.preview().await];
    desk.apply("").await;
    assert_eq!((desk.standing().await, desk.value("password").await), ("In sync".into(), FIRST.into()));
    let started = desk.started_with("shop").await.expect("it was restarted");

    bao.holds("team/db", json!({"username": "app", "password": SECOND})).await;
    desk.check().await;
    let ended = "runs WHERE cause = 'secret' AND state = 'succeeded'";
    until("it is applied", || (sql::count(&desk.app, ended) == 1).then_some(())).await;
    assert_eq!((desk.standing().await, desk.value("password").await), ("In sync".into(), SECOND.into()));
    assert_ne!(desk.started_with("shop").await, Some(started));
    assert_eq!(sql::count(&desk.app, "alerts WHERE trigger = 'drift'"), 0, "a new value is no drift");

    pages.extend([desk.page().await, desk.administrator.get("/audit").await, desk.administrator.get(&store).await]);
    let mut canaries = Canaries::default();
    canaries.add("the first value", FIRST);
    canaries.add("the second value", SECOND);
    let mut sweep = canaries.sweep();
    pages.iter().enumerate().for_each(|(number, page)| sweep.look(&format!("page {number}"), page.body.as_bytes()));
    for table in ["integrations", "deployments", "items", "item_changes", "runs", "events", "sync_entries"] {
        let rows =
            sql::texts(&desk.app, &format!("SELECT coalesce(string_agg(t::text, ' '), '') AS text FROM {table} t"));
        sweep.look(table, rows.join(" ").as_bytes());
    }
    assert_eq!(sweep.found, [""; 0]);
}

#[actix_web::test]
async fn a_key_that_somebody_adds_is_no_new_value() {
    let (mut desk, bao) = (Desk::open("added-key").await, OpenBao::start().await);
    desk.workload("shop", true).await;
    // The first version of the engine has no versions of entries.
    bao.ask("POST", "sys/mounts/old", json!({"type": "kv", "options": {"version": "1"}})).await;
    bao.ask("POST", "old/team/db", json!({"username": "app", "password": FIRST})).await;
    let store = added(&mut desk, &bao, "old").await;
    let form = with(&form(&desk, &store), &[("entry", "old/team/db"), ("restart", "on")]);
    assert_eq!(desk.add(&form).await.status, 303);
    desk.apply("").await;
    let started = desk.started_with("shop").await.expect("it was restarted");
    let theirs = json!({"stringData": {"theirs": "mine"}});
    desk.lab.administrator.merge(&desk.path("db"), "kubectl-edit", &theirs).await;
    desk.check().await;
    desk.apply("").await;
    assert_eq!(sql::count(&desk.app, "runs WHERE cause = 'secret'"), 0);
    assert_eq!(desk.started_with("shop").await, Some(started));

    bao.ask("POST", "old/team/db", json!({"username": "app", "password": SECOND})).await;
    desk.check().await;
    let ended = "runs WHERE cause = 'secret' AND state = 'succeeded'";
    until("it is applied", || (sql::count(&desk.app, ended) == 1).then_some(())).await;
    assert_eq!((desk.value("password").await, desk.value("theirs").await), (SECOND.into(), "mine".into()));
}

#[actix_web::test]
async fn a_store_that_is_away_costs_no_secret_and_is_told() {
    let (mut desk, bao) = (Desk::open("away").await, OpenBao::start().await);
    let store = store(&mut desk, &bao).await;
    let form = form(&desk, &store);
    assert_eq!(desk.add(&form).await.status, 303);
    desk.keep(&[("secret", "second")]).await;
    desk.apply("").await;
    drop(bao);
    desk.check().await;
    assert_eq!(desk.standing().await, "Not in sync");
    assert!(!desk.page().await.texts("[data-trouble]").is_empty());
    desk.apply("").await;
    assert_eq!(desk.value("password").await, FIRST, "what is there stays");
    assert!(desk.secret("second").await.is_some());
    desk.remove().await;
    assert!(desk.secret("db").await.is_none() && desk.secret("second").await.is_none());
}

#[actix_web::test]
async fn an_administrator_chooses_an_entry_and_its_store_stays() {
    let (mut desk, bao) = (Desk::open("chosen").await, OpenBao::start().await);
    let store = store(&mut desk, &bao).await;
    let version = row_version(&mut desk.administrator, &desk.sync).await;
    let form = with(&form(&desk, &store), &[("row_version", &version)]);
    let new = format!("{}/secrets/new", desk.sync);
    let page = post(&mut desk.operator, &new, &form).await;
    assert_eq!((page.status, page.has("#store-error")), (422, true));
    // Fresh from the login: no name is typed, since no stored value leaves.
    assert_eq!(post(&mut desk.administrator, &new, &form).await.status, 303);
    assert_eq!(sql::count(&desk.app, "events WHERE action = 'sync.value_allowed'"), 0);
    let refused = desk.administrator.post(&format!("{store}/delete"), &[("row_version", "1")]).await;
    assert_eq!(refused.status, 409, "{:?}", refused.texts("main p"));
    let item = desk.page().await.attributes("[data-item=db] a.is-danger", "href").remove(0);
    let version = row_version(&mut desk.administrator, &desk.sync).await;
    assert_eq!(desk.administrator.post(&item, &[("row_version", &version)]).await.status, 303);
    let gone = desk.administrator.post(&format!("{store}/delete"), &[("row_version", "1")]).await;
    assert_eq!(gone.status, 303, "{:?}", gone.texts("main p"));
}
