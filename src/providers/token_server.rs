//! The server that a registry names for its tokens: its faults are told as its own, not as those of the registry.

use super::ProviderError;

impl ProviderError {
    /// The same, when it was the token server that answered so and not the service itself. What is about the credential
    /// stays as it is.
    pub(crate) fn of_token_server(self, host: String) -> Self {
        match self {
            Self::BadAnswer
            | Self::TooLarge
            | Self::NotFound
            | Self::ServerError { .. }
            | Self::UnexpectedStatus { .. } => Self::TokenServer { host, cause: Box::new(self) },
            other => other,
        }
    }
}

/// What happened there and what to do about it.
pub(super) fn sentence(host: &str, cause: &ProviderError) -> String {
    let who = format!("the token server {host}");
    match cause {
        ProviderError::BadAnswer => format!(
            "{who}, which the registry names, gave an answer that is not understood: it should be JSON with a token. Have \
             whoever runs it look at it."
        ),
        ProviderError::NotFound => format!(
            "{who}, which the registry names, has no such page. Have whoever runs the registry correct the address."
        ),
        cause => cause.sentence(&who),
    }
}
