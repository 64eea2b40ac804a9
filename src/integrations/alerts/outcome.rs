//! How a call of a channel went: the peer has the message, or why not and whether to try again.

use std::time::Duration;

use crate::providers::probe::{Finding, Verdict};
use crate::providers::{self, ProviderError};

/// The peer has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// What the peer calls it, where later messages about the same alert need it.
    pub reference: Option<String>,
}

/// Why a message was not delivered, in a sentence for the Alerts page, and whether to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    /// Whole sentences: what happened and what to do. Never the peer's own words.
    pub sentence: String,
    pub again: Again,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The peer as a whole is away: everything for it waits, at most five minutes at a time, for as long as it takes.
    WhenItIsBack,
    /// The conversation broke off while this message was on its way: it alone waits, as for a peer that is away.
    BrokenOff,
    /// This message was put off; the pause that the peer asked for, if it did.
    Later(Option<Duration>),
    /// It will be refused again until somebody changes something.
    Never,
    /// This message alone will be refused again, for its recipient: that says nothing about the channel.
    NeverThisOne,
    /// Nothing was sent, since its recipient is not what Strongroom saved.
    Altered,
    /// Nobody is to be told any more.
    Moot,
}

impl SendError {
    pub fn never(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), again: Again::Never }
    }

    pub fn later(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), again: Again::Later(None) }
    }

    /// The failure of a call; `who` is the service in lower case: `the webhook's receiver`.
    pub fn call(error: &ProviderError, who: &str) -> Self {
        let again = match error {
            ProviderError::SignIn(finding) => return Self::found(finding),
            ProviderError::Unreachable { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::Proxy { .. }
            | ProviderError::Dropped { .. }
            | ProviderError::Broken { .. } => Again::WhenItIsBack,
            ProviderError::Throttled { retry_after } => Again::Later(retry_after.map(Duration::from_secs)),
            // An answer of another kind comes from a proxy, a login page or an instance that sleeps.
            ProviderError::ServerError { .. } | ProviderError::BadAnswer | ProviderError::Stopped => Again::Later(None),
            _ => Again::Never,
        };
        let (cause, remedy) = match error {
            ProviderError::Throttled { .. } => {
                let cause = providers::capital(&format!("{who} limits the number of requests."));
                (cause, "Strongroom tries later.".to_owned())
            }
            _ => error.told_apart(who),
        };
        Self { sentence: format!("{cause} {remedy}").trim_end().to_owned(), again }
    }

    /// What the test of a credential would say, for a session that could not be had.
    pub fn found(finding: &Finding) -> Self {
        let again = match finding.verdict {
            Verdict::Throttled => Again::Later(None),
            Verdict::Unreachable => Again::WhenItIsBack,
            _ => Again::Never,
        };
        Self { sentence: format!("{} {}", finding.sentence, finding.remedy).trim_end().to_owned(), again }
    }
}
