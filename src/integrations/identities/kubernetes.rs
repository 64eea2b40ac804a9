//! A service account of a Kubernetes cluster. The token is shown to the cluster (TokenReview), or its signature is checked
//! with the cluster's public keys.

use serde::{Deserialize, Serialize};

use super::fields::{AUDIENCE, JWKS, issuer, required};
use crate::form::{Control, Errors, Field, Values};

/// Most service accounts of one login.
const MOST: usize = 50;

/// The field of the kubeconfig. Its value is not a setting: it is stored as a usage of the credential.
pub const CREDENTIAL: &str = "credential";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kubernetes {
    /// Asked for in a TokenReview, and required of the token.
    pub audience: String,
    /// `None`: by TokenReview, with the credential of the login.
    pub keys: Option<Keys>,
    /// At least one.
    pub accounts: Vec<ServiceAccount>,
}

/// A cluster's public keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// As the token's `iss` names it.
    pub issuer: String,
    /// The JWKS as JSON.
    pub jwks: String,
}

/// Together, so that an account of one namespace does not come in with the name of one in another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAccount {
    pub namespace: String,
    /// `*`: any of the namespace.
    pub name: String,
}

impl ServiceAccount {
    pub fn matches(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && (self.name == "*" || self.name == name)
    }
}

pub const FIELDS: [Field; 6] = [
    Field::choice("verify", "Verified by", &[("review", "The cluster (TokenReview)"), ("jwks", "Public keys (JWKS)")])
        .help("The cluster also refuses tokens of deleted pods. Public keys need no connection to it."),
    Field::pick(CREDENTIAL, "Kubeconfig")
        .when("verify", &["review"])
        .help("Its user needs the ClusterRole system:auth-delegator, and nothing else."),
    Field::text("issuer", "Issuer")
        .when("verify", &["jwks"])
        .placeholder("https://kubernetes.default.svc.cluster.local")
        .check(issuer)
        .help("Exactly as the tokens name it: kubectl get --raw /.well-known/openid-configuration"),
    Field { help: "Paste the output of kubectl get --raw /openid/v1/jwks.", ..JWKS }.when("verify", &["jwks"]),
    AUDIENCE,
    Field { control: Control::Document, ..Field::text("accounts", "Service accounts") }
        .max(16_384)
        .placeholder("billing/api")
        .check(accounts)
        .help("One namespace/name a line. namespace/* stands for all of a namespace."),
];

impl Kubernetes {
    /// Of checked values.
    pub fn read(values: &Values) -> Result<Self, Errors> {
        let keys = match values.get("verify") {
            "jwks" => Some(Keys { issuer: required(values, "issuer")?, jwks: required(values, "jwks")? }),
            _ => None,
        };
        let accounts = parse(&required(values, "accounts")?).map_err(|error| Errors::one("accounts", error))?;
        Ok(Self { audience: required(values, "audience")?, keys, accounts })
    }

    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let accounts: Vec<String> = self.accounts.iter().map(|one| format!("{}/{}", one.namespace, one.name)).collect();
        let mut lines = vec![("Service accounts", accounts.join(", "))];
        match &self.keys {
            Some(keys) => lines.push(("Issuer", keys.issuer.clone())),
            None => lines.push(("Verified by", "TokenReview".to_owned())),
        }
        lines.push(("Audience", self.audience.clone()));
        lines
    }
}

fn accounts(text: &str) -> Result<String, String> {
    let accounts = parse(text)?;
    let lines: Vec<String> = accounts.iter().map(|one| format!("{}/{}", one.namespace, one.name)).collect();
    Ok(lines.join("\n"))
}

fn parse(text: &str) -> Result<Vec<ServiceAccount>, String> {
    let lines = text.split(['\n', ',']).map(str::trim).filter(|line| !line.is_empty());
    let account = |line: &str| {
        let (namespace, name) = line.split_once('/').ok_or("Write each as namespace/name.")?;
        let (namespace, name) = (namespace.trim(), name.trim());
        if namespace == "*" {
            return Err("Name the namespace: * is only allowed for the name.");
        }
        if !is_name(namespace, 63) || !(name == "*" || is_name(name, 253)) {
            return Err("Names have small letters, digits, dots and hyphens.");
        }
        Ok(ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
    };
    let accounts: Vec<ServiceAccount> = lines.map(account).collect::<Result<_, _>>().map_err(str::to_owned)?;
    match accounts.len() {
        0 => Err("Enter at least one.".to_owned()),
        count if count > MOST => Err(format!("At most {MOST} service accounts fit here.")),
        _ => Ok(accounts),
    }
}

/// A name of an object, as Kubernetes allows it (RFC 1123).
fn is_name(name: &str, longest: usize) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    name.len() <= longest && ends(name.chars().next()) && ends(name.chars().last()) && name.chars().all(inner)
}
