//! The registry of an OpenShift cluster, by the cluster's own API: image streams have the tags with digests and dates
//! of all that a project's images are, also of those that are kept elsewhere. The token goes to no other host.
//! <https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/image_apis/index>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, distinct, opened};
use super::docker_v2::{REGISTRY, fields, kept, registry};
use super::held::{Held, Images as Found};
use super::places::{gather, missing};
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::form::Field;
use crate::integrations::ca_certificate;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{
    Lenient, Login, Next, Registry, Sign, is_digest, is_repository, is_tag, platform,
};

pub static OPENSHIFT: Spec = Spec {
    slug: "openshift",
    label: "OpenShift",
    fields: FIELDS,
    uses: &[Use::main(&["api_token"])],
    host: Host::Chosen(registry),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &fields(
    REGISTRY.placeholder("https://api.cluster.example.com:6443").help(
        "The address of the cluster's API, as oc whoami --show-server prints it. The credential is the token of a \
         service account with the role registry-viewer, as API token.",
    ),
    selection::REPOSITORY.placeholder("project/*").help(
        "Put the project in front: project/*. Leave blank for all projects, which takes the role in the whole cluster. \
         Use * as a wildcard and commas between patterns.",
    ),
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
);

const API: &str = "apis/image.openshift.io/v1";

struct Cluster {
    api: Registry,
    held: Held,
    /// Where clients pull the repositories from that were listed.
    pulled_from: Mutex<HashMap<String, String>>,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let address = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
        let secret = cx.main().ok_or(ProviderError::WrongCredential)?;
        let token = SecretString::from(secret.values.get("token"));
        let api = reach(cx, ca_certificate::tls(cx.settings), &address, Login::Token(token))?;
        // Every known token may ask which parts the API has.
        api.vendor_get(API, Sign::Login).await.map_err(missing(OPENSHIFT.label))?;
        opened(Cluster { api, held: Held::default(), pulled_from: Mutex::default() })
    })
}

impl Cluster {
    /// `GET /apis/image.openshift.io/v1/namespaces/<project>/imagestreams`, or those of all projects.
    async fn streams(&self, project: &str, pages: Pages) -> Result<Arc<Found>, ProviderError> {
        if !project.is_empty() && !is_part(project) {
            return Err(ProviderError::NotFound);
        }
        let read = || async {
            let read = |answer: &Answer| {
                let found: Streams = answer.json()?;
                Ok((found.items, Next::parameter("continue", found.metadata.next)))
            };
            let within = if project.is_empty() { String::new() } else { format!("namespaces/{project}/") };
            let path = format!("{API}/{within}imagestreams?limit=500");
            let (streams, rest) = self.api.vendor_pages(&path, Sign::Login, pages, read).await?;
            let mut found = Found::new(rest);
            for stream in streams {
                let repository = format!("{}/{}", stream.metadata.namespace, stream.metadata.name);
                if let Some(name) = stream.pulled_from() {
                    let mut names = self.pulled_from.lock().unwrap_or_else(PoisonError::into_inner);
                    names.insert(repository.clone(), name.to_owned());
                }
                stream.tags().for_each(|tag| found.add(repository.clone(), tag));
            }
            Ok(found)
        };
        self.held.of(project, read).await
    }
}

/// A project or a stream as one part of a path.
fn is_part(name: &str) -> bool {
    is_repository(name) && !name.contains('/')
}

impl Catalogue for Cluster {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        match names.first_parts() {
            None => Ok(self.streams("", pages).await?.repositories()),
            Some(projects) => {
                let read = |project: String| async move { Ok(self.streams(&project, pages).await?.repositories()) };
                gather(Listing::default(), projects, pages, read).await
            }
        }
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let (project, _) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        // All projects, if they were listed; else the repository's own.
        let place = if self.held.has("") { "" } else { project };
        self.streams(place, pages).await?.of(repository)
    }

    /// `GET /apis/image.openshift.io/v1/namespaces/<project>/imagestreamtags/<name>:<tag>`. The API tells the
    /// platforms of an index only.
    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        let (project, name) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        if !is_part(project) || !is_part(name) || !is_tag(&tag.name) {
            return Err(ProviderError::NotFound);
        }
        let path = format!("{API}/namespaces/{project}/imagestreamtags/{name}:{}", tag.name);
        let image = match self.api.vendor_get(&path, Sign::Login).await {
            Ok(answer) => answer.json::<StreamTag>().map(|found| found.image),
            Err(cause) => Err(cause),
        };
        match image {
            Ok(image) => Ok(image.details(tag.details.digest.clone()).whole()),
            Err(cause) => kept(tag, cause),
        }
    }

    fn pulled_from(&self, repository: &str) -> Option<String> {
        self.pulled_from.lock().unwrap_or_else(PoisonError::into_inner).get(repository).cloned()
    }
}

#[derive(Deserialize)]
struct Streams {
    metadata: ListMetadata,
    items: Vec<Lenient<Stream>>,
}

#[derive(Deserialize)]
struct ListMetadata {
    #[serde(rename = "continue")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Stream {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    tags: Option<Vec<History>>,
    /// Where the stream is pulled from inside of the cluster, and where from outside, if the registry is exposed.
    docker_image_repository: Option<String>,
    public_docker_image_repository: Option<String>,
}

/// What a tag was and is; the first is what it is.
#[derive(Deserialize)]
struct History {
    tag: String,
    items: Option<Vec<Version>>,
}

#[derive(Deserialize)]
struct Version {
    created: Option<DateTime<Utc>>,
    /// The digest.
    image: String,
}

impl Stream {
    /// `registry.example.com/project/name`
    fn pulled_from(&self) -> Option<&str> {
        let Status { docker_image_repository: inside, public_docker_image_repository: outside, .. } = &self.status;
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        let is_name = |name: &&String| {
            let parts = name.split_once('/').filter(|(host, _)| (1..=260).contains(&host.len()));
            parts.is_some_and(|(host, rest)| host.chars().all(is_host) && is_repository(rest) && !host.starts_with('-'))
        };
        [outside, inside].into_iter().flatten().find(is_name).map(String::as_str)
    }

    /// Those that name an image: an import that failed has none.
    fn tags(self) -> impl Iterator<Item = Tag> {
        self.status.tags.into_iter().flatten().filter_map(|history| {
            let Version { created: pushed_at, image: digest } = history.items?.into_iter().next()?;
            let digest = Some(digest).filter(|digest| is_digest(digest)).unwrap_or_default();
            Some(Tag { name: history.tag, pushed_at, details: Details { digest, ..Details::default() } })
        })
    }
}

#[derive(Deserialize)]
struct StreamTag {
    image: Image,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    docker_image_metadata: Option<Whole>,
    /// Of an index: its images.
    docker_image_manifests: Option<Vec<Manifest>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Whole {
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl Image {
    fn details(self, digest: String) -> Details {
        let size_bytes = self.docker_image_metadata.map_or(0, |image| image.size);
        let images = self.docker_image_manifests.into_iter().flatten();
        let platforms = distinct(images.map(|image| platform(&image.os, &image.architecture, &image.variant)));
        Details { digest, size_bytes, platforms }
    }
}
