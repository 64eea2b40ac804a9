//! Names, labels and quantities, as the API server accepts them.
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>

/// A DNS label (RFC 1123) of at most `longest` characters.
pub(super) fn is_label(text: &str, longest: usize) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edge = |b: Option<&u8>| b.is_some_and(|b| *b != b'-');
    let bytes = text.as_bytes();
    bytes.len() <= longest && bytes.iter().all(|b| inner(*b)) && edge(bytes.first()) && edge(bytes.last())
}

/// A DNS subdomain: labels with dots between.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(|label| is_label(label, 63))
}

/// Checks a form field that is a name.
pub(super) fn label(text: &str) -> Result<String, String> {
    const WRONG: &str = "Use at most 50 lower-case letters, digits and dashes, with a letter or digit at both ends.";
    if is_label(text, 50) { Ok(text.to_owned()) } else { Err(WRONG.to_owned()) }
}

pub(super) fn subdomain(text: &str) -> Result<String, String> {
    const WRONG: &str = "Use lower-case letters, digits, dashes and dots, with a letter or digit at both ends.";
    if is_subdomain(text) { Ok(text.to_owned()) } else { Err(WRONG.to_owned()) }
}

/// `app.kubernetes.io/part-of`
pub(super) fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && !name.is_empty() && is_label_value(name),
        None => !text.is_empty() && is_label_value(text),
    }
}

pub(super) fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |b: Option<&u8>| b.is_none_or(u8::is_ascii_alphanumeric);
    let inner = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    bytes.len() <= 63 && bytes.iter().all(inner) && edge(bytes.first()) && edge(bytes.last())
}

/// `250m`, `0.5`, `2`
pub(super) fn cpu(text: &str) -> Result<String, String> {
    quantity(text, &["m", ""]).ok_or_else(|| "Enter a number of CPUs, such as 0.5 or 500m.".to_owned())
}

/// `128Mi`, `1Gi`
pub(super) fn memory(text: &str) -> Result<String, String> {
    let units = ["Ki", "Mi", "Gi", "Ti", "k", "M", "G", "T", ""];
    quantity(text, &units).ok_or_else(|| "Enter an amount of memory with its unit, such as 256Mi or 1Gi.".to_owned())
}

fn quantity(text: &str, units: &[&str]) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let is_number = number.len() <= 12 && number.parse::<f64>().is_ok_and(|number| number > 0.0);
    let plain = number.starts_with(|c: char| c.is_ascii_digit()) && number.ends_with(|c: char| c.is_ascii_digit());
    (is_number && plain && units.contains(&unit)).then(|| text.to_owned())
}

/// `1`, `10%`
pub(super) fn max_unavailable(text: &str) -> Result<String, String> {
    let (number, most) = text.strip_suffix('%').map_or((text, 5000), |number| (number, 100));
    match number.parse::<u32>() {
        Ok(number) if (1..=most).contains(&number) => Ok(text.to_owned()),
        _ => Err("Enter a number of nodes from 1, or a percentage, such as 1 or 10%.".to_owned()),
    }
}

/// An absolute Linux path without `..`.
pub(super) fn is_path(text: &str) -> bool {
    text.len() <= 1024
        && text.starts_with('/')
        && !text.contains([':', '\\'])
        && !text.split('/').any(|part| part == "..")
        && !text.chars().any(char::is_control)
}

pub(super) fn path(text: &str) -> Result<String, String> {
    let good = is_path(text) && text.len() > 1;
    if good { Ok(text.trim_end_matches('/').to_owned()) } else { Err("Enter an absolute path: /etc/agent.".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_those_of_kubernetes() {
        assert!(label("agent-1").is_ok() && subdomain("a.b-c").is_ok());
        for bad in ["", "Agent", "-a", "a-", "a_b", "a.b"] {
            assert!(label(bad).is_err(), "{bad}");
        }
        assert!(is_label_key("a.example/Name_1") && is_label_key("x") && is_label_value(""));
        assert!(!is_label_key("/x") && !is_label_key("a/b/c") && !is_label_value("-x") && !is_label_key(""));
    }

    #[test]
    fn quantities_have_a_number_and_a_known_unit() {
        assert!(["1", "0.5", "250m"].iter().all(|text| cpu(text).is_ok()));
        assert!(["128Mi", "1.5Gi", "1000000"].iter().all(|text| memory(text).is_ok()));
        for bad in ["", "0", "m", "1 Gi", "-1", "1e9", ".5", "5.", "1Mib", "nan"] {
            assert!(cpu(bad).is_err() && memory(bad).is_err(), "{bad}");
        }
        assert!(max_unavailable("10%").is_ok() && max_unavailable("0").is_err() && max_unavailable("101%").is_err());
    }
}
