//! A session: keys that are good for a while, and the SDK's clients that use them. It may go on into one role. What it
//! is opened from is [`super::access`]'s business, keeping it that of [`super::sessions`].

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::answers::{assuming, refused};
use super::assume::Assume;
use super::connector::Connector;
use super::{Endpoints, Region};
use crate::providers::ProviderError;
use crate::providers::egress::{Egress, Tls};

/// A call with its repetitions takes no longer.
const LIMIT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 3;
/// Who a session is, as AWS sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub arn: String,
}

/// Temporary keys.
pub struct Keys {
    pub id: String,
    pub secret: SecretString,
    pub token: SecretString,
    pub ends_at: DateTime<Utc>,
}

/// Keys in use. Cheap to clone; wiped by the SDK when the last clone goes.
#[derive(Clone)]
pub struct Session {
    config: SdkConfig,
    endpoints: Arc<Endpoints>,
    expires: Option<SystemTime>,
}

impl Session {
    /// `keys` are absent only for the calls that are not signed.
    pub(super) fn with(
        keys: Option<Credentials>,
        region: &Region,
        egress: &Egress,
        endpoints: &Arc<Endpoints>,
    ) -> Result<Self, ProviderError> {
        let expires = keys.as_ref().and_then(Credentials::expiry);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_config::Region::new(region.as_str().to_owned()))
            .use_dual_stack(region.dual_stack())
            .use_fips(region.fips())
            .http_client(Connector(egress.client(Tls::default())?))
            .sleep_impl(TokioSleep::new())
            .time_source(SystemTimeSource::new())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(TimeoutConfig::builder().operation_timeout(LIMIT).build());
        let config = match keys {
            Some(keys) => config.credentials_provider(SharedCredentialsProvider::new(keys)),
            None => config,
        };
        Ok(Self { config: config.build(), endpoints: Arc::clone(endpoints), expires })
    }

    /// When its keys run out; `None` for an access key.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    pub(super) fn sts(&self) -> aws_sdk_sts::Client {
        let mut config = aws_sdk_sts::config::Builder::from(&self.config);
        config.set_endpoint_url(self.endpoints.of("STS").map(str::to_owned));
        aws_sdk_sts::Client::from_conf(config.build())
    }

    pub(super) fn iam(&self) -> aws_sdk_iam::Client {
        let mut config = aws_sdk_iam::config::Builder::from(&self.config);
        config.set_endpoint_url(self.endpoints.of("IAM").map(str::to_owned));
        aws_sdk_iam::Client::from_conf(config.build())
    }

    pub fn ecr(&self) -> aws_sdk_ecr::Client {
        let mut config = aws_sdk_ecr::config::Builder::from(&self.config);
        config.set_endpoint_url(self.endpoints.of("ECR").map(str::to_owned));
        aws_sdk_ecr::Client::from_conf(config.build())
    }

    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// `sts:GetCallerIdentity`, which needs no permission.
    pub async fn caller(&self) -> Result<Caller, ProviderError> {
        let answer = self.sts().get_caller_identity().send().await;
        let answer = answer.map_err(|error| refused(&error, "sts:GetCallerIdentity"))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) if is_arn(&arn) => Ok(Caller { account, arn }),
            _ => Err(ProviderError::BadAnswer),
        }
    }

    /// `sts:AssumeRole`. The answer's keys are those of the role.
    pub async fn assume(&self, role: &Assume) -> Result<Self, ProviderError> {
        let external_id = Some(role.external_id.clone()).filter(|id| !id.is_empty());
        let answer = self
            .sts()
            .assume_role()
            .role_arn(&role.role)
            .role_session_name(&role.session_name)
            .duration_seconds(i32::from(role.minutes) * 60)
            .set_external_id(external_id)
            .send()
            .await
            .map_err(|error| assuming(&error, role))?;
        Ok(self.keyed(given(answer.credentials)?))
    }

    /// `sts:GetSessionToken`: temporary keys of the same user. They may call nothing of IAM, and of STS only AssumeRole
    /// and GetCallerIdentity. <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
    pub async fn temporary(&self, minutes: u16) -> Result<Self, ProviderError> {
        let call = self.sts().get_session_token().duration_seconds(i32::from(minutes) * 60);
        let answer = call.send().await.map_err(|error| refused(&error, "sts:GetSessionToken"))?;
        Ok(self.keyed(given(answer.credentials)?))
    }

    /// The keys themselves, to be handed on. `None` unless they are temporary: a long-term key stays here.
    pub async fn temporary_keys(&self) -> Option<Keys> {
        let keys = self.config.credentials_provider()?.provide_credentials().await.ok()?;
        Some(Keys {
            id: keys.access_key_id().to_owned(),
            secret: SecretString::from(keys.secret_access_key()),
            token: SecretString::from(keys.session_token()?),
            ends_at: DateTime::from(keys.expiry()?),
        })
    }

    /// The same keys in another region.
    pub(super) fn at(&self, region: &Region) -> Self {
        let name = aws_config::Region::new(region.as_str().to_owned());
        let config = self.config.clone().into_builder().region(name);
        let config = config.use_dual_stack(region.dual_stack()).use_fips(region.fips()).build();
        Self { config, endpoints: Arc::clone(&self.endpoints), expires: self.expires }
    }

    /// The same way out with other keys.
    fn keyed(&self, keys: Credentials) -> Self {
        let expires = keys.expiry();
        let config =
            self.config.clone().into_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build();
        Self { config, endpoints: Arc::clone(&self.endpoints), expires }
    }
}

/// What STS hands out.
pub(super) fn given(found: Option<aws_sdk_sts::types::Credentials>) -> Result<Credentials, ProviderError> {
    let found = found.ok_or(ProviderError::BadAnswer)?;
    let expires = SystemTime::try_from(*found.expiration()).map_err(|_| ProviderError::BadAnswer)?;
    let token = found.session_token().to_owned();
    Ok(Credentials::new(found.access_key_id(), found.secret_access_key(), Some(token), Some(expires), "sts"))
}

/// What is shown and put into a policy must look like an ARN, whoever answered.
pub(super) fn is_arn(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || ":/+=,.@_-".contains(c);
    text.starts_with("arn:aws") && text.len() <= 2048 && text.chars().all(good)
}
