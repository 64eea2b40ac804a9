//! The failure of a sign-in or of a test, as a provider's own rules explain it: the error of everything that gets a
//! token or asks a provider about a credential.

use std::fmt;

use super::probe::Finding;

/// What stands between a credential and the token or answer that it was to get, in the words of a provider's own rules: a
/// finding that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(Box<Finding>);

impl From<Finding> for Failure {
    fn from(finding: Finding) -> Self {
        Self(Box::new(finding))
    }
}

impl From<Failure> for Finding {
    fn from(failure: Failure) -> Self {
        *failure.0
    }
}

impl std::ops::Deref for Failure {
    type Target = Finding;

    fn deref(&self) -> &Finding {
        &self.0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(format!("{} {}", self.sentence, self.remedy).trim_end())
    }
}

impl std::error::Error for Failure {}
