//! The image streams of an OpenShift cluster; pages go by tokens, of one entry each.
//! <https://docs.redhat.com/en/documentation/openshift_container_platform/latest/html/image_apis/index>
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks>

use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::vendor::bearer;

/// In the whole cluster.
pub const TOKEN: &str = "sha256~0123456789abcdefghijklmnopqrstuvwxyz-_01234";
/// In the project `shop` alone.
pub const SHOP_TOKEN: &str = "sha256~SHOP456789abcdefghijklmnopqrstuvwxyz-_01234";
pub const INDEX: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
pub const IMAGE: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";

fn refused(status: u16, reason: &str) -> Said {
    Said::json(
        status,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": UPSTREAM, "reason": reason, "code": status}),
    )
}

pub fn answer(call: &Call) -> Said {
    let token = match bearer(call) {
        Some(token) if [TOKEN, SHOP_TOKEN].contains(&token) => token,
        _ => return refused(401, "Unauthorized"),
    };
    let Some(rest) = call.path().strip_prefix("/apis/image.openshift.io/v1") else { return refused(404, "NotFound") };
    match rest {
        "" => Said::json(200, &json!({"kind": "APIResourceList", "groupVersion": "image.openshift.io/v1"})),
        "/imagestreams" if token == TOKEN => page(call, &[stream("shop", "app"), failed(), stream("tools", "lint")]),
        "/namespaces/shop/imagestreams" => page(call, &[stream("shop", "app"), failed()]),
        "/namespaces/shop/imagestreamtags/app:1.0" | "/namespaces/tools/imagestreamtags/lint:1.0" => image(true),
        "/namespaces/shop/imagestreamtags/app:9.9" | "/namespaces/tools/imagestreamtags/lint:9.9" => image(false),
        _ => refused(403, "Forbidden"),
    }
}

/// One entry a page.
fn page(call: &Call, entries: &[Value]) -> Said {
    assert_eq!(call.query("limit").as_deref(), Some("500"));
    let at: usize = call.query("continue").map_or(0, |token| token.trim_start_matches("gAAAA=").parse().unwrap());
    let mut metadata = json!({"resourceVersion": "1"});
    if at + 1 < entries.len() {
        metadata["continue"] = json!(format!("gAAAA={}", at + 1));
    }
    Said::json(200, &json!({"kind": "ImageStreamList", "metadata": metadata, "items": [entries[at]]}))
}

/// The higher version is the older one.
fn stream(project: &str, name: &str) -> Value {
    let version = |created: &str, digest: &str| {
        json!({"created": created, "image": digest, "generation": 1,
            "dockerImageReference": format!("image-registry.openshift-image-registry.svc:5000/{project}/{name}@{digest}")})
    };
    let (old, new) = (version("2026-01-01T10:00:00Z", IMAGE), version("2026-11-01T10:00:00Z", INDEX));
    // The registry is exposed, and the stream of the tools is older than that.
    let outside = (project == "shop").then(|| format!("images.example.com/{project}/{name}"));
    json!({"metadata": {"name": name, "namespace": project, "uid": "1"}, "spec": {}, "status": {
        "dockerImageRepository": format!("image-registry.openshift-image-registry.svc:5000/{project}/{name}"),
        "publicDockerImageRepository": outside,
        "tags": [{"tag": "9.9", "items": [old]}, {"tag": "1.0", "items": [new, old]}]}})
}

/// An import that never came to an image.
fn failed() -> Value {
    let condition = json!({"type": "ImportSuccess", "status": "False", "reason": "NotFound"});
    json!({"metadata": {"name": "gone", "namespace": "shop"}, "spec": {},
        "status": {"tags": [{"tag": "1", "items": null, "conditions": [condition]}]}})
}

fn image(is_index: bool) -> Said {
    let manifest = json!({"digest": IMAGE, "architecture": "s390x", "os": "linux", "manifestSize": 528});
    let manifests = if is_index { json!([manifest]) } else { Value::Null };
    let image = json!({"metadata": {"name": IMAGE}, "dockerImageMetadata": {"Size": 5000, "Architecture": "amd64"},
        "dockerImageManifests": manifests});
    Said::json(200, &json!({"kind": "ImageStreamTag", "metadata": {}, "image": image}))
}
