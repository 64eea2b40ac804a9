//! Sonatype Nexus: its own interface lists the repositories of images and, of each, the tags with digests and dates.
//! Sizes and platforms come from the v2 interface below the address of each repository, so that no connector's port
//! is needed.
//! <https://help.sonatype.com/en/components-api.html> <https://help.sonatype.com/en/repositories-api.html>

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::docker_v2::{self, REGISTRY, completed, fields, kept, registry};
use super::held::{Held, Images as Found};
use super::places::{gather, list, missing};
use super::reach::reach;
use super::selection::{self, Names};
use super::several::Several;
use super::{Images, check};
use crate::form::Field;
use crate::integrations::ca_certificate;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{Entries, Lenient, Login, Next, Registry, Sign, is_digest, is_repository};

pub static NEXUS: Spec = Spec {
    slug: "nexus",
    label: "Sonatype Nexus",
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
        .placeholder("https://nexus.example.com")
        .help(
            "The address of Nexus itself, not of a Docker connector. The credential is an account or user token with \
             the privileges nx-repository-view-docker-*-browse and -read.",
        )
        .check(address),
    selection::REPOSITORY.placeholder("docker-hosted/*").help(
        "Put the repository of Nexus in front: docker-hosted/*. Leave blank for all hosted and proxy repositories of \
         images; a group shows what is in these. Use * as a wildcard and commas between patterns.",
    ),
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the last change; 0 keeps all."),
);

/// People paste what their browser shows, such as `https://nexus.example.com/#browse/browse:docker-hosted`.
fn address(text: &str) -> Result<String, String> {
    let whole = docker_v2::address(text.split('#').next().unwrap_or_default())?;
    let end = ["/repository/", "/service/rest"].iter().filter_map(|part| whole.find(part)).min();
    Ok(whole[..end.unwrap_or(whole.len())].to_owned())
}

struct Nexus<'a> {
    cx: &'a Context<'a>,
    address: Url,
    api: Registry,
    /// The repositories of Nexus that hold images.
    places: Entries<String>,
    images: Several,
    held: Held,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let address = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
        let api = reach(cx, ca_certificate::tls(cx.settings), &address, login(cx))?;
        let places = places(&api).await?;
        let (images, held) = (Several::default(), Held::default());
        opened(Nexus { cx, address, api, places, images, held })
    })
}

fn login(cx: &Context<'_>) -> Login {
    cx.main().map_or(Login::Anonymous, |secret| Login::Basic {
        username: secret.values.get("username").to_owned(),
        password: SecretString::from(secret.values.get("password")),
    })
}

/// `GET /service/rest/v1/repositories`: those of images that the account may see. A group is left out: it lists what
/// others hold.
async fn places(api: &Registry) -> Result<Entries<String>, ProviderError> {
    #[derive(Deserialize)]
    struct Place {
        name: String,
        format: String,
        #[serde(rename = "type")]
        sort: String,
    }
    let found = api.vendor_list("service/rest/v1/repositories", Sign::Login, Pages::All, list::<Place>).await;
    let (places, rest) = found.map_err(missing(NEXUS.label))?;
    let places = places.into_iter().filter(|place| place.format == "docker" && place.sort != "group");
    Ok((places.map(|place| place.name).collect(), rest))
}

impl Nexus<'_> {
    /// `GET /service/rest/v1/components?repository=<repository>`, an entry a tag.
    async fn tags_in(&self, place: &str, pages: Pages) -> Result<Arc<Found>, ProviderError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answered {
            items: Vec<Lenient<Component>>,
            continuation_token: Option<String>,
        }
        if !is_place(place) {
            return Err(ProviderError::NotFound);
        }
        let read = || async {
            let read = |answer: &Answer| {
                let found: Answered = answer.json()?;
                Ok((found.items, Next::parameter("continuationToken", found.continuation_token)))
            };
            let path = format!("service/rest/v1/components?repository={place}");
            let (components, rest) = self.api.vendor_pages(&path, Sign::Login, pages, read).await?;
            let mut found = Found::new(rest);
            // What is there by its digest alone has no tag.
            for component in components.into_iter().filter(|component| !is_digest(&component.version)) {
                found.add(format!("{place}/{}", component.name), component.into());
            }
            Ok(found)
        };
        self.held.of(place, read).await
    }
}

/// A repository of Nexus as one part of a path.
fn is_place(name: &str) -> bool {
    is_repository(name) && !name.contains('/')
}

impl Catalogue for Nexus<'_> {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (places, rest) = match names.first_parts() {
            Some(places) => (places, None),
            None => self.places.clone(),
        };
        let known = Listing { rest, ..Listing::default() };
        gather(known, places, pages, |place| async move { Ok(self.tags_in(&place, pages).await?.repositories()) }).await
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let (place, _) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        self.tags_in(place, pages).await?.of(repository)
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        let (place, image) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        let reach = || {
            let below = format!("{}/repository/{place}", self.address.as_str().trim_end_matches('/'));
            let address = Url::parse(&below).map_err(|_| ProviderError::InvalidAddress)?;
            reach(self.cx, ca_certificate::tls(self.cx.settings), &address, login(self.cx))
        };
        match self.images.of(place, reach).await {
            Ok(registry) => completed(&registry, image, tag).await,
            Err(cause) => kept(tag, cause),
        }
    }
}

/// A tag of an image, and its manifest as the one asset.
#[derive(Deserialize)]
struct Component {
    name: String,
    version: String,
    #[serde(default)]
    assets: Vec<Asset>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asset {
    checksum: Option<Checksum>,
    last_modified: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Checksum {
    sha256: Option<String>,
}

impl From<Component> for Tag {
    fn from(component: Component) -> Self {
        let manifest = component.assets.into_iter().next();
        let pushed_at = manifest.as_ref().and_then(|manifest| manifest.last_modified);
        let digest = manifest.and_then(|manifest| manifest.checksum?.sha256).map(|hash| format!("sha256:{hash}"));
        let digest = digest.filter(|digest| is_digest(digest)).unwrap_or_default();
        Self { name: component.version, pushed_at, details: Details { digest, ..Details::default() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_from_the_browser_is_cut_to_nexus_itself() {
        for pasted in [
            "nexus.example.com",
            "https://nexus.example.com/#browse/browse:docker-hosted",
            "https://nexus.example.com/repository/docker-hosted/",
        ] {
            assert_eq!(address(pasted).as_deref(), Ok("https://nexus.example.com"), "{pasted}");
        }
        assert_eq!(address("https://example.com/nexus/").as_deref(), Ok("https://example.com/nexus"));
    }
}
