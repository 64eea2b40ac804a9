//! Names that people give to things: how they are written and when two are the same.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// A label as it is stored: trimmed, NFC, without control and format characters (which could hide or reverse text). The
/// two joiners stay where they stand between others: Persian, many Indian languages and emoji are written with them.
pub fn label(text: &str, longest: usize) -> Result<String, String> {
    let label: String = text.trim().nfc().collect();
    if label.is_empty() {
        return Err("Enter a name.".to_owned());
    }
    if label.chars().count() > longest {
        return Err(format!("At most {longest} characters fit here."));
    }
    if label.chars().any(|c| is_invisible(c) && !is_joiner(c)) || has_loose_joiner(&label) {
        return Err("Control characters and invisible characters are not allowed in a name.".to_owned());
    }
    Ok(label)
}

/// What two names have in common when they are the same to a person: compatibility form, without regard to case.
pub fn key(text: &str) -> String {
    text.trim().nfkc().filter(|c| !is_invisible(*c)).collect::<String>().to_lowercase().nfkc().collect()
}

/// The plural of a noun: `images`, `keys`, `entries`.
pub fn plural(noun: &str) -> String {
    let after_consonant = |stem: &&str| !stem.ends_with(['a', 'e', 'o', 'u']);
    match noun.strip_suffix('y').filter(after_consonant) {
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    }
}

/// U+200C and U+200D, which decide how their neighbours are drawn.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a joiner has nothing to join: at an end, or beside another or a space.
fn has_loose_joiner(label: &str) -> bool {
    let characters: Vec<char> = label.chars().collect();
    let joins =
        |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|c| !is_joiner(*c) && !c.is_whitespace());
    let joiners = characters.iter().enumerate().filter(|(_, c)| is_joiner(**c));
    joiners.into_iter().any(|(at, _)| !joins(at.checked_sub(1)) || !joins(Some(at + 1)))
}

fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
    matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Unassigned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_the_same() {
        for other in ["ADMIN", " admin", "ａdmin", "admin\u{200b}", "Admin "] {
            assert_eq!(key(other), key("admin"), "{other:?}");
        }
        assert_eq!(key("Ökonomie"), key("o\u{308}KONOMIE"));
        assert_ne!(key("admin"), key("admim"));
    }

    #[test]
    fn a_label_keeps_its_spaces_and_loses_its_surroundings() {
        assert_eq!(label("  Prod  ECR e\u{301} ", 200).unwrap(), "Prod  ECR \u{e9}");
    }

    #[test]
    fn field_fa_48_names_take_the_joiners_that_languages_need() {
        for name in ["👩\u{200d}💻 laptop key", "می\u{200c}خواهم", "क्\u{200d}ष"] {
            assert_eq!(label(name, 200).as_deref(), Ok(name));
        }
        assert_eq!(key("ad\u{200d}min"), key("admin"), "nobody can be told apart by a joiner");
    }

    #[test]
    fn a_label_that_hides_something_is_refused() {
        for bad in ["", "  ", "a\0b", "\u{202e}prod", "pro\u{200b}d", "a\nb", "a\u{feff}"] {
            assert!(label(bad, 200).is_err(), "{bad:?}");
        }
        for bad in ["\u{200d}", "prod\u{200d}", "\u{200c}prod", "pro\u{200d}\u{200d}d", "a\u{200c} b"] {
            assert!(label(bad, 200).is_err(), "{bad:?}");
        }
        assert!(label(&"x".repeat(201), 200).is_err());
    }
}
