//! Google Cloud: a service account's JSON key, and rarely an API key beside it. Of the document only five members are
//! kept; every address in it is ignored, tokens always come from Google's own endpoint.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::document::{self, Node};
use super::{Facts, Guide, Kind, checks, pem};
use crate::form::{Errors, Field, Values};
use crate::pasted::Wanted;

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    pub service_account: ServiceAccount,
    pub api_token: Option<SecretString>,
    pub level: Level,
}

/// How far a scan looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Project,
    Organization,
}

/// A service account's key.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceAccount {
    pub project_id: String,
    pub private_key_id: String,
    /// PEM of an RSA key of at least 2048 bits.
    pub private_key: SecretString,
    pub client_email: String,
    pub client_id: Option<String>,
}

impl ServiceAccount {
    pub fn parse(text: &str) -> Result<Self, String> {
        let node = document::json(text).map_err(|fault| fault.to_string())?;
        match text_of(&node, "type")? {
            "service_account" => {}
            "external_account" | "external_account_authorized_user" | "impersonated_service_account" => {
                return Err("This is a federation configuration and holds no key: paste the JSON key of a service \
                            account (\"type\": \"service_account\")."
                    .to_owned());
            }
            "authorized_user" => {
                return Err(
                    "These are a person's own credentials: paste the JSON key of a service account (\"type\": \
                            \"service_account\")."
                        .to_owned(),
                );
            }
            _ => return Err("The member type must be service_account: paste a service account's JSON key.".to_owned()),
        }
        if node.get("universe_domain").is_some_and(|universe| universe.text() != Some("googleapis.com")) {
            return Err("The member universe_domain must be googleapis.com: other universes are not supported.".into());
        }
        let client_id = node.get("client_id").is_some().then(|| word(&node, "client_id", "", 64)).transpose()?;
        let key = pem::RsaKey::parse(text_of(&node, "private_key")?)
            .map_err(|cause| format!("The member private_key: {cause}"))?;
        Ok(Self {
            project_id: project(&node)?,
            private_key_id: word(&node, "private_key_id", "-_", 128)?,
            private_key: SecretString::from(key.to_pem()),
            client_email: word(&node, "client_email", "@.-_", 255)?,
            client_id,
        })
    }

    /// The canonical document: it parses to the same key again.
    pub fn to_json(&self) -> String {
        let mut document = json!({
            "type": "service_account",
            "project_id": self.project_id,
            "private_key_id": self.private_key_id,
            "private_key": self.private_key.expose_secret(),
            "client_email": self.client_email,
        });
        if let Some(client_id) = &self.client_id {
            document["client_id"] = json!(client_id);
        }
        document.to_string()
    }
}

impl TryFrom<String> for ServiceAccount {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&Zeroizing::new(text))
    }
}

fn text_of<'n>(node: &'n Node, name: &'static str) -> Result<&'n str, String> {
    match node.get(name) {
        None => Err(format!("The service account key has no member {name}. Paste the whole downloaded file.")),
        Some(member) => member.text().ok_or_else(|| format!("The member {name} must be text in quotes.")),
    }
}

/// The project. Files of before 2016 do not name it, and the account's address does.
fn project(node: &Node) -> Result<String, String> {
    if node.get("project_id").is_some() {
        return word(node, "project_id", ".:-", 128);
    }
    let email = word(node, "client_email", "@.-_", 255)?;
    let of_project = email.split_once('@').and_then(|(_, host)| host.strip_suffix(".iam.gserviceaccount.com"));
    let of_app = email.strip_suffix("@appspot.gserviceaccount.com");
    of_project.or(of_app).filter(|project| !project.is_empty()).map(str::to_owned).ok_or_else(|| {
        "The service account key has no member project_id: it is an old one. Create a new key and paste that."
            .to_owned()
    })
}

/// ASCII letters, digits and a few more characters, `max` at most.
fn word(node: &Node, name: &'static str, more: &str, max: usize) -> Result<String, String> {
    let text = text_of(node, name)?;
    let known = text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    if known && (1..=max).contains(&text.len()) && (!more.contains('@') || text.matches('@').count() == 1) {
        Ok(text.to_owned())
    } else {
        Err(format!("The member {name} is not what Google writes there. Paste the whole downloaded file."))
    }
}

pub static KIND: Kind = Kind {
    slug: "gcp",
    label: "Google Cloud",
    summary: "A service account's key: Artifact Registry, Pub/Sub, mail by Google Workspace.",
    fields: &[
        Field::secret_document("service_account", "Service account")
            .wants(Wanted::ServiceAccount)
            .help("The whole JSON key file that Google Cloud let you download.")
            .max(32_768)
            .check(|value| ServiceAccount::parse(value).map(|account| account.to_json())),
        Field::secret("api_token", "API token")
            .optional()
            .help("Leave blank unless a guide tells you to fill it in.")
            .max(2048)
            .check(checks::token),
        Field::choice("level", "Level", &[("project", "Project"), ("organization", "Organization")])
            .help("Organization makes registry scans look at every project that the service account may see."),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "In IAM & Admin > Service Accounts create a service account for Strongroom.",
            "Give it the roles of its use, on the project, or on the organization for the level Organization (below).",
            "On its Keys tab choose Add key > Create new key > JSON, and paste the whole downloaded file here.",
            "Delete the downloaded file.",
        ],
        snippets: &[
            (
                "Create the account and its key",
                "gcloud iam service-accounts create strongroom --project PROJECT\n\
                 gcloud iam service-accounts keys create key.json \\\n  \
                 --iam-account strongroom@PROJECT.iam.gserviceaccount.com",
            ),
            ("Least role for registry scans of a project", READER_ROLE),
            ("Least roles for registry scans at the level Organization", ORGANIZATION_ROLES),
            ("Alerts through Pub/Sub", PUBLISHER_ROLE),
            (
                "E-mail through Google Workspace: at admin.google.com under Security, API controls, Domain-wide delegation, \
                 add the key's client_id with this scope; the account then sends as the profile's sender address",
                "https://mail.google.com/",
            ),
        ],
        source: "https://cloud.google.com/iam/docs/keys-create-delete",
    },
    policies: super::no_policies,
    address: super::no_address,
};

const READER_ROLE: &str = "gcloud projects add-iam-policy-binding PROJECT \\\n  \
     --member serviceAccount:strongroom@PROJECT.iam.gserviceaccount.com \\\n  --role roles/artifactregistry.reader";

const ORGANIZATION_ROLES: &str = "for role in roles/artifactregistry.reader roles/browser; do\n  \
     gcloud organizations add-iam-policy-binding ORGANIZATION \\\n    \
     --member serviceAccount:strongroom@PROJECT.iam.gserviceaccount.com --role $role\ndone";

const PUBLISHER_ROLE: &str = "gcloud pubsub topics add-iam-policy-binding TOPIC --project PROJECT \\\n  \
     --member serviceAccount:strongroom@PROJECT.iam.gserviceaccount.com \\\n  --role roles/pubsub.publisher";

fn examine(values: &Values) -> Result<Facts, Errors> {
    let account = ServiceAccount::parse(values.get("service_account"))
        .map_err(|message| Errors::one("service_account", message))?;
    let level = if values.get("level") == "organization" { "Organization" } else { "Project" };
    Ok(Facts {
        identity: account.client_email,
        key_id: Some(account.private_key_id.clone()),
        lines: vec![("Project", account.project_id), ("Key ID", account.private_key_id), ("Level", level.to_owned())],
        ..Facts::default()
    })
}

#[cfg(test)]
mod tests;
