//! Why a call came to no answer: sorts what the client says, and names what is wrong with an answer before anybody reads
//! it. There the connection stood, and what came over it is not whole, or is not HTTP.

use url::Url;

use super::ProviderError;
use super::addresses::{Refused, shown};
use super::tls_causes::explain;
use super::tls_faults::Form;

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerFault {
    /// More header lines, or longer ones, than an HTTP client takes.
    Headers,
    /// The first bytes are not those of HTTP.
    NotHttp,
    /// The body ended early, or its parts are not put together as HTTP says (RFC 9112, 7.1).
    CutOff,
    /// The connection was closed before the first byte.
    Nothing,
}

impl AnswerFault {
    /// By the cause of an error; `None` for one that says nothing of the answer.
    pub(super) fn of(error: &hyper::Error) -> Option<Self> {
        match () {
            // The method that says so is there for servers only.
            () if error.is_parse() && error.to_string() == "message head is too large" => Some(Self::Headers),
            () if error.is_parse() => Some(Self::NotHttp),
            () if error.is_incomplete_message() => Some(Self::Nothing),
            () => None,
        }
    }

    /// What happened, and what to do.
    pub(super) fn told(self, host: &str) -> (String, String) {
        let (cause, remedy) = match self {
            Self::Headers => (
                "answered with more headers than Strongroom reads",
                "Check the address: another service may answer there. If it is right, have the server, or the proxy in \
                 front of it, send fewer.",
            ),
            Self::NotHttp => (
                "answered with something that is not HTTP",
                "Check the address and the port: another service listens there.",
            ),
            Self::CutOff => (
                "sent an answer that is cut off or garbled",
                "Try again later. If it stays so, look into the log of the server, or of the proxy in front of it.",
            ),
            Self::Nothing => (
                "closed the connection without an answer",
                "Try again later. If it stays so, check the port, and look into the log of the server.",
            ),
        };
        (format!("{host} {cause}."), remedy.to_owned())
    }
}

/// The answer had begun, so a connection that ended has cut it off.
pub(super) fn cut_off(error: ProviderError) -> ProviderError {
    match error {
        ProviderError::Unreachable { host }
        | ProviderError::Dropped { host, .. }
        | ProviderError::Broken { host, .. } => ProviderError::Broken { host, fault: AnswerFault::CutOff },
        error => error,
    }
}

/// Sorts a failure by the types in its chain; its text may hold the address or more and is dropped. `identified`:
/// whether a client certificate of ours was at hand.
pub(super) fn translate(error: &reqwest::Error, url: &Url, form: Form, identified: bool) -> ProviderError {
    let host = shown(url);
    let mut link: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut fault = None;
    while let Some(current) = link {
        if current.is::<Refused>() {
            return ProviderError::RefusedByPolicy { host };
        }
        if let Some(error) = current.downcast_ref::<rustls::Error>() {
            return explain(error, host, form, identified);
        }
        fault = fault.or_else(|| current.downcast_ref::<hyper::Error>().and_then(AnswerFault::of));
        // An io::Error passes over the error inside it when asked for its source.
        let wrapped = current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        link = match wrapped {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    if error.is_timeout() {
        return ProviderError::Timeout { host };
    }
    match fault {
        _ if error.is_connect() => ProviderError::Unreachable { host },
        // Over TLS a server may want a client certificate, and says so by closing.
        None | Some(AnswerFault::Nothing) if url.scheme() == "https" && error.is_request() => {
            ProviderError::Dropped { host, form }
        }
        Some(fault) => ProviderError::Broken { host, fault },
        None => ProviderError::Unreachable { host },
    }
}
