//! From an answer of AWS to its meaning. Codes and fixed phrases of its messages are compared, never passed on.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

use super::assume::Assume;
use super::refusal::Refusal;
use crate::providers::ProviderError;
use crate::providers::egress::Answer;
use crate::providers::patience::retry_after;

/// Sorts an error of the SDK. `action` is what was asked for: `ecr:DescribeImages`.
pub fn refused<E>(error: &SdkError<E, HttpResponse>, action: &'static str) -> ProviderError
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

/// Sorts a refusal of a service that is asked without the SDK. Its code stands in the header `x-amzn-errortype` or in the
/// body, which is JSON, or XML of the Query services.
/// <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html>,
/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>
pub fn answered(answer: &Answer, action: &'static str) -> ProviderError {
    let body: Value = answer.json().unwrap_or_default();
    let member = |names: [&str; 3]| names.iter().find_map(|name| body.get(name)?.as_str()).map(str::to_owned);
    let (in_xml, text_in_xml) = in_xml(&answer.body).unzip();
    let code = answer.header("x-amzn-errortype").map(str::to_owned);
    let code = code.or_else(|| member(["__type", "code", "Code"])).or(in_xml).unwrap_or_default();
    // `com.amazon.service#AccessDeniedException:http://…`
    let code = code.split(':').next().and_then(|code| code.rsplit('#').next()).unwrap_or_default();
    let message = member(["message", "Message", "errorMessage"]).or(text_in_xml).unwrap_or_default();
    match known(code, &message, action, answer.status) {
        ProviderError::Throttled { .. } => {
            ProviderError::Throttled { retry_after: retry_after(answer).map(|pause| pause.as_secs()) }
        }
        error => error,
    }
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
    in_xml(raw.body().bytes()?)
}

fn in_xml(body: &[u8]) -> Option<(String, String)> {
    let body = std::str::from_utf8(body).ok()?;
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
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" if said("service control policy") => {
            Refusal::DeniedByOrganization { action }
        }
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
    match refused(error, "sts:AssumeRole") {
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

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

    fn meaning(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> ProviderError {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let answer = Answer { status, headers: headers.collect::<HeaderMap>(), body: body.into() };
        answered(&answer, "lambda:ListFunctions")
    }

    #[test]
    fn a_refusal_is_understood_in_the_shape_of_each_protocol() {
        let denied = ProviderError::Aws(Refusal::Denied { action: "lambda:ListFunctions" });
        let header = [("x-amzn-errortype", "AccessDeniedException:http://internal.amazon.com/")];
        assert_eq!(meaning(403, &header, "{}"), denied);
        assert_eq!(
            meaning(400, &[], r#"{"__type":"com.amazon#AccessDeniedException","Message":"a","message":"b"}"#),
            denied
        );
        let query = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>";
        assert_eq!(meaning(403, &[], query), denied);
        let by_organization = ProviderError::Aws(Refusal::DeniedByOrganization { action: "lambda:ListFunctions" });
        let said = r#"{"Message":"x is not authorized, with an explicit deny in a service control policy"}"#;
        assert_eq!(meaning(403, &header, said), by_organization);
        assert_eq!(meaning(403, &[], "<html>"), ProviderError::Forbidden);
    }

    #[test]
    fn the_pause_that_a_busy_service_asks_for_is_kept() {
        let asked = meaning(429, &[("retry-after", "7")], r#"{"Type":"User","message":"Rate exceeded"}"#);
        assert_eq!(asked, ProviderError::Throttled { retry_after: Some(7) });
        let coded = meaning(400, &[], r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
        assert_eq!(coded, ProviderError::Throttled { retry_after: None });
    }
}
