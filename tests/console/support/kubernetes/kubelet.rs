//! Stands in for the scheduler and the kubelets for a DaemonSet's pods: binds each pod to the node that its affinity
//! names, reports it as running, and completes its deletion. Nothing actually runs. The image's tag decides the fate of
//! its pods: `:broken` is never pulled, `:crash` keeps exiting, `:slow` is never reported, any other becomes ready.
//! An image below `private.example.com/` needs a pull secret for that host.
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ADMINISTRATOR, Caller, Plane};

const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json";

pub(super) fn start(plane: &Plane) {
    let (authority, server) = (plane.authority.pem.clone(), plane.server.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let caller = Caller::new(&authority, &server, ADMINISTRATOR);
            loop {
                // A watch ends now and then. Listing again starts a new one.
                let _ = follow(&caller).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    });
}

async fn follow(caller: &Caller) -> Option<()> {
    let list = caller.get("/api/v1/pods").await?;
    for pod in list["items"].as_array()? {
        attend(caller, pod).await;
    }
    let since = list["metadata"]["resourceVersion"].as_str()?;
    let mut stream = caller.stream(&format!("/api/v1/pods?watch=1&resourceVersion={since}")).await.ok()?;
    let mut rest = Vec::new();
    while let Some(chunk) = stream.chunk().await.ok()? {
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let event: Value = serde_json::from_slice(&line).ok()?;
            match event["type"].as_str()? {
                "ADDED" | "MODIFIED" => attend(caller, &event["object"]).await,
                "ERROR" => return None,
                _ => {}
            }
        }
    }
    Some(())
}

/// Takes the next step of one pod. If the pod has changed meanwhile, its next event brings another attempt.
async fn attend(caller: &Caller, pod: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (namespace, name) = (text(&pod["metadata"]["namespace"]), text(&pod["metadata"]["name"]));
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    if pod["metadata"]["deletionTimestamp"].is_string() {
        let now = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}});
        caller.send(Method::DELETE, &path, Some((JSON, &now))).await;
    } else if pod["spec"]["nodeName"].is_null() {
        let terms = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
        let Some(node) = pod.pointer(&format!("{terms}/0/matchFields/0/values/0")) else { return };
        let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node}});
        caller.send(Method::POST, &format!("{path}/binding"), Some((JSON, &binding))).await;
    } else if pod["status"]["containerStatuses"].is_null() {
        let status = report(caller, pod, &namespace).await;
        if let Some(status) = status {
            caller.send(Method::PATCH, &format!("{path}/status"), Some((MERGE, &json!({"status": status})))).await;
        }
    }
}

async fn report(caller: &Caller, pod: &Value, namespace: &str) -> Option<Value> {
    let mut worst = None;
    let mut containers = Vec::new();
    for container in pod["spec"]["containers"].as_array()? {
        let image = container["image"].as_str()?;
        let trouble = match image.rsplit(':').next()? {
            "slow" => return None,
            "broken" => Some(("ImagePullBackOff", format!("Back-off pulling image \"{image}\""))),
            "crash" => Some(("CrashLoopBackOff", "back-off 5m0s restarting failed container".to_owned())),
            _ if image.starts_with("private.example.com/") && !may_pull(caller, pod, namespace).await => {
                Some(("ErrImagePull", format!("failed to pull {image}: 401 Unauthorized")))
            }
            _ => None,
        };
        let state = match &trouble {
            Some((reason, message)) => json!({"waiting": {"reason": reason, "message": message}}),
            None => json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}),
        };
        containers.push(json!({"name": container["name"], "image": image, "imageID": "", "ready": trouble.is_none(),
            "restartCount": if image.ends_with(":crash") { 7 } else { 0 }, "started": trouble.is_none(),
            "state": state}));
        worst = worst.or(trouble);
    }
    let ready = if worst.is_none() { "True" } else { "False" };
    let phase = if worst.is_none() { "Running" } else { "Pending" };
    let condition = |kind: &str, status: &str| {
        json!({"type": kind, "status": status,
        "lastTransitionTime": "2026-01-01T00:00:00Z"})
    };
    Some(json!({"phase": phase, "containerStatuses": containers, "startTime": "2026-01-01T00:00:00Z", "conditions":
        [condition("PodScheduled", "True"), condition("ContainersReady", ready), condition("Ready", ready)]}))
}

/// Whether one of the pod's pull secrets is for that host.
async fn may_pull(caller: &Caller, pod: &Value, namespace: &str) -> bool {
    for named in pod["spec"]["imagePullSecrets"].as_array().unwrap_or(&Vec::new()) {
        let name = named["name"].as_str().unwrap_or_default();
        let secret = caller.get(&format!("/api/v1/namespaces/{namespace}/secrets/{name}")).await.unwrap_or_default();
        let config = secret["data"][".dockerconfigjson"].as_str().unwrap_or_default();
        let config = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, config).unwrap_or_default();
        let config: Value = serde_json::from_slice(&config).unwrap_or_default();
        if config["auths"]["private.example.com"].is_object() {
            return true;
        }
    }
    false
}
