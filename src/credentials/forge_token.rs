//! Tokens of GitHub and GitLab have the same form: the token, and the server that it is for, the vendor's unless
//! another is named.

use secrecy::SecretString;
use serde::Deserialize;

use super::{Facts, certificate, checks, pem};
use crate::form::{Check, Field, Values};

/// A token and its server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// `None`: the vendor's own.
    server_url: Option<String>,
    pub token: SecretString,
    /// PEM of the authorities that the server's certificate is held against, beside the public ones.
    pub ca_certificate: Option<String>,
}

impl Payload {
    /// The URL of the server; `own` is the vendor's.
    pub fn server<'a>(&'a self, own: &'a str) -> &'a str {
        self.server_url.as_deref().unwrap_or(own)
    }
}

/// The form. `own` is the URL of the vendor's server and `blank` says its name; `token` is how a token looks, and its check.
pub const fn fields(own: &'static str, blank: &'static str, token: (&'static str, Check)) -> [Field; 3] {
    [
        Field::text("server_url", "Server URL")
            .optional()
            .placeholder(own)
            .help(blank)
            .check(checks::server_url)
            .identity(),
        Field::secret("token", "Access token").placeholder(token.0).max(1024).check(token.1),
        Field::document("ca_certificate", "CA certificate")
            .optional()
            .help("The server's CA certificate, as PEM, if it has a private CA.")
            .check(pem::authorities)
            .identity(),
    ]
}

/// A token that is none of others: prefixes of those, each with a sentence. `enter` says which one is wanted.
pub fn token(value: &str, others: &[(&str, &str)], enter: &str) -> Result<String, String> {
    let token = checks::token(value)?;
    match others.iter().find(|(prefix, _)| token.starts_with(prefix)) {
        Some((_, what)) => Err(format!("{what} {enter}")),
        None => Ok(token),
    }
}

/// The lines that pages show of such a token; `own` is the URL of the vendor's server.
pub fn facts(values: &Values, own: &str) -> Facts {
    let server = Some(values.get("server_url")).filter(|url| !url.is_empty()).unwrap_or(own);
    let mut facts = Facts { identity: checks::host(server), ..Facts::default() };
    facts.lines.extend(certificate::authority_line(values.get("ca_certificate")));
    facts
}
