//! Google's Artifact Registry and the search for projects. What all of Google's APIs share is in [`super::google`].
//! <https://cloud.google.com/artifact-registry/docs/reference/rest>
//! <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>

use serde_json::{Value, json};

pub use super::google::account;
use super::google::{door, page, refused};
use super::receiver::{Call, Said};

pub const INDEX: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
pub const IMAGE: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";
const UNTAGGED: &str = "sha256:4444444444444444444444444444444444444444444444444444444444444444";

/// The project `shop` has two repositories of images and one of packages; `bare` has switched the API off; `secret` is
/// for others.
pub fn answer(call: &Call) -> Said {
    if let Some(said) = door(call) {
        return said;
    }
    if call.path() == "/v3/projects:search" {
        assert_eq!(call.query("query").as_deref(), Some("state:ACTIVE"));
        let project = |id: &str| json!({"name": "projects/1", "projectId": id, "state": "ACTIVE"});
        return page(call, "projects", &[project("shop"), project("bare")]);
    }
    let Some(rest) = call.path().strip_prefix("/v1/projects/") else { return refused(404, "NOT_FOUND", "NOT_FOUND") };
    match rest.split_once("/locations/").unwrap_or_default() {
        ("bare", _) => refused(403, "PERMISSION_DENIED", "SERVICE_DISABLED"),
        ("shop", "europe-west3/repositories") => {
            let repository = |name: &str, format: &str| {
                json!({"name": format!("projects/shop/locations/europe-west3/repositories/{name}"), "format": format,
                    "mode": "STANDARD_REPOSITORY", "sizeBytes": "12345"})
            };
            let all = [repository("apps", "DOCKER"), repository("wheels", "PYTHON"), repository("tools", "DOCKER")];
            page(call, "repositories", &all)
        }
        ("shop", "europe-west3/repositories/apps/dockerImages") => {
            page(call, "dockerImages", &images("europe-west3-docker.pkg.dev/shop/apps"))
        }
        // Nothing is left out where there is nothing: the member is missing.
        ("shop", "europe-west3/repositories/tools/dockerImages") => Said::json(200, &json!({})),
        ("shop", "us/repositories/gcr.io/dockerImages") => {
            page(call, "dockerImages", &images("us-docker.pkg.dev/shop/gcr.io"))
        }
        _ => refused(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED"),
    }
}

fn images(place: &str) -> Vec<Value> {
    let image = |name: &str, digest: &str, tags: &[&str], day: &str| {
        json!({"name": format!("projects/shop/locations/x/repositories/apps/dockerImages/{name}@{digest}"),
            "uri": format!("{place}/{name}@{digest}"), "tags": tags, "imageSizeBytes": "5000",
            "uploadTime": format!("{day}T10:00:00.123456Z"), "updateTime": format!("{day}T10:00:00.123456Z"),
            "mediaType": "application/vnd.oci.image.manifest.v1+json"})
    };
    let mut index = image("web/front", INDEX, &["1.0", "latest"], "2026-11-05");
    let child = |architecture: &str, variant: &str| json!({"architecture": architecture, "os": "linux", "variant": variant, "digest": IMAGE});
    index["imageManifests"] = json!([child("amd64", ""), child("arm64", "v8")]);
    let mut untagged = image("job", UNTAGGED, &[], "2026-11-09");
    untagged.as_object_mut().unwrap().remove("tags");
    vec![image("web/front", IMAGE, &["9.9"], "2026-01-01"), index, untagged, image("job", IMAGE, &["2"], "2026-11-01")]
}
