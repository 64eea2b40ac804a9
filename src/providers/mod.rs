//! How to speak to someone else's service: a payload becomes a short-lived session, a session makes calls. Every call
//! leaves through [`egress`]. No database, no web. An upstream's own words are never passed on: they may echo a secret.
//! The names in a certificate are shown, being read before anything is sent.

use std::fmt;

mod addresses;
pub mod aws;
pub mod azure;
pub mod calls;
mod certificate;
mod checkup;
mod clock;
pub mod connection;
pub mod egress;
pub mod endpoints;
pub mod gcp;
pub mod github;
pub mod gitlab;
pub mod ibm;
mod jwt;
pub mod kubernetes;
mod machine;
pub mod oauth;
pub mod oci;
pub mod oci_registry;
pub mod patience;
pub mod probe;
pub mod proxy;
pub mod sessions;
pub mod standard_webhooks;
pub mod tls_faults;
mod token_server;
pub mod tokens;
mod trust;
mod wording;

pub use checkup::{has_test, test};

use tls_faults::{CertificateFault, ClientFault, Form, HandshakeFault};
pub(crate) use wording::capital;
use wording::{own_machine, where_it_may_be};

/// Why a call to a provider failed. Closed: a page knows every case and says what to do next. Hosts, as parsed from an
/// address, and a certificate's names are the only values in it; never a body, a header or a library's error text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderError {
    /// Not an http or https address, or one with a user name in it.
    InvalidAddress,
    /// The operator's rules do not let Strongroom connect there.
    RefusedByPolicy {
        host: String,
    },
    /// A cloud's metadata service, or an address that is nobody's server: out of reach whatever the operator allows.
    Reserved {
        host: String,
    },
    /// No such name, nothing listens, or the connection broke.
    Unreachable {
        host: String,
    },
    Timeout {
        host: String,
    },
    /// The operator's proxy did not lead there.
    Proxy {
        proxy: String,
        host: String,
        fault: proxy::ProxyFault,
    },
    /// The server's certificate is not trusted.
    Certificate {
        host: String,
        fault: CertificateFault,
        form: Form,
    },
    /// The handshake of TLS ended, and not for a certificate.
    Handshake {
        host: String,
        fault: HandshakeFault,
    },
    /// The server answered an https request with something else than TLS.
    NotTls {
        host: String,
    },
    /// The server wants a client certificate, or another one.
    ClientCertificate {
        host: String,
        why: ClientFault,
        form: Form,
    },
    /// The connection stood and was closed without an answer; so ends one that lacks a client certificate.
    Dropped {
        host: String,
        form: Form,
    },
    /// A certificate or key of ours cannot be used.
    BadCertificate,
    /// This machine trusts no certificate authority at all.
    NoAuthorities,
    /// The service pointed to another address, by a redirect or by a link to the next page.
    Redirected {
        host: String,
    },
    /// The service pointed to another address on its own host.
    RedirectedWithin {
        host: String,
        how: Detour,
    },
    /// A registry wants its credential sent over plain http to an address other than its own.
    RealmRefused {
        realm: String,
    },
    Unauthorized {
        sent: Sent,
    },
    /// A registry that takes no access token as it is, but a user name and password in exchange for one of `realm`.
    NeedsExchange {
        realm: String,
    },
    /// The server that a registry named for its tokens, and what was wrong there.
    TokenServer {
        host: String,
        cause: Box<ProviderError>,
    },
    /// The credential is good, but not for this.
    Forbidden,
    NotFound,
    /// Still throttled after all attempts. `retry_after` is what the service asked for, in seconds.
    Throttled {
        retry_after: Option<u64>,
    },
    /// A status from 500 up.
    ServerError {
        status: u16,
    },
    /// Any other status that the protocol does not foresee.
    UnexpectedStatus {
        status: u16,
    },
    /// An answer that is not what the protocol says: HTML, a wrong digest, a forged name.
    BadAnswer,
    /// An answer, or a list, beyond the limits.
    TooLarge,
    /// A list has a name in it that the protocol does not allow.
    OddName {
        /// Cut short, and without control characters.
        name: String,
    },
    /// The credential is of a type that cannot be used here.
    WrongCredential,
    /// What only AWS says.
    Aws(aws::Refusal),
    /// Someone pressed *Stop*.
    Stopped,
}

/// What was shown to a service that refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Nothing,
    Password,
    Token,
    Certificate,
}

/// How an address on the same host differs from the one that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detour {
    /// By the slash at the end of its path.
    Slash,
    /// By its scheme: https instead of http.
    Encrypted,
    /// By its path or its query.
    Path,
}

impl Detour {
    fn words(self) -> &'static str {
        match self {
            Self::Slash => "the same address with or without the slash at its end",
            Self::Encrypted => "the same host by https",
            Self::Path => "another path on the same host",
        }
    }
}

impl ProviderError {
    /// What happened and what to do about it, beginning in lower case. `who` is the service: `the registry`.
    pub fn sentence(&self, who: &str) -> String {
        if let Some((cause, remedy)) = self.parts() {
            return format!("{cause} {remedy}");
        }
        match self {
            Self::InvalidAddress => "the address is not usable. Enter an https address without a user name.".into(),
            Self::RefusedByPolicy { host } if let Some(name) = own_machine(host) => format!(
                "Strongroom may not connect to {host}: {name} is the machine or container that Strongroom itself runs on. \
                 Enter the address at which the server is in your network. If it runs here, have the operator add the \
                 address range to STRONGROOM_EGRESS_ALLOW."
            ),
            Self::RefusedByPolicy { host } => format!(
                "Strongroom may not connect to {host}. Private addresses, plain http and unusual ports need the \
                 operator's leave: add the address range to STRONGROOM_EGRESS_ALLOW."
            ),
            Self::Reserved { host } => {
                format!("{host} isn't allowed: it is reserved or a cloud metadata service. Enter another address.")
            }
            Self::Proxy { proxy, host, fault } => fault.sentence(proxy, host),
            Self::Timeout { host } => format!("{host} did not answer in time. Try again later."),
            Self::NotTls { host } => format!(
                "{host} answered with plain http, although the address says https. Check the port, or enter the address \
                 with http:// if that is what you want."
            ),
            Self::NoAuthorities => "this machine has no certificate authorities. Install the ca-certificates package, \
                                    or name a file of them in SSL_CERT_FILE."
                .into(),
            Self::BadCertificate => "a certificate or its key cannot be read. Paste them again in PEM form.".into(),
            Self::Redirected { host } => format!(
                "{who} pointed to another address, on {host}, and Strongroom does not follow. Enter the final address."
            ),
            Self::RedirectedWithin { host, how } => format!(
                "{who} pointed to {} ({host}), and Strongroom does not follow. Enter that address.",
                how.words()
            ),
            Self::RealmRefused { realm } => format!(
                "{who} announced that it takes the credential at {realm}, which is neither encrypted nor its own address. \
                 Nothing was sent there. Have the registry announce an https address."
            ),
            Self::Unauthorized { sent: Sent::Nothing } => {
                format!("{who} asks for a credential. Choose one.")
            }
            Self::Unauthorized { sent: Sent::Password } => {
                format!("{who} refused the user name or password. Check the credential, and edit it if it has changed.")
            }
            Self::Unauthorized { sent: Sent::Token } => {
                format!("{who} refused the access token. Check that it has not expired, and edit the credential.")
            }
            Self::Unauthorized { sent: Sent::Certificate } => {
                format!("{who} refused the client certificate. Check that it has not expired, and edit the credential.")
            }
            Self::NeedsExchange { realm } => format!(
                "{who} refused the access token. It exchanges a user name and password for tokens of its own at {realm}: \
                 choose a credential of the type Basic authentication, with the access token as its password. If this \
                 token is one of {realm} itself, it has expired or does not allow this."
            ),
            Self::TokenServer { host, cause } => token_server::sentence(host, cause),
            Self::Forbidden => {
                format!("{who} does not allow this. Give the credential's account read access, or choose a credential.")
            }
            Self::NotFound => format!("{who} does not have it. Check the address and the name."),
            Self::Throttled { retry_after: Some(seconds @ 1..) } => {
                format!("{who} limits the number of requests and asks for a pause of {seconds} seconds. Try later.")
            }
            Self::Throttled { .. } => {
                format!("{who} limits the number of requests and kept refusing. Try later, or lower the Cap.")
            }
            Self::ServerError { status } => format!("{who} has a problem of its own (status {status}). Try later."),
            Self::UnexpectedStatus { status } => {
                format!("{who} answered with the unexpected status {status}. Check the address and the version.")
            }
            Self::BadAnswer => format!("{who} gave an answer that is not understood. Check the address."),
            Self::TooLarge => format!("{who} gave more than Strongroom takes in. Narrow down what is asked for."),
            Self::OddName { name } => format!("{who} lists “{name}”, which cannot be a name there. It was left out."),
            Self::WrongCredential => "the credential cannot be used here. Choose one of another type.".into(),
            Self::Aws(refusal) => refusal.sentence(),
            Self::Stopped => "it was stopped.".into(),
            // These have their cause and their way out apart.
            Self::Unreachable { .. }
            | Self::Certificate { .. }
            | Self::Handshake { .. }
            | Self::ClientCertificate { .. }
            | Self::Dropped { .. } => String::new(),
        }
    }

    /// The cause and the way out apart, of the errors whose names may hold anything: the first beginning in lower case.
    pub fn parts(&self) -> Option<(String, String)> {
        Some(match self {
            Self::Unreachable { host } => (format!("{host} could not be reached."), where_it_may_be(host)),
            Self::Certificate { host, fault, form } => fault.told(host, *form),
            Self::Handshake { host, fault } => fault.told(host),
            Self::ClientCertificate { host, why, form } => why.told(host, *form),
            Self::Dropped { host, form } => tls_faults::dropped(host, *form),
            _ => return None,
        })
    }

    /// [`Self::sentence`] as a sentence of its own: with a large letter, unless a host begins it.
    pub fn told(&self, who: &str) -> String {
        let sentence = self.sentence(who);
        match self {
            Self::Reserved { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::NotTls { .. }
            | Self::Handshake { .. }
            | Self::ClientCertificate { .. }
            | Self::Dropped { .. } => sentence,
            _ => capital(&sentence),
        }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told("the service"))
    }
}

impl std::error::Error for ProviderError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_a_large_letter_and_a_host_keeps_its_case() {
        assert_eq!(capital("the registry gave no answer."), "The registry gave no answer.");
        assert_eq!(capital("api.example.com gave no answer."), "api.example.com gave no answer.");
        assert_eq!(capital(""), "");
        let away = ProviderError::Unreachable { host: "myhost:6443".into() };
        assert!(away.told("the cluster").starts_with("myhost:6443 could not be reached. Check the address"));
    }

    #[test]
    fn field_fa12_an_address_of_this_machine_is_called_that() {
        for host in [
            "127.0.0.1:6443",
            "127.1",
            "127.0.0.1.",
            "localhost",
            "localhost.:443",
            "LOCALHOST.localdomain",
            "a.localhost.",
            "ip6-localhost",
            "[::1]:25",
            "[::ffff:127.0.0.1]",
        ] {
            let said = ProviderError::Unreachable { host: host.into() }.told("the cluster");
            assert!(said.contains("that Strongroom itself runs on"), "{said}");
        }
    }
}
