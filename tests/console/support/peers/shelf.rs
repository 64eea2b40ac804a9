//! A registry whose content a test writes byte by byte, in any form that real registries hold.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::receiver::{Call, Said};

pub const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

#[derive(Clone, Default)]
pub struct Shelf {
    tags: BTreeMap<String, Vec<String>>,
    /// By repository and by tag or digest: type and bytes.
    manifests: HashMap<(String, String), (&'static str, Vec<u8>)>,
    blobs: HashMap<String, Vec<u8>>,
}

impl Shelf {
    /// A manifest of one layer of five bytes.
    pub fn image(&mut self, architecture: &str) -> Value {
        let config = json!({"os": "linux", "architecture": architecture}).to_string().into_bytes();
        let manifest = json!({"schemaVersion": 2, "mediaType": IMAGE, "layers": [entry(LAYER, b"layer")],
            "config": entry(CONFIG, &config)});
        self.blobs.insert(sha256(&config), config);
        manifest
    }

    /// An image under that tag.
    #[must_use]
    pub fn with(mut self, repository: &str, tag: &str) -> Self {
        let image = self.image("amd64");
        self.put(repository, tag, IMAGE, &image);
        self
    }

    /// A manifest under that tag; returns its entry in an index.
    pub fn put(&mut self, repository: &str, tag: &str, media: &'static str, manifest: &Value) -> Value {
        self.list(repository, tag);
        self.put_bytes(repository, tag, media, manifest.to_string().into_bytes())
    }

    /// A manifest by its digest alone; returns its entry in an index.
    pub fn keep(&mut self, repository: &str, media: &'static str, manifest: &Value) -> Value {
        let bytes = manifest.to_string().into_bytes();
        self.put_bytes(repository, &sha256(&bytes), media, bytes)
    }

    pub fn put_bytes(&mut self, repository: &str, reference: &str, media: &'static str, bytes: Vec<u8>) -> Value {
        let entry = entry(media, &bytes);
        self.manifests.insert((repository.to_owned(), reference.to_owned()), (media, bytes));
        entry
    }

    /// A name in the list of tags, with or without a manifest.
    pub fn list(&mut self, repository: &str, tag: &str) {
        self.tags.entry(repository.to_owned()).or_default().push(tag.to_owned());
    }

    /// Of what a tag names.
    pub fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let (_, bytes) = self.manifests.get(&(repository.to_owned(), tag.to_owned()))?;
        Some(sha256(bytes))
    }

    pub fn answer(&self, call: &Call) -> Said {
        let Some(path) = call.path().strip_prefix("/v2/") else { return Said::html(404) };
        let missing = || Said::json(404, &json!({"errors": [{"code": "MANIFEST_UNKNOWN"}]}));
        if path.is_empty() {
            return Said::json(200, &json!({}));
        }
        if path == "_catalog" {
            return Said::json(200, &json!({"repositories": self.tags.keys().collect::<Vec<_>>()}));
        }
        if let Some(repository) = path.strip_suffix("/tags/list") {
            let tags = self.tags.get(repository);
            return tags.map_or_else(missing, |tags| Said::json(200, &json!({"name": repository, "tags": tags})));
        }
        if let Some((repository, reference)) = path.split_once("/manifests/") {
            let found = self.manifests.get(&(repository.to_owned(), reference.to_owned()));
            return found.map_or_else(missing, |(media, bytes)| {
                bytes_of(bytes, media).with("Docker-Content-Digest", sha256(bytes))
            });
        }
        path.split_once("/blobs/").map_or_else(missing, |(_, digest)| self.blob(digest))
    }

    /// A blob, whatever its address.
    pub fn blob(&self, digest: &str) -> Said {
        let missing = || Said::json(404, &json!({"errors": [{"code": "BLOB_UNKNOWN"}]}));
        self.blobs.get(digest).map_or_else(missing, |blob| bytes_of(blob, "application/octet-stream"))
    }
}

/// How an index or a manifest lists bytes.
pub fn entry(media: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media, "digest": sha256(bytes), "size": bytes.len()})
}

fn bytes_of(bytes: &[u8], media: &str) -> Said {
    Said::Answer { status: 200, headers: vec![("Content-Type", media.to_owned())], body: bytes.to_vec() }
}
