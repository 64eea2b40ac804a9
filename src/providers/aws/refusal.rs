//! What AWS says no with, in our words. Codes and fixed phrases of its messages are compared, never passed on.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::Assume;
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::probe::Verdict;

/// Refusals that only AWS knows. Roles are as entered, never as answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Deleted, inactive, mistyped, or of another partition: AWS does not tell which.
    UnknownKey,
    WrongSecret,
    /// The request was signed for another time than AWS's.
    ClockSkew,
    /// Temporary credentials that have run out.
    Expired,
    /// The caller's own policy lacks `sts:AssumeRole` on the role.
    MayNotAssume {
        role: String,
    },
    /// The role's trust policy lacks the caller.
    NotTrusted {
        role: String,
    },
    /// One of the two, or there is no such role: AWS did not tell.
    NotAssumed {
        role: String,
    },
    /// The longest session that the role allows is shorter than the one asked for.
    TooLong {
        role: String,
        minutes: u16,
    },
    Denied {
        action: &'static str,
    },
    /// The environment offers no role: no container endpoint, no web identity, no answer of IMDSv2.
    NoRole,
    /// The environment names a role in a way that does not work.
    BadRole,
    RegionOff,
}

impl Refusal {
    /// What happened, beginning in lower case or with a name, and what to do about it.
    pub fn parts(&self) -> (String, String) {
        match self {
            Self::UnknownKey => (
                "AWS does not know the access key.".to_owned(),
                "It may be mistyped, deleted or inactive, or belong to another partition (China, GovCloud). \
                     Look at it in the IAM console, and store a new one."
                    .to_owned(),
            ),
            Self::WrongSecret => (
                "the secret does not belong to the access key.".to_owned(),
                "Enter the secret access key again, or create a new key and store both.".to_owned(),
            ),
            Self::ClockSkew => (
                "AWS says that this machine's clock is wrong by more than five minutes.".to_owned(),
                "Set the clock, by NTP for instance; the key itself may be good.".to_owned(),
            ),
            Self::Expired => (
                "the temporary credentials have expired.".to_owned(),
                "Try again; if it stays so, look at the role of the machine that Strongroom runs on.".to_owned(),
            ),
            Self::MayNotAssume { role } => (
                format!("the key may not assume {role}: its own policy lacks the permission."),
                "Allow sts:AssumeRole on that role in the policy of the key's user.".to_owned(),
            ),
            Self::NotTrusted { role } => (
                format!("{role} does not trust the key."),
                "Add the key's user, and the external ID if one is asked for, to the trust policy of the \
                     role."
                    .to_owned(),
            ),
            Self::NotAssumed { role } => (
                format!("AWS does not let the key assume {role}, and does not tell why."),
                "Check that the role exists, that the policy of the key's user allows sts:AssumeRole on it, \
                     and that its trust policy names that user and the external ID."
                    .to_owned(),
            ),
            // Of a role that a role goes on to, AWS gives no more than an hour; of any other, what that role allows.
            Self::TooLong { role, minutes } => (
                format!("{role} does not allow sessions of {minutes} minutes."),
                "Lower the session length of the integration (an hour always works), or raise the maximum \
                     session duration of the role in the IAM console."
                    .to_owned(),
            ),
            Self::Denied { action } => (
                format!("AWS knows the credential, but does not allow {action}."),
                "Add that action to the policy of the role or user.".to_owned(),
            ),
            Self::NoRole => (
                "there is no IAM role here: no container endpoint, no web identity and no instance metadata \
                     (IMDSv2) answered."
                    .to_owned(),
                "Attach a role to what Strongroom runs on, or use an access key.".to_owned(),
            ),
            Self::BadRole => (
                "the environment names an IAM role in a way that does not work.".to_owned(),
                "Check the variables AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and \
                     AWS_CONTAINER_CREDENTIALS_* of the console, and the trust policy of that role."
                    .to_owned(),
            ),
            Self::RegionOff => (
                "the region is not switched on for this account, or does not take the role.".to_owned(),
                "Choose another region, or switch it on in the AWS account settings.".to_owned(),
            ),
        }
    }

    pub fn verdict(&self) -> Verdict {
        match self {
            Self::UnknownKey | Self::WrongSecret => Verdict::BadKey,
            Self::ClockSkew | Self::RegionOff => Verdict::Unreachable,
            Self::Expired => Verdict::Expired,
            Self::NotTrusted { .. } => Verdict::NotTrusted,
            Self::MayNotAssume { .. } | Self::NotAssumed { .. } | Self::TooLong { .. } | Self::Denied { .. } => {
                Verdict::Denied
            }
            Self::NoRole | Self::BadRole => Verdict::NotHere,
        }
    }
}

/// Sorts an error of the SDK. `action` is what was asked for: `ecr:DescribeImages`.
pub(super) fn sorted<E>(error: &SdkError<E, HttpResponse>, action: &'static str) -> ProviderError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::DispatchFailure(failure) => cause(failure.as_connector_error()),
        SdkError::TimeoutError(_) => ProviderError::Timeout { host: "AWS".into() },
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => {
            let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
            match said(error) {
                Some((code, message)) => known(&code, &message, action, status),
                None => by_status(status),
            }
        }
        _ => ProviderError::BadAnswer,
    }
}

/// Sorts a refusal of a REST service in JSON, whose code stands in the header `x-amzn-errortype` or in the body.
/// <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>
pub fn answered(answer: &Answer, action: &'static str) -> ProviderError {
    #[derive(Default, serde::Deserialize)]
    struct Body {
        #[serde(alias = "__type", alias = "Code")]
        code: Option<String>,
        #[serde(alias = "Message")]
        message: Option<String>,
    }
    let body: Body = answer.json().unwrap_or_default();
    let code = answer.header("x-amzn-errortype").map(str::to_owned).or(body.code).unwrap_or_default();
    // `com.amazon.service#AccessDeniedException:http://…`
    let code = code.split(':').next().and_then(|code| code.rsplit('#').next()).unwrap_or_default();
    known(code, &body.message.unwrap_or_default(), action, answer.status)
}

/// Code and message of a refusal. Where the SDK finds none, the body may still have them in the older shape of the
/// query services, `<Errors><Error><Code>` (EC2 API reference, "Error codes").
fn said<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<(String, String)> {
    if let SdkError::ServiceError(service) = error
        && let Some(code) = service.err().code()
    {
        return Some((code.to_owned(), service.err().message().unwrap_or_default().to_owned()));
    }
    let raw = error.raw_response().filter(|raw| !raw.status().is_success())?;
    let body = std::str::from_utf8(raw.body().bytes()?).ok()?;
    let inside = |open: &str, close: &str| Some(body.split_once(open)?.1.split_once(close)?.0.to_owned());
    Some((inside("<Code>", "</Code>")?, inside("<Message>", "</Message>").unwrap_or_default()))
}

fn known(code: &str, message: &str, action: &'static str, status: u16) -> ProviderError {
    let said = |words: &str| message.contains(words);
    let refusal = match code {
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" | "AuthFailure" => {
            Refusal::UnknownKey
        }
        "RequestExpired" | "RequestTimeTooSkewed" | "InvalidSignatureException" | "SignatureDoesNotMatch"
            if said("Signature expired") || said("not yet current") || code.starts_with("Request") =>
        {
            Refusal::ClockSkew
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" => Refusal::WrongSecret,
        "ExpiredToken" | "ExpiredTokenException" => Refusal::Expired,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Refusal::Denied { action },
        "RegionDisabledException" | "OptInRequired" => Refusal::RegionOff,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "LimitExceededException"
        | "SlowDown" => return ProviderError::Throttled { retry_after: None },
        "RepositoryNotFoundException" | "ImageNotFoundException" | "NoSuchEntity" => return ProviderError::NotFound,
        _ => return by_status(status),
    };
    ProviderError::Aws(refusal)
}

fn by_status(status: u16) -> ProviderError {
    match status {
        200..=299 => ProviderError::BadAnswer,
        403 => ProviderError::Forbidden,
        404 => ProviderError::NotFound,
        429 => ProviderError::Throttled { retry_after: None },
        500.. => ProviderError::ServerError { status },
        _ => ProviderError::UnexpectedStatus { status },
    }
}

/// Finds our own error again in the chain of the SDK's.
fn cause(error: Option<&(impl std::error::Error + 'static)>) -> ProviderError {
    let mut link = error.and_then(std::error::Error::source);
    while let Some(current) = link {
        if let Some(ours) = current.downcast_ref::<ProviderError>() {
            return ours.clone();
        }
        link = current.source();
    }
    ProviderError::Unreachable { host: "AWS".into() }
}

/// A refused AssumeRole: AWS answers AccessDenied for every cause, but its longer messages name the kind of policy
/// (IAM user guide, "Troubleshoot access denied error messages").
pub(super) fn assuming<E>(error: &SdkError<E, HttpResponse>, assume: &Assume) -> ProviderError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let role = assume.role.clone();
    let (_, message) = said(error).unwrap_or_default();
    match sorted(error, "sts:AssumeRole") {
        ProviderError::Aws(Refusal::Denied { .. }) => {
            ProviderError::Aws(if message.contains("identity-based policy") {
                Refusal::MayNotAssume { role }
            } else if message.contains("trust policy") || message.contains("resource-based policy") {
                Refusal::NotTrusted { role }
            } else {
                Refusal::NotAssumed { role }
            })
        }
        // "The requested DurationSeconds exceeds the MaxSessionDuration set for this role", or "… the 1 hour session
        // limit for roles assumed by role chaining".
        ProviderError::UnexpectedStatus { status: 400 } if message.contains("DurationSeconds exceeds") => {
            ProviderError::Aws(Refusal::TooLong { role, minutes: assume.minutes })
        }
        other => other,
    }
}
