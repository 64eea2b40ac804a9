//! What people paste, by the ids of the cases in which it was found: each is taken as it is meant, or the form says
//! what it is and what to do. The inputs are those of the public reports.

mod every;
mod kubeconfigs;
mod pem;
mod providers;

use strongroom::credentials::find;
use strongroom::form::{self, Errors, Values};

/// One of the inputs, as text.
macro_rules! input {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/credentials/pasted/", $name))
    };
}
pub(crate) use input;

/// Names and values.
type Fields<'a> = &'a [(&'a str, &'a str)];

/// What the form makes of these fields, up to sealing.
fn save(kind: &str, fields: &[(&str, &str)]) -> Result<Values, Errors> {
    let kind = find(kind).expect("a kind");
    let values = form::check(kind.fields, &Values::from_iter(fields.iter().copied()), None)?;
    (kind.examine)(&values)?;
    assert!((kind.parses)(&values), "it would not open again");
    Ok(values)
}

fn saved(kind: &str, fields: &[(&str, &str)]) -> Values {
    save(kind, fields).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// The sentence at the first of the fields.
fn refusal(kind: &str, fields: &[(&str, &str)]) -> String {
    let errors = save(kind, fields).expect_err("a refusal");
    errors.of(fields[0].0).unwrap_or_else(|| panic!("another field: {errors:?}")).to_owned()
}

/// Fails unless the sentence has all of the words.
fn says(sentence: &str, words: &[&str]) {
    for word in words {
        assert!(sentence.contains(word), "{word:?} is not in: {sentence}");
    }
}
