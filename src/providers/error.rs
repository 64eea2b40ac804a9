//! Why a call to a provider failed: the one list of causes of tests, scans and messages, each with what happened and
//! what to do about it. What only one family can do about a failure is added by that family.

use std::fmt;

use super::answer_faults::AnswerFault;
pub use super::detour::Detour;
use super::failure::Failure;
use super::tls_faults::{self, CertificateFault, ClientFault, Form, HandshakeFault};
use super::wording::{capital, own_machine, where_it_may_be};
use super::{aws, gcp, proxy, token_server};

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
    /// The connection stood, and what came over it is no whole answer.
    Broken {
        host: String,
        fault: AnswerFault,
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
    /// The server speaks the protocol, and lacks the vendor's own interface.
    NoInterface {
        /// The vendor's product: `Harbor`.
        of: &'static str,
    },
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
    /// What only Google says.
    Google(gcp::Refusal),
    /// A session could not be had, for what stands there.
    SignIn(Failure),
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

impl ProviderError {
    /// What happened, beginning in lower case unless with a host, and what to do about it; the second may be empty.
    /// `who` is the service: `the registry`.
    pub fn parts(&self, who: &str) -> (String, String) {
        match self {
            Self::InvalidAddress => {
                ("the address is not usable.".to_owned(), "Enter an https address without a user name.".to_owned())
            }
            Self::RefusedByPolicy { host } if let Some(name) = own_machine(host) => (
                format!(
                    "Strongroom may not connect to {host}: {name} is the machine or container that Strongroom \
                     itself runs on."
                ),
                "Enter the address at which the server is in your network. If it runs here, have the operator \
                     add the address range to STRONGROOM_EGRESS_ALLOW."
                    .to_owned(),
            ),
            Self::RefusedByPolicy { host } => (
                format!("Strongroom may not connect to {host}."),
                "Private addresses, plain http and unusual ports need the operator's leave: add the address \
                     range to STRONGROOM_EGRESS_ALLOW."
                    .to_owned(),
            ),
            Self::Reserved { host } => (
                format!("{host} isn't allowed: it is reserved or a cloud metadata service."),
                "Enter another address.".to_owned(),
            ),
            Self::Proxy { proxy, host, fault } => fault.parts(proxy, host),
            Self::Timeout { host } => (format!("{host} did not answer in time."), "Try again later.".to_owned()),
            Self::NotTls { host } => (
                format!("{host} answered with plain http, although the address says https."),
                "Check the port, or enter the address with http:// if that is what you want.".to_owned(),
            ),
            Self::NoAuthorities => (
                "this machine has no certificate authorities.".to_owned(),
                "Install the ca-certificates package, or name a file of them in SSL_CERT_FILE.".to_owned(),
            ),
            Self::BadCertificate => {
                ("a certificate or its key cannot be read.".to_owned(), "Paste them again in PEM form.".to_owned())
            }
            Self::Redirected { host } => (
                format!("{who} pointed to another address, on {host}, and Strongroom does not follow."),
                "Enter the final address.".to_owned(),
            ),
            Self::RedirectedWithin { host, how } => (
                format!("{who} pointed to {} ({host}), and Strongroom does not follow.", how.words()),
                "Enter that address.".to_owned(),
            ),
            Self::RealmRefused { realm } => (
                format!(
                    "{who} announced that it takes the credential at {realm}, which is neither encrypted nor its \
                     own address."
                ),
                "Nothing was sent there. Have the registry announce an https address.".to_owned(),
            ),
            Self::Unauthorized { sent: Sent::Nothing } => {
                (format!("{who} asks for a credential."), "Choose one.".to_owned())
            }
            Self::Unauthorized { sent: Sent::Password } => (
                format!("{who} refused the user name or password."),
                "Check the credential, and edit it if it has changed.".to_owned(),
            ),
            Self::Unauthorized { sent: Sent::Token } => (
                format!("{who} refused the access token."),
                "Check that it has not expired, and edit the credential.".to_owned(),
            ),
            Self::Unauthorized { sent: Sent::Certificate } => (
                format!("{who} refused the client certificate."),
                "Check that it has not expired, and edit the credential.".to_owned(),
            ),
            Self::NeedsExchange { realm } => (
                format!("{who} refused the access token."),
                format!(
                    "It exchanges a user name and password for tokens of its own at {realm}: choose a credential \
                     of the type Basic authentication, with the access token as its password. If this token is \
                     one of {realm} itself, it has expired or does not allow this."
                ),
            ),
            Self::TokenServer { host, cause } => token_server::parts(host, cause),
            Self::Forbidden => (
                format!("{who} does not allow this."),
                "Give the credential's account read access, or choose a credential.".to_owned(),
            ),
            Self::NotFound => (format!("{who} does not have it."), "Check the address and the name.".to_owned()),
            Self::NoInterface { of } => (
                format!("{who} does not have the interface of {of}."),
                "Check the address, or choose Docker Registry v2 as the version.".to_owned(),
            ),
            Self::Throttled { retry_after: Some(seconds @ 1..) } => (
                format!("{who} limits the number of requests and asks for a pause of {seconds} seconds."),
                "Try later.".to_owned(),
            ),
            Self::Throttled { .. } => {
                (format!("{who} limits the number of requests and kept refusing."), "Try later.".to_owned())
            }
            Self::ServerError { status } => (format!("{who} returned an error ({status})."), "Try later.".to_owned()),
            Self::UnexpectedStatus { status } => (
                format!("{who} answered with the unexpected status {status}."),
                "Check the address and the version.".to_owned(),
            ),
            Self::BadAnswer => {
                (format!("{who} gave an answer that is not understood."), "Check the address.".to_owned())
            }
            Self::TooLarge => {
                (format!("{who} sent more than Strongroom accepts."), "Narrow down what is asked for.".to_owned())
            }
            Self::OddName { name } => {
                (format!("{who} lists “{name}”, which cannot be a name there."), "It was left out.".to_owned())
            }
            Self::WrongCredential => {
                ("the credential cannot be used here.".to_owned(), "Choose one of another type.".to_owned())
            }
            Self::Aws(refusal) => refusal.parts(),
            Self::Google(refusal) => refusal.parts(),
            Self::Stopped => ("it was stopped.".to_owned(), String::new()),
            Self::SignIn(finding) => (finding.sentence.clone(), finding.remedy.clone()),
            Self::Unreachable { host } => (format!("{host} could not be reached."), where_it_may_be(host)),
            Self::Certificate { host, fault, form } => fault.told(host, *form),
            Self::Handshake { host, fault } => fault.told(host),
            Self::ClientCertificate { host, why, form } => why.told(host, *form),
            Self::Broken { host, fault } => fault.told(host),
            Self::Dropped { host, form } => tls_faults::dropped(host, *form),
        }
    }

    /// Both in one.
    pub fn sentence(&self, who: &str) -> String {
        let (cause, remedy) = self.parts(who);
        format!("{cause} {remedy}").trim_end().to_owned()
    }

    /// The same, each as a sentence of its own: with a large letter, unless a host begins it.
    pub fn told_apart(&self, who: &str) -> (String, String) {
        let (cause, remedy) = self.parts(who);
        let starts_with_host = matches!(
            self,
            Self::Reserved { .. }
                | Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::NotTls { .. }
                | Self::Handshake { .. }
                | Self::ClientCertificate { .. }
                | Self::Dropped { .. }
                | Self::Broken { .. }
        );
        (if starts_with_host { cause } else { capital(&cause) }, remedy)
    }

    /// Both of these in one.
    pub fn told(&self, who: &str) -> String {
        let (cause, remedy) = self.told_apart(who);
        format!("{cause} {remedy}").trim_end().to_owned()
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
        let hosts = "127.0.0.1:6443 127.1 127.0.0.1. localhost localhost.:443 LOCALHOST.localdomain a.localhost. \
                     ip6-localhost [::1]:25 [::ffff:127.0.0.1]";
        for host in hosts.split_whitespace() {
            let said = ProviderError::Unreachable { host: host.into() }.told("the cluster");
            assert!(said.contains("that Strongroom itself runs on"), "{said}");
        }
    }
    #[test]
    fn what_happened_and_what_to_do_are_apart_and_each_is_whole() {
        let host = || "r.example:5000".to_owned();
        for error in [
            ProviderError::RefusedByPolicy { host: host() },
            ProviderError::TokenServer { host: host(), cause: Box::new(ProviderError::BadAnswer) },
            ProviderError::Aws(aws::Refusal::UnknownKey),
        ] {
            let (cause, remedy) = error.told_apart("the registry");
            assert!(cause.ends_with('.') && remedy.ends_with('.') && remedy.starts_with(char::is_uppercase));
            assert_eq!(error.told("the registry"), format!("{cause} {remedy}"));
        }
    }
}
