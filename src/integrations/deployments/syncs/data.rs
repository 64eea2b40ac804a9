//! The data of a Secret: the values of its source under the names that its type asks for. Beside `super::super::secrets`,
//! no other file puts values into an object.
//! <https://kubernetes.io/docs/concepts/configuration/secret/#secret-types>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::item::{BASIC, DOCKER, Item, OPAQUE, TLS};
use crate::credentials::{Kind, certificate, payload};
use crate::form::Values;
use crate::integrations::context::Secret;
use crate::integrations::deployments::secrets::Pull;

const CRT: &str = "tls.crt";
const KEY: &str = "tls.key";
const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const DOCKER_CONFIG: &str = ".dockerconfigjson";

/// The kinds of credentials that are a registry login by themselves.
const LOGINS: [&str; 6] = ["basic", "gitlab_token", "github_token", "gcp", "azure", "ibm_cloud"];

/// The values of a source by key; wiped when dropped.
pub(super) struct Fields(Vec<(String, Zeroizing<String>)>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn one(name: &str, value: Zeroizing<String>) -> Self {
        Self(vec![(name.to_owned(), value)])
    }

    /// The values that are not blank.
    pub fn of(values: &Values) -> Self {
        let filled = values.names().filter(|name| !values.get(name).is_empty());
        Self(filled.map(|name| (name.to_owned(), Zeroizing::new(values.get(name).to_owned()))).collect())
    }

    /// The chosen keys under their new names; all where none is chosen.
    fn renamed(self, item: &Item) -> Result<Self, String> {
        if item.keys.is_empty() {
            return Ok(self);
        }
        let chosen = item.keys.iter().map(|(key, name)| match self.get(key) {
            Some(value) => Ok((name.clone(), Zeroizing::new(value.to_owned()))),
            None => Err(format!("its source has no value {key}.")),
        });
        chosen.collect::<Result<_, String>>().map(Self)
    }

    /// Only these names, all of which must be there.
    fn only(self, names: &[&str], item: &Item) -> Result<Self, String> {
        if let Some(missing) = names.iter().find(|name| self.get(name).is_none()) {
            return Err(format!("its source has no value {missing}, which a Secret of type {} needs.", item.kind));
        }
        Ok(Self(self.0.into_iter().filter(|(key, _)| names.contains(&key.as_str())).collect()))
    }

    /// As the API takes it. The error completes a sentence.
    fn encoded(self) -> Result<Map<String, Value>, String> {
        if self.0.is_empty() {
            return Err("its source has no values.".to_owned());
        }
        if let Some((bad, _)) = self.0.iter().find(|(key, _)| !is_data_key(key)) {
            let bad: String = bad.chars().filter(|c| !c.is_control()).take(100).collect();
            return Err(format!("{bad} can't be a key of a Secret. Give it another name under Keys."));
        }
        Ok(self.0.into_iter().map(|(key, value)| (key, json!(STANDARD.encode(value.as_bytes())))).collect())
    }
}

/// What Kubernetes accepts as a key of a Secret.
pub(super) fn is_data_key(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    (1..=253).contains(&name.len()) && name.bytes().all(good) && name != "." && !name.starts_with("..")
}

/// Whether a credential of the kind is a source for the item, so far as its kind tells; the error is a sentence.
pub(super) fn fits(item: &Item, kind: &Kind) -> Result<(), String> {
    let has = |name: &str| item.keys.iter().any(|(_, data)| data == name);
    let said = match item.kind.as_str() {
        OPAQUE => return Ok(()),
        TLS if !item.keys.is_empty() => (has(CRT) && has(KEY), "Name one of the keys tls.crt and one tls.key."),
        TLS => (kind.slug == "certificate", "Choose a credential of type Certificate, or name the keys."),
        BASIC if !item.keys.is_empty() => {
            (has(USERNAME) && has(PASSWORD), "Name one of the keys username and one password.")
        }
        BASIC => (kind.slug == "basic", "Choose a credential with a user name and password, or name the keys."),
        DOCKER if !item.keys.is_empty() => (
            has(DOCKER_CONFIG) || (has(USERNAME) && has(PASSWORD)),
            "Name the keys username and password, or one of them .dockerconfigjson.",
        ),
        DOCKER => (
            LOGINS.contains(&kind.slug),
            "This credential is no login for a registry. Choose another, or name the keys.",
        ),
        _ => (false, "Choose one from the list."),
    };
    if said.0 { Ok(()) } else { Err(said.1.to_owned()) }
}

/// The data from a credential. The error completes the sentence that begins with the Secret.
pub(super) fn of_credential(item: &Item, secret: Secret<'_>) -> Result<Map<String, Value>, String> {
    if item.keys.is_empty() {
        match item.kind.as_str() {
            TLS => {
                let unfit = || "the credential has no certificate and private key.".to_owned();
                let payload: certificate::Payload =
                    (secret.kind.slug == "certificate").then(|| payload(secret.values)).flatten().ok_or_else(unfit)?;
                let chain = Zeroizing::new(payload.certificate.chain_pem());
                let pair = vec![(CRT.to_owned(), chain), (KEY.to_owned(), payload.certificate.key_pem())];
                return Fields(pair).encoded();
            }
            DOCKER => {
                let pull = Pull::of(secret).map_err(|_| "the credential is no login for a registry.".to_owned())?;
                return Fields::one(DOCKER_CONFIG, pull.to_config_of(&item.registry)).encoded();
            }
            _ => {}
        }
    }
    of_fields(item, Fields::of(secret.values))
}

/// The data from values by key.
pub(super) fn of_fields(item: &Item, fields: Fields) -> Result<Map<String, Value>, String> {
    let fields = fields.renamed(item)?;
    let fields = match item.kind.as_str() {
        TLS => fields.only(&[CRT, KEY], item)?,
        BASIC => fields.only(&[USERNAME, PASSWORD], item)?,
        DOCKER if fields.get(DOCKER_CONFIG).is_some() => fields.only(&[DOCKER_CONFIG], item)?,
        DOCKER => {
            let login = fields.only(&[USERNAME, PASSWORD], item)?;
            let value = |name| login.get(name).unwrap_or_default().to_owned();
            let pull = Pull { username: value(USERNAME), password: Zeroizing::new(value(PASSWORD)) };
            Fields::one(DOCKER_CONFIG, pull.to_config_of(&item.registry))
        }
        _ => fields,
    };
    fields.encoded()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials;

    fn item(kind: &str, keys: &[(&str, &str)]) -> Item {
        let keys = keys.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect();
        Item { kind: kind.to_owned(), registry: "r.example".to_owned(), keys, ..Item::default() }
    }

    fn of_basic(item: &Item) -> Result<Map<String, Value>, String> {
        let values = Values::from_iter([("username", "u"), ("password", "p"), ("note", "")]);
        of_credential(item, Secret { kind: credentials::find("basic").unwrap(), values: &values, stored: None })
    }

    fn decoded(data: &Map<String, Value>, key: &str) -> String {
        String::from_utf8(STANDARD.decode(data[key].as_str().unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn values_keep_their_names_or_get_the_chosen_ones() {
        let all = of_basic(&item(OPAQUE, &[])).unwrap();
        assert_eq!(all.keys().collect::<Vec<_>>(), ["password", "username"]);
        let one = of_basic(&item(OPAQUE, &[("password", "DB_PASSWORD")])).unwrap();
        assert_eq!((one.len(), decoded(&one, "DB_PASSWORD").as_str()), (1, "p"));
        assert!(of_basic(&item(OPAQUE, &[("token", "T")])).unwrap_err().contains("no value token"));
    }

    #[test]
    fn a_registry_login_is_a_docker_config_for_its_registry_alone() {
        let data = of_basic(&item(DOCKER, &[])).unwrap();
        let config: Value = serde_json::from_str(&decoded(&data, DOCKER_CONFIG)).unwrap();
        let login = &config["auths"]["r.example"];
        assert_eq!((login["username"].as_str(), login["auth"].as_str()), (Some("u"), Some("dTpw")));
        assert_eq!(data.len(), 1);
    }

    #[test]
    fn a_source_that_does_not_fit_the_type_is_said_so() {
        assert!(of_basic(&item(TLS, &[])).unwrap_err().contains("no certificate"));
        assert!(of_basic(&item(TLS, &[("username", CRT)])).unwrap_err().contains(KEY));
        assert_eq!(of_basic(&item(BASIC, &[])).unwrap().len(), 2);
        let (basic, aws) = (credentials::find("basic").unwrap(), credentials::find("aws").unwrap());
        assert!(fits(&item(BASIC, &[]), basic).is_ok() && fits(&item(BASIC, &[]), aws).is_err());
        assert!(fits(&item(DOCKER, &[]), aws).is_err() && fits(&item(TLS, &[]), basic).is_err());
        assert!(fits(&item(OPAQUE, &[]), aws).is_ok());
    }
}
