//! The rights that a provider needs, as it declares them, for the settings of a new form.

use crate::form::{Field, Values};
use crate::integrations::Spec;
use crate::providers::aws::policies;

/// Settings as the form would have them, with the examples where something must be entered.
pub fn example(spec: &Spec) -> Values {
    let value = |field: &Field| match (field.default, field.required) {
        ("", true) => field.placeholder,
        (default, _) => default,
    };
    spec.fields.iter().map(|field| (field.name, value(field))).collect()
}

/// The least policies of the example: (caption, text).
pub fn policies(spec: &Spec) -> Vec<(String, String)> {
    (spec.grants)(&example(spec), spec.label).policies
}

/// Those that lead into a role, where the settings can name one.
pub fn into_role(spec: &Spec) -> Vec<(String, String)> {
    let mut settings = example(spec);
    settings.set("sts", "on");
    let role = (spec.grants)(&settings, spec.label).role;
    role.map_or_else(Vec::new, |wanted| {
        let assume = wanted.assume;
        vec![policies::may_assume(None, &[assume.role.as_str()]), policies::trusts(None, &assume)]
    })
}
