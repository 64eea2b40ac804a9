//! Docker Hub, by its own API: it tells tags, dates, sizes and platforms. No manifest is pulled, so a scan spends
//! nothing of the pull limit of an account or of an address. <https://docs.docker.com/reference/api/hub/latest/>

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::catalogue::{Catalogue, Described, Details, Listing, Missing, Opening, Pages, Tag, distinct, opened};
use super::places::{gather, repositories};
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::form::Field;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::egress::{Answer, Tls};
use crate::providers::oci_registry::{
    Entries, Lenient, Login, Next, Registry, Sign, is_digest, is_repository, is_tag, platform,
};
use crate::providers::{ProviderError, Sent, docker_hub};

pub static DOCKER_HUB: Spec = Spec {
    slug: "docker_hub",
    label: "Docker Hub",
    fields: FIELDS,
    uses: &[Use::main(&["basic"]).optional()],
    host: Host::Vendor(|_| Some("hub.docker.com".to_owned())),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    selection::REPOSITORY.placeholder("organization/*").help(
        "Put the user or organization in front: organization/*. A name without a slash is an official image. Leave \
         blank for all of the credential's own: a user name or organization with an access token, as Basic \
         authentication. Public repositories need none.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
    selection::VERSION_PATTERN,
];

/// A token lives longer; one of this age is replaced before the next list is asked for.
const RENEWED_AFTER: Duration = Duration::from_secs(4 * 60);

struct DockerHub<'a> {
    api: Registry,
    cx: &'a Context<'a>,
    /// User name, secret, and when the last token came; `None` without a credential.
    account: Option<(String, SecretString, Mutex<Instant>)>,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let address = docker_hub::address(cx.outside.endpoints, "/")?;
        let (account, login) = match cx.main() {
            None => (None, Login::Anonymous),
            Some(secret) => {
                let (name, password) = (secret.values.get("username").to_owned(), secret.values.get("password"));
                let password = SecretString::from(password);
                let token = docker_hub::token(&name, &password, cx.outside.egress, cx.outside.endpoints).await?;
                (Some((name, password, Mutex::new(Instant::now()))), Login::Token(token))
            }
        };
        let api = reach(cx, Tls::default(), &address, login)?;
        opened(DockerHub { api, cx, account })
    })
}

/// How the API writes a list.
#[derive(Deserialize)]
struct Page<T> {
    results: Vec<Lenient<T>>,
    next: Option<String>,
}

impl DockerHub<'_> {
    /// `GET /v2/namespaces/<namespace>/repositories`
    async fn repositories_of(&self, namespace: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Repository {
            name: String,
        }
        if !is_repository(&namespace) {
            return Err(ProviderError::NotFound);
        }
        let path = format!("v2/namespaces/{namespace}/repositories?page_size=100");
        let (found, rest) = self.list::<Repository>(&path, pages).await?;
        Ok(repositories(found.into_iter().map(|found| format!("{namespace}/{}", found.name)).collect(), rest))
    }

    async fn list<T: DeserializeOwned>(&self, path: &str, pages: Pages) -> Result<Entries<T>, ProviderError> {
        if let Some((name, password, since)) = &self.account {
            let mut since = since.lock().await;
            if since.elapsed() > RENEWED_AFTER {
                let outside = self.cx.outside;
                self.api.renew(&docker_hub::token(name, password, outside.egress, outside.endpoints).await?);
                *since = Instant::now();
            }
        }
        let read = |answer: &Answer| {
            let Page { results, next } = answer.json::<Page<T>>()?;
            Ok((results, next.map_or(Next::End, Next::Address)))
        };
        self.api.vendor_pages(path, Sign::Login, pages, read).await
    }
}

impl Catalogue for DockerHub<'_> {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let namespaces = match (names.first_parts(), &self.account) {
            (Some(namespaces), _) => namespaces,
            (None, Some((name, ..))) => vec![name.to_ascii_lowercase()],
            (None, None) => return Err(ProviderError::Unauthorized { sent: Sent::Nothing }),
        };
        gather(Listing::default(), namespaces, pages, |namespace| self.repositories_of(namespace, pages)).await
    }

    /// `GET /v2/namespaces/<namespace>/repositories/<repository>/tags`
    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let (namespace, name) = repository.split_once('/').unwrap_or(("library", repository));
        let path = format!("v2/namespaces/{namespace}/repositories/{name}/tags?page_size=100");
        let found = self.list::<Entry>(&path, pages).await?;
        Ok(Listing::sorted_out(found, |entry: &Entry| &entry.name, is_tag).map(Tag::from))
    }

    /// The list has said it all, but for the digest of a tag that is older than the API's member for it.
    async fn describe(&self, _repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        let details = tag.details.clone();
        let missing = details.digest.is_empty().then_some(Missing::Here(ProviderError::BadAnswer));
        Ok(Described { details, missing })
    }
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    /// Of the image, or of the index of several.
    digest: Option<String>,
    images: Option<Vec<Image>>,
    tag_last_pushed: Option<DateTime<Utc>>,
    last_updated: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Image {
    digest: Option<String>,
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    #[serde(default)]
    size: u64,
}

impl From<Entry> for Tag {
    fn from(entry: Entry) -> Self {
        let images = entry.images.unwrap_or_default();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let of = |image: &Image| platform(&text(&image.os), &text(&image.architecture), &text(&image.variant));
        let platforms = distinct(images.iter().map(of));
        let size_bytes = images.iter().fold(0, |sum: u64, image| sum.saturating_add(image.size));
        let of_one = || match images.as_slice() {
            [image] => image.digest.clone(),
            _ => None,
        };
        let digest = entry.digest.or_else(of_one).filter(|digest| is_digest(digest)).unwrap_or_default();
        let details = Details { digest, size_bytes, platforms };
        Self { name: entry.name, pushed_at: entry.tag_last_pushed.or(entry.last_updated), details }
    }
}
