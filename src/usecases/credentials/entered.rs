//! What is entered of a credential: the fields that all have and the fields of the type, checked as one form.

use crate::credentials::Kind;
use crate::form::{self, Errors, Field, Values};
use crate::models::DbError;
use crate::models::labels::Change;
use crate::names;
use crate::pasted::{self, Wanted};
use crate::usecases::{Refusal, labels};

/// Of every credential.
pub const NAME: Field =
    Field::text("name", "Name").wants(Wanted::Name).max(200).check(|value| names::label(value, 200));
/// In characters.
const LONGEST_DESCRIPTION: usize = 2_000;

/// What passed the checks.
pub struct Entered {
    pub name: String,
    pub note: String,
    pub labels: Change,
    pub values: Values,
}

/// Checks all fields. `stored` as in [`form::check`].
pub fn check(kind: &Kind, posted: &Values, stored: Option<&Values>) -> Result<Entered, Errors> {
    let mut errors = Errors::default();
    let mut keep = |found: Errors| errors.extend(found);
    let name = form::check(&[NAME], posted, None).map_err(|errors| match pasted::holds_secret(posted.get("name")) {
        true => keep(Errors::one("name", misplaced(kind, posted, "a name"))),
        false => keep(errors),
    });
    let note = description(kind, posted).map_err(|text| keep(Errors::one("description", text)));
    let labels = form::check(&[labels::OWNER, labels::TAGS], posted, None).map_err(&mut keep);
    let values = form::check(kind.fields, posted, stored).map_err(&mut keep);
    match (name, note, labels, values) {
        (Ok(name), Ok(note), Ok(labels), Ok(values)) => {
            let labels = labels::entered(posted, &labels);
            Ok(Entered { name: name.get("name").to_owned(), note, labels, values })
        }
        _ => Err(errors),
    }
}

fn description(kind: &Kind, posted: &Values) -> Result<String, String> {
    let text = posted.get("description").replace("\r\n", "\n").trim().to_owned();
    if text.chars().count() > LONGEST_DESCRIPTION {
        Err(format!("At most {LONGEST_DESCRIPTION} characters fit here."))
    } else if text.chars().any(|c| c.is_control() && c != '\n') {
        Err("Control characters are not allowed here.".to_owned())
    } else if pasted::holds_secret(&text) {
        Err(misplaced(kind, posted, "a description"))
    } else {
        Ok(text)
    }
}

/// What to say of a secret in a field that everyone reads: where it belongs.
fn misplaced(kind: &Kind, posted: &Values, here: &str) -> String {
    let secret = kind.fields.iter().filter(|field| field.control.is_secret() && field.active(kind.fields, posted));
    let labels: Vec<&str> = secret.map(|field| field.label).collect();
    let place = match labels[..] {
        [] => "Save it as a credential of its own".to_owned(),
        _ => format!("Enter it under {}", labels.join(" or ")),
    };
    format!("This looks like a secret, and everyone can read {here}. {place}. It is not shown again here.")
}

/// What the database said about a save.
pub fn refused(error: DbError) -> Refusal {
    let invalid = |sentence: &str| Refusal::Invalid(Errors::one("name", sentence));
    match error {
        DbError::Duplicate(_) => invalid("A credential with this name already exists. Choose another name."),
        DbError::Check(limit) if limit == "too_long" => invalid("Choose a shorter name."),
        error => error.into(),
    }
}
