//! The fields of an object by path, written as the API server writes them in conflicts:
//! `.spec.template.spec.containers[name="agent"].image`.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The member that identifies the entries of a list; `None` for an atomic list.
fn key_of(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    }
}

/// The path of an entry below that of its list; `None` if it lacks the member.
fn entry_path(path: &str, key: &str, entry: &Value) -> Option<String> {
    Some(format!("{path}[{key}={}]", entry.get(key)?))
}

/// The paths of a list's entries; `None` for an atomic list.
pub(super) fn entry_paths(path: &str, list: &[Value]) -> Option<Vec<String>> {
    let key = key_of(path.rsplit('.').next().unwrap_or_default())?;
    list.iter().map(|entry| entry_path(path, key, entry)).collect()
}

/// A list's entries, each with its path; `None` for an atomic list.
fn entries<'v>(path: &str, list: &'v [Value]) -> Option<Vec<(String, &'v Value)>> {
    Some(entry_paths(path, list)?.into_iter().zip(list).collect())
}

/// The leaf values of an object, by path.
pub(super) fn leaves(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    collect("", value, &mut found);
    found
}

fn collect(path: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| collect(&format!("{path}.{name}"), member, into));
        }
        Value::Array(list) => match entries(path, list) {
            Some(entries) => entries.into_iter().for_each(|(path, entry)| collect(&path, entry, into)),
            None => drop(into.insert(path.to_owned(), value.clone())),
        },
        _ => drop(into.insert(path.to_owned(), value.clone())),
    }
}

/// Removes a field. `false` if there is no such path.
pub(super) fn remove(value: &mut Value, wanted: &str) -> bool {
    remove_below("", value, wanted)
}

fn remove_below(path: &str, value: &mut Value, wanted: &str) -> bool {
    if !wanted.starts_with(path) {
        return false;
    }
    match value {
        Value::Object(members) => {
            let here = members.keys().find(|name| format!("{path}.{name}") == wanted).cloned();
            if let Some(name) = here {
                members.remove(&name);
                return true;
            }
            members.iter_mut().any(|(name, member)| remove_below(&format!("{path}.{name}"), member, wanted))
        }
        Value::Array(list) => {
            let Some(paths) = entry_paths(path, list) else { return false };
            if let Some(at) = paths.iter().position(|path| path == wanted) {
                list.remove(at);
                return true;
            }
            list.iter_mut().zip(&paths).any(|(entry, path)| remove_below(path, entry, wanted))
        }
        _ => false,
    }
}

/// A value on one line.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 500;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut line: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if text.chars().count() > LONGEST {
        line.push('…');
    }
    line
}

/// Whether two values are equal. A missing value equals an empty one, since the API server drops empty values.
pub(super) fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    let empty =
        |value: Option<&Value>| value.is_none_or(|value| [json!(null), json!(""), json!(false)].contains(value));
    one == other || (empty(one) && empty(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon_set() -> Value {
        let container = json!({ "name": "d", "image": "a:1", "env": [{ "name": "X", "value": "1" }], "args": ["-v"] });
        json!({
            "metadata": { "labels": { "app.kubernetes.io/name": "d" } },
            "spec": { "template": { "spec": { "containers": [container], "tolerations": [{ "key": "a" }] } } },
        })
    }

    #[test]
    fn fields_are_named_as_the_server_names_them_in_a_conflict() {
        let paths: Vec<String> = leaves(&daemon_set()).into_keys().collect();
        let expected = [
            ".metadata.labels.app.kubernetes.io/name",
            ".spec.template.spec.containers[name=\"d\"].args",
            ".spec.template.spec.containers[name=\"d\"].env[name=\"X\"].name",
            ".spec.template.spec.containers[name=\"d\"].env[name=\"X\"].value",
            ".spec.template.spec.containers[name=\"d\"].image",
            ".spec.template.spec.containers[name=\"d\"].name",
            ".spec.template.spec.tolerations",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn one_field_is_taken_out_and_the_rest_stays() {
        let mut object = daemon_set();
        // The identifying member stays: an entry without it could not be found again.
        for path in leaves(&object).into_keys().filter(|path| !path.ends_with("].name")) {
            let mut copy = object.clone();
            assert!(remove(&mut copy, &path), "{path}");
            assert_eq!(leaves(&copy).len() + 1, leaves(&object).len(), "{path}");
        }
        assert!(remove(&mut object, ".spec.template.spec.containers[name=\"d\"].env[name=\"X\"]"));
        assert!(!remove(&mut object, ".spec.template.spec.containers[name=\"e\"].image"));
        assert_eq!(leaves(&object).len(), 5);
    }

    #[test]
    fn long_values_are_cut_and_control_characters_left_out() {
        assert_eq!(shown(&json!("a\n\u{7}b")), "ab");
        assert_eq!(shown(&json!("x".repeat(600))).chars().count(), 501);
        assert_eq!(shown(&json!(["a", 1])), "[\"a\",1]");
    }
}
