//! A GitLab access token, for gitlab.com or for a server of one's own.

use super::forge_token::{self, Payload};
use super::{Facts, Guide, Kind};
use crate::form::{Errors, Values};

/// The server of the vendor.
pub const SERVER: &str = "https://gitlab.com";

pub static KIND: Kind = Kind {
    slug: "gitlab_token",
    label: "GitLab",
    summary: "An access token of gitlab.com or a GitLab server of your own: its container registry.",
    fields: &forge_token::fields(SERVER, "Leave blank for gitlab.com.", ("glpat-…", token)),
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Open the group or project that is scanned, Settings > Access tokens, and choose Add new token.",
            "Choose the role Reporter, the scopes read_api and read_registry, and an expiry date.",
            "Copy the token here: it is shown once.",
        ],
        snippets: &[("Least scopes for registry scans", "read_api, read_registry")],
        source: "https://docs.gitlab.com/user/group/settings/group_access_tokens/",
    },
    policies: super::no_policies,
    address: |values| super::address_in("server_url", values),
};

/// Prefixes of tokens that do not belong here, and the name of each kind (GitLab's documentation,
/// "Token overview"). Deploy tokens are recognised before.
const OTHERS: [(&str, &str); 8] = [
    ("glrt-", "This is a runner's token."),
    ("GR1348941", "This is a token to register runners with."),
    ("glptt-", "This is a token to trigger pipelines with."),
    ("glcbt-", "This is a CI job's token, which ends with its job."),
    ("glft-", "This is a token for feeds."),
    ("glagent-", "This is the token of an agent for Kubernetes."),
    ("ghp_", "This is a token of GitHub."),
    ("github_pat_", "This is a token of GitHub."),
];

fn token(value: &str) -> Result<String, String> {
    forge_token::token(value, &OTHERS, "Enter an access token, which begins with glpat-.")
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    Ok(forge_token::facts(values, SERVER))
}
