//! Microsoft Entra ID's token endpoint and Azure's identity service on a machine.
//! <https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
//! <https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials>
//! <https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use std::collections::HashSet;
use std::sync::Mutex;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::tokens;

pub const TENANT: &str = "d189c61b-6c27-41d3-9749-ca5c9cc4a622";
pub const CLIENT: &str = "bc968c1e-67a3-4ba5-8d05-f807abb54a57";
pub const SECRET: &str = "5ce0f4ec~5291.42f8_8be3-90bb3f42ba14";
const OBJECT: &str = "0a9fbb4e-3c8b-4a0e-9b1e-6f0d2a0c7a11";

/// A directory with one app, which knows one secret and one certificate (DER).
pub fn start(certificate: Option<Vec<u8>>) -> Receiver {
    let seen = Mutex::new(HashSet::new());
    Receiver::start(move |call| token(call, certificate.as_deref(), &seen).unwrap_or_else(|refusal| refusal))
}

fn refused(status: u16, error: &str, code: u32) -> Said {
    let text = format!("AADSTS{code}: {UPSTREAM}");
    Said::json(
        status,
        &json!({"error": error, "error_description": text, "error_codes": [code],
        "timestamp": "2026-11-22 01:00:00Z", "trace_id": OBJECT, "correlation_id": OBJECT}),
    )
}

fn token(call: &Call, certificate: Option<&[u8]>, seen: &Mutex<HashSet<String>>) -> Result<Said, Said> {
    let tenant = call.path().strip_suffix("/oauth2/v2.0/token").and_then(|path| path.strip_prefix('/'));
    let (Some(tenant), "POST") = (tenant, call.method.as_str()) else { return Err(Said::html(404)) };
    let field = |name: &str| call.field(name).unwrap_or_default();
    if tenant != TENANT {
        return Err(refused(400, "invalid_request", 90002));
    }
    let resources = [
        "https://management.azure.com",
        "https://containerregistry.azure.net",
        "https://outlook.office365.com",
        "https://graph.microsoft.com",
        super::key_vault::AUDIENCE,
        super::managed_clusters::AKS,
    ];
    let resource = resources.into_iter().find(|resource| field("scope") == format!("{resource}/.default"));
    let (Some(resource), "client_credentials") = (resource, field("grant_type").as_str()) else {
        return Err(refused(400, "invalid_request", 900_144));
    };
    if field("client_id") != CLIENT {
        return Err(refused(400, "unauthorized_client", 700_016));
    }
    match (call.field("client_secret"), call.field("client_assertion"), certificate) {
        (Some(secret), None, _) if secret == SECRET => {}
        (Some(secret), None, _) if secret == "expired" => return Err(refused(401, "invalid_client", 7_000_222)),
        (Some(_), None, _) => return Err(refused(401, "invalid_client", 7_000_215)),
        (None, Some(assertion), Some(certificate)) => check(call, &assertion, certificate, seen)?,
        _ => return Err(refused(401, "invalid_client", 700_027)),
    }
    let claims = json!({"tid": TENANT, "appid": CLIENT, "oid": OBJECT, "aud": resource});
    Ok(Said::json(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599,
        "access_token": tokens::issued(&claims)}),
    ))
}

fn check(call: &Call, assertion: &str, certificate: &[u8], seen: &Mutex<HashSet<String>>) -> Result<(), Said> {
    let kind = call.field("client_assertion_type");
    let (Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), Some((header, claims))) =
        (kind.as_deref(), tokens::verified(assertion, &tokens::key_of(certificate)))
    else {
        return Err(refused(401, "invalid_client", 700_027));
    };
    let print = |algorithm| json!(URL_SAFE_NO_PAD.encode(digest(algorithm, certificate)));
    if header["x5t"] != print(&SHA1_FOR_LEGACY_USE_ONLY) || header["x5t#S256"] != print(&SHA256) {
        return Err(refused(401, "invalid_client", 700_027));
    }
    let time = |name: &str| claims[name].as_i64().unwrap_or_default();
    if time("nbf") > call.now + 300 || time("exp") < call.now - 300 || time("exp") - time("nbf") > 600 {
        return Err(refused(401, "invalid_client", 700_024));
    }
    let audience = format!("http://{}{}", call.header("host").unwrap(), call.path());
    let once = seen.lock().unwrap().insert(claims["jti"].to_string());
    let good = claims["aud"] == audience && claims["iss"] == CLIENT && claims["sub"] == CLIENT && once;
    if good { Ok(()) } else { Err(refused(401, "invalid_client", 700_021)) }
}

/// A machine with a system-assigned identity and one named [`CLIENT`].
pub fn machine() -> Receiver {
    Receiver::start(|call| {
        let resource = call.query("resource").unwrap_or_default();
        let good = call.method == "GET"
            && call.path() == "/metadata/identity/oauth2/token"
            && call.header("metadata") == Some("true")
            && call.query("api-version").as_deref() == Some("2018-02-01")
            && matches!(resource.as_str(), "https://management.azure.com/" | "https://containerregistry.azure.net/");
        if !good {
            return Said::json(400, &json!({"error": "bad_request_102", "error_description": UPSTREAM}));
        }
        let client = call.query("client_id").unwrap_or_else(|| "system".to_owned());
        if client != "system" && client != CLIENT {
            return Said::json(400, &json!({"error": "invalid_request", "error_description": UPSTREAM}));
        }
        let audience = resource.trim_end_matches('/');
        let claims: Value = json!({"tid": TENANT, "appid": client, "oid": OBJECT, "aud": audience});
        Said::json(
            200,
            &json!({"access_token": tokens::issued(&claims), "expires_in": "86399",
            "resource": resource, "token_type": "Bearer"}),
        )
    })
}
