//! The name of an image, as a pod names it: `registry.example.com/team/agent:1.0@sha256:…`.
//! <https://github.com/distribution/reference>

use crate::providers::oci_registry::{is_digest, is_repository, is_tag};

/// An image name, split into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// Host and port of the registry; `docker.io` if the name has none.
    pub host: String,
    /// The repository as the registry's API spells it: `library/alpine`.
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<String>,
}

const DOCKER_HUB: &str = "docker.io";

impl Image {
    /// `None` for what cannot be an image's name.
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.to_owned())),
            None => (text, None),
        };
        let slash = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (path, tag) = match rest[slash..].split_once(':') {
            Some((name, tag)) => (&rest[..slash + name.len()], Some(tag.to_owned())),
            None => (rest, None),
        };
        let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
        let (host, repository) = match path.split_once('/').filter(|(first, _)| is_host(first)) {
            Some((host, repository)) => (host, repository.to_owned()),
            None => (DOCKER_HUB, path.to_owned()),
        };
        let host = if host == "index.docker.io" { DOCKER_HUB } else { host };
        let official = host == DOCKER_HUB && !repository.contains('/');
        let repository = if official { format!("library/{repository}") } else { repository };
        let good = is_host_and_port(host)
            && is_repository(&repository)
            && !repository.bytes().any(|b| b.is_ascii_uppercase())
            && tag.as_deref().is_none_or(is_tag)
            && digest.as_deref().is_none_or(is_digest);
        good.then(|| Self { host: host.to_owned(), repository, tag, digest })
    }

    /// The registry's key in a Docker `config.json`.
    pub fn login_host(&self) -> &str {
        if self.host == DOCKER_HUB { "https://index.docker.io/v1/" } else { &self.host }
    }

    /// The address of the registry's API.
    pub fn api(&self) -> String {
        if self.host == DOCKER_HUB {
            "https://registry-1.docker.io".to_owned()
        } else {
            format!("https://{}", self.host)
        }
    }

    /// The digest, else the tag.
    pub fn reference(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// Whether the name is `latest` without a digest, so that it may stand for another image tomorrow.
    pub fn is_floating(&self) -> bool {
        self.digest.is_none() && self.reference() == "latest"
    }

    pub fn is_ecr(&self) -> bool {
        self.host.contains(".dkr.ecr.")
    }
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |part: &str| {
        !part.is_empty() && !part.starts_with('-') && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.len() <= 253 && host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

/// Checks the form field.
pub(super) fn check(text: &str) -> Result<String, String> {
    const WRONG: &str = "Enter an image name in lower case, such as registry.example.com/team/agent:1.0.";
    let text = text.trim_start_matches("docker://").trim_start_matches("https://");
    Image::parse(text).map(|_| text.to_owned()).ok_or_else(|| WRONG.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, String) {
        let image = Image::parse(text).unwrap();
        (image.host.clone(), image.repository.clone(), image.reference().to_owned())
    }

    #[test]
    fn an_image_is_read_as_container_runtimes_read_it() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, host, repository, reference) in [
            ("alpine", "docker.io", "library/alpine", "latest"),
            ("acme/agent:1.0", "docker.io", "acme/agent", "1.0"),
            ("localhost:5000/agent", "localhost:5000", "agent", "latest"),
            ("r.example/team/agent:v1", "r.example", "team/agent", "v1"),
            (&format!("r.example:5000/a@{digest}"), "r.example:5000", "a", &digest),
            (&format!("r.example/a:1@{digest}"), "r.example", "a", &digest),
        ] {
            assert_eq!(parts(text), (host.to_owned(), repository.to_owned(), reference.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_image_is_refused_without_repeating_it() {
        for bad in ["", "Team/Agent", "r.example/a:", "r.example/a@sha256:1", "a b", "../x", "r.example/", "-a.b/c"] {
            assert!(!check(bad).unwrap_err().contains("Team"), "{bad}");
        }
        assert_eq!(check("docker://r.example/a:1").as_deref(), Ok("r.example/a:1"));
    }

    #[test]
    fn docker_hub_has_a_login_and_an_address_of_its_own() {
        let image = Image::parse("alpine:3").unwrap();
        assert_eq!(
            (image.login_host(), image.api().as_str()),
            ("https://index.docker.io/v1/", "https://registry-1.docker.io")
        );
        assert!(!image.is_floating() && Image::parse("alpine").unwrap().is_floating());
    }
}
