//! Harbor, by its own interface: it lists what the account may read, with dates, sizes and platforms, where its v2
//! catalogue is for administrators only. Robot accounts (`robot$name`) sign in as people do.
//! <https://github.com/goharbor/harbor/blob/main/api/v2.0/swagger.yaml>

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, distinct, opened};
use super::docker_v2::{self, REGISTRY, connect, fields, registry};
use super::places::{gather, missing, repositories};
use super::selection::{self, Names};
use super::{Images, check};
use crate::form::Field;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{Lenient, Registry, Sign, is_digest, is_repository, is_tag, platform};

pub static HARBOR: Spec = Spec {
    slug: "harbor",
    label: "Harbor",
    fields: FIELDS,
    uses: &[Use::main(&["basic"]).optional()],
    host: Host::Chosen(registry),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &fields(
    REGISTRY
        .placeholder("https://harbor.example.com")
        .help("The address of Harbor. What a browser shows behind /harbor is left out.")
        .check(address),
    selection::REPOSITORY.placeholder("project/*").help(
        "Leave blank for all that the account may read. Use * as a wildcard and commas between patterns. Put the \
        project \
         in front: project/*. A robot account's user name begins with robot$.",
    ),
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
);

/// People paste what their browser shows, such as `https://harbor.example.com/harbor/projects/1/repositories`.
fn address(text: &str) -> Result<String, String> {
    let mut whole = docker_v2::address(text)?;
    if let Some(at) = whole.find("/harbor/") {
        whole.truncate(at);
    }
    Ok(whole.strip_suffix("/harbor").map(str::to_owned).unwrap_or(whole))
}

/// Entries on a page, the most that Harbor gives.
const PAGE: usize = 100;

struct Harbor(Registry);

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move { opened(Harbor(connect(cx).await?)) })
}

impl Harbor {
    /// `GET /api/v2.0/projects/<project>/repositories`
    async fn repositories_of(&self, project: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let path = format!("api/v2.0/projects/{project}/repositories?page_size={PAGE}");
        let (found, rest) = self.0.vendor_list(&path, Sign::Login, pages, entries::<Named>).await?;
        Ok(repositories(found.into_iter().map(|repository| repository.name).collect(), rest))
    }
}

impl Catalogue for Harbor {
    /// `GET /api/v2.0/projects`, or the projects that the patterns name, then the repositories of each. Those of a
    /// project that the account may not read are missing.
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (projects, rest) = match names.first_parts() {
            Some(projects) => (projects, None),
            None => {
                let path = format!("api/v2.0/projects?page_size={PAGE}");
                let found = self.0.vendor_list(&path, Sign::Login, pages, entries::<Named>).await;
                let (found, rest) = found.map_err(missing(HARBOR.label))?;
                (found.into_iter().map(|project| project.name).collect(), rest)
            }
        };
        let (projects, odd): (Vec<String>, Vec<String>) = projects.into_iter().partition(|name| is_project(name));
        let known = Listing { odd, rest, ..Listing::default() };
        gather(known, projects, pages, |project| self.repositories_of(project, pages)).await
    }

    /// `GET /api/v2.0/projects/<project>/repositories/<repository>/artifacts`, an entry a digest, those with tags only.
    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let (project, name) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        // Encoded twice, as Harbor wants it: a/b is a%252Fb.
        let name = name.replace('/', "%252F");
        let path = format!(
            "api/v2.0/projects/{project}/repositories/{name}/artifacts?q=tags%3D*&with_tag=true&page_size={PAGE}"
        );
        let (artifacts, rest) = self.0.vendor_list(&path, Sign::Login, pages, entries::<Artifact>).await?;
        let (mut tags, mut rest): (Vec<Tag>, _) = (Vec::new(), rest);
        for artifact in artifacts {
            if is_digest(&artifact.digest) {
                tags.extend(artifact.tags());
            } else {
                rest.get_or_insert(ProviderError::BadAnswer);
            }
        }
        Ok(Listing::sorted_out((tags, rest), |tag: &Tag| &tag.name, is_tag))
    }

    /// The list has said it all.
    async fn describe(&self, _repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        Ok(tag.details.clone().whole())
    }
}

/// A project's name is the first part of its repositories' names.
fn is_project(name: &str) -> bool {
    is_repository(name) && !name.contains('/')
}

fn entries<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<Vec<Lenient<T>>, ProviderError> {
    Ok(answer.json::<Option<Vec<Lenient<T>>>>()?.unwrap_or_default())
}

/// A project, or a repository with its project in front.
#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Artifact {
    digest: String,
    /// Of an index, summed over its images.
    #[serde(default)]
    size: u64,
    push_time: Option<DateTime<Utc>>,
    tags: Option<Vec<ArtifactTag>>,
    /// Of an image: what its configuration says.
    extra_attrs: Option<Platform>,
    /// Of an index: its images.
    references: Option<Vec<Reference>>,
}

#[derive(Deserialize)]
struct ArtifactTag {
    name: String,
    push_time: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Reference {
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
}

impl Platform {
    fn name(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        platform(&text(&self.os), &text(&self.architecture), &text(&self.variant))
    }
}

impl Artifact {
    fn tags(self) -> impl Iterator<Item = Tag> {
        let of_index = self.references.iter().flatten().filter_map(|reference| reference.platform.as_ref());
        let platforms = distinct(of_index.chain(&self.extra_attrs).map(Platform::name));
        let details = Details { digest: self.digest, size_bytes: self.size, platforms };
        let pushed = self.push_time;
        self.tags.into_iter().flatten().map(move |tag| Tag {
            name: tag.name,
            pushed_at: tag.push_time.or(pushed),
            details: details.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_from_the_browser_is_cut_to_harbor_itself() {
        for pasted in [
            "harbor.example.com",
            "https://harbor.example.com/harbor/projects/1/repositories",
            "https://harbor.example.com/harbor",
        ] {
            assert_eq!(address(pasted).as_deref(), Ok("https://harbor.example.com"));
        }
        assert_eq!(
            address("https://example.com/registry/harbor/sign-in").as_deref(),
            Ok("https://example.com/registry")
        );
    }
}
