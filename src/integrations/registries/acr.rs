//! Azure Container Registry: its own interface tells dates, sizes and platforms; an index is read by the v2 interface.
//! It is entered by the credential's principal of Microsoft Entra ID. Registries have names of the vendor's only.
//! <https://learn.microsoft.com/en-us/rest/api/containerregistry/>

use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use super::catalogue::{Catalogue, Described, Details, Listing, Opening, Pages, Tag, opened};
use super::docker_v2::described;
use super::reach::reach;
use super::selection::{self, Names};
use super::{Images, check};
use crate::form::Field;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::ProviderError;
use crate::providers::azure::container_registry::refresh_token;
use crate::providers::egress::{Answer, Tls};
use crate::providers::endpoints::{Endpoints, Service};
use crate::providers::oci_registry::{
    Lenient, Login, Registry, Sign, is_digest, is_repository, is_tag, list_or_null, platform,
};

pub static ACR: Spec = Spec {
    slug: "acr",
    label: "Azure Container Registry",
    fields: FIELDS,
    uses: &[Use::main(&["azure"])],
    host: Host::Chosen(|settings| {
        Url::parse(&format!("https://{}", login_server(settings.get("registry")).ok()?)).ok()
    }),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&Images(open)),
};

static FIELDS: &[Field] = &[
    Field::text("registry", "Registry")
        .placeholder("example.azurecr.io")
        .help(
            "Its login server, as the Azure portal shows it. The credential's principal needs the role AcrPull on it.",
        )
        .max(128)
        .check(login_server)
        .identity(),
    selection::REPOSITORY.placeholder("team/*").help(
        "Leave blank for all. Use * as a wildcard and commas between patterns. Where the principal may not list the \
         repositories of a registry with permissions by repository, enter their names without a *.",
    ),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
    selection::VERSION_PATTERN,
];

/// The endings of registries, by cloud.
const ENDINGS: [&str; 4] = [".azurecr.io", ".azurecr.cn", ".azurecr.us", ".azurecr.de"];

pub(in crate::integrations) fn login_server(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let host = text.strip_prefix("https://").unwrap_or(&text).trim_end_matches('/');
    let name = ENDINGS.iter().find_map(|ending| host.strip_suffix(ending)).unwrap_or_default();
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (5..=63).contains(&name.len()) && name.chars().all(good) && !name.starts_with('-') && !name.ends_with('-') {
        return Ok(host.to_owned());
    }
    Err("Enter the registry's login server without a repository, such as example.azurecr.io; it ends in .azurecr.cn in \
         China and in .azurecr.us for the US government."
        .to_owned())
}

/// Entries on a page, as many as the registry gives unless asked.
const PAGE: usize = 100;

struct AzureRegistry(Registry);

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let host = login_server(cx.settings.get("registry")).map_err(|_| ProviderError::InvalidAddress)?;
        let secret = cx.main().ok_or(ProviderError::WrongCredential)?;
        let who = (secret.stored, secret.values);
        let exchange = exchange(cx.outside.endpoints, &host)?;
        let token = refresh_token(&exchange, &host, who, cx.outside.tokens, cx.outside.egress).await?;
        let registry = reach(cx, Tls::default(), &at(cx.outside.endpoints, &host, "")?, Login::Refresh(token))?;
        opened(AzureRegistry(registry))
    })
}

fn at(endpoints: &Endpoints, host: &str, path: &str) -> Result<Url, ProviderError> {
    endpoints.url(Service::AzureRegistry, &format!("https://{host}"), path)
}

/// Where a registry exchanges tokens of Microsoft Entra ID for its own.
pub(in crate::integrations) fn exchange(endpoints: &Endpoints, host: &str) -> Result<Url, ProviderError> {
    at(endpoints, host, "/oauth2/exchange")
}

fn metadata(repository: &str) -> String {
    format!("repository:{repository}:metadata_read")
}

impl Catalogue for AzureRegistry {
    /// `GET /acr/v1/_catalog`
    async fn repositories(&self, _names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        #[derive(Deserialize)]
        struct Found {
            #[serde(deserialize_with = "list_or_null")]
            repositories: Vec<Lenient<String>>,
        }
        let (path, sign) = (format!("acr/v1/_catalog?n={PAGE}"), Sign::For("registry:catalog:*"));
        let read = |answer: &Answer| Ok(answer.json::<Found>()?.repositories);
        let found = self.0.vendor_list(&path, sign, pages, read).await?;
        Ok(Listing::sorted_out(found, String::as_str, is_repository))
    }

    /// `GET /acr/v1/<repository>/_tags`
    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        #[derive(Deserialize)]
        struct Found {
            #[serde(deserialize_with = "list_or_null")]
            tags: Vec<Lenient<Entry>>,
        }
        let (path, scope) = (format!("acr/v1/{repository}/_tags?n={PAGE}"), metadata(repository));
        let read = |answer: &Answer| Ok(answer.json::<Found>()?.tags);
        let found = self.0.vendor_list(&path, Sign::For(&scope), pages, read).await?;
        Ok(Listing::sorted_out(found, |entry: &Entry| &entry.name, is_tag).map(Tag::from))
    }

    /// `GET /acr/v1/<repository>/_manifests/<digest>`, which costs no pull; the v2 interface where that does not tell,
    /// as of an index.
    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        if is_digest(&tag.details.digest) {
            let path = format!("acr/v1/{repository}/_manifests/{}", tag.details.digest);
            let answer = self.0.vendor_get(&path, Sign::For(&metadata(repository))).await?;
            let found = answer.json::<Manifest>()?.manifest;
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let platform = platform(&text(&found.os), &text(&found.architecture), "");
            let size_bytes = found.size_bytes.unwrap_or(0);
            if !platform.is_empty() && size_bytes > 0 {
                let digest = tag.details.digest.clone();
                return Ok(Details { digest, size_bytes, platforms: vec![platform] }.whole());
            }
        }
        described(&self.0, repository, tag).await
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    #[serde(default)]
    digest: String,
    /// Since when the tag names this image.
    last_update_time: Option<DateTime<Utc>>,
}

impl From<Entry> for Tag {
    fn from(entry: Entry) -> Self {
        let Entry { name, digest, last_update_time: pushed_at } = entry;
        Self { name, pushed_at, details: Details { digest, ..Details::default() } }
    }
}

#[derive(Deserialize)]
struct Manifest {
    manifest: Attributes,
}

#[derive(Deserialize)]
struct Attributes {
    #[serde(rename = "imageSize")]
    size_bytes: Option<u64>,
    architecture: Option<String>,
    os: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_login_server_of_azure_is_taken() {
        assert_eq!(login_server(" https://Example.azurecr.io/ ").as_deref(), Ok("example.azurecr.io"));
        assert_eq!(login_server("team-a1b2.azurecr.cn").as_deref(), Ok("team-a1b2.azurecr.cn"));
        for bad in [
            "",
            "abcd.azurecr.io",
            "example.azurecr.io/team/app",
            "example.azurecr.io:8443",
            "a.b.azurecr.io",
            "example.azurecr.io.evil.example",
            "evil.example/#.azurecr.io",
            "user@example.azurecr.io",
        ] {
            assert!(login_server(bad).is_err(), "{bad}");
        }
    }
}
