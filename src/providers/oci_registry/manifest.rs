//! Manifests and names as registries write them: OCI image specification 1.1, Docker image manifest version 2
//! schema 2. What a registry says is checked here before it becomes a path, a size or a platform.

use serde::Deserialize;

use crate::providers::ProviderError;

/// What a manifest request accepts, indexes and single images.
pub const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Configurations that name a platform; those of charts and signatures do not.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// More children than any real index has.
const MAX_CHILDREN: usize = 100;

/// A manifest, as far as the inventory needs it.
#[derive(Debug, PartialEq, Eq)]
pub enum Manifest {
    /// Bytes of layers and configuration; the configuration's digest if that names a platform.
    Image {
        size_bytes: u64,
        config: Option<String>,
    },
    Index(Vec<Child>),
}

/// One image of an index. `platform` is empty where the index does not say.
#[derive(Debug, PartialEq, Eq)]
pub struct Child {
    pub digest: String,
    pub platform: String,
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
#[derive(Deserialize)]
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
        let word = |text: &str| {
            (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if !word(&self.os) || !word(&self.architecture) || self.os == "unknown" {
            return String::new();
        }
        let variant = if word(&self.variant) { format!("/{}", self.variant) } else { String::new() };
        format!("{}/{}{variant}", self.os, self.architecture)
    }

    fn is_unknown(&self) -> bool {
        self.os == "unknown"
    }
}

impl Manifest {
    /// Reads a body. One that claims to be both an image and an index is refused (CVE-2021-41190).
    pub fn parse(body: &[u8]) -> Result<Self, ProviderError> {
        let wire: Wire = serde_json::from_slice(body).map_err(|_| ProviderError::BadAnswer)?;
        match wire {
            Wire { config: None, layers: None, manifests: Some(children) } => Self::index(children),
            Wire { config: Some(config), layers, manifests: None } => {
                let layers = layers.unwrap_or_default();
                let size_bytes = layers.iter().fold(config.size, |sum, layer| sum.saturating_add(layer.size));
                let names_platform = IMAGE_CONFIGS.contains(&config.media_type.as_str());
                let config = names_platform.then_some(config.digest).map(checked_digest).transpose()?;
                Ok(Self::Image { size_bytes, config })
            }
            _ => Err(ProviderError::BadAnswer),
        }
    }

    fn index(children: Vec<Descriptor>) -> Result<Self, ProviderError> {
        if children.len() > MAX_CHILDREN {
            return Err(ProviderError::TooLarge);
        }
        // Build attestations are listed as `unknown/unknown`: they are about an image, not one.
        let images = children.into_iter().filter(|child| !child.platform.as_ref().is_some_and(Platform::is_unknown));
        let images = images.map(|child| {
            let platform = child.platform.as_ref().map(Platform::name).unwrap_or_default();
            Ok(Child { digest: checked_digest(child.digest)?, platform })
        });
        images.collect::<Result<_, _>>().map(Self::Index)
    }
}

/// `sha256:` and 64 lower-case hex digits: all that today's registries use, and safe inside a path.
fn checked_digest(digest: String) -> Result<String, ProviderError> {
    let hex = digest.strip_prefix("sha256:").unwrap_or_default();
    let good = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if good { Ok(digest) } else { Err(ProviderError::BadAnswer) }
}

/// Whether a name can be a repository. Wider than the specification by upper case, which some registries use, and
/// never a way out of the path.
pub fn is_repository(name: &str) -> bool {
    let part =
        |part: &str| !part.starts_with('.') && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    name.len() <= 255 && name.split('/').all(|p| !p.is_empty() && part(p))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (OCI distribution specification 1.1).
pub fn is_tag(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && !name.starts_with(['.', '-'])
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
            serde_json::json!({"mediaType": "x", "digest": digest(digit), "size": 1,
                "platform": {"os": os, "architecture": architecture, "variant": "v8"}})
        };
        let body = serde_json::json!({"manifests": [
            entry('a', "linux", "arm64"), entry('b', "unknown", "unknown")]});
        let manifest = Manifest::parse(body.to_string().as_bytes()).unwrap();
        let platform = "linux/arm64/v8".to_owned();
        assert_eq!(manifest, Manifest::Index(vec![Child { digest: digest('a'), platform }]));
    }

    #[test]
    fn a_manifest_that_is_both_image_and_index_is_refused() {
        let both = br#"{"manifests": [], "layers": []}"#;
        assert_eq!(Manifest::parse(both), Err(ProviderError::BadAnswer));
        for other in ["[]", "{}", "<html>", r#"{"config": {"digest": "x", "size": -1}}"#] {
            assert_eq!(Manifest::parse(other.as_bytes()), Err(ProviderError::BadAnswer), "{other}");
        }
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
        assert!(is_tag("1.0_rc-2") && is_tag("_x"));
        assert!(!is_tag("") && !is_tag("..") && !is_tag("a/b") && !is_tag(&"x".repeat(129)));
    }
}
