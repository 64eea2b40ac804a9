//! The differences between two states of an object, one line a field, as the preview and the drift table show them.

use serde_json::{Value, json};

use super::mark::{ObjectRef, SECRET_VERSION};
use super::paths::{is_same, leaves, shown};
use super::state::Difference;

/// Most lines for one object.
const MOST: usize = 300;

const SET: &str = "set";

/// How two states of an object differ. `None`: the object does not exist. Values of a Secret's data are masked.
pub(super) fn differences(object: &ObjectRef, before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let [old, new] = [before, after].map(|value| value.map(|value| leaves(&told(value))).unwrap_or_default());
    let version = after.map(version).unwrap_or_default();
    let mut paths: Vec<&String> = old.keys().chain(new.keys().filter(|path| !old.contains_key(*path))).collect();
    paths.sort();
    let differing = paths.into_iter().filter(|path| !is_same(old.get(*path), new.get(*path)));
    let line = |path: &String| {
        let (mut before, mut after) = (old.get(path).map(shown), new.get(path).map(shown));
        if object.kind == "Secret" && path.starts_with(".data") {
            after = after.map(|_| masked(before.is_some(), &version));
            before = before.map(|_| SET.to_owned());
        }
        Difference { object: object.clone(), path: path.clone(), before, after }
    };
    differing.take(MOST).map(line).collect()
}

/// The text shown in place of a Secret's value.
fn masked(was_there: bool, version: &str) -> String {
    match (was_there, version) {
        (false, _) => SET.to_owned(),
        (true, "") => "changed".to_owned(),
        (true, version) => format!("changed (version {version})"),
    }
}

/// The version of the credential in a Secret: the number after its ID in the annotation.
fn version(secret: &Value) -> String {
    let word = secret["metadata"]["annotations"][SECRET_VERSION].as_str().unwrap_or_default();
    let number = word.rsplit('.').next().unwrap_or_default();
    number.chars().filter(char::is_ascii_digit).take(10).collect()
}

/// The object without the fields that the API server and its controllers maintain.
fn told(object: &Value) -> Value {
    let mut told = object.clone();
    let metadata = &object["metadata"];
    let mut annotations = metadata["annotations"].clone();
    if let Value::Object(annotations) = &mut annotations {
        annotations.retain(|name, _| !KEPT_BY_OTHERS.contains(&name.as_str()));
    }
    if let Value::Object(members) = &mut told {
        for name in ["status", "apiVersion", "kind", "secrets"] {
            members.remove(name);
        }
        members.insert("metadata".to_owned(), json!({ "labels": metadata["labels"], "annotations": annotations }));
    }
    told
}

const KEPT_BY_OTHERS: [&str; 2] =
    ["deprecated.daemonset.template.generation", "kubectl.kubernetes.io/last-applied-configuration"];

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(password: &str, version: u32) -> Value {
        json!({
            "metadata": {
                "uid": "u", "resourceVersion": "1", "managedFields": [],
                "annotations": { SECRET_VERSION: format!("0a.{version}") },
            },
            "type": "Opaque",
            "data": { "password": password },
        })
    }

    #[test]
    fn values_of_a_secret_are_never_in_a_line() {
        let object = ObjectRef::new("Secret", "a", "b");
        let (old, new) = (secret("b2xk", 2), secret("bmV3", 3));
        let lines = differences(&object, Some(&old), Some(&new));
        let data = lines.iter().find(|line| line.path == ".data.password").unwrap();
        assert_eq!((data.before.as_deref(), data.after.as_deref()), (Some("set"), Some("changed (version 3)")));
        for lines in [lines, differences(&object, None, Some(&new)), differences(&object, Some(&old), None)] {
            let text = format!("{lines:?}");
            assert!(!text.contains("b2xk") && !text.contains("bmV3"), "{text}");
        }
    }

    #[test]
    fn what_the_server_keeps_of_an_object_is_no_difference() {
        let object = ObjectRef::new("DaemonSet", "a", "b");
        let one = json!({ "metadata": { "generation": 1, "uid": "x" }, "spec": { "a": 1 }, "status": { "n": 1 } });
        let other = json!({ "metadata": { "generation": 2 }, "spec": { "a": 1, "hostPID": false } });
        assert_eq!(differences(&object, Some(&one), Some(&other)), []);
        let third = json!({ "spec": { "a": 2 } });
        let lines = differences(&object, Some(&one), Some(&third));
        assert_eq!((lines.len(), lines[0].path.as_str(), lines[0].after.as_deref()), (1, ".spec.a", Some("2")));
    }
}
