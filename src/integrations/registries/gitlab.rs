//! The container registry of GitLab. GitLab's API lists the repositories of groups and projects; the registry's own API
//! tells the dates of tags, and its v2 interface the rest. A deploy token opens the registry only, and lists nothing.
//! <https://docs.gitlab.com/api/container_registry/>
//! <https://gitlab.com/gitlab-org/container-registry/-/blob/master/docs/spec/gitlab/api.md>

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use secrecy::SecretString;
use serde::Deserialize;

use super::catalogue::{Catalogue, Described, Details, Listing, Pages, Tag};
use super::docker_v2::{CA_CERTIFICATE, REGISTRY, completed, registry};
use super::places::{gather, list, repositories};
use super::reach::{denied, reach};
use super::selection::{self, Names, is_below};
use super::{Images, check};
use crate::credentials::{self, gitlab_token};
use crate::form::{Errors, Field, Values};
use crate::integrations::ca_certificate;
use crate::integrations::context::{Context, Secret};
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants};
use crate::providers::egress::{Answer, Tls};
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Login, Registry, Sign, is_tag, pull};
use crate::providers::tls_faults::Form;
use crate::providers::{ProviderError, gitlab};

pub static GITLAB: Spec = Spec {
    slug: "gitlab",
    label: "GitLab Container Registry",
    fields: FIELDS,
    uses: &[Use::main(&["gitlab_token", "basic"])],
    host: Host::Chosen(registry),
    suits,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    REGISTRY.placeholder("https://registry.gitlab.com").help(
        "The address of the registry, not of GitLab: registry.gitlab.com, or what GitLab shows under Deploy > \
         Container registry. The credential is a GitLab token with the scopes read_api and read_registry, or a deploy \
         token with read_registry as Basic authentication.",
    ),
    selection::REPOSITORY.placeholder("group/project/*").help(
        "Leave blank for all that the token's groups and projects have. Use * as a wildcard and commas between \
         patterns; put the group or project in front: group/*. A deploy token lists nothing: enter exact names for it.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    CA_CERTIFICATE,
    selection::CAP.help(
        "Keeps the newest tags of each repository, 0 keeps all. They are ordered by the date of the push; by name \
         where the registry has no metadata database.",
    ),
];

fn suits(settings: &Values, kind: &str, _credential: &Values) -> Result<(), Errors> {
    if kind == "basic" && selection::Selection::of(settings).names.exact().is_none() {
        let sentence = "GitLab lists no repositories for a deploy token. Enter their names without a *, or choose a \
                        credential of the type GitLab.";
        return Err(Errors::one("repository", sentence));
    }
    Ok(())
}

/// Of the role Reporter, the lowest that may read a private registry.
/// <https://docs.gitlab.com/api/access_requests/#valid-access-levels>
const REPORTER: u8 = 20;
/// The user name beside an access token, which GitLab does not look at.
const ANYBODY: &str = "strongroom";

struct GitlabRegistry {
    /// GitLab's API; `None` with a deploy token.
    api: Option<Registry>,
    images: Registry,
    /// The registry has no metadata database, so that its own API is missing.
    undated: AtomicBool,
}

fn open<'a>(cx: &'a Context<'a>) -> BoxFuture<'a, Result<Box<dyn Catalogue + 'a>, ProviderError>> {
    Box::pin(async move {
        let entered = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
        let address = cx.outside.endpoints.entered(Service::GitlabRegistry, "registry.gitlab.com", &entered);
        let mut tls = ca_certificate::tls(cx.settings);
        let Secret { kind, values, .. } = cx.main().ok_or(ProviderError::WrongCredential)?;
        let (api, login) = match kind.slug {
            "gitlab_token" => {
                let payload: gitlab_token::Payload =
                    credentials::payload(values).ok_or(ProviderError::WrongCredential)?;
                tls.ca_certificates.extend(payload.ca_certificate.clone());
                let server = gitlab::address(&payload.server_url, "/api/v4", cx.outside.endpoints)?;
                let ca_certificates = payload.ca_certificate.into_iter().collect();
                let trusted = Tls { ca_certificates, identity: None, form: Form::CA_FIELD };
                let api = reach(cx, trusted, &server, Login::Token(payload.token.clone()))?.explaining(unscoped);
                (Some(api), Login::Basic { username: ANYBODY.to_owned(), password: payload.token })
            }
            "basic" => {
                let (username, password) = (values.get("username").to_owned(), values.get("password"));
                (None, Login::Basic { username, password: SecretString::from(password) })
            }
            _ => return Err(ProviderError::WrongCredential),
        };
        let images = reach(cx, tls, &address, login)?;
        images.sign_in().await?;
        Ok(Box::new(GitlabRegistry { api, images, undated: AtomicBool::new(false) }) as Box<dyn Catalogue>)
    })
}

/// A token that may not read the API. <https://docs.gitlab.com/api/rest/authentication/>
fn unscoped(answer: &Answer) -> Option<ProviderError> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal = (answer.status == 403).then(|| answer.json::<Refusal>().ok()).flatten()?;
    (refusal.error == "insufficient_scope").then(|| {
        denied(
            "the token lacks the scope read_api.",
            "Create a token with the scopes read_api and read_registry, and replace the credential's token.",
        )
    })
}

impl GitlabRegistry {
    async fn list_repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let Some(api) = &self.api else { return self.images.repositories(pages).await };
        match names.paths() {
            Some(paths) => gather(Listing::default(), paths, pages, |path| below(api, path, pages)).await,
            None => {
                let (places, rest) = visible(api).await?;
                let known = Listing { rest, ..Listing::default() };
                gather(known, places, pages, |place| registry_of(api, place, pages)).await
            }
        }
    }

    /// `GET /gitlab/v1/repositories/<path>/tags/list/`, or the tags of the v2 interface where that is missing.
    async fn list_tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        if !self.undated.load(Ordering::Relaxed) {
            let (path, scope) = (format!("gitlab/v1/repositories/{repository}/tags/list/?n=1000"), pull(repository));
            match self.images.vendor_list(&path, Sign::For(&scope), pages, list::<Entry>).await {
                Err(ProviderError::NotFound) => {}
                found => return Ok(Listing::sorted_out(found?, |entry: &Entry| &entry.name, is_tag).map(Tag::from)),
            }
        }
        let found = self.images.tags(repository, pages).await?;
        self.undated.store(true, Ordering::Relaxed);
        Ok(found.map(Tag::named))
    }
}

/// Groups and projects that the token belongs to, as paths of the API: the topmost groups, and projects outside of
/// them.
async fn visible(api: &Registry) -> Result<(Vec<String>, Option<ProviderError>), ProviderError> {
    #[derive(Deserialize)]
    struct Place {
        #[serde(alias = "path_with_namespace")]
        full_path: String,
    }
    let paths = |places: Vec<Place>| -> Vec<String> { places.into_iter().map(|place| place.full_path).collect() };
    let path = format!("groups?min_access_level={REPORTER}&per_page=100");
    let (groups, missing) = api.vendor_list(&path, Sign::Login, Pages::All, list::<Place>).await?;
    let all = paths(groups);
    let groups: Vec<&String> = all.iter().filter(|path| !all.iter().any(|other| is_below(path, other))).collect();
    let path = format!(
        "projects?membership=true&min_access_level={REPORTER}&simple=true&per_page=100&order_by=id&sort=asc&\
         pagination=keyset"
    );
    let (projects, rest) = api.vendor_list(&path, Sign::Login, Pages::All, list::<Place>).await?;
    let projects = paths(projects).into_iter().filter(|path| !groups.iter().any(|group| is_below(path, group)));
    let mut places: Vec<String> = groups.iter().map(|path| place("groups", path)).collect();
    places.extend(projects.map(|path| place("projects", &path)));
    Ok((places, missing.or(rest)))
}

/// A group or project in an address: its path is one part of it.
fn place(sort: &str, path: &str) -> String {
    format!("{sort}/{}", path.replace('/', "%2F"))
}

/// The repositories of a group or project, or of the nearest one above: what follows is the rest of a repository's
/// name.
async fn below(api: &Registry, path: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
    let mut path = path.as_str();
    loop {
        for sort in ["groups", "projects"] {
            match registry_of(api, place(sort, path), pages).await {
                Err(ProviderError::NotFound) => {}
                found => return found,
            }
        }
        path = path.rsplit_once('/').ok_or(ProviderError::NotFound)?.0;
    }
}

/// `GET /groups/<group>/registry/repositories`, with those of its subgroups, or the same of a project.
async fn registry_of(api: &Registry, place: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
    #[derive(Deserialize)]
    struct Repository {
        path: String,
        status: Option<String>,
    }
    let path = format!("{place}/registry/repositories?per_page=100");
    let (found, rest) = api.vendor_list(&path, Sign::Login, pages, list::<Repository>).await?;
    // One that is being deleted still stands in the list.
    let there = |repository: &Repository| repository.status.as_deref().is_none_or(|status| !status.contains("delete"));
    Ok(repositories(found.into_iter().filter(there).map(|repository| repository.path).collect(), rest))
}

impl Catalogue for GitlabRegistry {
    fn repositories<'a>(
        &'a self,
        names: &'a Names,
        pages: Pages,
    ) -> BoxFuture<'a, Result<Listing<String>, ProviderError>> {
        Box::pin(self.list_repositories(names, pages))
    }

    fn tags<'a>(&'a self, repository: &'a str, pages: Pages) -> BoxFuture<'a, Result<Listing<Tag>, ProviderError>> {
        Box::pin(self.list_tags(repository, pages))
    }

    fn describe<'a>(&'a self, repository: &'a str, tag: &'a Tag) -> BoxFuture<'a, Result<Described, ProviderError>> {
        Box::pin(completed(&self.images, repository, tag))
    }
}

/// A tag with its dates. Older registries do not tell when it was published, and none tells of an update that never
/// was.
#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    digest: String,
    published_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    created_at: Option<DateTime<Utc>>,
}

impl From<Entry> for Tag {
    fn from(entry: Entry) -> Self {
        let pushed_at = entry.published_at.or(entry.updated_at).or(entry.created_at);
        Self { name: entry.name, pushed_at, details: Details { digest: entry.digest, ..Details::default() } }
    }
}
