//! A credential provider of the kubelet: logins for the registries of images. If the kubelet sends the pod's service
//! account token along, that token logs in at the console, and the node keeps no secret.
//! <https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/>

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::cache::Cache;
use super::super::identity::Proof;
use super::super::settings::Connection;
use super::super::source::Source;
use super::super::trouble::{Result, Trouble};
use super::docker;
use super::input::input;
use super::mapping::{self, Hosts};

const VERSION: &str = "credentialprovider.kubelet.k8s.io/v1";
/// Names the client in the annotations of a service account.
const ANNOTATION: &str = "strongroom/client";
/// The kubelet's copy ends so long before the login does, and at the latest after an hour.
const MARGIN: i64 = 300;
const LONGEST: i64 = 3600;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    api_version: String,
    image: String,
    #[serde(default)]
    service_account_token: Zeroizing<String>,
    #[serde(default)]
    service_account_annotations: std::collections::HashMap<String, String>,
}

pub async fn run(connection: &Connection, hosts: &Hosts) -> Result<ExitCode> {
    let text = Zeroizing::new(input()?);
    let request: Request =
        serde_json::from_str(&text).map_err(|_| Trouble::local("standard input is not a CredentialProviderRequest"))?;
    if request.api_version != VERSION {
        return Err(Trouble::Local(format!("the kubelet asks in an unknown version: {}", request.api_version)));
    }
    let host = registry(&request.image);
    let mapping = hosts.read()?;
    let answer = match mapping.rule(&host) {
        None => response(&request, Value::Null, 0),
        Some(rule) => {
            let fetched = source(connection, &request)?.get(rule).await?;
            let (user, password) = docker::login(&fetched, rule, &host)?;
            let left = fetched.seconds_left().unwrap_or(LONGEST + MARGIN);
            let auth = json!({ (&host): { "username": user, "password": password } });
            response(&request, auth, (left - MARGIN).clamp(0, LONGEST))
        }
    };
    println!("{answer}");
    Ok(ExitCode::SUCCESS)
}

fn source(connection: &Connection, request: &Request) -> Result<Source> {
    if request.service_account_token.is_empty() {
        return Ok(Source::of(connection));
    }
    let named = request.service_account_annotations.get(ANNOTATION).or(connection.client.as_ref());
    let client = named.ok_or_else(|| {
        Trouble::Local(format!(
            "which client? Set STRONGROOM_CLIENT, or the annotation {ANNOTATION} of the service account"
        ))
    })?;
    let url = connection.url.as_ref().ok_or_else(|| Trouble::local("which console? Set STRONGROOM_URL"))?;
    let proof = Proof::ServiceAccount { client: client.clone(), token: request.service_account_token.clone() };
    // The kubelet waits for a minute at most.
    let patience = connection.patience().min(Duration::from_secs(20));
    Ok(Source::direct(Arc::new(Cache::new(connection.console_with(url, proof)?, patience))))
}

fn response(request: &Request, auth: Value, seconds: i64) -> Value {
    let mut answer = json!({
        "apiVersion": VERSION,
        "kind": "CredentialProviderResponse",
        "cacheKeyType": "Registry",
        "cacheDuration": format!("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60),
        "auth": auth,
    });
    if !request.service_account_token.is_empty() {
        answer["serviceAccountTokenCacheType"] = "ServiceAccount".into();
    }
    answer
}

/// The registry of an image: what is before the first slash if it looks like a host, else Docker Hub.
fn registry(image: &str) -> String {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => mapping::split(host).0,
        _ => "docker.io".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_names_its_registry() {
        for (image, host) in [
            ("nginx", "docker.io"),
            ("library/nginx:1", "docker.io"),
            ("registry.example:5000/a/b@sha256:00", "registry.example:5000"),
            ("localhost/a", "localhost"),
        ] {
            assert_eq!(registry(image), host);
        }
    }
}
