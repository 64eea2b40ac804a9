//! Quay, on quay.io and on servers of one's own. A token of an OAuth application opens its API, which lists
//! namespaces and the dates of tags; a robot account opens the v2 interface only, which tells no dates.
//! <https://docs.redhat.com/en/documentation/red_hat_quay/3/html/red_hat_quay_api_reference/>

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::docker_v2::{REGISTRY, completed, fields, registry};
use super::places::{gather, repositories};
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::form::Field;
use crate::integrations::ca_certificate;
use crate::integrations::context::{Context, Secret};
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::egress::Answer;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Lenient, Login, Next, Registry, Sign, is_digest, is_repository, is_tag};
use crate::providers::{ProviderError, Sent};

pub static QUAY: Spec = Spec {
    slug: "quay",
    label: "Quay",
    fields: FIELDS,
    uses: &[Use::main(&["api_token", "basic"]).optional()],
    host: Host::Chosen(registry),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &fields(
    REGISTRY.placeholder("https://quay.io").help(
        "quay.io or your own server. The credential is a token of an OAuth application with the scope repo:read as API \
         token, or a robot account as Basic authentication: its v2 interface reports no dates.",
    ),
    selection::REPOSITORY.placeholder("organization/*").help(
        "Put the user or organization in front: organization/*. Leave blank for all of the token's user, which takes \
         the scope user:read. Use * as a wildcard and commas between patterns.",
    ),
    selection::CAP.help(
        "Keeps the newest tags of each repository. 0 = all. They are ordered by the date of the push; by name with \
         a robot account.",
    ),
);

/// The user name beside a token of an OAuth application.
/// <https://github.com/quay/quay/blob/master/auth/credential_consts.py>
const OAUTH: &str = "$oauthtoken";

struct Quay {
    /// `None` with a robot account.
    api: Option<Registry>,
    images: Registry,
    has_token: bool,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let entered = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
        let address = cx.outside.endpoints.entered(Service::Quay, "quay.io", &entered);
        let at_api = format!("{}/api/v1", address.as_str().trim_end_matches('/'));
        let at_api = at_api.parse().map_err(|_| ProviderError::InvalidAddress)?;
        let (bearer, login) = match cx.main() {
            None => (Some(Login::Anonymous), Login::Anonymous),
            Some(Secret { kind, values, .. }) if kind.slug == "api_token" => {
                let token = SecretString::from(values.get("token"));
                let login = Login::Basic { username: OAUTH.to_owned(), password: token.clone() };
                (Some(Login::Token(token)), login)
            }
            Some(Secret { kind, values, .. }) if kind.slug == "basic" => {
                let password = SecretString::from(values.get("password"));
                (None, Login::Basic { username: values.get("username").to_owned(), password })
            }
            Some(_) => return Err(ProviderError::WrongCredential),
        };
        let has_token = matches!(bearer, Some(Login::Token(_)));
        let api = bearer.map(|login| reach(cx, ca_certificate::tls(cx.settings), &at_api, login)).transpose()?;
        // Servers may be told to answer no API calls that do not look like those of their own pages.
        let api = api.map(|api| api.with_header("x-requested-with", "XMLHttpRequest"));
        let images = reach(cx, ca_certificate::tls(cx.settings), &address, login)?;
        images.sign_in().await?;
        opened(Quay { api, images, has_token })
    })
}

impl Quay {}

/// `GET /api/v1/user/`: the namespaces of the token's user.
async fn own(api: &Registry) -> Result<Vec<String>, ProviderError> {
    #[derive(Deserialize)]
    struct User {
        username: String,
        #[serde(default)]
        organizations: Vec<Organization>,
    }
    #[derive(Deserialize)]
    struct Organization {
        name: String,
    }
    let user: User = api.vendor_get("user/", Sign::Login).await?.json()?;
    Ok(std::iter::once(user.username).chain(user.organizations.into_iter().map(|found| found.name)).collect())
}

/// `GET /api/v1/repository?namespace=<namespace>`
async fn repositories_of(api: &Registry, namespace: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
    #[derive(Deserialize)]
    struct Found {
        repositories: Vec<Lenient<Repository>>,
        next_page: Option<String>,
    }
    #[derive(Deserialize)]
    struct Repository {
        namespace: String,
        name: String,
        kind: Option<String>,
    }
    if !is_repository(&namespace) {
        return Err(ProviderError::NotFound);
    }
    let read = |answer: &Answer| {
        let found: Found = answer.json()?;
        Ok((found.repositories, Next::parameter("next_page", found.next_page)))
    };
    let path = format!("repository?namespace={namespace}");
    let (found, rest): Entries<Repository> = api.vendor_pages(&path, Sign::Login, pages, read).await?;
    let images = found.into_iter().filter(|found| found.kind.as_deref() != Some("application"));
    let names = images.map(|found| format!("{}/{}", found.namespace, found.name)).collect();
    Ok(repositories(names, rest))
}

/// `GET /api/v1/repository/<repository>/tag/`, those that are not expired or replaced.
async fn dated_tags(api: &Registry, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
    #[derive(Deserialize)]
    struct Found {
        tags: Vec<Lenient<Entry>>,
        page: u32,
        has_additional: bool,
    }
    let read = |answer: &Answer| {
        let found: Found = answer.json()?;
        let next = found.has_additional.then(|| found.page.saturating_add(1).to_string());
        Ok((found.tags, Next::parameter("page", next)))
    };
    let path = format!("repository/{repository}/tag/?onlyActiveTags=true&limit=100&page=1");
    let found = api.vendor_pages(&path, Sign::Login, pages, read).await?;
    Ok(Listing::sorted_out(found, |entry: &Entry| &entry.name, is_tag).map(Tag::from))
}

impl Catalogue for Quay {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let Some(api) = &self.api else { return self.images.repositories(pages).await };
        let namespaces = match names.first_parts() {
            Some(namespaces) => namespaces,
            None if self.has_token => own(api).await?,
            None => return Err(ProviderError::Unauthorized { sent: Sent::Nothing }),
        };
        gather(Listing::default(), namespaces, pages, |namespace| repositories_of(api, namespace, pages)).await
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        match &self.api {
            Some(api) => dated_tags(api, repository, pages).await,
            None => Ok(self.images.tags(repository, pages).await?.map(Tag::named)),
        }
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        completed(&self.images, repository, tag).await
    }
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    manifest_digest: String,
    /// Of an image; an index has none.
    size: Option<u64>,
    /// Since when the tag names this, in seconds of the Unix clock.
    start_ts: Option<i64>,
}

impl From<Entry> for Tag {
    fn from(entry: Entry) -> Self {
        let digest = Some(entry.manifest_digest).filter(|digest| is_digest(digest)).unwrap_or_default();
        let pushed_at = entry.start_ts.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
        let details = Details { digest, size_bytes: entry.size.unwrap_or(0), platforms: Vec::new() };
        Self { name: entry.name, pushed_at, details }
    }
}
