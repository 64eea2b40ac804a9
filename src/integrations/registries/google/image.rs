//! An image as the API of Artifact Registry lists it: one digest, with its tags.
//! <https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.dockerImages>

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Place;
use crate::integrations::registries::catalogue::{Details, Tag, distinct};
use crate::providers::oci_registry::{is_digest, platform};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Image {
    /// `<host>/<project>/<repository>/<image>@<digest>`
    uri: String,
    #[serde(default)]
    tags: Vec<String>,
    /// A number as text, as protocol buffers write it.
    image_size_bytes: Option<String>,
    upload_time: Option<DateTime<Utc>>,
    /// Of an index: its images.
    #[serde(default)]
    image_manifests: Vec<ImageManifest>,
}

#[derive(Deserialize)]
struct ImageManifest {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl Image {
    /// Its name in the registry, and its digest.
    pub fn place(&self, place: &Place) -> Option<(String, String)> {
        let (name, digest) = self.uri.split_once('/')?.1.split_once('@')?;
        // Repositories of Container Registry may be named by the host of their location.
        let name = match &place.repository {
            Some(repository) => name.replacen(&format!("/{repository}/"), "/", 1),
            None => name.to_owned(),
        };
        is_digest(digest).then(|| (name, digest.to_owned()))
    }

    pub fn tags(self, digest: String) -> impl Iterator<Item = Tag> {
        let images = self.image_manifests.iter();
        let platforms = distinct(images.map(|image| platform(&image.os, &image.architecture, &image.variant)));
        let size_bytes = self.image_size_bytes.and_then(|size| size.parse().ok()).unwrap_or(0);
        let (details, pushed_at) = (Details { digest, size_bytes, platforms }, self.upload_time);
        self.tags.into_iter().map(move |name| Tag { name, pushed_at, details: details.clone() })
    }
}
