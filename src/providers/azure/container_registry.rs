//! How a principal of Microsoft Entra ID signs in to Azure Container Registry: its access token is exchanged for a
//! refresh token of the registry, which the registry's own token server exchanges for those of scopes.
//! <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::Resource;
use crate::form::Values;
use crate::providers::calls;
use crate::providers::egress::{Egress, Tls};
use crate::providers::probe::{Finding, Verdict};
use crate::providers::tokens::{Stored, Tokens};
use crate::providers::{ProviderError, Sent};

/// What a registry may take: tokens for registries, and those for the Resource Manager unless that is switched off
/// there (`azureADAuthenticationAsArmPolicy`). Some directories know registries by the second only.
const AUDIENCES: [Resource; 2] = [Resource::ContainerRegistry, Resource::ResourceManager];

#[derive(Deserialize)]
struct Exchanged {
    refresh_token: SecretString,
}

/// A refresh token of the registry at `exchange`, its `/oauth2/exchange`. `service` is the registry's host name.
pub async fn refresh_token(
    exchange: &Url,
    service: &str,
    (stored, values): (Option<Stored>, &Values),
    tokens: &Tokens,
    egress: &Egress,
) -> Result<SecretString, ProviderError> {
    let client = egress.client(Tls::default())?;
    let mut refused = None;
    for audience in AUDIENCES {
        let token = match tokens.azure_token(stored, values, audience).await {
            Ok(token) => token.secret,
            // A directory that does not know the first audience may know the second.
            Err(finding) => {
                refused.get_or_insert(ProviderError::SignIn(finding));
                continue;
            }
        };
        let fields = [("grant_type", "access_token"), ("service", service), ("access_token", token.expose_secret())];
        let answer = calls::send(&client, calls::form(exchange.clone(), &fields)).await?;
        if answer.status != 401 {
            return Ok(answer.accepted(Sent::Token)?.json::<Exchanged>()?.refresh_token);
        }
        refused = Some(ProviderError::SignIn(unknown_here().into()));
    }
    Err(refused.unwrap_or(ProviderError::WrongCredential))
}

fn unknown_here() -> Finding {
    Finding::new(
        Verdict::BadKey,
        "the registry does not let this principal of Microsoft Entra ID in.",
        "Give it the role AcrPull on the registry, and check that the registry belongs to the tenant of the credential.",
    )
}
