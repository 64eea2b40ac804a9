//! Finds the fields that somebody else added to an object of ours: fields that we do not set and that the API server
//! does not default. Server-side apply leaves such fields alone. So we compare the live object with a dry run of a new
//! one, and remove the extra fields with a merge patch.

use serde_json::{Map, Value, json};

use super::paths::{entry_paths, remove};

/// The fields, with their values, that the live object has and a new one would not; of nested ones only the outermost.
pub(super) fn additions(live: &Value, new: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect("", live, new, &mut found);
    found
}

/// Set by `kubectl rollout restart`, which does not change what is deployed.
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

fn collect(path: &str, live: &Value, new: &Value, into: &mut Vec<(String, Value)>) {
    match (live, new) {
        (Value::Object(live), Value::Object(new)) => {
            for (name, value) in live.iter().filter(|(name, value)| *name != RESTARTED && !is_empty(value)) {
                let path = format!("{path}.{name}");
                match new.get(name) {
                    Some(new) => collect(&path, value, new, into),
                    None => into.push((path, value.clone())),
                }
            }
        }
        (Value::Array(live), Value::Array(new)) => {
            let (Some(paths), Some(known)) = (entry_paths(path, live), entry_paths(path, new)) else { return };
            for (path, value) in paths.into_iter().zip(live) {
                match known.iter().position(|known| *known == path) {
                    Some(at) => collect(&path, value, &new[at], into),
                    None => into.push((path, value.clone())),
                }
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

/// The JSON merge patch (RFC 7396) that removes fields. Its resource version makes it fail if the object has changed.
pub(super) fn without(live: &Value, fields: &[&str]) -> Value {
    let mut wanted = live.clone();
    for field in fields {
        remove(&mut wanted, field);
    }
    let mut patch = patch(live, &wanted);
    patch["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
    patch
}

fn patch(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let gone = from.keys().filter(|name| !to.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let changed = to.iter().filter(|(name, value)| from.get(*name) != Some(value));
    let changed = changed.map(|(name, value)| (name.clone(), from.get(name).map_or(json!(value), |f| patch(f, value))));
    Value::Object(gone.chain(changed).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(more: &Value) -> Value {
        let mut pod =
            json!({ "spec": { "containers": [{ "name": "d", "image": "a:1" }], "dnsPolicy": "ClusterFirst" } });
        if let (Value::Object(spec), Value::Object(more)) = (&mut pod["spec"], more) {
            spec.extend(more.clone());
        }
        pod
    }

    #[test]
    fn containers_and_fields_that_others_added_are_found_whole() {
        let side = json!({ "name": "side", "image": "x" });
        let ours = json!({ "name": "d", "image": "a:2", "env": [{ "name": "X", "value": "1" }] });
        let live = pod(&json!({ "containers": [ours, side], "hostIPC": true, "hostPID": false, "hostAliases": [] }));
        let found = additions(&live, &pod(&json!({})));
        let paths: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, [".spec.containers[name=\"d\"].env", ".spec.containers[name=\"side\"]", ".spec.hostIPC"]);
        assert!(additions(&pod(&json!({})), &pod(&json!({}))).is_empty());
    }

    #[test]
    fn the_patch_takes_out_what_is_asked_and_nothing_else() {
        let side = json!({ "name": "side", "image": "x" });
        let mut live = pod(&json!({ "containers": [{ "name": "d", "image": "a:1" }, side], "hostIPC": true }));
        live["metadata"] = json!({ "resourceVersion": "7", "name": "d" });
        let patch = without(&live, &[".spec.containers[name=\"side\"]", ".spec.hostIPC"]);
        let containers = json!([{ "name": "d", "image": "a:1" }]);
        let spec = json!({ "containers": containers, "hostIPC": null });
        assert_eq!(patch, json!({ "metadata": { "resourceVersion": "7" }, "spec": spec }));
    }
}
