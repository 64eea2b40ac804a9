//! Microsoft Graph, as far as it lists applications and service principals: of one entry a page, with the address of the
//! next one; refusals are in Graph's shape.
//! <https://learn.microsoft.com/en-us/graph/api/application-list>,
//! <https://learn.microsoft.com/en-us/graph/errors>

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::tokens;
use super::vendor::{bearer, host, with};

const AUDIENCE: &str = "https://graph.microsoft.com";
/// Begins every secret, and must come out nowhere.
pub const HINT: &str = "hint-canary";

#[derive(Default)]
pub struct World {
    pub applications: Vec<Value>,
    pub principals: Vec<Value>,
    /// Application.Read.All was not granted.
    pub denied: bool,
    /// So many calls are answered by 429.
    pub busy: u32,
    /// What the list of applications says instead.
    pub instead: Option<Said>,
}

pub struct Graph {
    pub receiver: Receiver,
    world: Arc<Mutex<World>>,
}

impl Graph {
    pub fn start() -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let shared = Arc::clone(&world);
        let receiver =
            Receiver::start(move |call| answer(call, &mut shared.lock().unwrap_or_else(PoisonError::into_inner)));
        Self { receiver, world }
    }

    pub fn change(&self, change: impl FnOnce(&mut World)) -> &Self {
        change(&mut self.world.lock().unwrap());
        self
    }

    pub fn application(&self, id: &str, name: &str, secrets: &[Value], certificates: &[Value]) -> &Self {
        self.change(|world| world.applications.push(written(id, name, secrets, certificates)))
    }

    pub fn principal(&self, id: &str, name: &str, secrets: &[Value], certificates: &[Value]) -> &Self {
        self.change(|world| world.principals.push(written(id, name, secrets, certificates)))
    }
}

fn written(id: &str, name: &str, secrets: &[Value], certificates: &[Value]) -> Value {
    json!({"id": "9b9b9b9b-6c27-41d3-9749-ca5c9cc4a622", "appId": id, "displayName": name,
        "servicePrincipalType": "Application", "passwordCredentials": secrets, "keyCredentials": certificates})
}

/// A secret, as passwordCredential describes one.
pub fn secret(id: &str, name: &str, from: &str, to: &str) -> Value {
    json!({"keyId": id, "displayName": name, "startDateTime": from, "endDateTime": to, "hint": HINT,
        "customKeyIdentifier": null, "secretText": null})
}

/// A certificate, as keyCredential describes one.
pub fn certificate(id: &str, name: &str, thumbprint: &str, to: &str) -> Value {
    json!({"keyId": id, "displayName": name, "startDateTime": "2025-01-01T00:00:00Z", "endDateTime": to, "key": null,
        "customKeyIdentifier": thumbprint, "type": "AsymmetricX509Cert", "usage": "Verify"})
}

fn refused(status: u16, code: &str) -> Said {
    let inner = json!({"date": "2026-11-27T00:00:00", "request-id": "x", "client-request-id": "x"});
    Said::json(status, &json!({"error": {"code": code, "message": UPSTREAM, "innerError": inner}}))
}

fn answer(call: &Call, world: &mut World) -> Said {
    if bearer(call).and_then(tokens::claims).is_none_or(|claims| claims["aud"] != AUDIENCE) {
        return refused(401, "InvalidAuthenticationToken");
    }
    if call.method != "GET" {
        return refused(405, "Request_BadRequest");
    }
    if world.busy > 0 {
        world.busy -= 1;
        return refused(429, "TooManyRequests").with("Retry-After", "1");
    }
    if world.denied {
        return refused(403, "Authorization_RequestDenied");
    }
    let chosen = call.query("$select").unwrap_or_default();
    if !chosen.contains("keyCredentials") || chosen.contains("hint") {
        return refused(400, "Request_BadRequest");
    }
    match (call.path(), &world.instead) {
        ("/v1.0/applications", Some(said)) => said.clone(),
        ("/v1.0/applications", None) => page(call, &world.applications),
        ("/v1.0/servicePrincipals", _) => page(call, &world.principals),
        _ => refused(400, "BadRequest"),
    }
}

fn page(call: &Call, entries: &[Value]) -> Said {
    let from: usize =
        call.query("$skiptoken").map_or(0, |token| token.trim_start_matches("m~").parse().expect("a token"));
    let page: Vec<&Value> = entries.iter().skip(from).take(1).collect();
    let mut body = json!({"@odata.context": format!("{AUDIENCE}/v1.0/$metadata#applications"), "value": page});
    if from + 1 < entries.len() {
        body["@odata.nextLink"] =
            json!(format!("{}{}", host(call), with(call, "$skiptoken", format!("m~{}", from + 1))));
    }
    Said::json(200, &body)
}
