//! The stored value itself: the fields of the credential's payload, and nothing more. The only form by which a secret
//! leaves as it is stored.

use super::form::{Form, Issued, VALUE};
use crate::form::{Errors, Values};

pub static FORM: Form = Form {
    slug: VALUE,
    label: "Stored value",
    help: "All fields of the credential, as they are stored.",
    gives: VALUE,
    kinds: &[],
    fields: &[],
    suits,
    issue: |order| Box::pin(async move { Ok(Issued { fields: order.secret.values.clone(), expires_at: None }) }),
};

/// A credential that stands for the server's own identity holds no secret.
fn suits(_settings: &Values, credential: &Values) -> Result<(), Errors> {
    match credential.get("method") {
        "iam_role" | "managed_identity" => {
            Err(Errors::one("form", "This credential holds no secret. Choose a session or a token instead."))
        }
        _ => Ok(()),
    }
}
