//! Signed in at a server, for one scan or test: who the token is, and how a failure is told.

use serde::Deserialize;

use crate::credentials;
use crate::credentials::checks;
use crate::credentials::forge_token::Payload;
use crate::credentials::gitlab_token::SERVER;
use crate::integrations::context::{Context, Secret};
use crate::integrations::gitlab::{self, number};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Judge};
use crate::providers::egress::Answer;
use crate::providers::oci_registry::{Registry, Sign};
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, ProviderError, finding};

impl Step {
    pub(super) const LISTING_GROUPS: Self = Self { label: "Listing groups", doing: "Listing the groups" };
    pub(super) const LISTING_PERSONAL: Self =
        Self { label: "Listing personal tokens", doing: "Listing the personal access tokens" };
    pub(super) const LISTING_TOKENS: Self = Self { label: "Listing tokens", doing: "Listing the access tokens" };
}

/// A user of the server.
#[derive(Clone, Deserialize)]
pub(super) struct User {
    #[serde(deserialize_with = "number")]
    pub id: u64,
    pub username: String,
}

pub(super) struct Visit<'a> {
    pub cx: &'a Context<'a>,
    pub line: Registry,
    /// `https://gitlab.example.com`
    pub server: String,
    /// Its host, which is the account.
    pub host: String,
    /// Whose token it is.
    pub me: User,
    pub judge: Judge,
}

impl<'a> Visit<'a> {
    /// `GET /user`: a token that opens it may read the API.
    pub async fn start(cx: &'a Context<'a>) -> Result<Self, Gap> {
        Self::begin(cx).await.map_err(|cause| failed(Step::SIGNING_IN, "", cause))
    }

    async fn begin(cx: &'a Context<'a>) -> Result<Self, ProviderError> {
        let Secret { kind, values, .. } = cx.main().ok_or(ProviderError::WrongCredential)?;
        let payload: Payload = Some(kind)
            .filter(|kind| kind.slug == credentials::gitlab_token::KIND.slug)
            .and_then(|_| credentials::payload(values))
            .ok_or(ProviderError::WrongCredential)?;
        let line = gitlab::line(cx, &payload)?.explaining(unscoped);
        let server = payload.server(SERVER).to_owned();
        let me: User = line.vendor_get("user", Sign::Login).await?.json()?;
        Ok(Self { cx, line, host: checks::host(&server), server, me, judge: Judge::default() })
    }

    /// `hidden`: which tokens may still be there, by the beginnings of their names: `project/45`.
    pub fn gap(&self, step: Step, at: &str, cause: ProviderError, hidden: &[&str]) -> Gap {
        let paths = hidden.iter().map(|path| (*path).to_owned()).collect();
        let hides = Hides::Below { place: self.host.clone(), paths };
        failed(step, at, cause).hiding(hides)
    }
}

/// GitLab says 401 where the role is missing, although it knows the token.
pub(super) fn is_refusal(cause: &ProviderError) -> bool {
    matches!(cause, ProviderError::Unauthorized { .. } | ProviderError::Forbidden)
}

/// A step that failed, of all or of what `at` names.
pub(super) fn failed(step: Step, at: &str, cause: ProviderError) -> Gap {
    let because = match &cause {
        refused if step == Step::LISTING_TOKENS && is_refusal(refused) => {
            "the credential's user may not list them. Give it the role Maintainer or Owner there, in a group Owner, or \
             exclude it under Settings."
                .to_owned()
        }
        ProviderError::NotFound if step == Step::LISTING_TOKENS => {
            "GitLab does not show it to the credential's user. Add that user as a member, or correct the name under \
             Settings."
                .to_owned()
        }
        other => other.sentence("GitLab"),
    };
    Gap::new(step, at, cause, because)
}

/// The same for a test of the connection.
pub(super) fn failure(gap: Gap) -> Failure {
    let mut found = finding(&gap.cause, "GitLab");
    (found.sentence, found.remedy) = (gap.to_string(), String::new());
    found.into()
}

fn unscoped(answer: &Answer) -> Option<ProviderError> {
    gitlab::lacks_scope(answer).then(|| {
        let remedy = "Create a token with the scope read_api, and replace the credential's token.";
        ProviderError::SignIn(Finding::new(Verdict::Denied, "the token lacks the scope read_api.", remedy).into())
    })
}
