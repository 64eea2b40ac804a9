//! The hosts of Google's registries, and where in the API of Artifact Registry their repositories are.

use crate::form::Values;

/// A registry's host, and the location that answers for it.
pub(in crate::integrations) struct Place {
    pub host: String,
    pub location: String,
    /// Of a host of Container Registry: each project's repository of this name, which is no part of an image's name.
    pub repository: Option<String>,
}

/// Hosts of Container Registry and where their repositories are.
/// <https://cloud.google.com/artifact-registry/docs/transition/setup-gcr-repo>
const CONTAINER_REGISTRY: [(&str, &str); 4] =
    [("gcr.io", "us"), ("us.gcr.io", "us"), ("eu.gcr.io", "europe"), ("asia.gcr.io", "asia")];

impl Place {
    pub fn of(settings: &Values) -> Result<Self, String> {
        Self::parse(settings.get("registry"))
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        let host = text.strip_prefix("https://").unwrap_or(&text).trim_end_matches('/');
        if let Some((_, location)) = CONTAINER_REGISTRY.iter().find(|(known, _)| *known == host) {
            let repository = Some(host.to_owned());
            return Ok(Self { host: host.to_owned(), location: (*location).to_owned(), repository });
        }
        let location = host.strip_suffix("-docker.pkg.dev").unwrap_or_default();
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if (2..=40).contains(&location.len()) && location.chars().all(good) && !location.starts_with('-') {
            return Ok(Self { host: host.to_owned(), location: location.to_owned(), repository: None });
        }
        Err("Enter the host without a project, such as europe-west3-docker.pkg.dev or gcr.io.".to_owned())
    }

    /// Where in the API an image's repository is, by the first parts of its name: `project/repository/image`, or
    /// `project/image` on a host of Container Registry. A project of an organisation's domain has two parts.
    pub fn repository_of(&self, name: &str) -> Option<String> {
        let mut parts = name.split('/');
        let first = parts.next()?;
        let project = if first.contains('.') { format!("{first}:{}", parts.next()?) } else { first.to_owned() };
        let repository = match &self.repository {
            Some(repository) => repository.clone(),
            None => parts.next()?.to_owned(),
        };
        parts.next()?;
        Some(format!("{}/repositories/{repository}", self.within(&project)))
    }

    pub fn within(&self, project: &str) -> String {
        format!("projects/{project}/locations/{}", self.location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_google_names_its_location() {
        let place = |text: &str| Place::parse(text).map(|place| (place.host, place.location)).ok();
        let found = |host: &str, location: &str| Some((host.to_owned(), location.to_owned()));
        assert_eq!(
            place(" https://Europe-West3-docker.pkg.dev/ "),
            found("europe-west3-docker.pkg.dev", "europe-west3")
        );
        assert_eq!(place("eu.gcr.io"), found("eu.gcr.io", "europe"));
        for bad in ["", "gcr.io/project", "docker.pkg.dev", "x-docker.pkg.dev.evil.example", "evil.example#gcr.io"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_name_tells_the_repository_that_holds_it() {
        let of = |host: &str, name: &str| Place::parse(host).unwrap().repository_of(name);
        let expected = Some("projects/p/locations/us/repositories/r".to_owned());
        assert_eq!(of("us-docker.pkg.dev", "p/r/deep/app"), expected);
        assert_eq!(of("us-docker.pkg.dev", "p/r"), None);
        assert_eq!(of("gcr.io", "p/deep/app").as_deref(), Some("projects/p/locations/us/repositories/gcr.io"));
        assert_eq!(
            of("gcr.io", "example.com/p/a").as_deref(),
            Some("projects/example.com:p/locations/us/repositories/gcr.io")
        );
    }
}
