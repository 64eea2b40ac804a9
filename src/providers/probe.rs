//! The Test of a credential: one harmless call, and what it found, in words. The types are here; each provider's file
//! has the call. Nothing is stored and nothing but what was given is opened.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::ProviderError;

/// Longest that a test takes.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What a test found, in a word. Stored by its slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It works.
    Ok,
    /// The provider does not know the key or the secret is wrong.
    BadKey,
    /// The key is good and may not do this.
    Denied,
    /// The role does not trust the key.
    NotTrusted,
    /// The key, token or certificate has run out.
    Expired,
    /// The provider asks for patience.
    Throttled,
    /// No answer, or none that can be read.
    Unreachable,
    /// This console's own rules forbid the call.
    RefusedByPolicy,
    /// There is no role here to take, or the type is tested through the integration that uses it.
    NotHere,
}

/// The outcome of a test: shown to people and recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    /// One sentence: what was found.
    pub sentence: String,
    /// What to do next; empty when all is well.
    pub remedy: String,
    /// (label, value): account, ARN, user, scopes.
    pub facts: Vec<(&'static str, String)>,
    /// (caption, text) ready to copy: the policy statement that is missing.
    pub snippets: Vec<(String, String)>,
    /// Column heads and rows, where the test gives a table: what a kubeconfig may do.
    pub table: Option<(Vec<&'static str>, Vec<Vec<String>>)>,
    /// Where the provider tells.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Verdict {
    /// As the table of credentials shows it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "Works",
            Self::BadKey => "Bad key",
            Self::Denied => "Denied",
            Self::NotTrusted => "Not trusted",
            Self::Expired => "Expired",
            Self::Throttled => "Throttled",
            Self::Unreachable => "Unreachable",
            Self::RefusedByPolicy => "Refused by policy",
            Self::NotHere => "Not testable here",
        }
    }
}

impl Verdict {
    /// (verdict, as it is stored)
    const SLUGS: &[(Self, &str)] = &[
        (Self::Ok, "ok"),
        (Self::BadKey, "bad_key"),
        (Self::Denied, "denied"),
        (Self::NotTrusted, "not_trusted"),
        (Self::Expired, "expired"),
        (Self::Throttled, "throttled"),
        (Self::Unreachable, "unreachable"),
        (Self::RefusedByPolicy, "refused_by_policy"),
        (Self::NotHere, "not_here"),
    ];

    pub fn slug(self) -> &'static str {
        Self::SLUGS.iter().find(|(verdict, _)| *verdict == self).map_or("", |(_, slug)| slug)
    }

    /// `None` for a verdict of a later version.
    pub fn find(slug: &str) -> Option<Self> {
        Self::SLUGS.iter().find(|(_, known)| *known == slug).map(|(verdict, _)| *verdict)
    }

    /// Whether somebody must look at it: not when there is nothing to test here, nor when the provider was busy.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Ok | Self::Throttled | Self::NotHere)
    }
}

impl Finding {
    pub fn new(verdict: Verdict, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict,
            sentence: sentence.into(),
            remedy: remedy.into(),
            facts: Vec::new(),
            snippets: Vec::new(),
            table: None,
            expires_at: None,
        }
    }

    pub fn ok(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, sentence, "")
    }

    #[must_use]
    pub fn fact(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((label, value.into()));
        self
    }
}

/// A call that did not come to an answer of its own kind; `who` as in [`ProviderError::sentence`].
pub fn failed(error: &ProviderError, who: &str) -> Finding {
    let verdict = match error {
        ProviderError::Unauthorized { .. } => Verdict::BadKey,
        ProviderError::Forbidden => Verdict::Denied,
        ProviderError::Throttled { .. } => Verdict::Throttled,
        ProviderError::RefusedByPolicy { .. } => Verdict::RefusedByPolicy,
        ProviderError::Aws(refusal) => refusal.verdict(),
        _ => Verdict::Unreachable,
    };
    let sentence = error.sentence(who);
    let mut characters = sentence.chars();
    let sentence = characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect());
    Finding::new(verdict, sentence, "")
}
