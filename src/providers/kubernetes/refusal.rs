//! Parses the `Status` objects with which an API server refuses a request into cases that we explain in our own words.
//! Of the server's text only names of fields, managers and rights are kept, since the rest may repeat a secret.
//! <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/>

use serde::Deserialize;

use crate::providers::calls::shown;
use crate::providers::egress::Answer;
use crate::providers::patience::retry_after;
use crate::providers::{ProviderError, Sent};

/// Why a call to a cluster failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// The call itself failed, or its answer did not come from a Kubernetes API.
    Call(ProviderError),
    /// The API refused the request.
    Refused(Refusal),
}

impl From<ProviderError> for ApiError {
    fn from(error: ProviderError) -> Self {
        Self::Call(error)
    }
}

/// The reasons for which an API server refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The login is not known.
    Unauthorized,
    Forbidden,
    /// The login would grant rights that it does not have itself, such as `get, list on nodes`.
    Escalation {
        rights: Vec<String>,
    },
    /// A quota is used up.
    Quota,
    /// An admission webhook or policy refused it. `by` is its name, if the server reports it.
    Admission {
        by: Option<String>,
    },
    /// A webhook of the cluster did not answer.
    WebhookAway {
        name: Option<String>,
    },
    /// The namespace is being deleted.
    Terminating,
    NoNamespace,
    Missing,
    /// Other managers own fields of ours.
    Conflicts(Vec<Owned>),
    /// The object changed between our read and our write.
    Stale,
    Exists,
    /// The object of this name has another UID by now.
    OtherUid,
    /// These fields are immutable.
    Immutable {
        fields: Vec<String>,
    },
    /// These fields have invalid values.
    Invalid {
        fields: Vec<String>,
    },
    /// This release of Kubernetes lacks a field.
    UnknownField,
    /// The continue token of a list has expired.
    Expired,
}

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owned {
    pub manager: String,
    /// `.spec.template.spec.containers[name="agent"].image`
    pub field: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: String,
    message: String,
    reason: Option<String>,
    details: Details,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    kind: String,
    causes: Vec<Cause>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
    field: String,
}

/// Most names that are kept from one answer.
const MOST: usize = 50;

impl ApiError {
    /// Whether the same call may succeed shortly afterwards.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Call(ProviderError::RefusedByPolicy { .. } | ProviderError::Certificate { .. }) => false,
            Self::Call(ProviderError::NotTls { .. } | ProviderError::ClientCertificate { .. }) => false,
            Self::Call(ProviderError::Throttled { .. } | ProviderError::ServerError { .. }) => true,
            Self::Call(error) => error.is_silence(),
            Self::Refused(Refusal::WebhookAway { .. }) => true,
            Self::Refused(_) => false,
        }
    }

    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(Refusal::Missing | Refusal::NoNamespace))
    }

    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(Refusal::Forbidden))
    }
}

/// The answer if it is a success; otherwise the error that it stands for.
pub(super) fn judged(answer: Answer) -> Result<Answer, ApiError> {
    if matches!(answer.status, 200..=299) {
        return Ok(answer);
    }
    if answer.status == 401 {
        return Err(ApiError::Refused(Refusal::Unauthorized));
    }
    let status: Status = answer.json().unwrap_or_default();
    if status.kind == "Status"
        && let Some(refusal) = refusal(answer.status, &status)
    {
        return Err(ApiError::Refused(refusal));
    }
    let throttled = ProviderError::Throttled { retry_after: retry_after(&answer).map(|pause| pause.as_secs()) };
    if answer.status == 429 {
        return Err(throttled.into());
    }
    Err(answer.accepted(Sent::Token).err().unwrap_or(ProviderError::BadAnswer).into())
}

fn refusal(code: u16, status: &Status) -> Option<Refusal> {
    let says = |words: &str| status.message.contains(words);
    let reason = status.reason.as_deref().unwrap_or_default();
    if says("admission webhook") || says("ValidatingAdmissionPolicy") {
        return Some(Refusal::Admission { by: quoted(&status.message) });
    }
    if says("failed calling webhook") {
        return Some(Refusal::WebhookAway { name: quoted(&status.message) });
    }
    if says("field not declared in schema") || says("unknown field") {
        return Some(Refusal::UnknownField);
    }
    match code {
        403 => Some(forbidden(status)),
        404 if status.details.kind == "namespaces" => Some(Refusal::NoNamespace),
        404 => Some(Refusal::Missing),
        409 if reason == "AlreadyExists" && says("being deleted") => Some(Refusal::Terminating),
        409 if reason == "AlreadyExists" => Some(Refusal::Exists),
        409 if says("UID in the precondition") => Some(Refusal::OtherUid),
        409 => {
            let owned = owned(status);
            Some(if owned.is_empty() { Refusal::Stale } else { Refusal::Conflicts(owned) })
        }
        410 => Some(Refusal::Expired),
        400 | 422 => Some(invalid(status)),
        _ => None,
    }
}

fn forbidden(status: &Status) -> Refusal {
    let says = |words: &str| status.message.contains(words);
    if status.details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating") {
        return Refusal::Terminating;
    }
    if says("attempting to grant RBAC permissions not currently held") {
        return Refusal::Escalation { rights: rights(&status.message) };
    }
    if says("exceeded quota") {
        return Refusal::Quota;
    }
    if says("violates PodSecurity") || says("denied the request") {
        return Refusal::Admission { by: None };
    }
    Refusal::Forbidden
}

fn owned(status: &Status) -> Vec<Owned> {
    let conflicts = status.details.causes.iter().filter(|cause| cause.reason == "FieldManagerConflict");
    let named = conflicts.filter_map(|cause| {
        let manager = quoted(&cause.message).unwrap_or_else(|| "another manager".to_owned());
        Some(Owned { manager, field: field(&cause.field)? })
    });
    named.take(MOST).collect()
}

fn invalid(status: &Status) -> Refusal {
    let is_fixed =
        |cause: &&Cause| ["field is immutable", "cannot change roleRef"].iter().any(|w| cause.message.contains(w));
    let fields = |causes: Vec<&Cause>| -> Vec<String> {
        let mut fields: Vec<String> = causes.into_iter().filter_map(|cause| field(&cause.field)).take(MOST).collect();
        fields.sort();
        fields.dedup();
        fields
    };
    let fixed = fields(status.details.causes.iter().filter(is_fixed).collect());
    if fixed.is_empty() {
        return Refusal::Invalid { fields: fields(status.details.causes.iter().collect()) };
    }
    Refusal::Immutable { fields: fixed }
}

/// The name of a field, without the values that some paths contain.
fn field(text: &str) -> Option<String> {
    shown(text).filter(|text| !text.is_empty())
}

/// The text in the first pair of quotation marks.
fn quoted(text: &str) -> Option<String> {
    shown(text.split('"').nth(1)?).filter(|name| !name.contains(' '))
}

/// `{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}` as `get, list on nodes`.
fn rights(message: &str) -> Vec<String> {
    let list = |rule: &str, name: &str| -> Vec<String> {
        let rest = rule.split_once(&format!("{name}:[")).map_or("", |(_, rest)| rest);
        let words = rest.split_once(']').map_or("", |(words, _)| words);
        let is_word =
            |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"*-./".contains(&b));
        words.split('"').filter(is_word).map(str::to_owned).collect()
    };
    let rule = |rule: &str| {
        let verbs = list(rule, "Verbs");
        let on = [list(rule, "Resources"), list(rule, "NonResourceURLs")].concat();
        (!verbs.is_empty() && !on.is_empty()).then(|| format!("{} on {}", verbs.join(", "), on.join(", ")))
    };
    message.split('{').skip(1).filter_map(rule).take(MOST).collect()
}

#[cfg(test)]
mod tests;
