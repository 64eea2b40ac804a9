//! OpenBao itself: both versions of its engine, every login, namespaces, and what a policy leaves out.

use serde_json::json;

use super::{Store, keys, names, said};
use crate::support::peers::certificates::Authority;
use crate::support::peers::openbao::{OpenBao, ROOT};

fn store(bao: &OpenBao, token: &str, more: &[(&str, &str)]) -> Store {
    let url = bao.url();
    Store::of("vault_kv", &[&[("address", url.as_str())], more].concat(), "api_token", &[("token", token)])
}

#[tokio::test]
async fn entries_of_all_folders_are_listed_and_single_ones_read() {
    let bao = OpenBao::start().await;
    bao.holds("team/db", json!({"user": "ada", "password": "canary-1", "port": 5432})).await;
    bao.holds("team/deep/er/web", json!({"token": "canary-2"})).await;
    bao.holds("top with space", json!({"a": "b"})).await;
    let store = store(&bao, ROOT, &[]);
    let scan = store.scan().await.unwrap();
    assert_eq!(names(&scan), ["secret/team/db", "secret/team/deep/er/web", "secret/top with space"]);
    assert!(scan.gaps.is_empty() && !format!("{scan:?}").contains("canary"));
    assert!(scan.items[0].facts.contains("KV version 2"));
    let checked = store.check().await.unwrap();
    assert_eq!(checked, "Vault let Strongroom in: secret is KV version 2 and lists 1 entry and 1 folder.");

    bao.holds("team/db", json!({"user": "ada", "password": "canary-3"})).await;
    let read = store.read(&["secret/team/db", "secret/none", "secret/top with space"]).await.unwrap();
    let db = read[0].as_ref().unwrap();
    assert_eq!((keys(db), db.version.as_str()), (vec![("password", "canary-3"), ("user", "ada")], "2"));
    assert!(said(&read[1]).contains("secret/none can't be read: Vault doesn't have it, or it was deleted"));
    assert_eq!(keys(read[2].as_ref().unwrap()), [("a", "b")]);
    bao.ask("DELETE", "secret/data/team/db", json!({})).await;
    assert!(said(&store.read(&["secret/team/db"]).await.unwrap()[0]).contains("or it was deleted"));
}

#[tokio::test]
async fn the_first_version_of_the_engine_is_found_by_itself() {
    let bao = OpenBao::start().await;
    bao.ask("POST", "sys/mounts/old/kv", json!({"type": "kv", "options": {"version": "1"}})).await;
    bao.ask("POST", "old/kv/app/key", json!({"value": "canary", "n": true})).await;
    let store = store(&bao, ROOT, &[("mount", "old/kv")]);
    assert_eq!(names(&store.scan().await.unwrap()), ["old/kv/app/key"]);
    let read = store.read(&["old/kv/app/key"]).await.unwrap();
    assert_eq!(keys(read[0].as_ref().unwrap()), [("n", "true"), ("value", "canary")]);
}

#[tokio::test]
async fn the_policy_on_the_page_is_enough_and_less_names_what_lacks() {
    let bao = OpenBao::start().await;
    bao.holds("team/db", json!({"password": "canary"})).await;
    bao.holds("team/sub/web", json!({"password": "canary"})).await;
    bao.holds("other/db", json!({"password": "canary"})).await;
    let settings = [("path", "team")];
    let wanted = store(&bao, "", &settings);
    let policies = (wanted.spec.grants)(&wanted.settings, "").policies;
    let token = bao.token(&policies[0].1).await;
    let granted = store(&bao, &token, &settings);
    assert_eq!(names(&granted.scan().await.unwrap()), ["secret/team/db", "secret/team/sub/web"]);
    let read = granted.read(&["secret/team/db", "secret/other/db"]).await.unwrap();
    assert_eq!(keys(read[0].as_ref().unwrap()), [("password", "canary")]);
    assert!(said(&read[1]).contains("settings don't select"), "{}", said(&read[1]));

    let only_list = "path \"secret/metadata/*\" { capabilities = [\"list\"] }\n\
                     path \"secret/metadata/team/sub\" { capabilities = [\"deny\"] }\n\
                     path \"secret/metadata/team/sub/\" { capabilities = [\"deny\"] }";
    let few = store(&bao, &bao.token(only_list).await, &settings);
    let scan = few.scan().await.unwrap();
    assert_eq!((names(&scan), scan.gaps.len()), (vec!["secret/team/db".to_owned()], 1));
    assert_eq!(scan.gaps[0].at, "secret/team/sub");
    assert!(scan.gaps[0].to_string().contains("Allow “list” on secret/metadata/team/sub"), "{}", scan.gaps[0]);
    let read = few.read(&["secret/team/db"]).await.unwrap();
    assert!(said(&read[0]).contains("Allow “read” on secret/data/team/db"), "{}", said(&read[0]));

    let unknown = store(&bao, "s.wrong", &settings);
    let failed = unknown.check().await.unwrap_err().to_string();
    assert!(failed.contains("Vault refused the token"), "{failed}");
    assert!(unknown.read(&["secret/team/db"]).await.unwrap_err().to_string().contains("Vault refused the token"));
    let missing = store(&bao, ROOT, &[("mount", "nowhere")]).check().await.unwrap_err().to_string();
    assert!(missing.contains("nowhere is. Check Mount"), "{missing}");
}

#[tokio::test]
async fn an_approle_signs_in_for_each_read_and_leaves_no_token() {
    let bao = OpenBao::start().await;
    bao.holds("db", json!({"password": "canary"})).await;
    let everything = "path \"secret/*\" { capabilities = [\"read\", \"list\"] }";
    bao.ask("PUT", "sys/policies/acl/reader", json!({ "policy": everything })).await;
    bao.ask("POST", "sys/auth/machines", json!({"type": "approle"})).await;
    bao.ask("POST", "auth/machines/role/strongroom", json!({"token_policies": ["reader"]})).await;
    let role = bao.ask("GET", "auth/machines/role/strongroom/role-id", json!({})).await;
    let secret = bao.ask("POST", "auth/machines/role/strongroom/secret-id", json!({})).await;
    let role = role["data"]["role_id"].as_str().unwrap().to_owned();
    let secret = secret["data"]["secret_id"].as_str().unwrap().to_owned();
    let (url, before) = (bao.url(), bao.tokens().await);
    let settings = [("address", url.as_str()), ("login_mount", "machines")];
    let of =
        |secret: &str| Store::of("vault_kv", &settings, "basic", &[("username", role.as_str()), ("password", secret)]);
    let store = of(&secret);
    assert_eq!(names(&store.scan().await.unwrap()), ["secret/db"]);
    assert_eq!(keys(store.read(&["secret/db"]).await.unwrap()[0].as_ref().unwrap()), [("password", "canary")]);
    assert_eq!(bao.tokens().await, before, "a login was left behind");
    let failed = of("00000000-0000-0000-0000-000000000000").check().await.unwrap_err().to_string();
    assert!(failed.contains("refused the role ID or secret ID"), "{failed}");
}

#[tokio::test]
async fn a_client_certificate_signs_in_by_tls() {
    let bao = OpenBao::start_with_tls().await;
    bao.holds("db", json!({"password": "canary"})).await;
    let (authority, other) = (Authority::new(), Authority::new());
    let everything = "path \"secret/*\" { capabilities = [\"read\", \"list\"] }";
    bao.ask("PUT", "sys/policies/acl/reader", json!({ "policy": everything })).await;
    bao.ask("POST", "sys/auth/cert", json!({"type": "cert"})).await;
    let role = json!({"certificate": authority.pem, "token_policies": ["reader"]});
    bao.ask("POST", "auth/cert/certs/strongroom", role).await;
    let (url, trusted) = (bao.url(), bao.authority().unwrap());
    let settings = [("address", url.as_str()), ("ca_certificate", trusted.as_str())];
    let of = |by: &Authority| {
        let pair = by.client("strongroom");
        Store::of("vault_kv", &settings, "certificate", &[("certificate", pair.as_str())])
    };
    let store = of(&authority);
    assert_eq!(names(&store.scan().await.unwrap()), ["secret/db"]);
    assert_eq!(keys(store.read(&["secret/db"]).await.unwrap()[0].as_ref().unwrap()), [("password", "canary")]);
    let failed = of(&other).check().await.unwrap_err().to_string();
    assert!(failed.contains("Vault refused the client certificate"), "{failed}");
}

#[tokio::test]
async fn a_namespace_has_entries_of_its_own() {
    let bao = OpenBao::start().await;
    bao.holds("db", json!({"password": "of the root"})).await;
    bao.ask("POST", "sys/namespaces/team", json!({})).await;
    bao.ask_in("team", "POST", "sys/mounts/secret", json!({"type": "kv", "options": {"version": "2"}})).await;
    bao.ask_in("team", "POST", "secret/data/web", json!({"data": {"password": "of the team"}})).await;
    let store = store(&bao, ROOT, &[("namespace", "team")]);
    assert_eq!(names(&store.scan().await.unwrap()), ["secret/web"]);
    let read = store.read(&["secret/web", "secret/db"]).await.unwrap();
    assert_eq!(keys(read[0].as_ref().unwrap()), [("password", "of the team")]);
    assert!(read[1].is_err());
}

#[tokio::test]
async fn patterns_leave_entries_out_of_the_list_and_of_every_read() {
    let bao = OpenBao::start().await;
    for name in ["team/db", "team/web", "ops/root"] {
        bao.holds(name, json!({"password": "canary"})).await;
    }
    let store = store(&bao, ROOT, &[("entries", "team/*"), ("exclude_entries", "*/web")]);
    assert_eq!(names(&store.scan().await.unwrap()), ["secret/team/db"]);
    let read = store.read(&["secret/team/web", "secret/ops/root", "secret/team/../ops/root", "team/db"]).await.unwrap();
    assert!(read.iter().all(|one| said(one).contains("settings don't select")));
}
