//! The settings of an integration as its pages list them.

use crate::form::{Control, Values};
use crate::integrations::Spec;
use crate::models::integrations::Integration;

/// The settings as lines; what is left blank is said where blank means something.
/// `way_out`: what is to be said of the proxy.
pub fn facts(row: &Integration, settings: &Values, way_out: Option<String>) -> Vec<(&'static str, String)> {
    let Some(spec) = Spec::find(&row.version) else { return Vec::new() };
    let line = |field: &crate::form::Field| {
        let text = match (settings.get(field.name), field.control) {
            (value, _) if value.is_empty() => (field.summary)(value)?,
            (value, Control::Choice(options)) => {
                options.iter().find(|(known, _)| *known == value).map_or(value, |(_, label)| label).to_owned()
            }
            // A certificate is too long to be read here.
            (_, Control::Document) if field.max > 10_000 => "Given".to_owned(),
            (value, _) => (field.summary)(value)?,
        };
        Some((field.label, text))
    };
    let way_out = way_out.map(|sentence| ("Way out", sentence));
    spec.fields.iter().filter_map(line).chain(way_out).collect()
}
