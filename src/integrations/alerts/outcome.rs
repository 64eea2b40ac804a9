//! How a call of a channel went: the peer has the message, or why not.

use std::time::Duration;

use crate::providers::{Failure, ProviderError, Retry, calls, capital};

/// The peer has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// What the peer calls it, where later messages about the same alert need it.
    pub reference: Option<String>,
}

/// A message whose call failed; `who` is the service in lower case: `the webhook's receiver`.
pub fn not_sent(error: &ProviderError, who: &str) -> Failure {
    if let ProviderError::SignIn(failure) = error {
        return failure.clone();
    }
    let retry = match error {
        ProviderError::Unreachable { .. }
        | ProviderError::Timeout { .. }
        | ProviderError::Proxy { .. }
        | ProviderError::Dropped { .. }
        | ProviderError::Broken { .. } => Retry::ReceiverDown,
        ProviderError::Throttled { retry_after } => Retry::Postponed(retry_after.map(Duration::from_secs)),
        // An answer of another kind comes from a proxy, a login page or an instance that sleeps.
        ProviderError::ServerError { .. } | ProviderError::BadAnswer | ProviderError::Stopped => Retry::Postponed(None),
        _ => Retry::ChannelRejected,
    };
    let mut finding = calls::finding(error, who);
    if matches!(error, ProviderError::Throttled { .. }) {
        finding.sentence = capital(&format!("{who} limits the number of requests."));
        finding.remedy = "Strongroom tries later.".to_owned();
    }
    Failure::from(finding).with(retry)
}
