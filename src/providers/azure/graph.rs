//! Microsoft Graph: the applications of a tenant with their secrets and certificates, and the service principals that
//! have some of their own. What an identity of a machine signs in with is Azure's own business, and left out. When a
//! secret was last used, v1.0 does not tell. Of a secret Graph gives its first characters: nothing asks for them.
//! <https://learn.microsoft.com/en-us/graph/api/application-list>,
//! <https://learn.microsoft.com/en-us/graph/api/serviceprincipal-list>

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;

use super::Resource;
use super::line::{Api, Line, Right, or_default};
use super::management::{moment, shown};
use crate::credentials::checks;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Lenient, Pages};
use crate::providers::{ProviderError, clock};

pub static API: Api = Api { name: "Microsoft Graph", service: Service::AzureGraph, resource: Resource::Graph };
pub static READS: Right = Right {
    api: &API,
    name: "Application.Read.All",
    remedy: "Have an administrator of the tenant grant this application permission with consent: the credential's page has \
             the exact commands.",
};

/// Where applications, and where service principals are listed.
const APPLICATIONS: &str = "v1.0/applications?$select=id,appId,displayName,passwordCredentials,keyCredentials&$top=500";
const PRINCIPALS: &str = "v1.0/servicePrincipals?$select=id,appId,displayName,servicePrincipalType,passwordCredentials,\
                          keyCredentials&$top=500";
/// From this year on an end means none: portals wrote 2299 for it.
const NEVER: i32 = 2200;

/// A secret or a certificate that an application signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// GUID.
    pub id: String,
    pub kind: Kind,
    /// As people named it; may be blank.
    pub label: String,
    pub made: Option<DateTime<Utc>>,
    /// `None`: never.
    pub expires: Option<DateTime<Utc>>,
    /// It has not ended yet.
    pub is_valid: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Secret,
    /// With its SHA-1 thumbprint in capital hex digits, where Graph tells it.
    Certificate(Option<String>),
}

/// Whose keys they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// GUID, the client ID.
    pub id: String,
    pub name: String,
    pub keys: Vec<Key>,
}

/// Applications with keys, as far as they could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apps {
    pub found: Vec<App>,
    /// So many were listed, with keys or without.
    pub seen: usize,
    /// Why there are no more, if there should be.
    pub rest: Option<ProviderError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    app_id: String,
    #[serde(default, deserialize_with = "or_default")]
    display_name: String,
    #[serde(default, deserialize_with = "or_default")]
    service_principal_type: String,
    #[serde(default, deserialize_with = "or_default")]
    password_credentials: Vec<Lenient<WrittenKey>>,
    #[serde(default, deserialize_with = "or_default")]
    key_credentials: Vec<Lenient<WrittenKey>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenKey {
    key_id: String,
    #[serde(default, deserialize_with = "or_default")]
    display_name: String,
    /// `Verify`: it proves who signs in; `Sign`: with it tokens are signed for others.
    #[serde(default, deserialize_with = "or_default")]
    usage: String,
    #[serde(default, deserialize_with = "or_default")]
    custom_key_identifier: String,
    #[serde(default, deserialize_with = "or_default")]
    start_date_time: String,
    #[serde(default, deserialize_with = "or_default")]
    end_date_time: String,
}

/// The applications that are registered in the tenant.
pub async fn applications(line: &Line<'_>, pages: Pages) -> Result<Apps, ProviderError> {
    Ok(Apps::read(line.list(&READS, APPLICATIONS, pages).await?))
}

/// The service principals in the tenant, which may have keys beside those of their applications.
pub async fn service_principals(line: &Line<'_>, pages: Pages) -> Result<Apps, ProviderError> {
    Ok(Apps::read(line.list(&READS, PRINCIPALS, pages).await?))
}

impl Apps {
    fn read((entries, rest): (Vec<Written>, Option<ProviderError>)) -> Self {
        let mut apps = Self { seen: entries.len(), rest, ..Self::default() };
        for entry in entries.into_iter().filter(|entry| entry.service_principal_type != "ManagedIdentity") {
            let (keys, is_whole) = entry.keys();
            if !is_whole || !checks::is_guid(&entry.app_id) {
                apps.rest.get_or_insert(ProviderError::BadAnswer);
            }
            if checks::is_guid(&entry.app_id) && !keys.is_empty() {
                let name = shown(&entry.display_name, 256);
                apps.found.push(App { id: entry.app_id.to_ascii_lowercase(), name, keys });
            }
        }
        apps
    }
}

impl Written {
    /// The keys, each once, and whether all of them could be read.
    fn keys(&self) -> (Vec<Key>, bool) {
        let mut written = self.password_credentials.iter().chain(&self.key_credentials);
        let is_whole = written.all(|key| readable(key).is_some());
        // What signs tokens for others has a password of the same ID.
        let all = || self.key_credentials.iter().filter_map(readable);
        let signing: HashSet<&str> = all().filter(|key| key.usage == "Sign").map(|key| key.key_id.as_str()).collect();
        let secrets = self.password_credentials.iter().filter_map(readable);
        let secrets = secrets.filter(|key| !signing.contains(key.key_id.as_str())).map(|key| key.key(Kind::Secret));
        let certificates = all().filter(|key| key.usage != "Sign");
        let certificates = certificates.map(|key| key.key(Kind::Certificate(thumbprint(&key.custom_key_identifier))));
        let mut seen = HashSet::new();
        (secrets.chain(certificates).filter(|key| seen.insert(key.id.clone())).collect(), is_whole)
    }
}

fn readable(key: &Lenient<WrittenKey>) -> Option<&WrittenKey> {
    match key {
        Lenient::Read(key) if checks::is_guid(&key.key_id) => Some(key),
        Lenient::Read(_) | Lenient::Odd(_) => None,
    }
}

impl WrittenKey {
    fn key(&self, kind: Kind) -> Key {
        let ends = moment(&self.end_date_time);
        Key {
            id: self.key_id.to_ascii_lowercase(),
            kind,
            label: shown(&self.display_name, 128),
            made: moment(&self.start_date_time),
            expires: ends.filter(|at| at.year() < NEVER),
            is_valid: ends.is_none_or(|at| at > clock::now()),
        }
    }
}

/// Of a certificate, in whichever way Graph writes it: in hex digits, or in base64.
fn thumbprint(text: &str) -> Option<String> {
    if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(text.to_ascii_uppercase());
    }
    STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 20).map(hex::encode_upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const APP: &str = "D189C61B-6c27-41d3-9749-ca5c9cc4a622";
    const A: &str = "aaaaaaaa-6c27-41d3-9749-ca5c9cc4a622";
    const B: &str = "bbbbbbbb-6c27-41d3-9749-ca5c9cc4a622";
    const PRINT: &str = "52ED9B5038A47B9E2E2190715CC238359D4F8F73";

    fn read(entry: Value) -> Apps {
        let (entries, rest) = (vec![serde_json::from_value(entry).unwrap()], None);
        Apps::read((entries, rest))
    }

    fn key(id: &str, end: &str) -> Value {
        json!({"keyId": id, "displayName": "ci", "startDateTime": "2024-01-01T00:00:00Z", "endDateTime": end,
            "hint": "hnt", "secretText": null})
    }

    #[test]
    fn keys_are_read_with_their_ends_and_without_what_begins_them() {
        let mut certificate = key(B, "2299-12-31T00:00:00Z");
        certificate["customKeyIdentifier"] = json!(PRINT.to_lowercase());
        certificate["usage"] = json!("Verify");
        let apps = read(json!({"appId": APP, "displayName": "Deploy", "keyCredentials": [certificate],
            "passwordCredentials": [key(A, "2025-01-01T00:00:00Z")]}));
        let [app] = &apps.found[..] else { panic!("{apps:?}") };
        assert_eq!((app.id.as_str(), app.name.as_str()), (APP.to_lowercase().as_str(), "Deploy"));
        let [secret, certificate] = &app.keys[..] else { panic!("{app:?}") };
        assert!(!secret.is_valid && secret.kind == Kind::Secret && secret.made.is_some() && secret.expires.is_some());
        assert!(certificate.is_valid && certificate.expires.is_none(), "the year 2299 is never");
        assert_eq!(certificate.kind, Kind::Certificate(Some(PRINT.to_owned())));
        assert!(!format!("{apps:?}").contains("hnt"));
    }

    #[test]
    fn a_thumbprint_is_hex_or_base64_and_nothing_else() {
        let base64 = STANDARD.encode(hex::decode(PRINT).unwrap());
        assert_eq!(thumbprint(&base64).as_deref(), Some(PRINT));
        assert_eq!((thumbprint(""), thumbprint("Y2ktY2VydA=="), thumbprint("<b>")), (None, None, None));
    }

    #[test]
    fn what_signs_tokens_for_others_and_identities_of_machines_are_left_out() {
        let mut sign = key(A, "2029-01-01T00:00:00Z");
        sign["usage"] = json!("Sign");
        let single = json!({"appId": APP, "keyCredentials": [sign.clone()], "passwordCredentials": [sign]});
        assert_eq!((read(single.clone()).found.len(), read(single).rest), (0, None));
        let machine = json!({"appId": APP, "servicePrincipalType": "ManagedIdentity",
            "keyCredentials": [key(A, "2029-01-01T00:00:00Z")]});
        assert!(read(machine).found.is_empty());
    }

    #[test]
    fn a_key_that_cannot_be_one_costs_itself_alone() {
        let keys = json!([7, {"keyId": "<b>"}, key(A, "soon"), key(A, "soon")]);
        let apps = read(json!({"appId": APP, "displayName": 5, "passwordCredentials": keys, "keyCredentials": null}));
        assert_eq!((apps.found[0].keys.len(), apps.rest), (1, Some(ProviderError::BadAnswer)));
        assert_eq!(apps.found[0].keys[0].expires, None);
        assert!(apps.found[0].keys[0].is_valid, "an end that cannot be read is no end");
        let odd = read(json!({"appId": "x", "passwordCredentials": []}));
        assert_eq!((odd.found.len(), odd.rest), (0, Some(ProviderError::BadAnswer)));
    }
}
