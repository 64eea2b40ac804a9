//! The server that a registry names for its tokens: its faults are told as its own, not as those of the registry, and
//! its address as one that the registry gave, not the person at the form.

use super::ProviderError;
use super::wording::own_machine;

impl ProviderError {
    /// The same, when it happened at the token server and not at the service itself. What is about the credential stays
    /// as it is.
    pub(crate) fn of_token_server(self, host: String) -> Self {
        match self {
            Self::BadAnswer
            | Self::TooLarge
            | Self::NotFound
            | Self::ServerError { .. }
            | Self::UnexpectedStatus { .. }
            | Self::Reserved { .. }
            | Self::RefusedByPolicy { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::NotTls { .. }
            | Self::Handshake { .. }
            | Self::Dropped { .. }
            | Self::Broken { .. }
            | Self::Certificate { .. }
            | Self::ClientCertificate { .. }
            | Self::Redirected { .. }
            | Self::RedirectedWithin { .. } => Self::TokenServer { host, cause: Box::new(self) },
            other => other,
        }
    }
}

/// What happened there and what to do about it.
pub(super) fn parts(host: &str, cause: &ProviderError) -> (String, String) {
    const CORRECT: &str = "Have the registry's administrator correct the address";
    let (who, sent) = (format!("the token server {host}"), format!("the registry asks for a token of {host}"));
    match cause {
        ProviderError::BadAnswer => (
            format!(
                "{who}, which the registry names, gave an answer that is not understood: it should be JSON \
                     with a token."
            ),
            "Ask its administrator.".to_owned(),
        ),
        ProviderError::NotFound => {
            (format!("{who}, which the registry names, has no such page."), format!("{CORRECT}."))
        }
        ProviderError::Reserved { .. } => (
            format!("{sent}, which isn't allowed: it is reserved or a cloud metadata service."),
            format!("Nothing was sent there. {CORRECT}."),
        ),
        ProviderError::RefusedByPolicy { .. } if let Some(name) = own_machine(host) => (
            format!(
                "{sent}, where Strongroom may not connect: {name} is the machine or container that Strongroom \
                     itself runs on."
            ),
            format!(
                "{CORRECT} to one in your network. If the token server runs here, have the operator add the \
                     address range to STRONGROOM_EGRESS_ALLOW."
            ),
        ),
        ProviderError::RefusedByPolicy { .. } => (
            format!("{sent}, where Strongroom may not connect."),
            "Private addresses, plain http and unusual ports need the operator's leave: add the address \
                     range to STRONGROOM_EGRESS_ALLOW."
                .to_owned(),
        ),
        ProviderError::Unreachable { .. } => (
            format!("{who}, which the registry names, could not be reached."),
            format!("Check that it is up. {CORRECT} if it is wrong."),
        ),
        ProviderError::Timeout { .. } => {
            (format!("{who}, which the registry names, did not answer in time."), "Try again later.".to_owned())
        }
        ProviderError::NotTls { .. } => (
            format!("{who}, which the registry names, answered with plain http, although its address says https."),
            format!("{CORRECT}."),
        ),
        ProviderError::Redirected { .. } | ProviderError::RedirectedWithin { .. } => (
            format!("{who}, which the registry names, pointed to another address, and Strongroom does not follow."),
            format!("{CORRECT}."),
        ),
        ProviderError::Certificate { .. }
        | ProviderError::Handshake { .. }
        | ProviderError::ClientCertificate { .. }
        | ProviderError::Dropped { .. }
        | ProviderError::Broken { .. } => {
            let (cause, remedy) = cause.parts(&who);
            (format!("{sent}, and {cause}"), remedy)
        }
        cause => cause.parts(&who),
    }
}
