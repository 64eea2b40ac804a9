//! A mail server as the settings and the credential name it: where it is, how the way there is encrypted, as whom, and
//! by what name it is greeted.

use std::net::IpAddr;

use lettre::transport::smtp;
use lettre::transport::smtp::extension::ClientId;
use secrecy::SecretString;
use url::Url;

use super::super::outcome::not_sent;
use super::super::{Failure, Retry};
use super::letter;
use super::streams::Endless;
use crate::credentials::checks::authority;
use crate::form::Values;
use crate::providers::ProviderError;
use crate::providers::egress::Egress;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Asked for in clear, and demanded: without it nothing is said.
    Starttls,
    Implicit,
    None,
}

impl Encryption {
    pub fn of(settings: &Values) -> Self {
        match settings.get("tls") {
            "implicit" => Self::Implicit,
            "none" => Self::None,
            _ => Self::Starttls,
        }
    }

    pub fn scheme(self) -> &'static str {
        match self {
            Self::Starttls => "smtp",
            Self::Implicit => "smtps",
            Self::None => "smtp-clear",
        }
    }
}

/// As whom, and by what proof.
pub(super) enum Login {
    Password {
        user: String,
        password: SecretString,
    },
    /// An access token for one mailbox (XOAUTH2).
    Token {
        user: String,
        token: SecretString,
    },
}

impl Login {
    pub fn user(&self) -> &str {
        match self {
            Self::Password { user, .. } | Self::Token { user, .. } => user,
        }
    }
}

/// Where to, by which rules, and as whom.
pub(super) struct Server<'a> {
    pub egress: &'a Egress,
    pub address: Url,
    pub encryption: Encryption,
    pub ca_certificate: &'a str,
    pub login: Option<Login>,
    /// Our own name, for the greeting: a host name or an address.
    pub hello: &'a str,
}

impl Server<'_> {
    /// As sentences name it.
    pub fn name(&self) -> String {
        authority(&self.address)
    }

    /// The name to greet with. One that no relay takes, such as `strongroom` or `localhost`, gives way to the address
    /// that the connection has on our side (RFC 5321, 4.1.3).
    pub fn hello(&self, own: Option<IpAddr>) -> ClientId {
        let literal = match self.hello.parse() {
            Ok(address) => Some(address),
            Err(_) if letter::is_whole_host_name(self.hello) => None,
            Err(_) => own.map(|address| address.to_canonical()),
        };
        match literal {
            Some(IpAddr::V4(address)) => ClientId::Ipv4(address),
            Some(IpAddr::V6(address)) => ClientId::Ipv6(address),
            None => ClientId::Domain(self.hello.to_owned()),
        }
    }

    pub fn call(&self, error: &ProviderError) -> Failure {
        not_sent(error, &format!("the mail server {}", self.name()))
    }
}

/// Why a conversation ended without a word of refusal.
pub(super) fn broken(server: &Server<'_>, error: &smtp::Error) -> Failure {
    if !Endless::ended(error) {
        return dropped(server);
    }
    let sentence = format!(
        "The mail server {} sent more than 64 KiB in answer to one command, without an end. Check the host and the port: \
         no mail server greets like that.",
        server.name()
    );
    Failure::new(sentence, Retry::ReceiverDown)
}

/// The connection ended, or what came is not SMTP.
pub(super) fn dropped(server: &Server<'_>) -> Failure {
    let sentence = format!(
        "The mail server {} closed the connection, or does not speak SMTP there. Check the port and the encryption.",
        server.name()
    );
    Failure::new(sentence, Retry::ReceiverDown)
}

pub(super) fn too_slow(server: &Server<'_>) -> Failure {
    server.call(&ProviderError::Timeout { host: server.name() })
}
