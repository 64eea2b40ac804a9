//! A GitHub access token, for github.com or for an enterprise server of one's own.

use super::forge_token::{self, Payload};
use super::{Facts, Guide, Kind};
use crate::form::{Errors, Values};

/// The server of the vendor.
pub const SERVER: &str = "https://github.com";

pub static KIND: Kind = Kind {
    slug: "github_token",
    label: "GitHub",
    summary: "An access token of GitHub or GitHub Enterprise Server: GitHub Container Registry.",
    fields: &forge_token::fields(SERVER, "Leave blank for github.com.", ("ghp_…", token)),
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Sign in as a machine user that sees only what is scanned.",
            "In Settings > Developer settings > Personal access tokens > Tokens (classic) choose Generate new token: \
             the Container Registry accepts classic tokens only.",
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
    forge_token::token(value, &OTHERS, "Enter a personal access token, which begins with ghp_.")
}

fn examine(values: &Values) -> Result<Facts, Errors> {
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
    let mut facts = forge_token::facts(values, SERVER);
    if let Some((_, label)) = kind {
        facts.lines.insert(0, ("Token type", label.to_owned()));
    }
    if token.starts_with("github_pat_") {
        facts.warnings.push(
            "GitHub Container Registry accepts only classic tokens, not fine-grained \
        ones."
                .to_owned(),
        );
    }
    Ok(facts)
}
