//! Tokens of service accounts, which a cluster issues on request.
//! <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/>

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::Cluster;
use super::refusal::{ApiError, judged};
use crate::providers::calls::{self, AccessToken};

/// What a token is asked for.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    pub namespace: &'a str,
    pub service_account: &'a str,
    /// Empty for the API server itself.
    pub audiences: Vec<String>,
    pub seconds: u32,
}

#[derive(Deserialize)]
struct Answered {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: SecretString,
    expiration_timestamp: DateTime<Utc>,
}

impl Cluster {
    /// A new token. `namespace` and `service_account` must be names of Kubernetes.
    pub async fn token(&self, asked: &Asked<'_>) -> Result<AccessToken, ApiError> {
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/{}/token", asked.namespace, asked.service_account);
        let mut spec = json!({ "expirationSeconds": asked.seconds });
        if !asked.audiences.is_empty() {
            spec["audiences"] = json!(asked.audiences);
        }
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec });
        let answer = judged(self.send(Method::POST, &path, Some(&body)).await?)?;
        let Answered { status } = answer.json()?;
        let lifetime: Duration = calls::left(status.expiration_timestamp);
        Ok(AccessToken { secret: status.token, lifetime })
    }
}
