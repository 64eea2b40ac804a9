//! Google's IAM: the service accounts of a project, and the keys of each that people made or uploaded. Keys that Google
//! keeps and rotates itself are not among them. <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts>,
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys/list>

use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;

use super::line::{Line, Listed, Page, or_default};
use super::workload::moment;
use super::{Api, Right};
use crate::providers::oci_registry::{Lenient, Pages};
use crate::providers::{ProviderError, clock};

pub static API: Api = Api { name: "Identity and Access Management API", host: "iam.googleapis.com" };
const VIEWER: &str = "View Service Accounts (roles/iam.serviceAccountViewer)";
pub static LISTS_ACCOUNTS: Right = Right { api: &API, permission: "iam.serviceAccounts.list", role: VIEWER };
pub static LISTS_KEYS: Right = Right { api: &API, permission: "iam.serviceAccountKeys.list", role: VIEWER };

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub email: String,
    /// None of its keys opens anything.
    pub disabled: bool,
}

/// A key of a service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: String,
    pub made: Option<DateTime<Utc>>,
    /// `None`: never.
    pub expires: Option<DateTime<Utc>>,
    pub disabled: bool,
}

impl Key {
    pub fn has_ended(&self) -> bool {
        self.expires.is_some_and(|at| at <= clock::now())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accounts {
    #[serde(default, deserialize_with = "or_default")]
    accounts: Vec<Lenient<ListedAccount>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct ListedAccount {
    email: String,
    #[serde(default, deserialize_with = "or_default")]
    disabled: bool,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default, deserialize_with = "or_default")]
    keys: Vec<Lenient<ListedKey>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedKey {
    /// `projects/p/serviceAccounts/<e-mail>/keys/<id>`
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    valid_after_time: String,
    #[serde(default, deserialize_with = "or_default")]
    valid_before_time: String,
    #[serde(default, deserialize_with = "or_default")]
    key_type: String,
    #[serde(default, deserialize_with = "or_default")]
    disabled: bool,
}

impl Page for Accounts {
    type Entry = ListedAccount;

    fn parts(self) -> (Vec<Lenient<ListedAccount>>, Option<String>, Vec<String>) {
        (self.accounts, self.next_page_token, Vec::new())
    }
}

impl Page for Keys {
    type Entry = ListedKey;

    fn parts(self) -> (Vec<Lenient<ListedKey>>, Option<String>, Vec<String>) {
        (self.keys, None, Vec::new())
    }
}

impl ListedKey {
    /// `None` where it has a name that no key has.
    fn read(self) -> Option<Key> {
        let id = self.name.rsplit_once("/keys/")?.1;
        let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
        is_id.then(|| Key {
            id: id.to_owned(),
            made: moment(&self.valid_after_time),
            // Google has a last day for keys without one: 9999-12-31.
            expires: moment(&self.valid_before_time).filter(|at| at.year() < 9999),
            disabled: self.disabled,
        })
    }
}

fn is_email(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "@.-_:".contains(c);
    (3..=320).contains(&text.len()) && text.chars().all(good) && text.matches('@').count() == 1
}

/// The service accounts of a project.
pub async fn accounts(line: &Line<'_>, project: &str, pages: Pages) -> Result<Listed<Account>, ProviderError> {
    let path = format!("v1/projects/{project}/serviceAccounts?pageSize=100");
    let listed = line.list::<Accounts>(&LISTS_ACCOUNTS, &path, pages).await?;
    Ok(listed.checked(|account| {
        is_email(&account.email).then_some(Account { email: account.email, disabled: account.disabled })
    }))
}

/// The keys of a service account, which come on one page.
pub async fn keys(line: &Line<'_>, project: &str, email: &str) -> Result<Listed<Key>, ProviderError> {
    let path = format!("v1/projects/{project}/serviceAccounts/{email}/keys?keyTypes=USER_MANAGED");
    let mut listed = line.list::<Keys>(&LISTS_KEYS, &path, Pages::All).await?;
    listed.entries.retain(|key| matches!(key.key_type.as_str(), "" | "USER_MANAGED"));
    Ok(listed.checked(ListedKey::read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(changes: &Value) -> Option<Key> {
        let mut key = json!({"name": "projects/p/serviceAccounts/a@p.iam.gserviceaccount.com/keys/0a1b",
            "validAfterTime": "2024-05-01T10:00:00Z", "validBeforeTime": "9999-12-31T23:59:59Z",
            "keyAlgorithm": "KEY_ALG_RSA_2048", "keyOrigin": "GOOGLE_PROVIDED", "keyType": "USER_MANAGED"});
        for (name, value) in changes.as_object().unwrap() {
            key[name] = value.clone();
        }
        serde_json::from_value::<ListedKey>(key).unwrap().read()
    }

    #[test]
    fn the_last_day_of_all_is_no_end() {
        let key = read(&json!({})).unwrap();
        assert_eq!((key.id.as_str(), key.expires, key.disabled), ("0a1b", None, false));
        assert_eq!(key.made.map(|at| at.timestamp()), Some(1_714_557_600));
        let ends = read(&json!({"validBeforeTime": "2026-05-01T10:00:00Z", "disabled": true})).unwrap();
        assert!(ends.expires.is_some() && ends.disabled);
        assert_eq!(read(&json!({"name": "projects/p/serviceAccounts/a/keys/<b>"})), None);
        assert!(is_email("a@p.example.com.iam.gserviceaccount.com") && !is_email("a/../b@c") && !is_email("a"));
    }
}
