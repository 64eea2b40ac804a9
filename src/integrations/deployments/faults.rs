//! The error messages of a deployment: the step, the object, and what to do. They never repeat the cluster's own text,
//! except for the names of fields, managers and rights.

use super::mark::ObjectRef;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::kubernetes::{ApiError, Owned, Refusal, WHO};
use crate::providers::{Failure, ProviderError, capital};

impl Step {
    pub const READING_CLUSTER: Self = Self { label: "Reading the cluster", doing: "Reading the state" };
    pub const APPLYING: Self = Self { label: "Applying", doing: "The deployment" };
    pub const ROLLING_OUT: Self = Self { label: "Rolling out", doing: "The rollout" };
    pub const REMOVING: Self = Self { label: "Removing", doing: "The removal" };
}

/// The call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Read,
    Apply,
    Delete,
    List,
    Patch,
}

impl Deed {
    fn words(self) -> &'static str {
        match self {
            Self::Read => "get",
            Self::Apply => "create and patch",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Patch => "patch",
        }
    }
}

/// A failed call to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub step: Step,
    /// The object, as in `DaemonSet agents/agent`; blank for the cluster as a whole.
    pub at: String,
    pub deed: Deed,
    pub error: ApiError,
}

/// The usual failures of a deployment, listed in the help.
pub fn known_faults() -> Vec<String> {
    let (role, daemon_set) =
        (ObjectRef::new("ClusterRole", "", "agent"), ObjectRef::new("DaemonSet", "agents", "agent"));
    let owned = Owned { manager: "kubectl-edit".to_owned(), field: ".spec.template".to_owned() };
    let refusals = [
        (&daemon_set, Refusal::Unauthorized),
        (&daemon_set, Refusal::Forbidden),
        (&role, Refusal::Escalation { rights: vec!["get, list on nodes".to_owned()] }),
        (&daemon_set, Refusal::Conflicts(vec![owned])),
        (&daemon_set, Refusal::Immutable { fields: vec!["spec.selector".to_owned()] }),
        (&daemon_set, Refusal::Admission { by: None }),
        (&daemon_set, Refusal::Quota),
        (&daemon_set, Refusal::Terminating),
    ];
    let told = |(object, refusal): (&ObjectRef, Refusal)| {
        Fault::new(Step::APPLYING, object, Deed::Apply, ApiError::Refused(refusal)).gap().to_string()
    };
    refusals.into_iter().map(told).collect()
}

/// A failed step, with its own sentence as the reason.
pub(super) fn said(step: Step, at: &str, cause: ProviderError, because: &str) -> Gap {
    Gap::new(step, at, cause, small(because))
}

/// The sign-in failed.
pub(super) fn not_open(failure: Failure) -> Gap {
    let because = small(&failure.to_string());
    Gap::new(Step::SIGNING_IN, "", ProviderError::SignIn(failure), because)
}

pub(super) fn stopped(step: Step) -> Gap {
    Gap::new(step, "", ProviderError::Stopped, "it was stopped.".to_owned())
}

impl Fault {
    pub fn new(step: Step, object: &ObjectRef, deed: Deed, error: ApiError) -> Self {
        Self { step, at: object.to_string(), deed, error }
    }

    pub fn gap(self) -> Gap {
        let (what, remedy) = self.parts();
        let cause = match &self.error {
            ApiError::Call(error) => error.clone(),
            ApiError::Refused(Refusal::Unauthorized | Refusal::Forbidden) => ProviderError::Forbidden,
            ApiError::Refused(Refusal::Missing | Refusal::NoNamespace) => ProviderError::NotFound,
            ApiError::Refused(_) => ProviderError::UnexpectedStatus { status: 409 },
        };
        Gap::new(self.step, self.at, cause, format!("{what} {remedy}").trim_end().to_owned())
    }

    pub fn failure(self) -> Failure {
        match &self.error {
            ApiError::Call(error) => Failure::from(crate::providers::finding(error, WHO)),
            ApiError::Refused(_) => Failure::never(self.sentence()),
        }
    }

    /// `DaemonSet agents/agent: the login may not … .`
    pub fn sentence(&self) -> String {
        let (what, remedy) = self.parts();
        let said = format!("{what} {remedy}");
        let said = if self.at.is_empty() { capital(&said) } else { format!("{}: {said}", self.at) };
        said.trim_end().to_owned()
    }

    /// What happened, starting in lower case, and what to do.
    fn parts(&self) -> (String, String) {
        match &self.error {
            ApiError::Call(error) => error.parts(WHO),
            ApiError::Refused(refusal) => refused(refusal, self.deed),
        }
    }
}

fn refused(refusal: &Refusal, deed: Deed) -> (String, String) {
    let both = |what: &str, remedy: &str| (what.to_owned(), remedy.to_owned());
    match refusal {
        Refusal::Unauthorized => both(
            "the cluster does not know this login.",
            "Create a new token or client certificate, and store it in the credential.",
        ),
        Refusal::Forbidden => (
            format!("the login may not {} it.", deed.words()),
            "Grant it this right: the kubeconfig guide has a role for deployments, and a sync's page has its own."
                .to_owned(),
        ),
        Refusal::Escalation { rights } if rights.is_empty() => both(ESCALATION, GRANT),
        Refusal::Escalation { rights } => (format!("{} Missing: {}.", ESCALATION, rights.join("; ")), GRANT.to_owned()),
        Refusal::Quota => both("a quota of the namespace is used up.", "Raise it, or choose another namespace."),
        Refusal::Admission { by } => {
            let by = by.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            (
                format!("an admission policy of the cluster refused it{by}."),
                "Ask the cluster's administrators what it requires, and change the settings.".to_owned(),
            )
        }
        Refusal::WebhookAway { name } => {
            let name = name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            (format!("the cluster's webhook{name} did not answer."), "Fix the webhook, then try again.".to_owned())
        }
        refusal => of_object(refusal),
    }
}

/// Refusals that concern the object itself.
fn of_object(refusal: &Refusal) -> (String, String) {
    let both = |what: &str, remedy: &str| (what.to_owned(), remedy.to_owned());
    match refusal {
        Refusal::Terminating => {
            both("its namespace is being deleted.", "Wait until it is gone, or choose another namespace.")
        }
        Refusal::NoNamespace => both("its namespace does not exist.", "Create it, then try again."),
        Refusal::Missing => {
            both("the cluster could not find it.", "Check that the cluster runs Kubernetes 1.22 or later.")
        }
        Refusal::Conflicts(owned) => {
            let named: Vec<String> = owned.iter().map(|one| format!("{} ({})", one.field, one.manager)).collect();
            (
                format!("other managers own some of its fields: {}.", named.join(", ")),
                "Open the preview, and take them over or leave them.".to_owned(),
            )
        }
        Refusal::Stale => both("someone else changed it at the same moment.", "Try again."),
        Refusal::Exists => both("someone else created it at the same moment.", "Open the preview."),
        Refusal::OtherUid => {
            both("someone else replaced it with a new object of the same name.", "Open the preview, then try again.")
        }
        Refusal::Immutable { fields } => (
            format!("{} cannot be changed in place.", fields.join(", ")),
            "Replace the object in the preview: it is deleted and created again.".to_owned(),
        ),
        Refusal::Invalid { fields } if fields.is_empty() => {
            both("the cluster rejected it as invalid.", "Check the settings.")
        }
        Refusal::Invalid { fields } => {
            (format!("the cluster rejected the value of {}.", fields.join(", ")), "Check the settings.".to_owned())
        }
        Refusal::UnknownField => {
            both("the cluster does not know one of its fields.", "Its Kubernetes version may be too old: check it.")
        }
        Refusal::Expired => both("the list changed while it was read.", "Try again."),
        _ => both("the cluster refused it.", "Check the settings and the rights of the login."),
    }
}

const ESCALATION: &str = "the login would grant rights that it does not have itself.";
const GRANT: &str = "Grant it these rights, or the verbs bind and escalate on clusterroles, or choose fewer rules.";

/// Starts the sentence in lower case, unless its first word is an acronym.
fn small(sentence: &str) -> String {
    crate::form::in_sentence(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(error: ApiError) -> Fault {
        let object = ObjectRef::new("ClusterRole", "", "agent");
        Fault::new(Step::APPLYING, &object, Deed::Apply, error)
    }

    #[test]
    fn every_refusal_says_what_happened_and_what_to_do() {
        let refusals = [
            Refusal::Unauthorized,
            Refusal::Forbidden,
            Refusal::Escalation { rights: vec!["get on nodes".into()] },
            Refusal::Quota,
            Refusal::Admission { by: Some("x".into()) },
            Refusal::WebhookAway { name: None },
            Refusal::Terminating,
            Refusal::NoNamespace,
            Refusal::Missing,
            Refusal::Conflicts(Vec::new()),
            Refusal::Stale,
            Refusal::Exists,
            Refusal::OtherUid,
            Refusal::Immutable { fields: vec!["spec.selector".into()] },
            Refusal::Invalid { fields: Vec::new() },
            Refusal::UnknownField,
            Refusal::Expired,
        ];
        for refusal in refusals {
            let gap = fault(ApiError::Refused(refusal)).gap().to_string();
            assert!(gap.starts_with("The deployment of ClusterRole agent failed: "), "{gap}");
            assert!(gap.ends_with('.') && gap.matches(". ").count() >= 1, "{gap}");
        }
    }

    #[test]
    fn an_unreachable_cluster_is_no_refusal() {
        let error = ProviderError::Unreachable { host: "k.example:6443".into() };
        let said = fault(ApiError::Call(error)).sentence();
        assert!(said.starts_with("ClusterRole agent: k.example:6443 could not be reached."), "{said}");
    }
}
