//! How this program shows the console who it is: a token of its client, or the identity that its platform gives it, which
//! the console exchanges for a session token.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::environment::variable;
use super::net::Trust;
use super::trouble::{Result, Trouble};

mod aws;
mod github;

/// The identities that a workload may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    Kubernetes,
    Github,
    Gitlab,
    Aws,
}

pub enum Proof {
    Token(Zeroizing<String>),
    /// Read each time, so that it can be replaced.
    TokenFile(PathBuf),
    Workload {
        client: String,
        kind: Workload,
        audience: String,
        server_id: String,
        file: PathBuf,
    },
    /// The token of a service account, given by the kubelet for one request.
    ServiceAccount {
        client: String,
        token: Zeroizing<String>,
    },
}

/// Who a program is told to log in as.
pub enum Named {
    Token(Proof),
    Client(String),
}

impl Named {
    /// What agent and programs compare to know that they log in as the same client. It does not tell a token.
    pub fn mark(&self) -> Result<String> {
        match self {
            Self::Token(proof) => proof.mark(),
            Self::Client(client) => Ok(digest("client", client)),
        }
    }
}

fn digest(kind: &str, text: &str) -> String {
    let text = Zeroizing::new(format!("{kind} {text}"));
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// GitLab puts the token of `id_tokens: STRONGROOM_ID_TOKEN` here.
const GITLAB: &str = "STRONGROOM_ID_TOKEN";

/// The identity of this workload.
pub fn found(file: &Path) -> Result<Workload> {
    if file.exists() {
        Ok(Workload::Kubernetes)
    } else if variable(github::URL).is_some() {
        Ok(Workload::Github)
    } else if variable(GITLAB).is_some() {
        Ok(Workload::Gitlab)
    } else if variable(aws::KEY).is_some() {
        Ok(Workload::Aws)
    } else {
        Err(Trouble::Local(format!(
            "this workload has no identity to log in with: no service account token at {}, no GitHub Actions job with \
             `id-token: write`, no {GITLAB} of a GitLab job, and no AWS credentials in the environment",
            file.display()
        )))
    }
}

impl Proof {
    /// Whether a session token has to be got for it.
    pub fn is_exchanged(&self) -> bool {
        !matches!(self, Self::Token(_) | Self::TokenFile(_))
    }

    /// The client whose proof counts once, so that its session has to serve the whole job.
    pub fn counts_once(&self) -> Option<&str> {
        match self {
            Self::Workload { client, kind: Workload::Gitlab, .. } => Some(client),
            _ => None,
        }
    }

    /// The token, where it is sent as it is.
    pub fn token(&self) -> Result<Option<Zeroizing<String>>> {
        match self {
            Self::Token(token) => Ok(Some(token.clone())),
            Self::TokenFile(file) => read(file).map(Some),
            Self::Workload { .. } | Self::ServiceAccount { .. } => Ok(None),
        }
    }

    /// As that of whoever is told to log in so.
    pub fn mark(&self) -> Result<String> {
        match self {
            Self::Token(token) => Ok(digest("token", token)),
            Self::TokenFile(file) => Ok(digest("token", &read(file)?)),
            Self::Workload { client, .. } | Self::ServiceAccount { client, .. } => Ok(digest("client", client)),
        }
    }

    /// The body of `POST /machine/v1/login`.
    pub async fn login(&self, trust: &Trust) -> Result<Vec<u8>> {
        let with_token = |method: &str, client: &str, token: &str| {
            json!({ "method": method, "client": client, "token": token }).to_string().into_bytes()
        };
        match self {
            Self::Token(_) | Self::TokenFile(_) => Err(Trouble::local("a token needs no login")),
            Self::ServiceAccount { client, token } => Ok(with_token("kubernetes", client, token)),
            Self::Workload { client, kind, audience, server_id, file } => match kind {
                Workload::Kubernetes => Ok(with_token("kubernetes", client, &read(file)?)),
                Workload::Github => Ok(with_token("oidc", client, &github::token(audience, trust).await?)),
                Workload::Gitlab => {
                    let token = variable(GITLAB).ok_or_else(|| Trouble::Local(format!("{GITLAB} is not set")))?;
                    Ok(with_token("oidc", client, &Zeroizing::new(token)))
                }
                Workload::Aws => aws::login(client, server_id),
            },
        }
    }
}

/// A token alone in a file.
fn read(file: &Path) -> Result<Zeroizing<String>> {
    let unreadable = |error| Trouble::Local(format!("cannot read the token file {}: {error}", file.display()));
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    let token = text.trim();
    if token.is_empty() {
        return Err(Trouble::Local(format!("the token file {} is empty", file.display())));
    }
    Ok(Zeroizing::new(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_differs_by_login_and_does_not_tell_the_token() {
        let token = |text: &str| Proof::Token(Zeroizing::new(text.to_owned()));
        let marks = [token("srt_a"), token("srt_b")].map(|proof| proof.mark().unwrap());
        assert!(marks[0] != marks[1] && !marks[0].contains("srt_a"));
        assert_eq!(Named::Token(token("srt_a")).mark().unwrap(), marks[0]);
        let workload = Proof::Workload {
            client: "srt_a".to_owned(),
            kind: Workload::Aws,
            audience: String::new(),
            server_id: String::new(),
            file: PathBuf::new(),
        };
        assert_eq!(workload.mark().unwrap(), Named::Client("srt_a".to_owned()).mark().unwrap());
        assert_ne!(workload.mark().unwrap(), marks[0]);
    }
}
