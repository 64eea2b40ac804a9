//! What people paste, recognised before a strict parser speaks: a file of another tool, base64 of the right thing, a
//! value that a tool has hidden, a secret in a field that is shown again. Every form field asks here, see
//! [`Wanted`]. Nothing is opened, sent or kept, and no sentence repeats a word of what was pasted. A further file that
//! people paste is a line in [`shapes`].

mod bytes;
mod encoded;
mod prefixes;
mod secrets;
mod shapes;
#[cfg(test)]
mod tests;

pub use bytes::as_text;
pub use secrets::{holds_secret, looks_secret};

use shapes::Shape;

/// What a field is for, so that anything else in it can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An ID, an address, a list: shown again, so never a secret.
    Visible,
    /// Settings, one a line, such as `NAME=value`: shown again, so never a secret.
    Lines,
    /// The name of a thing. It may have joiners, which other fields refuse as invisible.
    Name,
    /// Anything that a keyboard writes.
    Password,
    /// One token or key, or an address that is a secret.
    Token,
    /// Certificates in PEM, which are public.
    Certificates,
    /// A certificate with its private key, or a private key.
    PrivatePem,
    /// What the Azure CLI prints for a service principal.
    ServiceKey,
    /// The JSON key of a Google service account.
    ServiceAccount,
    Kubeconfig,
}

impl Wanted {
    fn is_document(self) -> bool {
        matches!(
            self,
            Self::Certificates | Self::PrivatePem | Self::ServiceKey | Self::ServiceAccount | Self::Kubeconfig
        )
    }

    /// Whether a text of that shape is what the field asks for, or may be.
    fn suits(self, shape: Shape) -> bool {
        match self {
            Self::Visible | Self::Name => !shape.is_secret() && !matches!(shape, Shape::Variable | Shape::OciConfig),
            Self::Lines => !shape.is_secret() && shape != Shape::OciConfig,
            // A registry's password may be a whole JSON key, in base64 or not.
            Self::Password => !matches!(shape, Shape::Docker | Shape::Hidden),
            Self::Token => shape == Shape::Token,
            Self::Certificates => matches!(shape, Shape::PrivateKey | Shape::Certificate),
            Self::PrivatePem => matches!(shape, Shape::PrivateKey | Shape::Certificate),
            Self::ServiceKey => shape == Shape::Azure,
            Self::ServiceAccount => shape == Shape::Google,
            Self::Kubeconfig => shape == Shape::Kubeconfig,
        }
    }

    /// The sentence for a text that is longer than the field takes; `max` in characters.
    pub fn too_long(self, max: usize) -> String {
        let way_out = match self {
            Self::Kubeconfig => " kubectl config view --minify --flatten --raw prints the current context alone.",
            _ => "",
        };
        format!("At most {max} characters fit here.{way_out}")
    }
}

const SECRET_NAME: &str = "This looks like a secret, and everyone can read a name. Enter it in the field of the \
                           credential that it belongs to. It is not shown again here.";

/// Says what a text is when it is not what the field wants; nothing when it may be. `text` is trimmed, `label` is the
/// field's own as it stands in a sentence, `example` shows how a value looks and may be empty.
pub fn mistaken(text: &str, wanted: Wanted, label: &str, example: &str) -> Option<String> {
    let shape = Shape::of(text).filter(|shape| !wanted.suits(*shape));
    let Some(shape) = shape else {
        let named = wanted == Wanted::Name && holds_secret(text);
        return if named { Some(SECRET_NAME.to_owned()) } else { mistaken_document(text, wanted) };
    };
    let mut sentence = shape.sentence().to_owned();
    if shape.belongs_elsewhere() {
        sentence.push_str(&format!(" Enter the {label} here"));
        let example = example.trim_end_matches('…');
        if !example.is_empty() {
            sentence.push_str(&format!(", which begins like {example}"));
        }
        sentence.push('.');
    }
    if matches!(wanted, Wanted::Visible | Wanted::Lines | Wanted::Name) {
        sentence.push_str(" It is not shown again, since this field is no place for a secret.");
    }
    Some(sentence)
}

fn mistaken_document(text: &str, wanted: Wanted) -> Option<String> {
    if !wanted.is_document() {
        return None;
    }
    if let Some(found) = encoded::of(text) {
        return Some(found.sentence(wanted));
    }
    if wanted == Wanted::Kubeconfig && shapes::hides_values(text) {
        return Some(
            "kubectl has hidden the secrets of this kubeconfig (REDACTED, DATA+OMITTED). Paste what kubectl config view \
             --minify --flatten --raw prints."
                .to_owned(),
        );
    }
    let json = matches!(wanted, Wanted::ServiceKey | Wanted::ServiceAccount);
    if json && shapes::has_text_around(text) {
        let wanted = "There is other text around the JSON. Paste it from the first { to the last }, and nothing else.";
        return Some(wanted.to_owned());
    }
    None
}

/// Whether a tool wrote this in place of a secret.
pub fn is_hidden(text: &str) -> bool {
    shapes::is_hidden(text)
}

/// The first character that nobody sees, as a sentence that says where it is. Line ends and tabs do not count.
pub fn invisible(text: &str) -> Option<String> {
    let last = text.chars().count();
    let (at, found) = text.chars().enumerate().find(|(_, c)| is_invisible(*c))?;
    let place = match at + 1 {
        1 => "at its beginning".to_owned(),
        at if at == last => "at its end".to_owned(),
        at => format!("as character {at}"),
    };
    let code = u32::from(found);
    Some(format!("This has an invisible character (U+{code:04X}) {place}. Delete it there, or type the value again."))
}

/// Characters that take no room on the screen, those that look like nothing at all included.
pub fn is_invisible(c: char) -> bool {
    use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
    let fillers = ['\u{34f}', '\u{115f}', '\u{1160}', '\u{2800}', '\u{3164}', '\u{ffa0}'];
    let format = [GeneralCategory::Format, GeneralCategory::LineSeparator, GeneralCategory::ParagraphSeparator];
    format.contains(&c.general_category()) || fillers.contains(&c)
}
