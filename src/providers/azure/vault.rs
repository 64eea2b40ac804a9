//! Azure Key Vault: the names of a vault's secrets, and the current version of one.
//! <https://learn.microsoft.com/en-us/rest/api/keyvault/secrets/get-secrets/get-secrets>,
//! <https://learn.microsoft.com/en-us/rest/api/keyvault/secrets/get-secret/get-secret>

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;
use zeroize::{Zeroize, Zeroizing};

use super::Resource;
use super::line::{Way, or_default};
use crate::credentials::azure::Cloud;
use crate::providers::egress::{Answer, Client, Tls};
use crate::providers::endpoints::Service;
use crate::providers::oci_registry::{Lenient, Pages};
use crate::providers::{ProviderError, Sent, calls};

const VERSION: &str = "api-version=7.4";
/// The bounds of one list; Azure puts 25 on a page.
const MAX_PAGES: usize = 4_000;

/// The domain of the vaults of a cloud.
pub fn domain(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Global => "vault.azure.net",
        Cloud::China => "vault.azure.cn",
        Cloud::UsGovernment => "vault.usgovcloudapi.net",
        Cloud::Germany => "vault.microsoftazure.de",
    }
}

/// Whether a text can be the name of a vault, or of a secret in one.
pub fn is_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// A vault, for one scan or read.
pub struct Vault<'a> {
    way: Way<'a>,
    client: Client,
    /// `team.vault.azure.net`
    host: String,
}

/// What only a vault refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Neither a role nor an access policy allows it.
    Denied,
    /// The vault's firewall.
    Firewall,
    /// The secret, or its version, is switched off or out of its time.
    Disabled,
    /// The token is of another tenant than the vault.
    Token,
    Other(ProviderError),
}

impl From<ProviderError> for Refused {
    fn from(error: ProviderError) -> Self {
        Self::Other(error)
    }
}

/// A secret as the list has it.
pub struct Secret {
    pub name: String,
    pub enabled: bool,
    pub changed: Option<DateTime<Utc>>,
}

/// A list, as far as it could be read.
pub struct Listing {
    pub secrets: Vec<Secret>,
    /// Why there are no more, if there should be.
    pub rest: Option<Refused>,
}

/// A value and its version.
pub struct Held {
    pub text: Zeroizing<String>,
    pub version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default, deserialize_with = "or_default")]
    value: Vec<Lenient<Written>>,
    #[serde(default)]
    next_link: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    /// `https://team.vault.azure.net/secrets/db`
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    attributes: Attributes,
}

#[derive(Default, Deserialize)]
struct Attributes {
    enabled: Option<bool>,
    /// Seconds of the Unix clock.
    updated: Option<i64>,
}

#[derive(Deserialize)]
struct Value {
    value: Zeroizing<String>,
    /// `https://team.vault.azure.net/secrets/db/1c7f…`
    id: String,
}

impl<'a> Vault<'a> {
    /// Gets a token, which shows that the credential is good.
    pub async fn open(way: Way<'a>, host: &str) -> Result<Self, ProviderError> {
        let client = way.egress.client(Tls::default())?;
        let vault = Self { way, client, host: host.to_owned() };
        vault.token().await?;
        Ok(vault)
    }

    async fn token(&self) -> Result<secrecy::SecretString, ProviderError> {
        let token = self.way.tokens.azure_token(self.way.stored, self.way.values, Resource::KeyVault).await;
        Ok(token.map_err(ProviderError::SignIn)?.secret)
    }

    /// `path` with its query.
    async fn get(&self, path: &str) -> Result<Answer, Refused> {
        let url = self.way.endpoints.url(Service::AzureVault, &format!("https://{}", self.host), path)?;
        let mut request = calls::get(url);
        if !calls::authorize(&mut request, "Bearer", self.token().await?.expose_secret()) {
            return Err(ProviderError::WrongCredential.into());
        }
        let call = calls::send_list(&self.client, request);
        let answer = self.way.stop.run_until_cancelled(call).await.unwrap_or(Err(ProviderError::Stopped))?;
        match answer.status {
            401 => Err(Refused::Token),
            403 => Err(denied(&answer)),
            _ => Ok(answer.accepted(Sent::Token)?),
        }
    }

    /// The secrets of the vault. Pages after the first may be missing.
    pub async fn secrets(&self, pages: Pages) -> Result<Listing, Refused> {
        let (mut secrets, mut rest, mut seen) = (Vec::new(), None, HashSet::new());
        let mut path = format!("/secrets?maxresults=25&{VERSION}");
        for number in 0..MAX_PAGES {
            let page = match self.get(&path).await.and_then(|answer| Ok(answer.json::<Page>()?)) {
                Ok(page) => page,
                Err(cause) if number == 0 => return Err(cause),
                Err(cause) => return Ok(Listing { secrets, rest: Some(cause) }),
            };
            for entry in page.value {
                let read = match entry {
                    Lenient::Read(written) => written.secret(),
                    Lenient::Odd(_) => None,
                };
                match read {
                    Some(secret) => secrets.push(secret),
                    None => rest = Some(ProviderError::BadAnswer.into()),
                }
            }
            let Some(link) = page.next_link.filter(|link| !link.is_empty() && pages == Pages::All) else {
                return Ok(Listing { secrets, rest });
            };
            // Pages that lead in a circle have no end, and those of another host get no token.
            match self.next(&link) {
                Ok(next) if seen.insert(next.clone()) => path = next,
                Ok(_) => return Ok(Listing { secrets, rest: Some(ProviderError::BadAnswer.into()) }),
                Err(cause) => return Ok(Listing { secrets, rest: Some(cause.into()) }),
            }
        }
        Ok(Listing { secrets, rest: Some(ProviderError::TooLarge.into()) })
    }

    /// Path and query of the next page, which is on the vault's own host.
    fn next(&self, link: &str) -> Result<String, ProviderError> {
        let url = Url::parse(link).map_err(|_| ProviderError::BadAnswer)?;
        let is_own = url.scheme() == "https" && url.port().is_none() && url.username().is_empty();
        if !is_own || url.host_str() != Some(&self.host) {
            let host: String = url.host_str().unwrap_or("another host").chars().take(100).collect();
            return Err(ProviderError::Redirected { host });
        }
        match (url.path(), url.query()) {
            ("/secrets", Some(query)) => Ok(format!("/secrets?{query}")),
            _ => Err(ProviderError::BadAnswer),
        }
    }

    /// The current version of a secret.
    pub async fn secret(&self, name: &str) -> Result<Held, Refused> {
        let mut answer = self.get(&format!("/secrets/{name}?{VERSION}")).await?;
        let value = answer.json::<Value>();
        answer.body.zeroize();
        let Value { value, id } = value?;
        let version = id.rsplit('/').next().filter(|version| is_name(version)).unwrap_or_default();
        Ok(Held { text: value, version: version.to_owned() })
    }
}

impl Written {
    fn secret(self) -> Option<Secret> {
        let name = self.id.rsplit_once("/secrets/")?.1;
        let changed = self.attributes.updated.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let enabled = self.attributes.enabled.unwrap_or(true);
        is_name(name).then(|| Secret { name: name.to_owned(), enabled, changed })
    }
}

/// What a 403 means, by the inner code; the text beside it is dropped.
/// <https://learn.microsoft.com/en-us/azure/key-vault/general/rest-error-codes>
fn denied(answer: &Answer) -> Refused {
    #[derive(Deserialize)]
    struct Body {
        error: Outer,
    }
    #[derive(Deserialize)]
    struct Outer {
        innererror: Option<Inner>,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: String,
    }
    let inner = answer.json::<Body>().ok().and_then(|body| body.error.innererror);
    match inner.as_ref().map(|inner| inner.code.as_str()) {
        Some("ForbiddenByFirewall") => Refused::Firewall,
        Some("SecretDisabled" | "SecretExpired" | "SecretNotYetValid") => Refused::Disabled,
        _ => Refused::Denied,
    }
}
