//! The stored value itself: the fields of the credential's payload, and nothing more. The only form by which a secret
//! leaves as it is stored.

use super::delivery::{self, AS, FOLDER, KEYS, ON_CHANGE, OWNER, WHICH_SIGNAL};
use super::form::{Form, Issued, Order, VALUE};
use crate::form::{Errors, Values};
use crate::providers::Failure;
use crate::providers::probe::{Finding, Verdict};

pub static FORM: Form = Form {
    slug: VALUE,
    label: "Stored value",
    help: "The fields of the credential, as they are stored.",
    gives: VALUE,
    kinds: &[],
    fields: &[KEYS, AS, FOLDER, OWNER, ON_CHANGE, WHICH_SIGNAL],
    suits,
    issue: Some(|order| Box::pin(async move { given(order) })),
};

fn given(order: &Order<'_>) -> Result<Issued, Failure> {
    match delivery::pick(order.settings, order.secret.values) {
        Ok(fields) => Ok(Issued { fields, expires_at: None }),
        Err(key) => {
            let sentence = format!("The credential has no field {key}.");
            Err(Finding::new(Verdict::RefusedByPolicy, sentence, "Change the keys in the client's rule.").into())
        }
    }
}

/// A credential that stands for the server's own identity holds no secret.
fn suits(_settings: &Values, credential: &Values) -> Result<(), Errors> {
    match credential.get("method") {
        "iam_role" | "managed_identity" => {
            Err(Errors::one("form", "This credential holds no secret. Choose a session or a token instead."))
        }
        _ => Ok(()),
    }
}
