//! Nobody leads what an administrator has confirmed elsewhere: by another login of a sync into a cluster that only its
//! name tells, by the credential of the sync, or by the store.

use strongroom::accounts::Role;
use strongroom::form::Values;
use strongroom::integrations::deployments::syncs::{Item, NOWHERE, StoreEntry, set_items};
use strongroom::models::IntegrationId;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::usages::Usage;
use strongroom::runs::deploy::UNCONFIRMED_ITEM;
use uuid::Uuid;

use super::desk::{CANARY, Desk, SOURCE};
use super::entries::{form, store};
use crate::deployments::desk::{id_in, post, row_version, saved};
use crate::support::app::{PASSWORD, TestApp, Visit};
use crate::support::peers::openbao::OpenBao;
use crate::support::sql;
use crate::support::wait::until;

async fn aws(visit: &mut Visit, name: &str, key: &str) -> String {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let fields = [
        ("kind", "aws"),
        ("name", name),
        ("method", "access_key"),
        ("access_key_id", key),
        ("secret_access_key", secret),
    ];
    id_in(&saved(visit, &fields).await)
}

/// A sync into a cluster of Amazon EKS with a released value and an entry, both confirmed.
fn into_eks(app: &TestApp, key: &str, source: &str) -> IntegrationId {
    let cluster = "EKS prod in eu-central-1";
    let item = |id: &str, secret: &str| Item {
        id: id.to_owned(),
        secret: secret.to_owned(),
        kind: "Opaque".to_owned(),
        namespaces: vec!["shop".to_owned()],
        ..Item::default()
    };
    let (value, mut entry) = (item("0123456789ab", "db"), item("ba9876543210", "other"));
    let end = entry.end(cluster);
    entry.entry = Some(StoreEntry { store: Uuid::new_v4(), entry: "secret/team/db".to_owned(), end });
    let mut settings: Values = [("region", "eu-central-1"), ("cluster", "prod")].into_iter().collect();
    set_items(&mut settings, &[value.clone(), entry]);
    let settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    let further = [Usage { role: value.role(), credential: source.parse().expect("an id"), host: value.end(cluster) }];
    let sync = NewIntegration {
        family: "secret_sync",
        version: "sync_eks",
        name: "production",
        credential_id: Some(key.parse().expect("an id")),
        host: cluster,
        further: &further,
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &sync))
}

/// Where the two values go.
fn ends(app: &TestApp) -> Vec<String> {
    let of_value = "SELECT host AS text FROM usages WHERE role LIKE 'item-%'";
    let mut ends = sql::texts(app, of_value);
    let settings = sql::texts(app, "SELECT settings::text AS text FROM integrations WHERE version = 'sync_eks'");
    let settings = Values::from_json(settings[0].as_bytes()).expect("settings");
    let items = strongroom::integrations::deployments::syncs::items(&settings);
    ends.extend(items.into_iter().filter_map(|item| item.entry).map(|of| of.end));
    ends
}

#[actix_web::test]
async fn another_account_with_a_cluster_of_that_name_gets_no_values() {
    let app = TestApp::start_with(&["--release-values=on"]);
    let (mut ada, mut olga) = (app.administrator(), app.user("olga", Role::Operator));
    let key = aws(&mut ada, "ours", "AKIAIOSFODNN7EXAMPLE").await;
    let basic = [("kind", "basic"), ("name", SOURCE), ("username", "app"), ("password", CANARY)];
    let source = id_in(&saved(&mut ada, &basic).await);
    let sync = format!("/integrations/{}", into_eks(&app, &key, &source));
    let theirs = aws(&mut olga, "theirs", "AKIAI44QH8DHBEXAMPLE").await;
    let edit = format!("{sync}/edit");
    let fields = |version: &str, key: &str| {
        let fixed = [("version", "sync_eks"), ("name", "production"), ("region", "eu-central-1"), ("cluster", "prod")];
        let rest = [("row_version", version.to_owned()), ("credential", key.to_owned())];
        fixed.map(|(name, value)| (name, value.to_owned())).into_iter().chain(rest).collect::<Vec<_>>()
    };
    let before = ends(&app);
    assert!(before.len() == 2 && before.iter().all(|end| end.starts_with("EKS prod in eu-central-1/shop")));
    let version = row_version(&mut olga, &sync).await;
    let refused = post(&mut olga, &edit, &fields(&version, &theirs)).await;
    assert!(refused.status == 422 && refused.has("#credential-error"), "{:?}", refused.texts("main p"));
    let same = post(&mut olga, &edit, &fields(&version, &key)).await;
    assert_eq!((same.status, ends(&app)), (303, before), "{:?}", same.texts(".error-summary"));

    let version = row_version(&mut ada, &sync).await;
    let moved = post(&mut ada, &edit, &fields(&version, &theirs)).await;
    assert_eq!((moved.status, ends(&app)), (303, vec![NOWHERE.to_owned(); 2]), "{:?}", moved.texts(".error-summary"));
    let preview = ada.post(&format!("{sync}/preview"), &[]).await;
    assert!(preview.text("[data-failed]").contains(UNCONFIRMED_ITEM), "{}", preview.text("main"));
    assert_eq!(ada.post(&format!("{sync}/runs"), &[]).await.status, 303);
    until("the check fails", || (sql::count(&app, "runs WHERE state = 'failed'") == 1).then_some(())).await;
    let opened = "events WHERE action = 'credential.opened' AND detail LIKE '%secret/team/db%'";
    assert_eq!(sql::count(&app, opened), 0, "no store was asked");
}

#[actix_web::test]
async fn an_operator_leads_an_entry_nowhere_else() {
    let (mut desk, bao) = (Desk::open("led-entry").await, OpenBao::start().await);
    let store = store(&mut desk, &bao).await;
    let form = form(&desk, &store);
    assert_eq!(desk.add(&form).await.status, 303);
    // The secret of the login of the sync.
    let elsewhere = desk.lab.administrators_kubeconfig().replace("127.0.0.1", "127.0.0.2");
    let cluster = desk.cluster.clone();
    let version = row_version(&mut desk.operator, &cluster).await;
    let edited = vec![("row_version", version), ("name", "cluster".to_owned()), ("kubeconfig", elsewhere.clone())];
    assert_eq!(post(&mut desk.operator, &format!("{cluster}/edit"), &edited).await.status, 409);
    // Another login in its place.
    let other = [("kind", "kubeconfig"), ("name", "other"), ("kubeconfig", elsewhere.as_str())];
    let other = id_in(&saved(&mut desk.operator, &other).await);
    let usage = format!("usage.{}.main", id_in(&desk.sync));
    let version = row_version(&mut desk.administrator, &desk.sync).await;
    let replace = [(usage.as_str(), version.as_str()), ("to", other.as_str()), ("goal", "save")];
    let page = desk.administrator.post(&format!("{cluster}/replace"), &replace).await;
    assert_eq!(page.status, 422, "{}", page.text("main"));
}

#[actix_web::test]
async fn a_store_that_is_passed_on_is_changed_by_administrators_alone() {
    let (mut desk, bao) = (Desk::open("store-held").await, OpenBao::start().await);
    let store = store(&mut desk, &bao).await;
    let key = sql::texts(&desk.app, "SELECT id::text AS text FROM credentials WHERE name = 'vault'").remove(0);
    let (url, edit, token) = (bao.url(), format!("{store}/edit"), format!("/credentials/{key}"));
    let fields = |version: &str, name: &str, entries: &str| {
        let fixed = [("version", "vault_kv"), ("address", &*url), ("mount", "secret"), ("credential", &*key)];
        let rest = [("name", name), ("entries", entries), ("row_version", version)];
        fixed.into_iter().chain(rest).map(|(name, value)| (name, value.to_owned())).collect::<Vec<_>>()
    };
    // Nothing is passed on yet.
    let version = row_version(&mut desk.operator, &store).await;
    assert_eq!(post(&mut desk.operator, &edit, &fields(&version, "vault", "team/*")).await.status, 303);
    let form = form(&desk, &store);
    assert_eq!(desk.add(&form).await.status, 303);

    let version = row_version(&mut desk.operator, &store).await;
    let refused = post(&mut desk.operator, &edit, &fields(&version, "vault", "*")).await;
    assert_eq!(refused.status, 409, "{}", refused.text("main"));
    let renamed = post(&mut desk.operator, &edit, &fields(&version, "renamed", "team/*")).await;
    assert_eq!(renamed.status, 303, "{}", renamed.text("main"));
    let version = row_version(&mut desk.administrator, &token).await;
    let other = [("row_version", version.as_str()), ("name", "vault"), ("token", "s.another")];
    let refused = desk.operator.post(&format!("{token}/edit"), &other).await;
    assert_eq!(refused.status, 409, "{}", refused.text("main"));

    let version = row_version(&mut desk.administrator, &store).await;
    desk.app.give_password_long_ago();
    let asked = post(&mut desk.administrator, &edit, &fields(&version, "renamed", "*")).await;
    assert!(asked.status == 422 && asked.has("#confirm input[type=password]"), "{}", asked.text("main"));
    let mut answered = fields(&version, "renamed", "*");
    answered.push(("password", PASSWORD.to_owned()));
    assert_eq!(post(&mut desk.administrator, &edit, &answered).await.status, 303);
    let asked = desk.administrator.post(&format!("{token}/edit"), &other).await;
    assert!(asked.status == 422 && asked.has("#confirm input[type=password]"), "{}", asked.text("main"));
}
