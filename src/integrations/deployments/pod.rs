//! The spec of the DaemonSet. Settings that give access to the node are written out even if they are off: then we own
//! these fields, and anyone who turns one on outside Strongroom causes a conflict that shows up as drift.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::lines::{self, HostPath, Toleration, entries};
use super::mark::SECRET_VERSION;
use super::parts::Parts;
use super::rules;
use crate::form::Values;

/// The environment variable with the node's name.
const NODE_NAME: &str = "NODE_NAME";
/// Read-only for the owner.
const READ_ONLY: u32 = 0o400;

/// Seconds that a pod has to be ready before it counts as available.
const MIN_READY_SECONDS: u32 = 5;

const AGENT_SECRET_VOLUME: &str = "agent-secret";

pub(super) fn daemon_set(parts: &Parts<'_>) -> Value {
    let max = match parts.settings.get("max_unavailable") {
        "" => json!(1),
        text => text.parse::<u32>().map_or_else(|_| json!(text), |number| json!(number)),
    };
    let mut metadata = json!({ "labels": parts.labels() });
    let versions = parts.versions();
    if !versions.is_empty() {
        metadata["annotations"] = json!({ SECRET_VERSION: versions });
    }
    json!({
        "minReadySeconds": MIN_READY_SECONDS,
        "selector": { "matchLabels": parts.selector() },
        "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": max } },
        "template": { "metadata": metadata, "spec": pod(parts) },
    })
}

fn pod(parts: &Parts<'_>) -> Value {
    let settings = parts.settings;
    let is_on = |name: &str| settings.get(name) == "on";
    let host_paths = entries(settings.get("host_paths"), lines::host_path);
    let dns = if is_on("host_network") { "ClusterFirstWithHostNet" } else { "ClusterFirst" };
    let mut pod = json!({
        "serviceAccountName": parts.service_account(),
        "automountServiceAccountToken": !rules::of(settings).is_empty(),
        "hostNetwork": is_on("host_network"),
        "hostPID": is_on("host_pid"),
        "dnsPolicy": dns,
        "containers": [container(parts, &host_paths)],
    });
    let volumes = volumes(parts, &host_paths);
    let tolerations = entries(settings.get("tolerations"), lines::toleration);
    let selector = Map::from_iter(entries(settings.get("node_selector"), lines::pair).into_iter().map(text));
    let filled = [
        ("volumes", json!(volumes), volumes.is_empty()),
        ("tolerations", tolerations.iter().map(toleration).collect(), tolerations.is_empty()),
        ("nodeSelector", json!(selector), selector.is_empty()),
        ("imagePullSecrets", json!([{ "name": parts.pull_name() }]), parts.pull.is_none()),
        ("priorityClassName", json!(settings.get("priority_class")), settings.get("priority_class").is_empty()),
    ];
    for (name, value, _) in filled.into_iter().filter(|(.., is_empty)| !is_empty) {
        pod[name] = value;
    }
    pod
}

fn text((key, value): (String, String)) -> (String, Value) {
    (key, json!(value))
}

fn container(parts: &Parts<'_>, host_paths: &[HostPath]) -> Value {
    let settings = parts.settings;
    let mut container = json!({
        "name": parts.name(),
        "image": settings.get("image"),
        "env": variables(parts),
        "securityContext": security(settings.get("privileged") == "on"),
    });
    let resources = resources(settings);
    if !resources.is_empty() {
        container["resources"] = Value::Object(resources);
    }
    let arguments: Vec<String> = entries(settings.get("arguments"), lines::argument);
    if !arguments.is_empty() {
        container["args"] = json!(arguments);
    }
    let mounts = mounts(parts, host_paths);
    if !mounts.is_empty() {
        container["volumeMounts"] = json!(mounts);
    }
    container
}

/// The API server refuses `allowPrivilegeEscalation: false` on a privileged container.
fn security(is_privileged: bool) -> Value {
    if is_privileged {
        return json!({ "privileged": true });
    }
    json!({
        "privileged": false,
        "allowPrivilegeEscalation": false,
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

fn resources(settings: &Values) -> Map<String, Value> {
    let amounts = |cpu: &str, memory: &str| -> Map<String, Value> {
        let both = [("cpu", settings.get(cpu)), ("memory", settings.get(memory))];
        let filled = both.into_iter().filter(|(_, amount)| !amount.is_empty());
        filled.map(|(name, amount)| (name.to_owned(), json!(amount))).collect()
    };
    let both = [("requests", amounts("cpu", "memory")), ("limits", amounts("cpu_limit", "memory_limit"))];
    let filled = both.into_iter().filter(|(_, amounts)| !amounts.is_empty());
    filled.map(|(name, amounts)| (name.to_owned(), Value::Object(amounts))).collect()
}

/// Variables that the user entered override those that Strongroom adds.
fn variables(parts: &Parts<'_>) -> Value {
    let node_name = json!({ "fieldRef": { "apiVersion": "v1", "fieldPath": "spec.nodeName" } });
    let mut all = BTreeMap::from([(NODE_NAME.to_owned(), json!({ "name": NODE_NAME, "valueFrom": node_name }))]);
    if !parts.has_files() {
        for key in parts.agent_keys() {
            let name = format!("{}{}", parts.settings.get("secret_prefix"), key.variable);
            let source = json!({ "secretKeyRef": { "name": parts.agent_name(), "key": key.key } });
            all.insert(name.clone(), json!({ "name": name, "valueFrom": source }));
        }
    }
    for (name, value) in entries(parts.settings.get("environment"), lines::variable) {
        all.insert(name.clone(), json!({ "name": name, "value": value }));
    }
    all.into_values().collect()
}

fn has_secret_files(parts: &Parts<'_>) -> bool {
    parts.agent.is_some() && parts.has_files()
}

fn volumes(parts: &Parts<'_>, host_paths: &[HostPath]) -> Vec<Value> {
    let folders = host_paths
        .iter()
        .enumerate()
        .map(|(at, folder)| json!({ "name": format!("host-{at}"), "hostPath": { "path": folder.host, "type": "" } }));
    let source = json!({ "secretName": parts.agent_name(), "defaultMode": READ_ONLY });
    let secret = has_secret_files(parts).then(|| json!({ "name": AGENT_SECRET_VOLUME, "secret": source }));
    folders.chain(secret).collect()
}

fn mounts(parts: &Parts<'_>, host_paths: &[HostPath]) -> Vec<Value> {
    let folders = host_paths.iter().enumerate().map(|(at, folder)| {
        json!({ "name": format!("host-{at}"), "mountPath": folder.mount, "readOnly": !folder.is_writable })
    });
    let path = match parts.settings.get("secret_path") {
        "" => "/etc/agent-secret",
        path => path,
    };
    let secret = json!({ "name": AGENT_SECRET_VOLUME, "mountPath": path, "readOnly": true });
    folders.chain(has_secret_files(parts).then_some(secret)).collect()
}

fn toleration(entry: &Toleration) -> Value {
    let mut made = Map::new();
    let mut set = |name: &str, value: &str| made.insert(name.to_owned(), json!(value));
    set("operator", if entry.value.is_some() { "Equal" } else { "Exists" });
    if !entry.key.is_empty() {
        set("key", &entry.key);
    }
    if let Some(value) = &entry.value {
        set("value", value);
    }
    if !entry.effect.is_empty() {
        set("effect", &entry.effect);
    }
    Value::Object(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::deployments::mark::Mark;

    fn spec(settings: &[(&str, &str)]) -> Value {
        let settings: Values = settings.iter().copied().collect();
        let mark = Mark::default();
        let parts = Parts { settings: &settings, mark: &mark, pull: None, agent: None };
        daemon_set(&parts)["template"]["spec"].clone()
    }

    #[test]
    fn access_to_the_host_is_written_out_where_it_is_off() {
        let pod = spec(&[("daemon_set", "agent"), ("image", "a")]);
        assert_eq!((&pod["hostNetwork"], &pod["hostPID"]), (&json!(false), &json!(false)));
        assert_eq!(pod["containers"][0]["securityContext"]["privileged"], json!(false));
        assert_eq!(pod["automountServiceAccountToken"], json!(false));
        let open = spec(&[("host_pid", "on"), ("privileged", "on"), ("host_network", "on"), ("rules", "nodes")]);
        assert_eq!((&open["hostPID"], &open["dnsPolicy"]), (&json!(true), &json!("ClusterFirstWithHostNet")));
        assert_eq!(open["containers"][0]["securityContext"], json!({ "privileged": true }));
        assert_eq!(open["automountServiceAccountToken"], json!(true));
    }

    #[test]
    fn every_setting_of_the_form_reaches_the_pod() {
        let pod = spec(&[
            ("environment", "A=1\nNODE_NAME=x"),
            ("arguments", "--verbose\n--once"),
            ("node_selector", "disk=ssd"),
            ("tolerations", "a=b:NoSchedule\n*"),
            ("priority_class", "high"),
            ("cpu", "50m"),
            ("memory_limit", "1Gi"),
            ("host_paths", "/var/run\n/data:/data:rw"),
        ]);
        let container = &pod["containers"][0];
        assert_eq!(container["env"], json!([{ "name": "A", "value": "1" }, { "name": "NODE_NAME", "value": "x" }]));
        assert_eq!(container["args"], json!(["--verbose", "--once"]));
        assert_eq!(container["resources"], json!({ "requests": { "cpu": "50m" }, "limits": { "memory": "1Gi" } }));
        assert_eq!(container["volumeMounts"][0]["readOnly"], json!(true));
        assert_eq!(container["volumeMounts"][1]["readOnly"], json!(false));
        assert_eq!((&pod["nodeSelector"]["disk"], &pod["priorityClassName"]), (&json!("ssd"), &json!("high")));
        let equal = json!({ "operator": "Equal", "key": "a", "value": "b", "effect": "NoSchedule" });
        assert_eq!(pod["tolerations"], json!([equal, { "operator": "Exists" }]));
    }
}
