//! Oracle's Artifacts API: container repositories and images, and the token that opens the v2 interface of the registry to
//! the user of an API key. <https://docs.oracle.com/en-us/iaas/api/#/en/registry/20160918/>

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::calls::{Api, Calls};
use super::domain_of;
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::egress::Answer;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Lenient, Pages};

/// What a group needs to list, and to read the images' manifests.
pub const READ: &str = "read repos";
/// What it needs to list repositories alone.
pub const INSPECT: &str = "inspect repos";

const API: Api = Api { service: Service::OciArtifacts, name: "artifacts", right: READ };

/// Entries on a page; a service may give fewer.
const PAGE: &str = "1000";

/// A container repository. Its name is its own in the tenancy and region.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    pub id: String,
    pub compartment_id: String,
    pub display_name: String,
    /// Stands in front of the name where images are pulled.
    #[serde(default)]
    pub namespace: String,
}

/// An image that has a tag.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    pub id: String,
    pub digest: String,
    /// The newest of its tags; the others stand in [`Whole`] alone.
    pub version: Option<String>,
    pub time_created: Option<DateTime<Utc>>,
}

/// What is known of one image.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Whole {
    pub digest: String,
    pub layers_size_in_bytes: Option<u64>,
    pub versions: Option<Vec<Lenient<Version>>>,
}

/// A tag of an image.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    pub version: String,
    pub time_created: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Collection<T> {
    items: Vec<Lenient<T>>,
}

fn items<T: DeserializeOwned>(answer: &Answer) -> Result<Vec<Lenient<T>>, ProviderError> {
    answer.json::<Collection<T>>().map(|collection| collection.items)
}

fn query(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).append_pair("limit", PAGE).finish()
}

/// `GET /20160918/container/repositories` of a compartment, or of the whole tenancy; of that name alone, if one is given.
pub async fn repositories(
    calls: &Calls<'_>,
    compartment: Option<&str>,
    name: Option<&str>,
    pages: Pages,
) -> Result<Entries<Repository>, ProviderError> {
    let mut pairs = vec![("compartmentId", compartment.unwrap_or(calls.tenancy()))];
    pairs.extend(compartment.is_none().then_some(("compartmentIdInSubtree", "true")));
    pairs.extend(name.map(|name| ("displayName", name)));
    calls.list(API, &format!("/20160918/container/repositories?{}", query(&pairs)), pages, items).await
}

/// `GET /20160918/container/images`: those of a repository that have a tag, the newest first.
pub async fn images(calls: &Calls<'_>, repository: &Repository, pages: Pages) -> Result<Entries<Image>, ProviderError> {
    let pairs = [
        ("compartmentId", repository.compartment_id.as_str()),
        ("repositoryId", &repository.id),
        ("isVersioned", "true"),
        ("sortBy", "TIMECREATED"),
    ];
    calls.list(API, &format!("/20160918/container/images?{}", query(&pairs)), pages, items).await
}

/// `GET /20160918/container/images/<id>`
pub async fn image(calls: &Calls<'_>, id: &str) -> Result<Whole, ProviderError> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !id.starts_with("ocid1.") || id.len() > 255 || !id.chars().all(good) {
        return Err(BadAnswer);
    }
    calls.get(API, &format!("/20160918/container/images/{id}")).await?.json()
}

/// The host that images of a region are pulled from, by the tenancy's realm.
/// <https://docs.oracle.com/en-us/iaas/Content/Registry/Concepts/registryprerequisites.htm> (Availability by Region)
pub fn registry_host(tenancy: &str, region: &str) -> Option<String> {
    Some(match domain_of(tenancy)? {
        "oraclecloud.com" => format!("{region}.ocir.io"),
        domain => format!("ocir.{region}.oci.{domain}"),
    })
}

/// Where the registry's v2 interface is.
pub fn registry(calls: &Calls<'_>, path: &str) -> Option<Url> {
    let host = registry_host(calls.tenancy(), calls.region()).unwrap_or_default();
    calls.endpoints().url(Service::OciRegistry, &format!("https://{host}"), path).ok()
}

/// `GET /20180419/docker/token` of the registry, signed: a password for the user `BEARER_TOKEN` of the v2 interface, as
/// `oci raw-request` gets it for `docker login`.
pub async fn token(calls: &Calls<'_>) -> Result<SecretString, ProviderError> {
    #[derive(Deserialize)]
    struct Answered {
        token: SecretString,
    }
    let url = registry(calls, "/20180419/docker/token").ok_or(ProviderError::InvalidAddress)?;
    Ok(calls.ask(&url, READ).await?.json::<Answered>()?.token)
}
