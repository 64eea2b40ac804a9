//! GitHub Container Registry. GitHub's API lists the packages of users and organisations and the dates of their
//! versions; sizes and platforms come from the v2 interface. It takes classic tokens only.
//! <https://docs.github.com/en/rest/packages/packages>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::docker_v2::{REGISTRY, completed, registry};
use super::places::{gather, list, repositories};
use super::reach::{denied, reach};
use super::selection::{self, Names};
use super::{Images, check};
use crate::credentials;
use crate::credentials::forge_token::Payload;
use crate::credentials::github_token::SERVER;
use crate::form::Field;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::egress::{Answer, Tls};
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Entries, Lenient, Login, Registry, Sign, is_digest, is_repository, is_tag};
use crate::providers::patience::is_throttled;
use crate::providers::tls_faults::Form;
use crate::providers::{ProviderError, github};

pub static GHCR: Spec = Spec {
    slug: "ghcr",
    label: "GitHub Container Registry",
    fields: FIELDS,
    uses: &[Use::main(&["github_token"])],
    host: Host::Chosen(registry),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    REGISTRY.placeholder("https://ghcr.io").help(
        "ghcr.io, or containers. in front of the host of an enterprise server. The credential is a classic personal \
         access token with the scope read:packages: GitHub doesn't accept fine-grained tokens here.",
    ),
    selection::REPOSITORY.placeholder("organization/*").help(
        "Put the user or organization in front: organization/*. Leave blank for the token's own user and the \
         organizations that it may list, which takes the scope read:org. Use * as a wildcard and commas between \
         patterns.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the version; 0 keeps all."),
    selection::VERSION_PATTERN,
];

struct GithubRegistry {
    api: Registry,
    images: Registry,
    /// Of the token's user.
    login: String,
    /// What an owner is: its path in the API.
    owners: Mutex<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let entered = registry(cx.settings).ok_or(ProviderError::InvalidAddress)?;
        let address = cx.outside.endpoints.entered(Service::GithubRegistry, "ghcr.io", &entered);
        let secret = cx.main().ok_or(ProviderError::WrongCredential)?;
        let payload: Payload = credentials::payload(secret.values).ok_or(ProviderError::WrongCredential)?;
        if payload.token.expose_secret().starts_with("github_pat_") {
            return Err(denied("GitHub Container Registry accepts no fine-grained token.", CLASSIC));
        }
        let trusted = || {
            let ca_certificates = payload.ca_certificate.iter().cloned().collect();
            Tls { ca_certificates, identity: None, form: Form::CA_FIELD }
        };
        let server = github::api(payload.server(SERVER), "", cx.outside.endpoints)?;
        let api = reach(cx, trusted(), &server, Login::Token(payload.token.clone()))?;
        let api = api.explaining(unscoped);
        let api = github::HEADERS.iter().fold(api, |api, (name, value)| api.with_header(name, value));
        let user: Account = api.vendor_get("user", Sign::Login).await?.json()?;
        let login = Login::Basic { username: user.login.clone(), password: payload.token.clone() };
        let images = reach(cx, trusted(), &address, login)?;
        images.sign_in().await?;
        opened(GithubRegistry { api, images, login: user.login, owners: Mutex::default() })
    })
}

const CLASSIC: &str = "Create a classic personal access token with the scope read:packages, and replace the \
                       credential's token.";

/// A token that may read no packages: GitHub names the scopes of each token that it refuses.
/// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps>
fn unscoped(answer: &Answer) -> Option<ProviderError> {
    let scopes = answer.header("x-oauth-scopes").filter(|_| answer.status == 403 && !is_throttled(answer))?;
    let lacks = !scopes.split(',').any(|scope| github::PACKAGE_SCOPES.contains(&scope.trim()));
    lacks.then(|| denied("the token lacks the scope read:packages.", CLASSIC))
}

impl GithubRegistry {
    /// The token's user and its organisations, as far as it may list these.
    async fn own(&self) -> Result<Entries<String>, ProviderError> {
        let found = self.api.vendor_list("user/orgs?per_page=100", Sign::Login, Pages::All, list::<Account>).await;
        let (organisations, rest) = match found {
            Ok(found) => found,
            // The scope read:org is missing, which is not needed for the packages.
            Err(ProviderError::Forbidden | ProviderError::NotFound) => (Vec::new(), None),
            Err(cause) => return Err(cause),
        };
        let names = organisations.into_iter().map(|organisation| organisation.login);
        Ok((std::iter::once(self.login.clone()).chain(names).collect(), rest))
    }

    /// `GET /orgs/<owner>/packages`, or of a user.
    async fn packages(&self, owner: String, pages: Pages) -> Result<Listing<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Package {
            name: String,
        }
        let path = "packages?package_type=container&per_page=100";
        let (found, rest) = self.of(&owner, path, pages, list::<Package>).await?;
        let owner = owner.to_ascii_lowercase();
        Ok(repositories(found.into_iter().map(|package| format!("{owner}/{}", package.name)).collect(), rest))
    }

    /// A list of an owner's, which may be an organisation, the token's own user, or another one.
    async fn of<T>(
        &self,
        owner: &str,
        path: &str,
        pages: Pages,
        entries: fn(&Answer) -> Result<Vec<Lenient<T>>, ProviderError>,
    ) -> Result<Entries<T>, ProviderError> {
        if !is_repository(owner) || owner.contains('/') {
            return Err(ProviderError::NotFound);
        }
        let known = self.owners.lock().unwrap_or_else(PoisonError::into_inner).get(owner).cloned();
        let ways = match known {
            Some(way) => vec![way],
            None if owner.eq_ignore_ascii_case(&self.login) => vec!["user".to_owned()],
            None => vec![format!("orgs/{owner}"), format!("users/{owner}")],
        };
        for way in ways {
            match self.api.vendor_list(&format!("{way}/{path}"), Sign::Login, pages, entries).await {
                Err(ProviderError::NotFound) => {}
                found => {
                    if found.is_ok() {
                        self.owners.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.to_owned(), way);
                    }
                    return found;
                }
            }
        }
        Err(ProviderError::NotFound)
    }
}

impl Catalogue for GithubRegistry {
    async fn repositories(&self, names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (owners, rest) = match names.first_parts() {
            Some(owners) => (owners, None),
            None => self.own().await?,
        };
        let known = Listing { rest, ..Listing::default() };
        gather(known, owners, pages, |owner| self.packages(owner, pages)).await
    }

    /// `GET /orgs/<owner>/packages/container/<package>/versions`, or of a user: an entry a digest, with its tags.
    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let (owner, package) = repository.split_once('/').ok_or(ProviderError::NotFound)?;
        let package = package.replace('/', "%2F");
        let path = format!("packages/container/{package}/versions?per_page=100");
        let (found, mut rest) = self.of(owner, &path, pages, list::<Version>).await?;
        let mut tags: Vec<Tag> = Vec::new();
        for version in found {
            if is_digest(&version.name) {
                tags.extend(version.tags());
            } else {
                rest.get_or_insert(ProviderError::BadAnswer);
            }
        }
        Ok(Listing::sorted_out((tags, rest), |tag: &Tag| &tag.name, is_tag))
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        completed(&self.images, repository, tag).await
    }
}

/// Of a package: what has one digest.
#[derive(Deserialize)]
struct Version {
    /// The digest.
    name: String,
    created_at: Option<DateTime<Utc>>,
    /// Also when a tag came or went.
    updated_at: Option<DateTime<Utc>>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    container: Option<Container>,
}

#[derive(Deserialize)]
struct Container {
    tags: Option<Vec<String>>,
}

impl Version {
    fn tags(self) -> impl Iterator<Item = Tag> {
        let pushed_at = self.updated_at.or(self.created_at);
        let names = self.metadata.and_then(|metadata| metadata.container).and_then(|container| container.tags);
        let details = Details { digest: self.name, ..Details::default() };
        names.into_iter().flatten().map(move |name| Tag { name, pushed_at, details: details.clone() })
    }
}
