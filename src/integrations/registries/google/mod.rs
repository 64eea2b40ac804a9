//! Google Artifact Registry and what became of Container Registry (gcr.io), by the API of Artifact Registry: one list
//! has the images of a repository with tags, dates and sizes, and the platforms of an index. That a single image's
//! platform is unknown is the API's silence: its configuration is kept elsewhere.
//! <https://cloud.google.com/artifact-registry/docs/reference/rest>

use std::sync::Arc;

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::catalogue::{Catalogue, Described, Listing, Opening, Pages, Tag, opened};
use super::held::{Held, Images as Found};
use super::places::gather;
use super::reach::{denied, reach};
use super::selection::{self, Names, Selection};
use super::{Images, check};
use crate::credentials;
use crate::credentials::gcp::{Level, Payload};
use crate::form::Field;
use crate::integrations::context::{Context, Secret};
use crate::integrations::cover::{self, Cover};
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::egress::{Answer, Tls};
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Lenient, Login, Next, Registry, Sign};
use crate::providers::{ProviderError, gcp};

mod image;
mod place;

use image::Image;
pub(in crate::integrations) use place::Place;

pub static GOOGLE: Spec = Spec {
    slug: "google_artifacts",
    label: "Google Artifact/Container Registry",
    fields: FIELDS,
    uses: &[Use::main(&["gcp"])],
    host: Host::Chosen(|settings| Url::parse(&format!("https://{}", Place::of(settings).ok()?.host)).ok()),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    Field::text("registry", "Registry")
        .placeholder("europe-west3-docker.pkg.dev")
        .help(
            "The host of the location: europe-west3-docker.pkg.dev, or gcr.io, us.gcr.io, eu.gcr.io, asia.gcr.io. The \
             service account needs the role Artifact Registry Reader.",
        )
        .max(128)
        .check(|text| Place::parse(text).map(|place| place.host))
        .identity(),
    selection::REPOSITORY.placeholder("project/repository/*").help(
        "Put the project in front: project/*. Leave blank for the service account's own project, or for all projects \
         that it sees at the level Organization. Use * as a wildcard and commas between patterns.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the upload; 0 keeps all."),
    selection::VERSION_PATTERN,
];

struct GoogleRegistry<'a> {
    place: Place,
    payload: Payload,
    api: Registry,
    secret: Secret<'a>,
    cx: &'a Context<'a>,
    held: Held,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let place = Place::of(cx.settings).map_err(|_| ProviderError::InvalidAddress)?;
        let secret = cx.main().ok_or(ProviderError::WrongCredential)?;
        let payload: Payload = credentials::payload(secret.values).ok_or(ProviderError::WrongCredential)?;
        let at = |service, host: &str| cx.outside.endpoints.url(service, &format!("https://{host}"), "/");
        let address = at(Service::GoogleArtifacts, "artifactregistry.googleapis.com")?;
        let token = token(cx, secret).await?;
        let api = reach(cx, Tls::default(), &address, Login::Token(token))?.explaining(disabled);
        opened(GoogleRegistry { place, payload, api, secret, cx, held: Held::default() })
    })
}

async fn token(cx: &Context<'_>, secret: Secret<'_>) -> Result<SecretString, ProviderError> {
    let token = cx.outside.tokens.google_token(secret.stored, secret.values, gcp::CLOUD_PLATFORM).await;
    Ok(token.map_err(ProviderError::SignIn)?.secret)
}

impl GoogleRegistry<'_> {
    /// `GET /v3/projects:search`: every project that the service account sees.
    /// <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>
    async fn projects(&self) -> Result<Entries<String>, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Projects {
            #[serde(default)]
            projects: Vec<Lenient<Project>>,
            next_page_token: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Project {
            project_id: String,
        }
        let address = "https://cloudresourcemanager.googleapis.com";
        let address = self.cx.outside.endpoints.url(Service::GoogleProjects, address, "/")?;
        let token = token(self.cx, self.secret).await?;
        let manager = reach(self.cx, Tls::default(), &address, Login::Token(token))?.explaining(disabled);
        let path = "v3/projects:search?query=state:ACTIVE&pageSize=500";
        let read = |answer: &Answer| {
            let found: Projects = answer.json()?;
            Ok((found.projects, Next::parameter("pageToken", found.next_page_token)))
        };
        let (found, rest): Entries<Project> = manager.vendor_pages(path, Sign::Login, Pages::All, read).await?;
        Ok((found.into_iter().map(|project| project.project_id).collect(), rest))
    }

    /// The images of a project, of one repository on a host of Container Registry, else of all.
    async fn project(&self, project: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
        if !is_project(&project) {
            return Err(ProviderError::NotFound);
        }
        let (repositories, rest) = match &self.place.repository {
            Some(repository) => (vec![format!("{}/repositories/{repository}", self.place.within(&project))], None),
            None => self.repositories_of(&project).await?,
        };
        let known = Listing { rest, ..Listing::default() };
        gather(known, repositories, pages, |repository| async move {
            Ok(self.images(&repository, pages).await?.repositories())
        })
        .await
    }

    /// `GET /v1/projects/<project>/locations/<location>/repositories`, those of images.
    async fn repositories_of(&self, project: &str) -> Result<Entries<String>, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Repositories {
            #[serde(default)]
            repositories: Vec<Lenient<Repository>>,
            next_page_token: Option<String>,
        }
        #[derive(Deserialize)]
        struct Repository {
            name: String,
            format: String,
        }
        self.api.renew(&token(self.cx, self.secret).await?);
        let path = format!("v1/{}/repositories?pageSize=1000", self.place.within(project));
        let read = |answer: &Answer| {
            let found: Repositories = answer.json()?;
            Ok((found.repositories, Next::parameter("pageToken", found.next_page_token)))
        };
        let (found, mut rest): Entries<Repository> =
            self.api.vendor_pages(&path, Sign::Login, Pages::All, read).await?;
        let images = found.into_iter().filter(|repository| repository.format == "DOCKER");
        let mut names: Vec<String> = images.map(|repository| repository.name).collect();
        let within = format!("{}/repositories/", self.place.within(project));
        let known = names.len();
        names.retain(|name| name.strip_prefix(&within).is_some_and(is_project));
        if names.len() < known {
            rest.get_or_insert(ProviderError::BadAnswer);
        }
        Ok((names, rest))
    }

    /// `GET /v1/<repository>/dockerImages`, an entry a digest, by the names of their images.
    async fn images(&self, repository: &str, pages: Pages) -> Result<Arc<Found>, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answered {
            #[serde(default)]
            docker_images: Vec<Lenient<Image>>,
            next_page_token: Option<String>,
        }
        let read = || async {
            self.api.renew(&token(self.cx, self.secret).await?);
            let path = format!("v1/{repository}/dockerImages?pageSize=1000");
            let read = |answer: &Answer| {
                let found: Answered = answer.json()?;
                Ok((found.docker_images, Next::parameter("pageToken", found.next_page_token)))
            };
            let (images, rest) = self.api.vendor_pages(&path, Sign::Login, pages, read).await?;
            let mut found = Found::new(rest);
            for image in images {
                match image.place(&self.place) {
                    Some((name, digest)) => image.tags(digest).for_each(|tag| found.add(name.clone(), tag)),
                    None => drop(found.rest.get_or_insert(ProviderError::BadAnswer)),
                }
            }
            Ok(found)
        };
        self.held.of(repository, read).await
    }
}

/// A project or a repository as one part of a path. A project of an organisation's domain has a colon.
fn is_project(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    (1..=128).contains(&name.len()) && name.chars().all(good) && !name.starts_with('.')
}

/// A project that has switched the API off, which the status alone calls forbidden.
/// <https://cloud.google.com/apis/design/errors>
fn disabled(answer: &Answer) -> Option<ProviderError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: Body,
    }
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        details: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        reason: Option<String>,
    }
    let refusal = (answer.status == 403).then(|| answer.json::<Refusal>().ok()).flatten()?;
    let off = refusal.error.details.iter().any(|detail| detail.reason.as_deref() == Some("SERVICE_DISABLED"));
    off.then(|| {
        denied(
            "an API is switched off in the project.",
            "Enable the Artifact Registry API in it; a key of the level Organization also needs the Cloud Resource \
             Manager API in its own project.",
        )
    })
}

impl Catalogue for GoogleRegistry<'_> {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        if let Some(projects) = names.first_parts() {
            return gather(Listing::default(), projects, pages, |project| self.project(project, pages)).await;
        }
        if self.payload.level == Level::Project {
            return self.project(self.payload.service_account.project_id.clone(), pages).await;
        }
        let (projects, rest) = self.projects().await?;
        let known = Listing { rest, ..Listing::default() };
        // Most projects of an organisation have no registry at all.
        let read = |project| async move {
            match self.project(project, pages).await {
                Err(ProviderError::SignIn(_)) => Ok(Listing::default()),
                found => found,
            }
        };
        gather(known, projects, pages, read).await
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let place = self.place.repository_of(repository).ok_or(ProviderError::NotFound)?;
        self.images(&place, pages).await?.of(repository)
    }

    /// Each project of the host: those that the names begin with, else the service account's own. Which ones a service
    /// account of an organisation sees is not told here.
    fn covers(&self, _registry: &str, selection: &Selection) -> Vec<Cover> {
        let own = || match self.payload.level {
            Level::Project => vec![self.payload.service_account.project_id.clone()],
            Level::Organization => Vec::new(),
        };
        let projects = selection.names.first_parts().unwrap_or_else(own);
        let cover = |project: String| {
            let takes_all = selection.tags.take_all() && selection.names.take_all_below(&project);
            Some(Cover::read(cover::registry(&self.place.host, &project)?, takes_all))
        };
        projects.into_iter().filter_map(cover).collect()
    }

    /// The list has said all that the API knows.
    async fn describe(&self, _repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        Ok(tag.details.clone().whole())
    }
}
