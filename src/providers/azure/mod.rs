//! Microsoft Entra ID: a service principal's secret or certificate, or this machine's managed identity, becomes an
//! access token. What a refusal means stands in [`refusals`]. The interfaces that are called with the token have a file
//! each, with what each call needs; a [`mod@line`] leads to one of them.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use super::calls::{self, AccessToken, Outcome};
use super::egress::{Egress, Tls};
use super::endpoints::{Endpoints, Service};
use super::probe::{Finding, Verdict};
use super::{Failure, ProviderError, certificate, clock, jwt};
use crate::credentials::azure::{Cloud, Payload};
use crate::credentials::pem::{Pair, RsaKey};
use crate::form::Values;

pub mod aks;
pub mod container_registry;
pub mod graph;
pub mod line;
pub mod management;
mod refusals;
pub mod resources;
pub mod sites;
pub mod vault;

pub(super) use refusals::known_refusals;

const WHO: &str = "Microsoft Entra ID";
/// Minutes that an assertion is good for.
const ASSERTION_MINUTES: i64 = 10;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    ResourceManager,
    /// One audience for the registries of all clouds, as the vendor's own clients have it.
    /// <https://github.com/Azure/azure-sdk-for-python/tree/main/sdk/containerregistry/azure-containerregistry>
    ContainerRegistry,
    KeyVault,
    /// Blobs, queues, tables and files of all storage accounts.
    /// <https://learn.microsoft.com/en-us/azure/storage/blobs/authorize-access-azure-active-directory>
    Storage,
    /// Microsoft Graph: users, groups and applications of a tenant.
    /// <https://learn.microsoft.com/en-us/graph/deployments>
    Graph,
    /// AKS clusters: all of them, in all Azure clouds, share one application of Microsoft's.
    /// <https://learn.microsoft.com/en-us/azure/aks/kubelogin-authentication>
    Kubernetes,
    /// Exchange Online, for mail by SMTP.
    /// <https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth>
    Outlook,
}

impl Resource {
    /// Tells kept tokens apart.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::ResourceManager => "resource-manager",
            Self::ContainerRegistry => "container-registry",
            Self::KeyVault => "key-vault",
            Self::Storage => "storage",
            Self::Graph => "graph",
            Self::Kubernetes => "kubernetes",
            Self::Outlook => "outlook",
        }
    }

    /// Its address without a trailing slash, or its application ID. Appending `/.default` makes it a scope.
    pub fn address(self, cloud: Cloud) -> &'static str {
        match (self, cloud) {
            (Self::ResourceManager, cloud) => cloud.resource_manager(),
            (Self::ContainerRegistry, _) => "https://containerregistry.azure.net",
            (Self::KeyVault, Cloud::Global) => "https://vault.azure.net",
            (Self::KeyVault, Cloud::China) => "https://vault.azure.cn",
            (Self::KeyVault, Cloud::UsGovernment) => "https://vault.usgovcloudapi.net",
            (Self::KeyVault, Cloud::Germany) => "https://vault.microsoftazure.de",
            (Self::Storage, _) => "https://storage.azure.com",
            (Self::Graph, Cloud::Global) => "https://graph.microsoft.com",
            (Self::Graph, Cloud::China) => "https://microsoftgraph.chinacloudapi.cn",
            (Self::Graph, Cloud::UsGovernment) => "https://graph.microsoft.us",
            (Self::Graph, Cloud::Germany) => "https://graph.microsoft.de",
            (Self::Kubernetes, _) => "6dae42f8-4368-4678-94ff-3960e28e3630",
            (Self::Outlook, Cloud::Global) => "https://outlook.office365.com",
            (Self::Outlook, Cloud::China) => "https://partner.outlook.cn",
            (Self::Outlook, Cloud::UsGovernment) => "https://outlook.office365.us",
            (Self::Outlook, Cloud::Germany) => "https://outlook.office.de",
        }
    }
}

/// A token for one resource; of one's own making each time, see [`super::sessions`] for keeping it.
pub async fn token(
    payload: &Payload,
    resource: Resource,
    egress: &Egress,
    endpoints: &Endpoints,
) -> Outcome<AccessToken> {
    token_for(payload, resource.address(payload.cloud()), egress, endpoints).await
}

/// The same for a resource by its address, without a trailing slash, or by its application ID.
pub async fn token_for(
    payload: &Payload,
    resource: &str,
    egress: &Egress,
    endpoints: &Endpoints,
) -> Outcome<AccessToken> {
    match payload {
        Payload::ServiceKey(key) => {
            let (client, tenant) = (key.client_id.as_str(), key.tenant_id.as_str());
            let proof = [("client_secret", key.client_secret.expose_secret())];
            let url = token_url(key.cloud, tenant, endpoints)?;
            principal(client, &proof, url, resource, egress).await
        }
        Payload::Certificate { certificate, cloud, tenant_id, client_id, .. } => {
            usable(certificate)?;
            let url = token_url(*cloud, tenant_id, endpoints)?;
            let assertion = assertion(certificate, client_id, &url).map_err(|error| calls::failed(&error, WHO))?;
            let proof = [
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", assertion.as_str()),
            ];
            principal(client_id, &proof, url, resource, egress).await
        }
        Payload::ManagedIdentity { client_id, .. } => {
            managed_identity(client_id.as_deref(), resource, egress, endpoints).await
        }
    }
}

fn token_url(cloud: Cloud, tenant: &str, endpoints: &Endpoints) -> Outcome<Url> {
    let path = format!("/{tenant}/oauth2/v2.0/token");
    let url = endpoints.url(Service::AzureLogin, cloud.authority(), &path);
    url.map_err(|error| calls::failed(&error, WHO))
}

async fn principal(
    client: &str,
    proof: &[(&str, &str)],
    url: Url,
    resource: &str,
    egress: &Egress,
) -> Outcome<AccessToken> {
    let scope = format!("{resource}/.default");
    let mut fields = vec![("grant_type", "client_credentials"), ("client_id", client), ("scope", &scope)];
    fields.extend(proof);
    let http = egress.client(Tls::default()).map_err(|error| calls::failed(&error, WHO))?;
    let answer = calls::send(&http, calls::form(url, &fields)).await.map_err(|error| calls::failed(&error, WHO))?;
    if answer.status == 200 { calls::token(&answer, WHO) } else { Err(refusals::explain(answer)) }
}

/// Whether Entra ID could take it at all: an RSA key, and dates that include today.
fn usable(pair: &Pair) -> Outcome<()> {
    if !pair.is_rsa() {
        return calls::found(
            Verdict::BadKey,
            "Microsoft Entra ID accepts only certificates with an RSA key, and this one has another.",
            "Create a certificate with an RSA key, add it to the app registration, and store it here.",
        );
    }
    let Some(summary) = pair.summary() else { return Err(Finding::unreadable().into()) };
    let finding = certificate::dates(summary.not_before, summary.not_after);
    if finding.verdict == Verdict::Ok { Ok(()) } else { Err(Failure::from(finding)) }
}

/// A signed claim to be the client. Both thumbprints: directories know certificates by the older one too.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials>
fn assertion(pair: &Pair, client: &str, audience: &Url) -> Result<zeroize::Zeroizing<String>, ProviderError> {
    let key = RsaKey::parse(&pair.key_pem()).map_err(|_| ProviderError::BadCertificate)?;
    let leaf = pair.chain.first().ok_or(ProviderError::BadCertificate)?;
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, leaf));
    let header = json!({
        "alg": "RS256",
        "typ": "JWT",
        "x5t": thumbprint(&SHA1_FOR_LEGACY_USE_ONLY),
        "x5t#S256": thumbprint(&SHA256),
    });
    let now = clock::now().timestamp();
    let claims = json!({
        "aud": audience.as_str(),
        "iss": client,
        "sub": client,
        "jti": uuid::Uuid::new_v4(),
        "iat": now,
        "nbf": now,
        "exp": now + ASSERTION_MINUTES * 60,
    });
    jwt::sign(&header, &claims, &key)
}

/// <https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
async fn managed_identity(
    client: Option<&str>,
    resource: &str,
    egress: &Egress,
    endpoints: &Endpoints,
) -> Outcome<AccessToken> {
    let query = identity_query(client, resource);
    let answer = match endpoints.moved(Service::AzureMetadata) {
        None => egress.azure_identity(&query).await,
        Some(_) => moved_identity(&query, egress, endpoints).await,
    };
    match answer {
        Ok(answer) if answer.status == 200 => calls::token(&answer, "Azure's identity service"),
        Ok(answer) => Err(refusals::explain_identity(answer, client.is_some())),
        Err(
            ProviderError::Unreachable { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::Dropped { .. }
            | ProviderError::Broken { .. },
        ) => Err(refusals::not_in_azure()),
        Err(error) => Err(calls::failed(&error, "Azure's identity service")),
    }
}

fn identity_query(client: Option<&str>, resource: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("api-version", "2018-02-01");
    let slash = if resource.starts_with("https://") { "/" } else { "" };
    query.append_pair("resource", &format!("{resource}{slash}"));
    if let Some(client) = client {
        query.append_pair("client_id", client);
    }
    query.finish()
}

async fn moved_identity(
    query: &str,
    egress: &Egress,
    endpoints: &Endpoints,
) -> Result<super::egress::Answer, ProviderError> {
    let path = format!("/metadata/identity/oauth2/token?{query}");
    let mut request = calls::get(endpoints.url(Service::AzureMetadata, "", &path)?);
    request.headers_mut().insert("Metadata", reqwest::header::HeaderValue::from_static("true"));
    calls::send(&egress.client(Tls::default())?, request).await
}

/// A token for the Resource Manager, and whose it is. Nothing is asked of the Resource Manager itself.
pub(super) async fn probe(values: &Values, egress: &Egress, endpoints: &Endpoints) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    let token = match token(&payload, Resource::ResourceManager, egress, endpoints).await {
        Ok(token) => token,
        Err(finding) => return finding.into(),
    };
    let claims = jwt::claims(token.secret.expose_secret());
    let mut finding = Finding::ok("Microsoft Entra ID gave a token.");
    let lines = [("Tenant", "/tid"), ("Client", "/appid"), ("Object", "/oid")];
    finding.facts.extend(lines.into_iter().filter_map(|(label, at)| Some((label, jwt::claim(&claims, at)?))));
    if let Payload::Certificate { certificate, .. } = &payload {
        finding.expires_at = certificate.summary().map(|summary| summary.not_after);
        // Releases before this one did not keep it.
        finding.key_id = certificate.thumbprint();
    }
    finding
}
