//! The fields of a form in words, from their declarations.

use super::topic::Block;
use crate::form::{Control, Field};

/// What each field wants.
pub fn terms(fields: &[Field]) -> Block {
    let of_field = |field: &Field| {
        let mut said: Vec<String> = Vec::new();
        if let Some((name, values)) = field.when {
            said.extend(fields.iter().find(|other| other.name == name).map(|other| condition(other, values)));
        }
        if let Control::Choice(options) = field.control {
            said.push(format!("{}.", options.iter().map(|(_, label)| *label).collect::<Vec<_>>().join(", ")));
        }
        if !field.help.is_empty() {
            said.push(field.help.to_owned());
        }
        if !field.placeholder.is_empty() {
            said.push(format!("Example: {}", field.placeholder));
        }
        if field.control.is_secret() {
            said.push("Stored encrypted, and never shown again.".to_owned());
        }
        let optional = if field.required { "" } else { " (optional)" };
        (format!("{}{optional}", field.label), said.join(" "))
    };
    Block::Terms(fields.iter().map(of_field).collect())
}

/// When a field is asked for: `With the subtype IAM role.`
fn condition(other: &Field, values: &[&str]) -> String {
    match other.control {
        Control::Choice(options) => {
            let chosen = options.iter().filter(|(value, _)| values.contains(value)).map(|(_, label)| *label);
            format!("For {}: {}.", other.label.to_lowercase(), chosen.collect::<Vec<_>>().join(" or "))
        }
        _ => format!("With {}.", other.label),
    }
}
