//! How a scan comes into an ECR registry: the password for the v2 interface, and where blobs are.

use std::sync::Arc;

use aws_sdk_ecr::Client;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use url::Url;

use super::host::Host;
use crate::integrations::context::Context;
use crate::providers::ProviderError;
use crate::providers::aws::{Session, refused};
use crate::providers::egress::Tls;
use crate::providers::oci_registry::{BlobAddress, Login, Registry};

/// `ecr:GetAuthorizationToken`: base64 of `AWS:password`, good for twelve hours; and its end, if ECR says.
pub(in crate::integrations) async fn password(
    client: &Client,
) -> Result<(SecretString, Option<DateTime<Utc>>), ProviderError> {
    let answer = client.get_authorization_token().send().await;
    let answer = answer.map_err(|error| refused(&error, "ecr:GetAuthorizationToken"))?;
    let data = answer.authorization_data().first().ok_or(ProviderError::BadAnswer)?;
    let token = data.authorization_token().ok_or(ProviderError::BadAnswer)?;
    let decoded = BASE64_STANDARD.decode(token).map_err(|_| ProviderError::BadAnswer)?;
    let text = String::from_utf8(decoded).map_err(|_| ProviderError::BadAnswer)?;
    let password = text.strip_prefix("AWS:").map(SecretString::from).ok_or(ProviderError::BadAnswer)?;
    Ok((password, data.expires_at().and_then(|at| DateTime::from_timestamp(at.secs(), at.subsec_nanos()))))
}

/// The registry's v2 interface, or why it cannot be used, which costs the platforms. The password goes to the host that
/// the form names, never where an answer says. Neither of both when the operator has moved ECR elsewhere and not said
/// where its registry is.
pub(super) async fn data_plane(
    cx: &Context<'_>,
    host: &Host,
    session: &Session,
    password: SecretString,
) -> Result<Result<Option<Registry>, ProviderError>, ProviderError> {
    let endpoints = session.endpoints();
    let address = match endpoints.registry() {
        Some(address) => address.to_owned(),
        None if endpoints.moves_ecr() => return Ok(Ok(None)),
        None => format!("https://{}", host.name),
    };
    let address = Url::parse(&address).map_err(|_| ProviderError::InvalidAddress)?;
    let login = Login::Basic { username: "AWS".to_owned(), password };
    let registry = Registry::new(cx.outside.egress.client(Tls::default())?, &address, login, cx.stop.clone());
    let registry =
        registry.listing(cx.sent_to.clone()).with_blobs_by(layers(session.ecr(), host, endpoints.registry()));
    let report = cx.report.clone();
    let registry = registry.telling(Box::new(move |until| report.pause(until)));
    match registry.sign_in().await {
        Ok(()) => Ok(Ok(Some(registry))),
        Err(ProviderError::Stopped) => Err(ProviderError::Stopped),
        Err(cause) => Ok(Err(cause)),
    }
}

/// `ecr:GetDownloadUrlForLayer`: ECR keeps its blobs in S3 and redirects there. Redirects are not followed, so the address
/// is asked for, and taken only where ECR keeps blobs: the region's S3. It needs no credential of ours.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html> (the layer bucket)
fn layers(client: Client, host: &Host, moved: Option<&str>) -> BlobAddress {
    let moved = moved.and_then(|address| Url::parse(address).ok());
    let (account, region, suffix) = (host.account.clone(), host.region.as_str(), host.region.dns_suffix());
    let buckets = [format!(".s3.{region}.{suffix}"), format!(".s3.dualstack.{region}.{suffix}")];
    Arc::new(move |repository, digest| {
        let (moved, buckets) = (moved.clone(), buckets.clone());
        let call = client.get_download_url_for_layer().registry_id(&account);
        let call = call.repository_name(repository).layer_digest(digest);
        Box::pin(async move {
            let answer = call.send().await.map_err(|error| refused(&error, "ecr:GetDownloadUrlForLayer"))?;
            let url = answer.download_url().and_then(|url| Url::parse(url).ok()).ok_or(ProviderError::BadAnswer)?;
            let is_bucket = |host: &str| buckets.iter().any(|bucket| host.ends_with(bucket));
            let in_s3 = url.scheme() == "https" && url.host_str().is_some_and(is_bucket);
            let there = moved.is_some_and(|moved| moved.origin() == url.origin());
            if in_s3 || there { Ok(url) } else { Err(ProviderError::BadAnswer) }
        })
    })
}
