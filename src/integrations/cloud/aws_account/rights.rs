//! The rights that a test of the connection tried: those that are missing are told together, and not one a test.

use crate::providers::aws::Refusal;
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, ProviderError, finding};

/// The rights that AWS has refused so far.
#[derive(Default)]
pub(super) struct Tried {
    missing: Vec<&'static str>,
}

impl Tried {
    /// The value of a call; `None` where its right is missing. An error when the call failed otherwise.
    pub fn tried<T>(&mut self, result: Result<T, ProviderError>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(ProviderError::Aws(Refusal::Denied { action })) => {
                self.missing.push(action);
                Ok(None)
            }
            Err(cause) => Err(finding(&cause, "AWS").into()),
        }
    }

    /// An error that names all rights that are missing.
    pub fn complete(self) -> Result<(), Failure> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let (list, those) =
            (self.missing.join(", "), if self.missing.len() == 1 { "that action" } else { "those actions" });
        let sentence = format!("AWS knows the credential, but does not allow {list}.");
        let remedy = format!("Add {those} to the policy of the role or user.");
        Err(Finding::new(Verdict::Denied, sentence, remedy).into())
    }
}
