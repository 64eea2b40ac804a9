//! Azure Key Vault: the secrets of one vault, one a page, for tokens of its own audience.
//! <https://learn.microsoft.com/en-us/rest/api/keyvault/secrets/get-secrets/get-secrets>,
//! <https://learn.microsoft.com/en-us/rest/api/keyvault/secrets/get-secret/get-secret>,
//! <https://learn.microsoft.com/en-us/azure/key-vault/general/rest-error-codes>

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::tokens;
use super::vendor::bearer;

pub const AUDIENCE: &str = "https://vault.azure.net";
const HOST: &str = "https://team-vault.vault.azure.net";

#[derive(Default)]
pub struct World {
    /// Name, value and whether it is enabled.
    secrets: Vec<(String, String, bool)>,
    /// The inner code of a 403: of lists, and of values.
    pub lists: Option<&'static str>,
    pub values: Option<&'static str>,
    /// So many calls are answered by 429.
    pub busy: u32,
    /// Where the next page is said to be, instead of on the vault's own host.
    pub leads_to: Option<String>,
}

pub struct KeyVault {
    pub receiver: Receiver,
    world: Arc<Mutex<World>>,
}

impl KeyVault {
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

    pub fn holds(&self, name: &str, value: &str) -> &Self {
        self.change(|world| world.secrets.push((name.to_owned(), value.to_owned(), true)))
    }

    pub fn holds_disabled(&self, name: &str) -> &Self {
        self.change(|world| world.secrets.push((name.to_owned(), "disabled-canary".to_owned(), false)))
    }
}

fn refused(status: u16, code: &str, inner: Option<&str>) -> Said {
    let mut error = json!({"code": code, "message": UPSTREAM});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    Said::json(status, &json!({"error": error}))
}

fn answer(call: &Call, world: &mut World) -> Said {
    if bearer(call).and_then(tokens::claims).is_none_or(|claims| claims["aud"] != AUDIENCE) {
        let challenge = format!("Bearer authorization=\"https://login.windows.net/x\", resource=\"{AUDIENCE}\"");
        return refused(401, "Unauthorized", None).with("WWW-Authenticate", challenge);
    }
    if call.method != "GET" || call.header("accept") != Some("application/json") {
        return refused(400, "BadParameter", None);
    }
    if call.query("api-version").as_deref() != Some("7.4") {
        return refused(400, "BadParameter", None);
    }
    if world.busy > 0 {
        world.busy -= 1;
        return refused(429, "Throttled", None).with("Retry-After", "0");
    }
    let parts: Vec<&str> = call.path().trim_start_matches('/').split('/').collect();
    match parts[..] {
        ["secrets"] => match world.lists {
            Some(inner) => refused(403, "Forbidden", Some(inner)),
            None => list(call, world),
        },
        ["secrets", name] => match world.values {
            Some(inner) => refused(403, "Forbidden", Some(inner)),
            None => value(world, name),
        },
        _ => refused(404, "NotFound", None),
    }
}

fn list(call: &Call, world: &World) -> Said {
    if call.query("$skiptoken").is_none() && call.query("maxresults").as_deref() != Some("25") {
        return refused(400, "BadParameter", None);
    }
    let at: usize = call.query("$skiptoken").map_or(0, |token| token.parse().unwrap());
    let entries: Vec<Value> = world.secrets.get(at).into_iter().map(listed).collect();
    let own = format!("{HOST}:443/secrets?api-version=7.4&$skiptoken={}&maxresults=25", at + 1);
    let next = (at + 1 < world.secrets.len()).then(|| world.leads_to.clone().unwrap_or(own));
    Said::json(200, &json!({"value": entries, "nextLink": next}))
}

fn listed((name, _, enabled): &(String, String, bool)) -> Value {
    json!({"id": format!("{HOST}/secrets/{name}"), "contentType": "text/plain", "tags": {},
        "attributes": {"enabled": enabled, "created": 1_767_225_600, "updated": 1_772_366_400,
            "recoveryLevel": "Recoverable+Purgeable"}})
}

fn value(world: &World, name: &str) -> Said {
    match world.secrets.iter().find(|(known, ..)| known == name) {
        None => refused(404, "SecretNotFound", None),
        Some((_, _, false)) => refused(403, "Forbidden", Some("SecretDisabled")),
        Some((_, value, true)) => Said::json(
            200,
            &json!({"value": value, "id": format!("{HOST}/secrets/{name}/1c7fbd4f5e2d4d8a9d61f2e0c0ffee00"),
                "attributes": {"enabled": true}, "contentType": "text/plain"}),
        ),
    }
}
