//! Why a call came to no answer: sorts what the client says by the types in its errors.

use url::Url;

use super::ProviderError;
use super::addresses::{Refused, shown};
use super::answer_faults::AnswerFault;
use super::tls_causes::explain;
use super::tls_faults::Form;

impl ProviderError {
    /// No answer came at all, or not from the server that was meant.
    pub fn is_silence(&self) -> bool {
        if let Self::TokenServer { cause, .. } = self {
            return cause.is_silence();
        }
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::Dropped { .. }
                | Self::Broken { .. }
                | Self::Certificate { .. }
                | Self::Handshake { .. }
                | Self::NotTls { .. }
                | Self::ClientCertificate { .. }
                | Self::RefusedByPolicy { .. }
        )
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
