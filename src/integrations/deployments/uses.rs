//! The credentials that a deployment may have in addition to its login.

use super::deployment::{AGENT_SECRET, PULL_SECRET};
use crate::integrations::spec::Use;

/// The two credentials that are written into the cluster, where its administrators can read them. Amazon ECR is not
/// supported as a pull secret, because its logins expire after 12 hours.
pub(super) const PULL: Use = Use {
    role: PULL_SECRET,
    label: "Pull secret",
    kinds: &["basic", "gitlab_token", "github_token", "gcp", "azure", "ibm_cloud"],
    required: false,
};
pub(super) const AGENT: Use =
    Use { role: AGENT_SECRET, label: "Agent secret", kinds: &["api_token", "basic", "certificate"], required: false };
