//! IBM Cloud Container Registry: one list has the images of an account or of a namespace, with digests, sizes and
//! dates; platforms come from the v2 interface, which takes the API key as a password.
//! <https://cloud.ibm.com/apidocs/container-registry>

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::docker_v2::completed;
use super::held::{Held, Images as Found};
use super::places::{gather, list};
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::credentials::{self, ibm_cloud};
use crate::form::Field;
use crate::integrations::context::{Context, Secret};
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::ProviderError;
use crate::providers::egress::Tls;
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Login, Registry, Sign, is_digest};

pub static IBM: Spec = Spec {
    slug: "ibm",
    label: "IBM Cloud Container Registry",
    fields: FIELDS,
    uses: &[Use::main(&["ibm_cloud"])],
    host: Host::Chosen(|settings| Url::parse(&format!("https://{}", host(settings.get("registry")).ok()?)).ok()),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    Field::text("registry", "Registry")
        .placeholder("us.icr.io")
        .help(
            "The host of the region: us.icr.io, de.icr.io, icr.io for the global one. The API key's service ID needs \
             the role Reader on Container Registry.",
        )
        .max(64)
        .check(host)
        .identity(),
    selection::REPOSITORY.placeholder("namespace/*").help(
        "Leave blank for all namespaces of the account. Use * as a wildcard and commas between patterns; with the \
         namespace in front, namespace/*, only that one is listed.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    selection::CAP.help("Keeps the newest tags of each repository, by the date that the image was built; 0 keeps all."),
    selection::VERSION_PATTERN,
];

/// <https://cloud.ibm.com/docs/Registry?topic=Registry-registry_overview#registry_regions>
pub(in crate::integrations) fn host(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let host = text.strip_prefix("https://").unwrap_or(&text).trim_end_matches('/');
    let region = host.strip_prefix("private.").unwrap_or(host);
    let good = |region: &str| {
        (2..=8).contains(&region.len()) && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if region == "icr.io" || region.strip_suffix(".icr.io").is_some_and(good) {
        return Ok(host.to_owned());
    }
    Err("Enter the host of a region without a namespace, such as us.icr.io.".to_owned())
}

struct IbmRegistry<'a> {
    api: Registry,
    images: Registry,
    secret: Secret<'a>,
    cx: &'a Context<'a>,
    held: Held,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let host = host(cx.settings.get("registry")).map_err(|_| ProviderError::InvalidAddress)?;
        let address = cx.outside.endpoints.url(Service::IbmRegistry, &format!("https://{host}"), "/")?;
        let secret = cx.main().ok_or(ProviderError::WrongCredential)?;
        let payload: ibm_cloud::Payload = credentials::payload(secret.values).ok_or(ProviderError::WrongCredential)?;
        let token = cx.outside.tokens.ibm_token(secret.stored, secret.values).await;
        let token = token.map_err(ProviderError::SignIn)?.secret;
        let api =
            reach(cx, Tls::default(), &address, Login::Token(token))?.with_header("account", &payload.account_guid);
        let login = Login::Basic { username: "iamapikey".to_owned(), password: payload.api_key };
        let images = reach(cx, Tls::default(), &address, login)?;
        images.sign_in().await?;
        opened(IbmRegistry { api, images, secret, cx, held: Held::default() })
    })
}

impl IbmRegistry<'_> {
    /// `GET /api/v1/namespaces`
    async fn namespaces(&self) -> Result<Entries<String>, ProviderError> {
        self.api.vendor_list("api/v1/namespaces", Sign::Login, Pages::All, list::<String>).await
    }

    /// `GET /api/v1/images`, all at once, of one namespace or of the account. An index is left out unless asked for.
    async fn namespace(&self, namespace: &str) -> Result<Arc<Found>, ProviderError> {
        let read = || async {
            let token = self.cx.outside.tokens.ibm_token(self.secret.stored, self.secret.values).await;
            self.api.renew(&token.map_err(ProviderError::SignIn)?.secret);
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("includeIBM", "false"), ("includePrivate", "true"), ("includeManifestLists", "true")])
                .extend_pairs(Some(("namespace", namespace)).filter(|(_, namespace)| !namespace.is_empty()))
                .finish();
            let path = format!("api/v1/images?{query}");
            let (images, rest) = self.api.vendor_list(&path, Sign::Login, Pages::All, list::<Image>).await?;
            let mut found = Found::new(rest);
            for image in images {
                let Some(tags) = image.tags() else {
                    found.rest.get_or_insert(ProviderError::BadAnswer);
                    continue;
                };
                tags.into_iter().for_each(|(repository, tag)| found.add(repository, tag));
            }
            Ok(found)
        };
        self.held.of(namespace, read).await
    }
}

impl Catalogue for IbmRegistry<'_> {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (namespaces, rest) = match names.first_parts() {
            Some(namespaces) => (namespaces, None),
            None => match self.namespace("").await {
                // One answer is too small for the account: each namespace has its own.
                Err(ProviderError::TooLarge) => self.namespaces().await?,
                found => return Ok(found?.repositories()),
            },
        };
        let read = |namespace: String| async move { Ok(self.namespace(&namespace).await?.repositories()) };
        gather(Listing { rest, ..Listing::default() }, namespaces, pages, read).await
    }

    async fn tags(&self, repository: &str, _pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let namespace = repository.split('/').next().unwrap_or_default();
        // All namespaces, if they were listed at once; else the repository's own.
        let place = if self.held.has("") && !self.held.has(namespace) { "" } else { namespace };
        self.namespace(place).await?.of(repository)
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        completed(&self.images, repository, tag).await
    }
}

/// What has one digest.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Image {
    /// `us.icr.io/namespace/app:1.0`
    repo_tags: Option<Vec<String>>,
    /// `us.icr.io/namespace/app@sha256:…`
    repo_digests: Option<Vec<String>>,
    /// The tags by their digest.
    digest_tags: Option<HashMap<String, Vec<String>>>,
    /// When the image was built, in seconds of the Unix clock; 0 where a build leaves that out.
    created: Option<i64>,
    size: Option<u64>,
}

impl Image {
    /// Its tags with their repositories; `None` when they are not as the API writes them.
    fn tags(&self) -> Option<Vec<(String, Tag)>> {
        let pushed_at = self.created.filter(|seconds| *seconds > 0);
        let pushed_at = pushed_at.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
        let tag = |reference: &String| {
            let (repository, name) = reference.split_once('/')?.1.rsplit_once(':')?;
            let details =
                Details { digest: self.digest(reference)?, size_bytes: self.size.unwrap_or(0), platforms: Vec::new() };
            Some((repository.to_owned(), Tag { name: name.to_owned(), pushed_at, details }))
        };
        self.repo_tags.iter().flatten().map(tag).collect()
    }

    fn digest(&self, reference: &String) -> Option<String> {
        let by_digest = self.digest_tags.iter().flatten().find(|(_, tags)| tags.contains(reference));
        let digest = by_digest.map(|(digest, _)| digest.rsplit('@').next().unwrap_or(digest)).or_else(|| {
            let repository = reference.rsplit_once(':')?.0;
            let mut digests = self.repo_digests.iter().flatten().filter_map(|text| text.split_once('@'));
            digests.find(|(other, _)| *other == repository).map(|(_, digest)| digest)
        })?;
        is_digest(digest).then(|| digest.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_of_ibm_is_taken() {
        assert_eq!(host(" https://US.icr.io/ ").as_deref(), Ok("us.icr.io"));
        for good in ["icr.io", "jp2.icr.io", "private.de.icr.io"] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        for bad in ["", "us.icr.io/namespace", "evil.example", "us.icr.io.evil.example", "a.b.icr.io", "x@us.icr.io"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}
