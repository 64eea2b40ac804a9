//! A GitHub access token, for github.com or for an enterprise server of one's own.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, Guide, Kind, certificate, checks, pem};
use crate::form::{Errors, Field, Values};

const DEFAULT_SERVER: &str = "https://github.com";

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
    slug: "github_token",
    label: "GitHub",
    summary: "An access token of GitHub or GitHub Enterprise Server: GitHub Container Registry.",
    fields: &[
        Field::text("server_url", "Server URL")
            .optional()
            .placeholder(DEFAULT_SERVER)
            .help("Blank for github.com.")
            .check(checks::server_url)
            .identity(),
        Field::secret("token", "Access token").placeholder("ghp_…").max(1024).check(token),
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
            "Sign in as a machine user that sees only what is scanned.",
            "In Settings > Developer settings > Personal access tokens > Tokens (classic) choose Generate new token: \
             the Container Registry takes classic tokens only.",
            "Tick read:packages and nothing else, choose an expiry date, and copy the token: it is shown once.",
        ],
        snippets: &[("Least scope for registry scans; read:org too, to find all organizations", "read:packages")],
        source: "https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry",
    },
    policies: super::no_policies,
    address: |values| super::address_in("server_url", values),
};

/// Prefixes of tokens that do not belong here, and the name of each kind.
const OTHERS: [(&str, &str); 2] =
    [("ghr_", "This is a refresh token, which opens nothing by itself."), ("glpat-", "This is a token of GitLab.")];

fn token(value: &str) -> Result<String, String> {
    let token = checks::token(value)?;
    match OTHERS.iter().find(|(prefix, _)| token.starts_with(prefix)) {
        Some((_, what)) => Err(format!("{what} Enter a personal access token, which begins with ghp_.")),
        None => Ok(token),
    }
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    let server = Some(values.get("server_url")).filter(|url| !url.is_empty()).unwrap_or(DEFAULT_SERVER);
    let token = values.get("token");
    // Prefixes: GitHub's documentation, "About authentication to GitHub", token formats.
    let kinds = [
        ("github_pat_", "Fine-grained personal access token"),
        ("ghp_", "Classic personal access token"),
        ("gho_", "OAuth token"),
        ("ghu_", "App user token"),
        ("ghs_", "App installation token"),
    ];
    let kind = kinds.into_iter().find(|(prefix, _)| token.starts_with(prefix));
    let mut facts = Facts { identity: checks::host(server), ..Facts::default() };
    facts.lines.extend(kind.map(|(_, label)| ("Token type", label.to_owned())));
    facts.lines.extend(certificate::authority_line(values.get("ca_certificate")));
    if token.starts_with("github_pat_") {
        facts.warnings.push("GitHub Container Registry takes only classic tokens, not fine-grained ones.".to_owned());
    }
    Ok(facts)
}
