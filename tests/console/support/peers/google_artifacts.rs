//! Google's Artifact Registry and the search for projects; pages go by tokens, of one entry each. The token endpoint
//! is in [`super::clouds`]. <https://cloud.google.com/artifact-registry/docs/reference/rest>
//! <https://cloud.google.com/resource-manager/reference/rest/v3/projects/search>

use std::sync::OnceLock;

use serde_json::{Value, json};
use strongroom::credentials::pem::RsaKey;

use super::clouds;
use super::receiver::{Call, Said, UPSTREAM};
use super::vendor::bearer;

pub const INDEX: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
pub const IMAGE: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";
const UNTAGGED: &str = "sha256:4444444444444444444444444444444444444444444444444444444444444444";

const EMAIL: &str = "scanner@shop.iam.gserviceaccount.com";
const KEY_ID: &str = "abe29475a09fb22e709fdc622306a714e17cd1c0";

/// PEM of the service account's key, the same within a run.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("an RSA key").serialize_pem())
}

/// The key file of the service account, which belongs to the project `shop`.
pub fn account() -> String {
    json!({"type": "service_account", "project_id": "shop", "private_key_id": KEY_ID, "private_key": key(),
        "client_email": EMAIL})
    .to_string()
}

fn refused(status: u16, name: &str, reason: &str) -> Said {
    let details = [json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
        "domain": "googleapis.com"})];
    Said::json(status, &json!({"error": {"code": status, "message": UPSTREAM, "status": name, "details": details}}))
}

/// The project `shop` has two repositories of images and one of packages; `bare` has switched the API off; `secret` is
/// for others.
pub fn answer(call: &Call) -> Said {
    if call.path() == "/token" {
        let public = RsaKey::parse(key()).unwrap().public_der().unwrap();
        return clouds::google_token(call, EMAIL, KEY_ID, &public);
    }
    if call.method != "GET" {
        return refused(405, "UNIMPLEMENTED", "METHOD_NOT_SUPPORTED");
    }
    if bearer(call).is_none_or(|token| !token.starts_with("ya29.")) {
        let said = refused(401, "UNAUTHENTICATED", "ACCESS_TOKEN_INVALID");
        return said.with("Www-Authenticate", "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"");
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

/// One entry a page.
fn page(call: &Call, name: &str, entries: &[Value]) -> Said {
    let size: u32 = call.query("pageSize").and_then(|size| size.parse().ok()).unwrap_or(100);
    assert!(size <= 1000);
    let at: usize = call.query("pageToken").map_or(0, |token| token.trim_start_matches("t+/=").parse().unwrap());
    let mut body = json!({name: [entries[at]]});
    if at + 1 < entries.len() {
        body["nextPageToken"] = json!(format!("t+/={}", at + 1));
    }
    Said::json(200, &body)
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
