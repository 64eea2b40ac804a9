//! Google's Secret Manager: the names of a project's secrets, and the latest version of one. Secrets that are kept in
//! one region are not among them: their API has hosts of its own.
//! <https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets/list>,
//! <https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use super::line::{Line, Listed, Page, or_default};
use super::{Api, Right};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

pub static API: Api = Api { name: "Secret Manager API", host: "secretmanager.googleapis.com" };
pub static LISTS: Right = Right {
    api: &API,
    permission: "secretmanager.secrets.list",
    role: "Secret Manager Viewer (roles/secretmanager.viewer)",
};
pub static READS: Right = Right {
    api: &API,
    permission: "secretmanager.versions.access",
    role: "Secret Manager Secret Accessor (roles/secretmanager.secretAccessor)",
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    #[serde(default, deserialize_with = "or_default")]
    secrets: Vec<Lenient<Written>>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    /// `projects/123456789012/secrets/db`
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    create_time: Option<DateTime<Utc>>,
}

impl Page for Secrets {
    type Entry = Written;

    fn parts(self) -> (Vec<Lenient<Written>>, Option<String>, Vec<String>) {
        (self.secrets, self.next_page_token, Vec::new())
    }
}

/// A secret as the list has it. When it was changed last, the list does not tell.
pub struct Secret {
    pub name: String,
    pub made: Option<DateTime<Utc>>,
}

/// The secrets of a project.
pub async fn secrets(line: &Line<'_>, project: &str, pages: Pages) -> Result<Listed<Secret>, ProviderError> {
    let path = format!("v1/projects/{project}/secrets?pageSize=1000");
    let listed = line.list::<Secrets>(&LISTS, &path, pages).await?;
    Ok(listed.checked(|written| {
        let name = written.name.rsplit_once("/secrets/")?.1;
        is_secret(name).then(|| Secret { name: name.to_owned(), made: written.create_time })
    }))
}

/// Whether a text can be the name of a secret.
pub fn is_secret(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A value, and the number of its version.
pub struct Held {
    pub bytes: Zeroizing<Vec<u8>>,
    pub version: String,
}

#[derive(Deserialize)]
struct Accessed {
    /// `projects/123456789012/secrets/db/versions/3`
    name: String,
    payload: Payload,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(default)]
    data: Zeroizing<String>,
}

/// The latest version of a secret.
pub async fn latest(line: &Line<'_>, project: &str, name: &str) -> Result<Held, ProviderError> {
    let path = format!("v1/projects/{project}/secrets/{name}/versions/latest:access");
    let mut answer = line.get(&READS, &path).await?;
    let accessed = answer.json::<Accessed>();
    answer.body.zeroize();
    let Accessed { name: of, payload } = accessed?;
    let bytes = BASE64_STANDARD.decode(payload.data.as_str()).map_err(|_| ProviderError::BadAnswer)?;
    let version = of.rsplit_once("/versions/").map(|(_, number)| number).filter(|number| is_secret(number));
    Ok(Held { bytes: Zeroizing::new(bytes), version: version.unwrap_or_default().to_owned() })
}
