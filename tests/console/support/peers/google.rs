//! What Google's APIs share: a service account and its token endpoint, bearer tokens, lists that page by tokens with one
//! entry each, and refusals with their reasons. <https://cloud.google.com/apis/design/errors>
//! <https://google.aip.dev/158>, <https://google.aip.dev/193>

use std::sync::OnceLock;

use serde_json::{Value, json};
use strongroom::credentials::pem::RsaKey;

use super::clouds;
use super::receiver::{Call, Said, UPSTREAM};
use super::vendor::bearer;

/// The service account, of the project `shop`.
pub const EMAIL: &str = "scanner@shop.iam.gserviceaccount.com";
pub const KEY_ID: &str = "abe29475a09fb22e709fdc622306a714e17cd1c0";

/// PEM of the service account's key, the same within a run.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("an RSA key").serialize_pem())
}

/// The key file of the service account.
pub fn account() -> String {
    json!({"type": "service_account", "project_id": "shop", "private_key_id": KEY_ID, "private_key": key(),
        "client_email": EMAIL})
    .to_string()
}

/// What is said before any API is reached: tokens, and refusals of calls without one.
pub fn door(call: &Call) -> Option<Said> {
    if call.path() == "/token" {
        let public = RsaKey::parse(key()).unwrap().public_der().unwrap();
        return Some(clouds::google_token(call, EMAIL, KEY_ID, &public));
    }
    if call.method != "GET" {
        return Some(refused(405, "UNIMPLEMENTED", "METHOD_NOT_SUPPORTED"));
    }
    if bearer(call).is_none_or(|token| !token.starts_with("ya29.")) {
        let said = refused(401, "UNAUTHENTICATED", "ACCESS_TOKEN_INVALID");
        let asked = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
        return Some(said.with("Www-Authenticate", asked));
    }
    None
}

pub fn refused(status: u16, name: &str, reason: &str) -> Said {
    explained(status, name, reason, &json!({}))
}

/// A refusal with what Google adds to its reason.
pub fn explained(status: u16, name: &str, reason: &str, metadata: &Value) -> Said {
    let details = json!([
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": UPSTREAM, "url": UPSTREAM}]},
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com",
            "metadata": metadata},
        {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": UPSTREAM}
    ]);
    Said::json(status, &json!({"error": {"code": status, "message": UPSTREAM, "status": name, "details": details}}))
}

/// The API is switched off in the project that the call counts for.
pub fn switched_off(consumer: &str) -> Said {
    let metadata = json!({"service": "x.googleapis.com", "consumer": consumer, "containerInfo": consumer});
    explained(403, "PERMISSION_DENIED", "SERVICE_DISABLED", &metadata)
}

pub fn denied(permission: &str) -> Said {
    let metadata = json!({"permission": permission, "resource": UPSTREAM});
    explained(403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", &metadata)
}

/// One entry a page. Nothing is left out where there is nothing: the member is missing.
pub fn page(call: &Call, name: &str, entries: &[Value]) -> Said {
    let size: u32 = call.query("pageSize").and_then(|size| size.parse().ok()).unwrap_or(100);
    assert!(size <= 1000);
    let at: usize = call.query("pageToken").map_or(0, |token| token.trim_start_matches("t+/=").parse().unwrap());
    let Some(entry) = entries.get(at) else { return Said::json(200, &json!({})) };
    let mut body = json!({name: [entry]});
    if at + 1 < entries.len() {
        body["nextPageToken"] = json!(format!("t+/={}", at + 1));
    }
    Said::json(200, &body)
}

/// The same, with a further member on the last page.
pub fn page_with(call: &Call, name: &str, entries: &[Value], further: &Value) -> Said {
    let mut said = page(call, name, entries);
    if let Said::Answer { body, .. } = &mut said {
        let mut page: Value = serde_json::from_slice(body).expect("our own page");
        if page.get("nextPageToken").is_none() {
            page.as_object_mut().expect("an object").extend(further.as_object().expect("an object").clone());
            *body = page.to_string().into_bytes();
        }
    }
    said
}
