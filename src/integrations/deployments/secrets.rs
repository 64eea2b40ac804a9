//! The contents of a deployment's two Secrets. No other file of this module puts secret values into an object.
//! <https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde_json::json;
use zeroize::Zeroizing;

use super::image::Image;
use crate::credentials::{azure, certificate, gcp, payload};
use crate::integrations::context::Secret;

/// The user name and password for a registry.
pub(super) struct Pull {
    pub username: String,
    pub password: Zeroizing<String>,
}

/// With a token, the registry accepts any user name.
const ANYBODY: &str = "strongroom";

const UNREADABLE: &str = "The pull secret cannot be used here. Edit the credential, or choose another one.";

impl Pull {
    /// The registry login of a credential; the error is a sentence.
    pub fn of(secret: Secret<'_>) -> Result<Self, &'static str> {
        let value = |name: &str| Zeroizing::new(secret.values.get(name).to_owned());
        let with = |username: &str, password| Self { username: username.to_owned(), password };
        match secret.kind.slug {
            "basic" => Ok(with(secret.values.get("username"), value("password"))),
            "gitlab_token" | "github_token" => Ok(with(ANYBODY, value("token"))),
            "ibm_cloud" => Ok(with("iamapikey", value("api_key"))),
            "gcp" => {
                let payload: gcp::Payload = payload(secret.values).ok_or(UNREADABLE)?;
                Ok(with("_json_key", Zeroizing::new(payload.service_account.to_json())))
            }
            "azure" => match payload::<azure::Payload>(secret.values).ok_or(UNREADABLE)? {
                azure::Payload::ServiceKey(key) => {
                    Ok(with(&key.client_id, Zeroizing::new(key.client_secret.expose_secret().to_owned())))
                }
                _ => {
                    Err("As a pull secret, an Azure credential needs a Service Key: a registry accepts no certificate \
                          and no managed identity.")
                }
            },
            _ => Err(UNREADABLE),
        }
    }

    /// `.dockerconfigjson`
    pub fn to_docker_config(&self, image: &Image) -> Zeroizing<String> {
        self.to_config_of(image.login_host())
    }

    /// The same for the host of a registry.
    pub fn to_config_of(&self, host: &str) -> Zeroizing<String> {
        let pair = Zeroizing::new(format!("{}:{}", self.username, self.password.as_str()));
        let login = json!({
            "username": self.username,
            "password": self.password.as_str(),
            "auth": STANDARD.encode(pair.as_bytes()),
        });
        Zeroizing::new(json!({ "auths": { host: login } }).to_string())
    }
}

/// A key of the agent's Secret: its name as a file, and as a variable.
pub(super) struct AgentKey {
    pub key: &'static str,
    pub variable: &'static str,
    pub value: Zeroizing<String>,
}

/// The keys for a credential; empty if its values cannot be used.
pub(super) fn agent(secret: Secret<'_>) -> Vec<AgentKey> {
    let key = |key, variable, value| AgentKey { key, variable, value };
    let value = |name: &str| Zeroizing::new(secret.values.get(name).to_owned());
    match secret.kind.slug {
        "api_token" => vec![key("token", "TOKEN", value("token"))],
        "basic" => vec![key("username", "USERNAME", value("username")), key("password", "PASSWORD", value("password"))],
        "certificate" => match payload::<certificate::Payload>(secret.values) {
            Some(payload) => vec![
                key("tls.crt", "TLS_CRT", Zeroizing::new(payload.certificate.chain_pem())),
                key("tls.key", "TLS_KEY", payload.certificate.key_pem()),
            ],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// The credential's ID and the version of its secret. Changes whenever the values do, and reveals nothing about them.
pub(super) fn version(secret: Secret<'_>) -> String {
    match secret.stored {
        Some(stored) => format!("{}.{}", stored.credential, stored.secret_version),
        None => "unsaved".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials;
    use crate::form::Values;

    fn pull(kind: &str, values: &[(&str, &str)]) -> Option<(String, String)> {
        let values: Values = values.iter().copied().collect();
        let secret = Secret { kind: credentials::find(kind).unwrap(), values: &values, stored: None };
        Pull::of(secret).ok().map(|pull| (pull.username.clone(), pull.password.to_string()))
    }

    #[test]
    fn each_kind_of_credential_becomes_the_login_that_its_registry_takes() {
        let both = |username: &str, password: &str| Some((username.to_owned(), password.to_owned()));
        assert_eq!(pull("basic", &[("username", "u"), ("password", "p")]), both("u", "p"));
        assert_eq!(pull("gitlab_token", &[("token", "t")]), both(ANYBODY, "t"));
        assert_eq!(pull("ibm_cloud", &[("api_key", "k")]), both("iamapikey", "k"));
        assert_eq!(pull("gcp", &[("service_account", "{}")]), None);
        assert_eq!(pull("aws", &[]), None, "logins of Amazon ECR end after 12 hours");
    }

    #[test]
    fn a_docker_configuration_names_the_host_of_the_image() {
        let pull = Pull { username: "u".to_owned(), password: Zeroizing::new("p\"q".to_owned()) };
        let config = |image: &str| {
            let text = pull.to_docker_config(&Image::parse(image).unwrap());
            serde_json::from_str::<serde_json::Value>(&text).unwrap()
        };
        let own = config("r.example:5000/team/agent:1");
        let login = json!({ "username": "u", "password": "p\"q", "auth": STANDARD.encode("u:p\"q") });
        assert_eq!(own, json!({ "auths": { "r.example:5000": login } }));
        assert!(config("acme/agent")["auths"].get("https://index.docker.io/v1/").is_some());
    }
}
