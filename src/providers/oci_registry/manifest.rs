//! Manifests and names as registries write them: OCI image specification 1.1, Docker image manifest version 2
//! schema 2, and by what is known of them all others: schema 1, artifacts, whatever comes next. What a registry says is
//! checked here before it becomes a path, a size or a platform.

use serde::Deserialize;

use super::digest::is_digest;
use crate::providers::ProviderError;

/// What a manifest request accepts: indexes and single images first, then what is old or rare.
pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.artifact.manifest.v1+json;q=0.8, \
    application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.5, \
    application/vnd.docker.distribution.manifest.v1+json;q=0.5";

/// Configurations that name a platform; those of charts and signatures do not.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// What an entry of an index may be, to be read as a manifest. Others are blobs, as BuildKit lists its cache.
const MANIFESTS: [&str; 5] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.artifact.manifest.v1+json",
];

/// A manifest, as far as the inventory needs it.
#[derive(Debug, PartialEq, Eq)]
pub enum Manifest {
    /// Bytes of layers and configuration; the configuration's digest if that names a platform.
    Image {
        size_bytes: u64,
        config: Option<String>,
    },
    Index(Vec<Child>),
    /// Of another type: the bytes of the blobs that it lists, and the platform that it names itself. 0 and empty where
    /// it says nothing that is known.
    Other {
        size_bytes: u64,
        platform: String,
    },
}

/// One entry of an index.
#[derive(Debug, PartialEq, Eq)]
pub struct Child {
    pub digest: String,
    /// Empty where the index does not say.
    pub platform: String,
    /// Bytes of the manifest, or of the blob.
    pub size_bytes: u64,
    /// Whether it is read as a manifest; else it is a blob.
    pub is_manifest: bool,
}

#[derive(Deserialize)]
struct Wire {
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<Platform>,
}

/// Of an index entry, and of an image's configuration.
#[derive(Default, Deserialize)]
pub struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl Platform {
    /// `linux/arm64/v8`; empty when it is unknown or no name at all.
    pub fn name(&self) -> String {
        platform(&self.os, &self.architecture, &self.variant)
    }

    fn is_unknown(&self) -> bool {
        self.os == "unknown"
    }
}

/// `linux/arm64/v8`; empty when it is unknown or no name at all.
pub fn platform(os: &str, architecture: &str, variant: &str) -> String {
    let word = |text: &str| {
        (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    if !word(os) || !word(architecture) || os == "unknown" {
        return String::new();
    }
    let variant = if word(variant) { format!("/{variant}") } else { String::new() };
    format!("{os}/{architecture}{variant}")
}

impl Manifest {
    /// Reads a body. One that claims to be both an image and an index is refused (CVE-2021-41190).
    pub fn parse(body: &[u8]) -> Result<Self, ProviderError> {
        let json: serde_json::Value = serde_json::from_slice(body).map_err(|_| ProviderError::BadAnswer)?;
        let has = |member: &str| json.get(member).is_some_and(|value| !value.is_null());
        if has("manifests") && (has("config") || has("layers")) {
            return Err(ProviderError::BadAnswer);
        }
        let is_image_or_index = has("manifests") || has("config");
        let known = serde_json::from_slice(body).ok().filter(|_| is_image_or_index).map(Self::known);
        match known {
            Some(known) => known,
            // Any other JSON, an error for example, does not say that it is a manifest.
            None if json.get("mediaType").is_some_and(serde_json::Value::is_string) || schema(&json).is_some() => {
                Ok(Self::Other { size_bytes: listed_bytes(&json), platform: own_platform(&json) })
            }
            None => Err(ProviderError::BadAnswer),
        }
    }

    fn known(wire: Wire) -> Result<Self, ProviderError> {
        let Some(config) = wire.config else {
            return wire
                .manifests
                .unwrap_or_default()
                .into_iter()
                .filter_map(child)
                .collect::<Result<_, _>>()
                .map(Self::Index);
        };
        let layers = wire.layers.unwrap_or_default();
        let size_bytes = layers.iter().fold(config.size, |sum, layer| sum.saturating_add(layer.size));
        let names_platform = IMAGE_CONFIGS.contains(&config.media_type.as_str());
        let config = names_platform.then_some(config.digest).map(checked_digest).transpose()?;
        Ok(Self::Image { size_bytes, config })
    }
}

/// `None` for build attestations, which are listed as `unknown/unknown`: they are about an image, not one.
fn child(entry: Descriptor) -> Option<Result<Child, ProviderError>> {
    if entry.platform.as_ref().is_some_and(Platform::is_unknown) {
        return None;
    }
    let platform = entry.platform.as_ref().map(Platform::name).unwrap_or_default();
    // Some tools leave the type out; none lists blobs without one.
    let is_manifest = entry.media_type.is_empty() || MANIFESTS.contains(&entry.media_type.as_str());
    let digest = checked_digest(entry.digest);
    Some(digest.map(|digest| Child { digest, platform, size_bytes: entry.size, is_manifest }))
}

fn schema(json: &serde_json::Value) -> Option<u64> {
    json.get("schemaVersion")?.as_u64()
}

/// The sizes of everything that a manifest of an unknown type lists.
fn listed_bytes(json: &serde_json::Value) -> u64 {
    let size = |entry: &serde_json::Value| entry.get("size").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let members = ["blobs", "layers", "manifests"].iter().filter_map(|member| json.get(member)?.as_array());
    let config = json.get("config").map_or(0, size);
    members.flatten().map(size).fold(config, u64::saturating_add)
}

/// The platform in the newest layer of Docker's schema 1, which keeps a configuration as text in each.
fn own_platform(json: &serde_json::Value) -> String {
    let newest = || json.get("history")?.get(0)?.get("v1Compatibility")?.as_str();
    let platform: Option<Platform> = newest().and_then(|text| serde_json::from_str(text).ok());
    platform.unwrap_or_default().name()
}

fn checked_digest(digest: String) -> Result<String, ProviderError> {
    if is_digest(&digest) { Ok(digest) } else { Err(ProviderError::BadAnswer) }
}

/// Whether a name can be a repository. Wider than the specification by upper case, which some registries use, and
/// never a way out of the path.
pub fn is_repository(name: &str) -> bool {
    let part =
        |part: &str| !part.starts_with('.') && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    name.len() <= 255 && name.split('/').all(|p| !p.is_empty() && part(p))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI distribution specification 1.1), and wider by a dash in front, which there
/// is on public registries.
pub fn is_tag(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    #[test]
    fn an_image_is_as_large_as_its_layers_and_configuration() {
        let body = serde_json::json!({
            "schemaVersion": 2,
            "config": {"mediaType": IMAGE_CONFIGS[1], "digest": digest('a'), "size": 7},
            "layers": [{"digest": digest('b'), "size": 100}, {"digest": digest('c'), "size": 20}],
        });
        let manifest = Manifest::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(manifest, Manifest::Image { size_bytes: 127, config: Some(digest('a')) });
    }

    #[test]
    fn attestations_in_an_index_are_no_platform() {
        let entry = |digit, os, architecture| {
            serde_json::json!({"mediaType": MANIFESTS[2], "digest": digest(digit), "size": 1,
                "platform": {"os": os, "architecture": architecture, "variant": "v8"}})
        };
        let body = serde_json::json!({"manifests": [
            entry('a', "linux", "arm64"), entry('b', "unknown", "unknown")]});
        let manifest = Manifest::parse(body.to_string().as_bytes()).unwrap();
        let platform = "linux/arm64/v8".to_owned();
        let child = Child { digest: digest('a'), platform, size_bytes: 1, is_manifest: true };
        assert_eq!(manifest, Manifest::Index(vec![child]));
    }

    #[test]
    fn a_manifest_that_is_both_image_and_index_is_refused() {
        let both = br#"{"mediaType": "x", "manifests": [], "layers": []}"#;
        assert_eq!(Manifest::parse(both), Err(ProviderError::BadAnswer));
        for other in ["[]", "{}", "<html>", r#"{"config": {"digest": "x", "size": -1}}"#] {
            assert_eq!(Manifest::parse(other.as_bytes()), Err(ProviderError::BadAnswer), "{other}");
        }
    }

    #[test]
    fn a_manifest_of_another_type_is_known_by_what_it_lists() {
        let other = |body: serde_json::Value| Manifest::parse(body.to_string().as_bytes()).unwrap();
        let blobs = serde_json::json!({"mediaType": "application/vnd.oci.artifact.manifest.v1+json",
            "blobs": [{"digest": digest('a'), "size": 9}, {"size": "x"}]});
        assert_eq!(other(blobs), Manifest::Other { size_bytes: 9, platform: String::new() });
        let old = serde_json::json!({"schemaVersion": 1, "history": [
            {"v1Compatibility": r#"{"os": "linux", "architecture": "amd64"}"#}]});
        assert_eq!(other(old), Manifest::Other { size_bytes: 0, platform: "linux/amd64".to_owned() });
        let odd = serde_json::json!({"mediaType": "x", "config": 7, "layers": "none"});
        assert_eq!(other(odd), Manifest::Other { size_bytes: 0, platform: String::new() });
    }

    #[test]
    fn a_digest_cannot_leave_its_path() {
        let body = r#"{"manifests": [{"digest": "../../v2/_catalog", "size": 1}]}"#;
        assert_eq!(Manifest::parse(body.as_bytes()), Err(ProviderError::BadAnswer));
    }

    #[test]
    fn names_that_are_no_names_are_told_apart() {
        for good in ["app", "team/app", "a/b/c-d_e.f", "Upper/Case"] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["", "/", "a//b", "../x", "a/..", "a?b", "a b", "é", &"x".repeat(256)] {
            assert!(!is_repository(bad), "{bad}");
        }
        assert!(is_tag("1.0_rc-2") && is_tag("_x") && is_tag("-ot-beta"));
        assert!(!is_tag("") && !is_tag("..") && !is_tag("a/b") && !is_tag(&"x".repeat(129)));
    }
}
