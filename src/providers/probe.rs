//! The Test of a credential: one harmless call, and what it found, in words. The types are here; each provider's file
//! has the call. Nothing is stored and nothing but what was given is opened.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
    /// The roles that integrations name, and whether this credential may assume them.
    pub roles: Vec<RoleFound>,
    /// Where the provider tells: when the key or token ends, was made, was last used, and whose it is (an ARN).
    pub expires_at: Option<DateTime<Utc>>,
    pub made_at: Option<DateTime<Utc>>,
    pub used_at: Option<DateTime<Utc>>,
    pub identity: Option<String>,
    /// The id of the key, where its values do not tell it.
    pub key_id: Option<String>,
}

/// A role that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleFound {
    /// Names of the integrations.
    pub used_by: Vec<String>,
    /// Its ARN.
    pub role: String,
    pub verdict: Verdict,
    /// What was found; empty when all is well.
    pub sentence: String,
}

impl Finding {
    /// Changes every text that may hold what the provider answered.
    pub fn for_each_text(&mut self, change: impl Fn(&mut String)) {
        [&mut self.sentence, &mut self.remedy].into_iter().for_each(&change);
        self.facts.iter_mut().for_each(|(_, value)| change(value));
        self.snippets.iter_mut().for_each(|(_, text)| change(text));
        self.table.iter_mut().flat_map(|(_, rows)| rows).flatten().for_each(&change);
        self.roles.iter_mut().for_each(|role| change(&mut role.sentence));
        self.identity.iter_mut().for_each(&change);
    }
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
            Self::NotHere => "Can't be tested on its own",
        }
    }
}

impl Verdict {
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::BadKey,
        Self::Denied,
        Self::NotTrusted,
        Self::Expired,
        Self::Throttled,
        Self::Unreachable,
        Self::RefusedByPolicy,
        Self::NotHere,
    ];

    /// As it is stored.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BadKey => "bad_key",
            Self::Denied => "denied",
            Self::NotTrusted => "not_trusted",
            Self::Expired => "expired",
            Self::Throttled => "throttled",
            Self::Unreachable => "unreachable",
            Self::RefusedByPolicy => "refused_by_policy",
            Self::NotHere => "not_here",
        }
    }

    /// `None` for a verdict of a later version.
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.slug() == slug)
    }

    /// Whether somebody must look at it: not when there is nothing to test here, nor when the provider was busy.
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Ok | Self::Throttled | Self::NotHere)
    }

    /// Whether the test could have shown that it works, and did not.
    pub fn is_unproven(self) -> bool {
        !matches!(self, Self::Ok | Self::NotHere)
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
            roles: Vec::new(),
            expires_at: None,
            made_at: None,
            used_at: None,
            identity: None,
            key_id: None,
        }
    }

    pub fn ok(sentence: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, sentence, "")
    }

    /// Of values that no longer make a credential of their type.
    pub(super) fn unreadable() -> Self {
        Self::new(
            Verdict::BadKey,
            "These values do not make a credential of this type.",
            "Edit the credential and enter them again.",
        )
    }

    /// Another finding of the same credential, with what has been found out about it so far.
    #[must_use]
    pub(super) fn with_facts_of(self, before: Self) -> Self {
        let Self { facts, roles, .. } = before;
        Self { facts, roles, ..self }
    }

    /// When the provider says that the key or token was made and last used.
    #[must_use]
    pub(super) fn dated(mut self, made_at: Option<DateTime<Utc>>, used_at: Option<DateTime<Utc>>) -> Self {
        (self.made_at, self.used_at) = (made_at, used_at);
        self
    }

    #[must_use]
    pub fn fact(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((label, value.into()));
        self
    }
}
