//! Fields declared once, then shown, checked and turned into values. Credentials and integrations declare their forms
//! with [`Field`]; a page shows them with [`view()`] and checks what was posted with [`check`]. This module knows no
//! HTTP, no database and no cloud: what people paste by mistake is recognised in [`crate::pasted`]. A new control is a
//! new arm of [`Control`] and of `templates/shared/field.html`.

mod values;
mod view;

pub use values::{Errors, Values};
pub use view::{FieldView, folded, name_shown_again, shown_again, suggest, view};

use crate::pasted::{self, Wanted};

/// How a field is entered. Closed on purpose: the template matches every arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// One line, shown again.
    Text,
    /// One line, stored sealed, never shown again.
    Secret,
    /// Many lines, shown again: a public certificate, a list.
    Document,
    /// Many lines, pasted or read from a file, stored sealed, never shown again.
    SecretDocument,
    /// One of a fixed list of (value, label).
    Choice(&'static [(&'static str, &'static str)]),
    /// One of a list that the page knows: a stored credential.
    Pick,
    /// `on` or nothing.
    Checkbox,
    /// A whole number between the two bounds, both included.
    Number(u32, u32),
}

impl Control {
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::SecretDocument)
    }

    fn is_document(self) -> bool {
        matches!(self, Self::Document | Self::SecretDocument)
    }
}

/// Checks one value and returns it in its canonical form. The error is a sentence for the person at the form;
/// it names the rule and never repeats the value, which may be a secret.
pub type Check = fn(&str) -> Result<String, String>;

fn as_entered(value: &str) -> Result<String, String> {
    Ok(value.to_owned())
}

fn unless_blank(value: &str) -> Option<String> {
    Some(value.to_owned()).filter(|value| !value.is_empty())
}

/// One field of a form, declared as a constant.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub control: Control,
    pub required: bool,
    /// Shown only while the named field has one of these values.
    pub when: Option<(&'static str, &'static [&'static str])>,
    pub help: &'static str,
    pub placeholder: &'static str,
    pub default: &'static str,
    pub check: Check,
    /// Longest accepted value, in characters.
    pub max: usize,
    /// What belongs into it, so that anything else can be named before `check` speaks.
    pub wanted: Wanted,
    /// Says whose secret this is or where it goes: changing it asks for the secret again.
    pub identity: bool,
    /// Comes with the secret: a new access key has another ID. It is asked for where a secret is rotated.
    pub renewed: bool,
    /// Comes after the credential on the form of an integration: how things are done, not where and what.
    pub after_credential: bool,
    /// Most people leave it as it is: it is folded away on the form of an integration.
    pub advanced: bool,
    /// The value, blank or not, as a page shows it among the settings; `None` leaves the line out.
    pub summary: fn(&str) -> Option<String>,
}

impl Field {
    const fn new(name: &'static str, label: &'static str, control: Control, max: usize) -> Self {
        let wanted = match control {
            Control::Secret => Wanted::Token,
            Control::SecretDocument => Wanted::PrivatePem,
            Control::Document => Wanted::Certificates,
            _ => Wanted::Visible,
        };
        Self {
            name,
            label,
            control,
            required: true,
            when: None,
            help: "",
            placeholder: "",
            default: "",
            check: as_entered,
            max,
            wanted,
            identity: false,
            renewed: false,
            after_credential: false,
            advanced: false,
            summary: unless_blank,
        }
    }

    pub const fn text(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Control::Text, 2048)
    }

    pub const fn secret(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Control::Secret, 8192)
    }

    pub const fn document(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Control::Document, 65_536)
    }

    pub const fn secret_document(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Control::SecretDocument, 131_072)
    }

    pub const fn choice(
        name: &'static str,
        label: &'static str,
        options: &'static [(&'static str, &'static str)],
    ) -> Self {
        let mut field = Self::new(name, label, Control::Choice(options), 64);
        field.default = options[0].0;
        field
    }

    pub const fn pick(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Control::Pick, 64)
    }

    pub const fn checkbox(name: &'static str, label: &'static str) -> Self {
        Self::new(name, label, Control::Checkbox, 2).optional()
    }

    pub const fn number(name: &'static str, label: &'static str, least: u32, most: u32) -> Self {
        Self::new(name, label, Control::Number(least, most), 10)
    }

    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    pub const fn when(mut self, field: &'static str, values: &'static [&'static str]) -> Self {
        self.when = Some((field, values));
        self
    }

    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub const fn placeholder(mut self, placeholder: &'static str) -> Self {
        self.placeholder = placeholder;
        self
    }

    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    pub const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    pub const fn max(mut self, characters: usize) -> Self {
        self.max = characters;
        self
    }

    pub const fn wants(mut self, wanted: Wanted) -> Self {
        self.wanted = wanted;
        self
    }

    pub const fn identity(mut self) -> Self {
        self.identity = true;
        self
    }

    pub const fn renewed(mut self) -> Self {
        self.renewed = true;
        self
    }

    pub const fn after_credential(mut self) -> Self {
        self.after_credential = true;
        self
    }

    pub const fn advanced(mut self) -> Self {
        self.advanced = true;
        self
    }

    pub const fn summary(mut self, summary: fn(&str) -> Option<String>) -> Self {
        self.summary = summary;
        self
    }

    /// Whether the field belongs to the form, given what the field it depends on holds.
    pub fn active(&self, fields: &[Field], values: &Values) -> bool {
        let Some((name, wanted)) = self.when else { return true };
        let Some(other) = fields.iter().find(|field| field.name == name) else { return false };
        // As it is checked and saved: without blanks at its ends.
        let value = match values.get(name).trim() {
            "" => other.default,
            value => value,
        };
        wanted.contains(&value) && other.active(fields, values)
    }
}

/// Checks what was posted and returns the canonical values of the active fields. `stored` are the values saved
/// before: a secret left blank keeps its stored value, unless an identity field has changed.
pub fn check(fields: &[Field], posted: &Values, stored: Option<&Values>) -> Result<Values, Errors> {
    let mut errors = Errors::default();
    let mut values = Values::default();
    for field in fields.iter().filter(|field| field.active(fields, posted)) {
        match check_field(field, posted.get(field.name), stored) {
            Ok(value) if value.is_empty() => {}
            Ok(value) => values.set(field.name, value),
            Err(message) => errors.add(field.name, message),
        }
    }
    if let Some(stored) = stored.filter(|_| errors.is_empty()) {
        refuse_kept_secrets(fields, posted, stored, &values, &mut errors);
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// What counts as entered: a one-line secret may begin or end with a space, everything else is trimmed. Tabs and line
/// ends around a value come from a spreadsheet or a file, as does the mark that some editors put first.
fn entered<'v>(field: &Field, raw: &'v str) -> &'v str {
    let marked = raw.trim_start_matches('\u{feff}');
    match field.control {
        // Nobody types these, and other fields go by what was posted.
        Control::Choice(_) | Control::Checkbox => raw,
        Control::Secret => marked.trim_matches(['\t', '\r', '\n']),
        _ => marked.trim(),
    }
}

fn check_field(field: &Field, raw: &str, stored: Option<&Values>) -> Result<String, String> {
    let value = entered(field, raw);
    if value.is_empty() {
        let kept = stored.map_or("", |stored| stored.get(field.name));
        return match (field.control, field.required) {
            (control, _) if control.is_secret() && !kept.is_empty() => Ok(kept.to_owned()),
            (Control::Choice(_), _) if !field.default.is_empty() => Ok(field.default.to_owned()),
            (_, true) => Err(format!("Enter the {}.", in_sentence(field.label))),
            (_, false) => Ok(String::new()),
        };
    }
    let is_typed = field.control.is_document() || matches!(field.control, Control::Text | Control::Secret);
    if is_typed {
        let label = in_sentence(field.label);
        if let Some(sentence) = pasted::mistaken(value.trim(), field.wanted, &label, field.placeholder) {
            return Err(sentence);
        }
    }
    if value.chars().count() > field.max {
        return Err(field.wanted.too_long(field.max));
    }
    let allowed = |c: char| !c.is_control() || (field.control.is_document() && matches!(c, '\n' | '\r' | '\t'));
    if !value.chars().all(allowed) {
        return Err("Control characters are not allowed here.".to_owned());
    }
    // A document's own parser knows where they matter; a name may have joiners.
    if is_typed && !field.control.is_document() && field.wanted != Wanted::Name {
        pasted::invisible(value).map_or(Ok(()), Err)?;
    }
    match field.control {
        Control::Choice(options) if !options.iter().any(|(option, _)| *option == value) => {
            Err("Choose one from the list.".to_owned())
        }
        Control::Checkbox if value != "on" => Err("Tick it or leave it.".to_owned()),
        Control::Number(least, most) => match value.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => (field.check)(&number.to_string()),
            _ => Err(format!("Enter a whole number from {least} to {most}.")),
        },
        _ => (field.check)(value),
    }
}

/// A stored secret goes only with the identity it was saved for.
fn refuse_kept_secrets(fields: &[Field], posted: &Values, stored: &Values, values: &Values, errors: &mut Errors) {
    let Some(changed) = fields.iter().find(|f| f.identity && values.get(f.name) != stored.get(f.name)) else {
        return;
    };
    for field in fields.iter().filter(|f| f.control.is_secret() && values.contains(f.name)) {
        if entered(field, posted.get(field.name)).is_empty() {
            let (changed, label) = (in_sentence(changed.label), in_sentence(field.label));
            errors.add(field.name, format!("The {changed} has changed: enter the {label} that belongs to it."));
        }
    }
}

/// A label inside a sentence: `Access key ID` becomes `access key ID`, `API key` stays.
pub fn in_sentence(label: &str) -> String {
    let mut characters = label.chars();
    match (characters.next(), characters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(label.chars().skip(1)).collect()
        }
        _ => label.to_owned(),
    }
}

#[cfg(test)]
mod tests;
