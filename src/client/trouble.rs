//! What can go wrong, in words for whoever reads standard error. No text here holds a secret.

use std::fmt::{Display, Formatter};
use std::time::Duration;

#[derive(Clone, Debug)]
pub enum Trouble {
    /// The console cannot be reached: address and reason.
    Away {
        console: String,
        reason: String,
    },
    /// Whoever answers at the console's address cannot show that it is the console.
    Untrusted {
        console: String,
        reason: String,
    },
    /// What the agent says in its own words.
    Agent {
        status: u16,
        detail: String,
    },
    /// The console does not accept the login.
    Refused,
    /// No such rule, or not for this client: the console says the same of both.
    Unknown {
        rule: String,
    },
    TooOften {
        wait: Option<Duration>,
    },
    /// The provider refused what the console asked of it, in the console's words.
    Provider {
        detail: String,
    },
    /// Nothing is given now, and the rule says to wait for it.
    Wait {
        detail: String,
    },
    /// The console answers, but not with what was asked for.
    Unavailable {
        detail: String,
    },
    /// Something on this machine: a setting, a file, a program.
    Local(String),
}

pub type Result<T> = std::result::Result<T, Trouble>;

impl Trouble {
    pub fn local(text: impl Into<String>) -> Self {
        Self::Local(text.into())
    }

    /// Whether the same request may succeed a moment later.
    pub fn passes(&self) -> bool {
        let of_agent = |status: &u16| [429, 502, 503].contains(status);
        matches!(self, Self::Agent { status, .. } if of_agent(status))
            || matches!(
                self,
                Self::Untrusted { .. }
                    | Self::Away { .. }
                    | Self::TooOften { .. }
                    | Self::Unavailable { .. }
                    | Self::Provider { .. }
                    | Self::Wait { .. }
            )
    }

    /// The status and the words with which the agent passes it on.
    pub fn status(&self) -> u16 {
        match self {
            Self::Agent { status, .. } => *status,
            Self::Refused => 401,
            Self::Unknown { .. } => 404,
            Self::TooOften { .. } => 429,
            Self::Provider { .. } => 502,
            Self::Away { .. } | Self::Untrusted { .. } | Self::Unavailable { .. } | Self::Wait { .. } => 503,
            Self::Local(_) => 500,
        }
    }
}

impl Display for Trouble {
    fn fmt(&self, to: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away { console, reason } => write!(to, "cannot reach the console at {console}: {reason}"),
            Self::Untrusted { console, reason } => write!(to, "no secure connection to {console}: {reason}"),
            Self::Agent { detail, .. } => to.write_str(detail),
            Self::Refused => {
                write!(to, "the console does not accept this login: the token is wrong, has expired or was revoked")
            }
            Self::Unknown { rule } => write!(to, "there is no rule {rule} for this client"),
            Self::TooOften { wait: Some(wait) } => {
                write!(to, "too many requests: the console asks to wait {} seconds", wait.as_secs())
            }
            Self::TooOften { wait: None } => write!(to, "too many requests: try again later"),
            Self::Wait { detail } => write!(to, "nothing is given now: {detail}"),
            Self::Provider { detail } => write!(to, "nothing was issued: {detail}"),
            Self::Unavailable { detail } => write!(to, "the console cannot answer now: {detail}"),
            Self::Local(text) => to.write_str(text),
        }
    }
}
