//! AWS Secrets Manager: the names of the secrets of a region, and the values of some, twenty a call.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>,
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;
use zeroize::{Zeroize, Zeroizing};

use super::held::{Answers, Content, Held, Unread, all_failed};
use super::lists::{Listed, listed};
use super::{Body, Call, Refusal, Region, Service, SignedCalls};
use crate::providers::ProviderError;
use crate::providers::oci_registry::{Lenient, Pages};

/// These know no resources.
pub const LIST: &str = "secretsmanager:ListSecrets";
pub const BATCH: &str = "secretsmanager:BatchGetSecretValue";
/// On each secret.
pub const GET: &str = "secretsmanager:GetSecretValue";

static SERVICE: Service = Service::regional("secretsmanager", "SECRETS_MANAGER");

/// Entries on a page, and values of one call, the most that AWS gives.
const PAGE: u32 = 100;
const AT_ONCE: usize = 20;

/// A secret as the list has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Secret {
    pub name: String,
    /// Seconds of the Unix clock, with a fraction.
    pub last_changed_date: Option<f64>,
}

/// The secrets of a region, without those that wait to be deleted. Pages after the first may be missing.
pub async fn secrets(calls: &SignedCalls, region: &Region, pages: Pages) -> Result<Listed<Secret>, ProviderError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Page {
        secret_list: Vec<Lenient<Secret>>,
        next_token: Option<String>,
    }
    listed(pages, |token| async move {
        let mut body = json!({ "MaxResults": PAGE });
        if let Some(token) = token {
            body["NextToken"] = token.into();
        }
        let call = Call::post(&SERVICE, LIST, "/", Body::Target("secretsmanager.ListSecrets", &body));
        let page: Page = calls.ask(region, &call).await?.json()?;
        Ok((page.secret_list, page.next_token))
    })
    .await
}

/// The current values of secrets by their names, in order.
pub async fn values(calls: &SignedCalls, region: &Region, names: &[&str]) -> Answers {
    let mut answers = Vec::with_capacity(names.len());
    for some in names.chunks(AT_ONCE) {
        match batch(calls, region, some).await {
            Ok(batch) => answers.extend(some.iter().map(|name| batch.of(name))),
            Err(cause) => answers.extend(all_failed(some.len(), &cause)),
        }
    }
    answers
}

async fn batch(calls: &SignedCalls, region: &Region, names: &[&str]) -> Result<Batch, ProviderError> {
    let body = json!({ "SecretIdList": names });
    let call = Call::post(&SERVICE, BATCH, "/", Body::Target("secretsmanager.BatchGetSecretValue", &body));
    let mut answer = calls.ask(region, &call).await?;
    let batch = answer.json();
    answer.body.zeroize();
    batch
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    #[serde(default)]
    secret_values: Vec<Value>,
    #[serde(default)]
    errors: Vec<Failed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Value {
    name: String,
    version_id: Option<String>,
    secret_string: Option<Zeroizing<String>>,
    /// In base64.
    secret_binary: Option<Zeroizing<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    secret_id: String,
    error_code: String,
}

impl Batch {
    fn of(&self, name: &str) -> Result<Held, Unread> {
        if let Some(value) = self.secret_values.iter().find(|value| value.name == name) {
            return value.held();
        }
        let failed = self.errors.iter().find(|failed| failed.secret_id == name);
        Err(failed.map_or(Unread::Failed(ProviderError::BadAnswer), |failed| failed.unread()))
    }
}

impl Value {
    fn held(&self) -> Result<Held, Unread> {
        let bad = || Unread::Failed(ProviderError::BadAnswer);
        let content = match (&self.secret_string, &self.secret_binary) {
            (Some(text), _) => Content::Text(text.clone()),
            (None, Some(bytes)) => {
                Content::Bytes(Zeroizing::new(BASE64_STANDARD.decode(bytes.as_str()).map_err(|_| bad())?))
            }
            (None, None) => return Err(bad()),
        };
        Ok(Held { content, version: self.version_id.clone().unwrap_or_default() })
    }
}

impl Failed {
    fn unread(&self) -> Unread {
        match self.error_code.as_str() {
            "ResourceNotFoundException" => Unread::Failed(ProviderError::NotFound),
            "AccessDeniedException" => Unread::Denied,
            "InvalidRequestException" | "DecryptionFailure" => Unread::Unusable,
            "ThrottlingException" => Unread::Failed(ProviderError::Throttled { retry_after: None }),
            "InternalServiceError" => Unread::Failed(ProviderError::ServerError { status: 500 }),
            _ => Unread::Failed(ProviderError::BadAnswer),
        }
    }
}

/// Whether a failure of a whole call is about the values that it asked for.
pub fn is_denied(cause: &ProviderError) -> bool {
    matches!(cause, ProviderError::Aws(Refusal::Denied { .. } | Refusal::DeniedByOrganization { .. }))
}
