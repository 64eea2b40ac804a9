//! A form as a template shows it. No secret gets this far.

use zeroize::Zeroizing;

use super::{Control, Errors, Field, Values};
use crate::pasted::{self, Wanted};

/// A field as a template shows it. `value` is empty for every secret, whatever was posted or stored.
#[derive(Clone, Debug)]
pub struct FieldView {
    pub name: &'static str,
    pub label: &'static str,
    pub control: Control,
    pub required: bool,
    pub help: &'static str,
    pub placeholder: &'static str,
    pub value: String,
    /// (value, label, chosen) for choices and picks.
    pub options: Vec<(String, String, bool)>,
    pub error: Option<String>,
    /// A secret is stored already: blank keeps it.
    pub stored: bool,
    /// Other fields depend on this one, so a change redraws the form.
    pub switches: bool,
    pub max: usize,
    /// Values that a line of text may have, to choose from while typing.
    pub suggestions: Vec<String>,
    pub advanced: bool,
    /// It holds something else than its default, or something wrong.
    pub changed: bool,
}

/// Offers values for the field of that name.
pub fn suggest(fields: &mut [FieldView], name: &str, values: Vec<String>) {
    if let Some(field) = fields.iter_mut().find(|field| field.name == name) {
        field.suggestions = values;
    }
}

/// For the part of a form that is folded away: whether it is open, since something in it is not as it is by default.
/// `None` for a form that has no such part.
pub fn folded(fields: &[FieldView]) -> Option<bool> {
    let mut advanced = fields.iter().filter(|field| field.advanced).peekable();
    advanced.peek()?;
    Some(advanced.any(|field| field.changed))
}

/// Fewest characters of a posted secret that are looked for in other fields.
const TELLING: usize = 8;
const HELD_BACK: &str = "This looks like a secret, so it is not shown again. Enter it in its own field.";

/// Whether what was posted in a field that is shown again may be: not a secret that was put into the wrong field.
/// `failed` is whether the field was refused.
pub fn shown_again(fields: &[Field], posted: &Values, value: &str, failed: bool) -> bool {
    let secrets = fields.iter().filter(|field| field.control.is_secret()).map(|field| posted.get(field.name).trim());
    let repeats = |secret: &str| {
        let secret: Zeroizing<String> =
            Zeroizing::new(secret.chars().filter(|c| !(c.is_control() || pasted::is_invisible(*c))).collect());
        secret.len() >= TELLING && value.contains(secret.as_str())
    };
    let mistaken = || pasted::mistaken(value, Wanted::Visible, "", "").is_some() || pasted::looks_secret(value);
    let is_secret = pasted::holds_secret(value) || secrets.into_iter().any(repeats) || (failed && mistaken());
    !is_secret
}

/// A user's name that was posted beside a password, as far as it may be shown again.
pub fn name_shown_again(posted: &Values, name: &'static str) -> String {
    const PASSWORD: [Field; 1] = [Field::secret("password", "Password")];
    let value = posted.get(name);
    if shown_again(&PASSWORD, posted, value, false) { value.to_owned() } else { String::new() }
}

/// The active fields with what was posted, else what is stored, else their defaults. `picks` names the options
/// of a [`Control::Pick`] by field name.
pub fn view(
    fields: &[Field],
    posted: Option<&Values>,
    stored: Option<&Values>,
    errors: &Errors,
    picks: &dyn Fn(&str) -> Vec<(String, String)>,
) -> Vec<FieldView> {
    let empty = Values::default();
    let shown = posted.or(stored).unwrap_or(&empty);
    let active = fields.iter().filter(|field| field.active(fields, shown));
    active
        .map(|field| {
            let value = match shown.get(field.name) {
                _ if field.control.is_secret() => "",
                "" if posted.is_none() && stored.is_none() || matches!(field.control, Control::Choice(_)) => {
                    field.default
                }
                value => value,
            };
            let error = errors.of(field.name).map(str::to_owned);
            let typed = matches!(field.control, Control::Text | Control::Document);
            let held_back = typed
                && posted.is_some_and(|posted| !shown_again(fields, posted, posted.get(field.name), error.is_some()));
            let value = if held_back { "" } else { value };
            let options = match field.control {
                Control::Choice(options) => options.iter().map(|(v, l)| (v.to_string(), l.to_string())).collect(),
                Control::Pick => picks(field.name),
                _ => Vec::new(),
            };
            FieldView {
                name: field.name,
                label: field.label,
                control: field.control,
                required: field.required,
                help: field.help,
                placeholder: field.placeholder,
                value: value.to_owned(),
                options: options
                    .into_iter()
                    .map(|(v, l)| {
                        let chosen = v == value;
                        (v, l, chosen)
                    })
                    .collect(),
                error: error.or_else(|| held_back.then(|| HELD_BACK.to_owned())),
                stored: field.control.is_secret() && stored.is_some_and(|s| !s.get(field.name).is_empty()),
                switches: fields.iter().any(|f| f.when.is_some_and(|(name, _)| name == field.name)),
                max: field.max,
                suggestions: Vec::new(),
                advanced: field.advanced,
                changed: errors.of(field.name).is_some() || held_back || value != field.default,
            }
        })
        .collect()
}
