//! The credentials that every deployment may have beside its login.

use super::deployment::{AGENT_SECRET, PULL_SECRET};
use crate::integrations::spec::Use;

/// The two credentials that go out to the cluster, where its administrators can read them. Amazon ECR is not among the
/// registries: its logins end after 12 hours.
pub(super) const PULL: Use = Use {
    role: PULL_SECRET,
    label: "Pull secret",
    kinds: &["basic", "gitlab_token", "github_token", "gcp", "azure", "ibm_cloud"],
    required: false,
};
pub(super) const AGENT: Use =
    Use { role: AGENT_SECRET, label: "Agent secret", kinds: &["api_token", "basic", "certificate"], required: false };
