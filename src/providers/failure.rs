//! The failure of everything that asks a service for something: a sign-in, a test, a message. What happened and what to
//! do about it, in the words of a provider's own rules, and whether to ask again.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use super::probe::{Finding, Verdict};

/// What stands between a credential and the token, answer or receipt that it was to get: a finding that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    finding: Box<Finding>,
    pub retry: Retry,
}

/// Whether the same is tried again, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The receiver as a whole is away: everything for it waits, at most five minutes at a time, for as long as it takes.
    ReceiverDown,
    /// The connection was lost while this message was on its way: it alone waits, as for a receiver that is away.
    ConnectionLost,
    /// This one was put off; the pause that the service asked for, if it did.
    Postponed(Option<Duration>),
    /// It will be refused again until somebody changes something.
    ChannelRejected,
    /// This message alone will be refused again, for its recipient: that says nothing about the channel.
    MessageRejected,
    /// Nothing was sent, since its recipient is not what Strongroom saved.
    RecipientTampered,
    /// Nobody is to be told any more.
    NoLongerWanted,
}

impl Failure {
    /// `words` are whole sentences: what happened and what to do. Never the service's own words.
    pub fn new(words: impl Into<String>, retry: Retry) -> Self {
        let verdict = match retry {
            Retry::ReceiverDown | Retry::ConnectionLost => Verdict::Unreachable,
            Retry::Postponed(_) => Verdict::Throttled,
            Retry::ChannelRejected | Retry::MessageRejected => Verdict::Denied,
            Retry::RecipientTampered | Retry::NoLongerWanted => Verdict::NotHere,
        };
        Self { finding: Box::new(Finding::new(verdict, words, "")), retry }
    }

    pub fn never(words: impl Into<String>) -> Self {
        Self::new(words, Retry::ChannelRejected)
    }

    pub fn later(words: impl Into<String>) -> Self {
        Self::new(words, Retry::Postponed(None))
    }

    /// The same, tried again at another time or not at all.
    #[must_use]
    pub fn with(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }
}

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        let retry = match finding.verdict {
            Verdict::Throttled => Retry::Postponed(None),
            Verdict::Unreachable => Retry::ReceiverDown,
            _ => Retry::ChannelRejected,
        };
        Self { finding: Box::new(finding), retry }
    }
}

impl From<Failure> for Finding {
    fn from(failure: Failure) -> Self {
        *failure.finding
    }
}

impl Deref for Failure {
    type Target = Finding;

    fn deref(&self) -> &Finding {
        &self.finding
    }
}

impl DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Finding {
        &mut self.finding
    }
}

impl fmt::Display for Failure {
    /// What happened and what to do, one after the other.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(format!("{} {}", self.sentence, self.remedy).trim_end())
    }
}

impl std::error::Error for Failure {}
