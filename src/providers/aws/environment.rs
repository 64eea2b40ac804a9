//! The role of the environment that Strongroom runs in: container endpoint (ECS, EKS Pod Identity), web identity
//! (IRSA), then IMDSv2, the first that is there. IMDSv1 is never spoken. Only here are a machine's own services
//! reached, by their exact addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use chrono::{DateTime, Utc};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

use super::answers::refused;
use super::assume::session_name;
use super::connector::Connector;
use super::session::{Session, given};
use super::{Endpoints, Refusal, Region};
use crate::credentials::aws::RoleArn;
use crate::providers::ProviderError;
use crate::providers::egress::{BODY_LIMIT, Egress, Tls};

/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>
const ECS: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2));
const EKS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23))];
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
const INSTANCE: &str = "http://169.254.169.254";

/// A machine's own services answer at once, or are not there.
const NEARBY: Duration = Duration::from_secs(1);

/// The first role that the environment offers; [`Refusal::NoRole`] when there is none.
pub(super) async fn keys(
    region: &Region,
    egress: &Egress,
    endpoints: &Arc<Endpoints>,
) -> Result<Credentials, ProviderError> {
    let relative = endpoints.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("http://{ECS}{path}"));
    let full = relative.or_else(|| endpoints.get("AWS_CONTAINER_CREDENTIALS_FULL_URI").map(str::to_owned));
    if let Some(address) = full {
        return container(&address, egress, endpoints).await;
    }
    if let Some(file) = endpoints.get("AWS_WEB_IDENTITY_TOKEN_FILE") {
        return web_identity(file, region, egress, endpoints).await;
    }
    instance(egress, endpoints).await
}

fn misconfigured<E>(_: E) -> ProviderError {
    ProviderError::Aws(Refusal::BadRole)
}

/// As the container's endpoint answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: SecretString,
    token: SecretString,
    expiration: DateTime<Utc>,
}

async fn container(address: &str, egress: &Egress, endpoints: &Endpoints) -> Result<Credentials, ProviderError> {
    let address = Url::parse(address).map_err(misconfigured)?;
    let client = nearby(&address, egress)?.client(Tls::default())?;
    let token = match endpoints.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        // Read each time: EKS renews it.
        Some(file) => Some(std::fs::read_to_string(file).map_err(misconfigured)?),
        None => endpoints.get("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned),
    };
    let mut request = Request::new(Method::GET, address);
    if let Some(token) = token {
        let mut value = HeaderValue::from_str(token.trim_end()).map_err(misconfigured)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    let answer = client.send(request, BODY_LIMIT).await?;
    if answer.status != 200 {
        return Err(ProviderError::Aws(Refusal::BadRole));
    }
    let Given { access_key_id, secret_access_key, token, expiration } = answer.json()?;
    let (secret, token) = (secret_access_key.expose_secret(), token.expose_secret().to_owned());
    Ok(Credentials::new(access_key_id, secret, Some(token), Some(SystemTime::from(expiration)), "container"))
}

/// A way out that reaches the service of that address: only where AWS puts it, on this machine, or over https.
fn nearby(address: &Url, egress: &Egress) -> Result<Egress, ProviderError> {
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let known = |ip: IpAddr| ip == ECS || EKS.contains(&ip) || ip.is_loopback();
    let reached = match address.host() {
        Some(Host::Ipv4(ip)) if known(ip.into()) => vec![ip.into()],
        Some(Host::Ipv6(ip)) if known(ip.into()) => vec![ip.into()],
        Some(Host::Domain("localhost")) => loopback.to_vec(),
        _ if address.scheme() == "https" => Vec::new(),
        _ => return Err(ProviderError::Aws(Refusal::BadRole)),
    };
    Ok(egress.reaching(reached).within(NEARBY, NEARBY * 2))
}

/// `sts:AssumeRoleWithWebIdentity`, which is not signed: the token is the proof.
async fn web_identity(
    file: &str,
    region: &Region,
    egress: &Egress,
    endpoints: &Arc<Endpoints>,
) -> Result<Credentials, ProviderError> {
    let role = RoleArn::parse(endpoints.get("AWS_ROLE_ARN").unwrap_or_default()).map_err(misconfigured)?;
    let name = endpoints.get("AWS_ROLE_SESSION_NAME").map_or_else(|| session_name("console"), str::to_owned);
    let token = std::fs::read_to_string(file).map_err(misconfigured)?;
    let answer = Session::with(None, region, egress, endpoints)?
        .sts()
        .assume_role_with_web_identity()
        .role_arn(role.as_str())
        .role_session_name(name)
        .web_identity_token(token.trim_end())
        .send()
        .await;
    match answer {
        Ok(answer) => given(answer.credentials),
        Err(error) => Err(match refused(&error, "sts:AssumeRoleWithWebIdentity") {
            ProviderError::Aws(_) | ProviderError::Forbidden => ProviderError::Aws(Refusal::BadRole),
            ProviderError::UnexpectedStatus { status: 400 } => ProviderError::Aws(Refusal::BadRole),
            other => other,
        }),
    }
}

/// IMDSv2 by the SDK's own client, which begins with `PUT /latest/api/token` and has no v1 to fall back to.
async fn instance(egress: &Egress, endpoints: &Endpoints) -> Result<Credentials, ProviderError> {
    if endpoints.says_yes("AWS_EC2_METADATA_DISABLED") {
        return Err(ProviderError::Aws(Refusal::NoRole));
    }
    let address = endpoints.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(INSTANCE);
    let host = Url::parse(address).map_err(misconfigured)?;
    let reached = match host.host() {
        Some(Host::Ipv4(ip)) => vec![ip.into()],
        Some(Host::Ipv6(ip)) => vec![ip.into()],
        _ => Vec::new(),
    };
    let client = egress.reaching(reached).within(NEARBY, NEARBY * 2).client(Tls::default())?;
    let config = ProviderConfig::empty()
        .with_http_client(Connector(client))
        .with_sleep_impl(TokioSleep::new())
        .with_time_source(SystemTimeSource::new());
    let metadata = imds::Client::builder().configure(&config).endpoint(address).map_err(misconfigured)?;
    let metadata = metadata.max_attempts(2).operation_timeout(NEARBY * 4).build();
    let provider = ImdsCredentialsProvider::builder().configure(&config).imds_client(metadata).build();
    // Whatever went wrong: on a machine with a role, it answers.
    provider.provide_credentials().await.map_err(|_| ProviderError::Aws(Refusal::NoRole))
}
