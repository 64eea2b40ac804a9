//! The container registry of GitLab. GitLab's API lists the repositories of groups and projects; the registry's own API
//! tells the dates of tags, and its v2 interface the rest. A deploy token opens the registry only, and lists nothing.
//! <https://docs.gitlab.com/api/container_registry/>
//! <https://gitlab.com/gitlab-org/container-registry/-/blob/master/docs/spec/gitlab/api.md>

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::docker_v2::{REGISTRY, completed, fields, registry};
use super::places::list;
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::credentials;
use crate::credentials::forge_token::Payload;
use crate::form::{Errors, Field, Values};
use crate::integrations::ca_certificate;
use crate::integrations::context::{Context, Secret};
use crate::integrations::gitlab;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants};
use crate::providers::ProviderError;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Login, Registry, Sign, is_tag, pull};

mod api;

use api::Api;

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

static FIELDS: &[Field] = &fields(
    REGISTRY.placeholder("https://registry.gitlab.com").help(
        "The address of the registry, not of GitLab: registry.gitlab.com, or what GitLab shows under Deploy > \
         Container registry. The credential is a GitLab token with the scopes read_api and read_registry, or a deploy \
         token with read_registry as Basic authentication.",
    ),
    selection::REPOSITORY.placeholder("group/project/*").help(
        "Leave blank for all that the token's groups and projects have. Use * as a wildcard and commas between \
         patterns; put the group or project in front: group/*. A deploy token lists nothing: enter exact names for \
         it.",
    ),
    selection::CAP.help(
        "Keeps the newest tags of each repository. 0 = all. They are ordered by the date of the push. A registry \
         without a metadata database reports no dates of a repository with more than 300 tags: there names decide.",
    ),
);

fn suits(settings: &Values, kind: &str, _credential: &Values) -> Result<(), Errors> {
    if kind == "basic" && selection::Selection::of(settings).names.exact().is_none() {
        let sentence = "GitLab lists no repositories for a deploy token. Enter their names without a *, or choose a \
                        credential of the type GitLab.";
        return Err(Errors::one("repository", sentence));
    }
    Ok(())
}

/// The user name beside an access token, which GitLab does not look at.
const ANYBODY: &str = "strongroom";

struct GitlabRegistry {
    /// GitLab's API; `None` with a deploy token.
    api: Option<Api>,
    images: Registry,
    /// The registry has no metadata database, so that its own API is missing.
    undated: AtomicBool,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let entered = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
        let address = cx.outside.endpoints.entered(Service::GitlabRegistry, "registry.gitlab.com", &entered);
        let mut tls = ca_certificate::tls(cx.settings);
        let Secret { kind, values, .. } = cx.main().ok_or(ProviderError::WrongCredential)?;
        let (api, login) = match kind.slug {
            "gitlab_token" => {
                let payload: Payload = credentials::payload(values).ok_or(ProviderError::WrongCredential)?;
                tls.ca_certificates.extend(payload.ca_certificate.clone());
                let api = gitlab::line(cx, &payload)?;
                (Some(Api::new(api)), Login::Basic { username: ANYBODY.to_owned(), password: payload.token })
            }
            "basic" => {
                let (username, password) = (values.get("username").to_owned(), values.get("password"));
                (None, Login::Basic { username, password: SecretString::from(password) })
            }
            _ => return Err(ProviderError::WrongCredential),
        };
        let images = reach(cx, tls, &address, login)?;
        images.sign_in().await?;
        opened(GitlabRegistry { api, images, undated: AtomicBool::new(false) })
    })
}

impl Catalogue for GitlabRegistry {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        match &self.api {
            Some(api) => api.repositories(names, pages).await,
            None => self.images.repositories(pages).await,
        }
    }

    /// `GET /gitlab/v1/repositories/<path>/tags/list/`, or the tags of the v2 interface where that is missing, with the
    /// dates that GitLab's API tells of each.
    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        if !self.undated.load(Ordering::Relaxed) {
            let (path, scope) = (format!("gitlab/v1/repositories/{repository}/tags/list/?n=1000"), pull(repository));
            match self.images.vendor_list(&path, Sign::For(&scope), pages, list::<Entry>).await {
                Err(ProviderError::NotFound) => {}
                found => return Ok(Listing::sorted_out(found?, |entry: &Entry| &entry.name, is_tag).map(Tag::from)),
            }
        }
        let found = self.images.tags(repository, pages).await?;
        self.undated.store(true, Ordering::Relaxed);
        let found = found.map(Tag::named);
        match &self.api {
            Some(api) if pages == Pages::All => api.dated(repository, found).await,
            _ => Ok(found),
        }
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        completed(&self.images, repository, tag).await
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
