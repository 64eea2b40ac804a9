//! JFrog Artifactory: its own interface lists the repositories of images and the dates and digests of tags; names,
//! sizes and platforms come from the v2 interface of each repository, below Artifactory's own address.
//! <https://jfrog.com/help/r/jfrog-rest-apis/docker-repositories> <https://jfrog.com/help/r/jfrog-rest-apis/file-list>

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::docker_v2::{self, REGISTRY, completed, fields, registry};
use super::places::{gather, list, missing, repositories};
use super::reach::reach;
use super::selection::{self, Names};
use super::several::Several;
use super::{Images, check};
use crate::form::Field;
use crate::integrations::ca_certificate;
use crate::integrations::context::{Context, Secret};
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Entries, Lenient, Login, Registry, Sign, is_digest, is_repository};

pub static JFROG: Spec = Spec {
    slug: "jfrog",
    label: "JFrog Artifactory",
    fields: FIELDS,
    uses: &[Use::main(&["basic", "api_token"]).optional()],
    host: Host::Chosen(registry),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &fields(
    REGISTRY
        .placeholder("https://example.jfrog.io")
        .help(
            "The address of the platform, without /artifactory. The credential is a user name with a password or \
             identity token as Basic authentication, or an access token as API token; it needs the permission Read.",
        )
        .check(address),
    selection::REPOSITORY.placeholder("docker-local/*").help(
        "Put the repository key in front: docker-local/*. Leave blank for all local, federated and remote repositories \
         of images; a virtual one shows what is in these. Use * as a wildcard and commas between patterns.",
    ),
    selection::CAP.help(
        "Keeps the newest tags of each repository. 0 = all. They are ordered by the date of the push; by name \
         where the edition does not list files.",
    ),
);

/// People paste what their browser shows, such as `https://example.jfrog.io/ui/packages`.
fn address(text: &str) -> Result<String, String> {
    let whole = docker_v2::address(text)?;
    let end = ["/artifactory", "/ui/"].iter().filter_map(|part| whole.find(part)).min();
    Ok(whole[..end.unwrap_or(whole.len())].trim_end_matches("/ui").to_owned())
}

struct Artifactory<'a> {
    cx: &'a Context<'a>,
    /// Ends with `/artifactory`.
    address: String,
    api: Registry,
    /// The keys of the repositories that hold images.
    keys: Entries<String>,
    images: Several,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let platform = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
        let address = format!("{}/artifactory", platform.as_str().trim_end_matches('/'));
        let api = line(cx, &address)?;
        let keys = keys(&api).await?;
        opened(Artifactory { cx, address, api, keys, images: Several::default() })
    })
}

fn line(cx: &Context<'_>, address: &str) -> Result<Registry, ProviderError> {
    let login = match cx.main() {
        None => Login::Anonymous,
        Some(Secret { kind, values, .. }) if kind.slug == "api_token" => {
            Login::Token(SecretString::from(values.get("token")))
        }
        Some(Secret { values, .. }) => Login::Basic {
            username: values.get("username").to_owned(),
            password: SecretString::from(values.get("password")),
        },
    };
    let address = Url::parse(address).map_err(|_| ProviderError::InvalidAddress)?;
    reach(cx, ca_certificate::tls(cx.settings), &address, login)
}

/// `GET /artifactory/api/repositories?packageType=docker`, but for the virtual ones, which list what others hold.
async fn keys(api: &Registry) -> Result<Entries<String>, ProviderError> {
    #[derive(Deserialize)]
    struct Place {
        key: String,
        #[serde(rename = "type")]
        sort: String,
    }
    let found = api.vendor_list("api/repositories?packageType=docker", Sign::Login, Pages::All, list::<Place>).await;
    let (places, rest) = found.map_err(missing(JFROG.label))?;
    let places = places.into_iter().filter(|place| !place.sort.eq_ignore_ascii_case("virtual"));
    Ok((places.map(|place| place.key).collect(), rest))
}

impl Artifactory<'_> {
    /// The v2 interface of a repository.
    async fn images_in(&self, key: &str) -> Result<Arc<Registry>, ProviderError> {
        if !is_repository(key) || key.contains('/') {
            return Err(ProviderError::NotFound);
        }
        self.images.of(key, || line(self.cx, &format!("{}/api/docker/{key}", self.address))).await
    }

    /// `GET /artifactory/api/storage/<key>/<image>?list`: when the manifest of each tag was last changed, and its
    /// digest. None where the edition has no such list.
    async fn manifests(&self, repository: &str) -> Result<HashMap<String, (DateTime<Utc>, String)>, ProviderError> {
        #[derive(Deserialize)]
        struct Answered {
            files: Vec<Lenient<File>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct File {
            /// `/1.0/manifest.json`
            uri: String,
            last_modified: DateTime<Utc>,
            sha2: Option<String>,
        }
        let path = format!("api/storage/{repository}?list&deep=1&depth=2&listFolders=0");
        let files = match self.api.vendor_get(&path, Sign::Login).await {
            Ok(answer) => answer.json::<Answered>()?.files,
            Err(ProviderError::UnexpectedStatus { status: 400 } | ProviderError::NotFound) => Vec::new(),
            Err(cause) => return Err(cause),
        };
        let manifests = files.into_iter().filter_map(|file| {
            let Lenient::Read(file) = file else { return None };
            let (tag, name) = file.uri.strip_prefix('/')?.split_once('/')?;
            let digest = file.sha2.map(|hash| format!("sha256:{hash}")).filter(|digest| is_digest(digest));
            let is_manifest = matches!(name, "manifest.json" | "list.manifest.json");
            is_manifest.then(|| (tag.to_owned(), (file.last_modified, digest.unwrap_or_default())))
        });
        Ok(manifests.collect())
    }
}

impl Catalogue for Artifactory<'_> {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (keys, rest) = match names.first_parts() {
            Some(keys) => (keys, None),
            None => self.keys.clone(),
        };
        let read = |key: String| async move {
            let found = self.images_in(&key).await?.repositories(pages).await?;
            let mut named = repositories(found.good.iter().map(|name| format!("{key}/{name}")).collect(), found.rest);
            named.odd.extend(found.odd);
            Ok(named)
        };
        gather(Listing { rest, ..Listing::default() }, keys, pages, read).await
    }

    /// The tags of the v2 interface, with the dates and digests of their manifests.
    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let (key, image) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        let mut found = self.images_in(key).await?.tags(image, pages).await?;
        let mut manifests = HashMap::new();
        match self.manifests(repository).await {
            Ok(listed) => manifests = listed,
            Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
            Err(cause) => drop(found.rest.get_or_insert(cause)),
        }
        Ok(found.map(|name| match manifests.remove(&name) {
            Some((pushed_at, digest)) => {
                Tag { name, pushed_at: Some(pushed_at), details: Details { digest, ..Details::default() } }
            }
            None => Tag::named(name),
        }))
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        let (key, image) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        completed(&*self.images_in(key).await?, image, tag).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_from_the_browser_is_cut_to_the_platform() {
        for pasted in [
            "example.jfrog.io",
            "https://example.jfrog.io/artifactory",
            "https://example.jfrog.io/artifactory/api/docker/docker-local/v2/",
            "https://example.jfrog.io/ui/packages",
            "https://example.jfrog.io/ui/",
        ] {
            assert_eq!(address(pasted).as_deref(), Ok("https://example.jfrog.io"), "{pasted}");
        }
    }
}
