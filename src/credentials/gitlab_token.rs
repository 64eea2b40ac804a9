//! A GitLab access token, for gitlab.com or for a server of one's own.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, certificate, checks, pem};
use crate::form::{Errors, Field, Values};

const DEFAULT_SERVER: &str = "https://gitlab.com";

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    #[serde(default = "default_server")]
    pub server_url: String,
    pub token: SecretString,
    /// PEM of the authorities that the server's certificate is held against, beside the public ones.
    pub ca_certificate: Option<String>,
}

fn default_server() -> String {
    DEFAULT_SERVER.to_owned()
}

pub static KIND: Kind = Kind {
    slug: "gitlab_token",
    label: "GitLab",
    summary: "An access token of gitlab.com or a GitLab server of your own: its container registry.",
    fields: &[
        Field::text("server_url", "Server URL")
            .optional()
            .placeholder(DEFAULT_SERVER)
            .help("Blank for gitlab.com.")
            .check(checks::server_url)
            .identity(),
        Field::secret("token", "Access token").placeholder("glpat-…").max(1024).check(token),
        Field::document("ca_certificate", "CA certificate")
            .optional()
            .help("PEM, if the server's certificate is signed by a private authority.")
            .check(pem::authorities)
            .identity(),
    ],
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
    let token = checks::token(value)?;
    match OTHERS.iter().find(|(prefix, _)| token.starts_with(prefix)) {
        Some((_, what)) => Err(format!("{what} Enter an access token, which begins with glpat-.")),
        None => Ok(token),
    }
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    let server = Some(values.get("server_url")).filter(|url| !url.is_empty()).unwrap_or(DEFAULT_SERVER);
    let mut facts = Facts { identity: checks::host(server), ..Facts::default() };
    facts.lines.extend(certificate::authority_line(values.get("ca_certificate")));
    Ok(facts)
}
