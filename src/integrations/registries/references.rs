//! How clients such as skopeo, trivy and grype name the images of an integration: `registry.example.com/team/app:1.0`.

use serde::Deserialize;
use serde_json::Value;

use super::docker_hub::DOCKER_HUB;
use super::ecr_public::ECR_PUBLIC;
use super::image::Facts;
use super::openshift::OPENSHIFT;
use super::oracle::ORACLE;
use crate::form::Values;
use crate::integrations::spec::Spec;
use crate::providers::oci_registry::{is_digest, is_repository, is_tag};

/// The names of one integration's images.
pub struct References {
    /// In front of the repositories; blank where only the facts of an image tell.
    host: String,
}

impl References {
    /// `None` where clients cannot reach the images by names: they ask for `/v2/` at the root of a host, and this
    /// registry stands below a path of it.
    pub fn of(version: &Spec, settings: &Values) -> Option<Self> {
        if [OPENSHIFT.slug, ECR_PUBLIC.slug, ORACLE.slug].contains(&version.slug) {
            return Some(Self { host: String::new() });
        }
        if version.slug == DOCKER_HUB.slug {
            return Some(Self { host: "docker.io".to_owned() });
        }
        let is_below = version.address(settings).is_some_and(|address| address.path() != "/");
        let host = version.host(settings).filter(|_| !is_below)?;
        Some(Self { host: host.rsplit("//").next().unwrap_or_default().to_owned() })
    }

    /// `registry.example.com/team/app:1.0`; `None` for what cannot be such a name.
    pub fn by_tag(&self, repository: &str, tag: &str, facts: &Value) -> Option<String> {
        Some(format!("{}:{tag}", self.repository(repository, facts)?)).filter(|_| is_tag(tag))
    }

    /// `registry.example.com/team/app@sha256:…`: what the tag named when it was scanned.
    pub fn by_digest(&self, repository: &str, digest: &str, facts: &Value) -> Option<String> {
        Some(format!("{}@{digest}", self.repository(repository, facts)?)).filter(|_| is_digest(digest))
    }

    fn repository(&self, repository: &str, facts: &Value) -> Option<String> {
        if let Some(pulled_from) = Facts::deserialize(facts).ok().and_then(|facts| facts.pulled_from) {
            return Some(pulled_from);
        }
        // Official images of Docker Hub stand there without it.
        let library = if self.host == "docker.io" && !repository.contains('/') { "library/" } else { "" };
        let good = !self.host.is_empty() && is_repository(repository);
        good.then(|| format!("{}/{library}{repository}", self.host))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(version: &str, settings: &[(&str, &str)], repository: &str) -> Option<String> {
        let settings = Values::from_iter(settings.iter().copied());
        let references = References::of(Spec::find(version).unwrap(), &settings)?;
        references.by_tag(repository, "1.0", &json!({}))
    }

    #[test]
    fn an_image_is_named_as_clients_pull_it() {
        let at = |version, registry, repository| named(version, &[("registry", registry)], repository);
        for (version, registry, repository, name) in [
            ("docker_v2", "http://127.0.0.1:5000", "team/app", "127.0.0.1:5000/team/app:1.0"),
            ("ghcr", "https://ghcr.io", "acme/app", "ghcr.io/acme/app:1.0"),
            ("docker_hub", "", "alpine", "docker.io/library/alpine:1.0"),
            ("docker_hub", "", "acme/app", "docker.io/acme/app:1.0"),
            (
                "ecr",
                "123456789012.dkr.ecr.eu-west-3.amazonaws.com",
                "app",
                "123456789012.dkr.ecr.eu-west-3.amazonaws.com/app:1.0",
            ),
            (
                "google_artifacts",
                "europe-west3-docker.pkg.dev",
                "shop/apps/pay",
                "europe-west3-docker.pkg.dev/shop/apps/pay:1.0",
            ),
        ] {
            assert_eq!(at(version, registry, repository).as_deref(), Some(name));
        }
        assert_eq!(at("docker_v2", "https://x.example/artifactory/api/docker/a", "app"), None, "below a path");
        for odd in ["../app", "a b", "'", "a\nb"] {
            assert_eq!(at("docker_v2", "https://x.example", odd), None, "{odd}");
        }
    }

    #[test]
    fn an_image_that_tells_where_it_is_pulled_from_is_named_so() {
        let references = References::of(&OPENSHIFT, &Values::default()).unwrap();
        let facts = json!({"pulled_from": "images.example.com/team/app"});
        assert_eq!(references.by_tag("team/app", "1", &facts).as_deref(), Some("images.example.com/team/app:1"));
        assert_eq!(references.by_tag("team/app", "1", &json!({})), None);
        let digest = format!("sha256:{}", "a".repeat(64));
        let expected = format!("images.example.com/team/app@{digest}");
        assert_eq!(references.by_digest("team/app", &digest, &facts), Some(expected));
        assert_eq!(references.by_digest("team/app", "", &facts), None);
    }
}
