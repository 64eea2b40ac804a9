//! Azure Key Vault: pages, values, refusals by their inner codes, and links that lead elsewhere.

use strongroom::providers::endpoints::{Endpoints, Service};

use super::{Store, keys, names, said};
use crate::support::azure_scan::service_key;
use crate::support::peers::entra::{self, SECRET};
use crate::support::peers::key_vault::KeyVault;
use crate::support::peers::receiver::{Receiver, Said};

struct Rig {
    login: Receiver,
    vault: KeyVault,
}

impl Rig {
    fn start() -> Self {
        let vault = KeyVault::start();
        vault.holds("db", r#"{"user":"ada","password":"canary-1"}"#).holds("plain", "canary-2").holds_disabled("off");
        Self { login: entra::start(None), vault }
    }

    fn store(&self, settings: &[(&str, &str)]) -> Store {
        let key = service_key(SECRET, None);
        let secret = [("method", "service_key"), ("service_key", key.as_str())];
        let settings = [&[("vault", "https://team-vault.vault.azure.net/")], settings].concat();
        let moved = |all: Endpoints, service, peer: &Receiver| all.with(service, peer.url().parse().unwrap());
        let endpoints = moved(Endpoints::default(), Service::AzureLogin, &self.login);
        let endpoints = moved(endpoints, Service::AzureVault, &self.vault.receiver);
        Store::of("azure_key_vault", &settings, "azure", &secret).at(endpoints)
    }
}

#[tokio::test]
async fn all_pages_of_a_vault_are_listed_and_single_secrets_read() {
    let rig = Rig::start();
    let store = rig.store(&[]);
    rig.vault.change(|world| world.busy = 1);
    let scan = store.scan().await.unwrap();
    assert_eq!(names(&scan), ["team-vault/db", "team-vault/off", "team-vault/plain"]);
    assert!(scan.gaps.is_empty() && !format!("{scan:?}").contains("canary"), "{scan:?}");
    assert!(scan.items[1].facts.contains("Disabled") && !scan.items[0].facts.contains("Disabled"));
    assert!(store.check().await.unwrap().contains("team-vault.vault.azure.net let Strongroom in and lists 1 secret"));
    let wanted = ["team-vault/db", "team-vault/plain", "team-vault/off", "team-vault/none", "other/db"];
    let read = store.read(&wanted).await.unwrap();
    let db = read[0].as_ref().unwrap();
    assert_eq!((keys(db), db.version.len()), (vec![("password", "canary-1"), ("user", "ada")], 32));
    assert_eq!(keys(read[1].as_ref().unwrap()), [("value", "canary-2")]);
    assert!(said(&read[2]).contains("it is disabled, has expired"), "{}", said(&read[2]));
    assert!(said(&read[3]).contains("Azure doesn't have it") && said(&read[4]).contains("settings don't select"));
}

#[tokio::test]
async fn an_excluded_secret_is_not_read_by_another_spelling() {
    let rig = Rig::start();
    let store = rig.store(&[("entries", "DB,Plain"), ("exclude_entries", "pLain")]);
    assert_eq!(names(&store.scan().await.unwrap()), ["team-vault/db"]);
    for entry in ["team-vault/plain", "team-vault/PLAIN", "team-vault/Plain"] {
        let read = store.read(&[entry]).await.unwrap();
        assert!(said(&read[0]).contains("settings don't select"), "{entry}: {}", said(&read[0]));
    }
}

#[tokio::test]
async fn a_refusal_of_a_vault_is_told_by_its_cause() {
    let rig = Rig::start();
    let store = rig.store(&[]);
    for (inner, words) in [
        (
            "ForbiddenByRbac",
            "doesn't let the credential list secrets. Give its principal the role Key Vault Secrets User",
        ),
        ("AccessDenied", "secret permission “list”"),
        ("ForbiddenByFirewall", "firewall keeps Strongroom out"),
    ] {
        rig.vault.change(|world| world.lists = Some(inner));
        let failed = store.scan().await.unwrap_err().to_string();
        assert!(failed.contains(words) && !failed.contains("UPSTREAM"), "{failed}");
    }
    rig.vault.change(|world| world.values = Some("ForbiddenByRbac"));
    let read = store.read(&["team-vault/db"]).await.unwrap();
    assert!(said(&read[0]).contains("doesn't let the credential get secrets"), "{}", said(&read[0]));
    rig.vault.receiver.say(Said::json(401, &serde_json::json!({})));
    let failed = store.read(&["team-vault/db"]).await.unwrap_err().to_string();
    assert!(failed.contains("in the tenant and the cloud of the credential"), "{failed}");
}

#[tokio::test]
async fn no_page_of_another_host_gets_the_token() {
    let rig = Rig::start();
    let store = rig.store(&[]);
    let elsewhere = KeyVault::start();
    for link in [
        format!("{}/secrets?api-version=7.4&$skiptoken=1", elsewhere.receiver.url()),
        "https://evil.vault.azure.net/secrets?api-version=7.4&$skiptoken=1".to_owned(),
        "https://team-vault.vault.azure.net:8443/secrets?api-version=7.4&$skiptoken=1".to_owned(),
        "https://team-vault.vault.azure.net/keys?api-version=7.4".to_owned(),
        "https://team-vault.vault.azure.net/secrets?api-version=7.4&$skiptoken=0".to_owned(),
    ] {
        rig.vault.change(|world| world.leads_to = Some(link.clone()));
        let scan = store.scan().await.unwrap();
        assert_eq!((scan.gaps.len(), scan.items[0].name.as_str()), (1, "db"), "{link}");
    }
    assert!(elsewhere.receiver.calls().is_empty());
}
