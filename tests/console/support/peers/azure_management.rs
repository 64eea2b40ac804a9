//! The Azure Resource Manager: subscriptions and lists of resources in them. Pages have few entries, and name the
//! address of the next one; refusals are in Azure's shape.
//! <https://learn.microsoft.com/en-us/rest/api/resources/subscriptions/list>,
//! <https://learn.microsoft.com/en-us/rest/api/appservice/web-apps/list>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::entra::TENANT;
use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::vendor::{bearer, host, with};
use super::{entra, tokens};

pub const AUDIENCE: &str = "https://management.azure.com";
/// The value of a setting of every app. It must come out nowhere.
pub const SETTING: &str = "app-setting-canary";

/// What a list says instead of itself.
#[derive(Clone)]
pub enum Says {
    Denied,
    /// The subscription is of another tenant.
    OtherTenant,
    /// The subscription never used that part of Azure.
    Unregistered,
    /// So many calls are answered by 429.
    Busy(u32),
    /// This answer, whatever is asked.
    Raw(Said),
}

#[derive(Default)]
struct World {
    /// By their paths in small letters.
    lists: BTreeMap<String, Vec<Value>>,
    /// Single things by their paths in small letters.
    things: BTreeMap<String, Value>,
    /// By the beginning of their paths in small letters, the longest first.
    says: BTreeMap<String, Says>,
}

pub struct Management {
    pub receiver: Receiver,
    world: Arc<Mutex<World>>,
}

impl Management {
    /// Entries on a page.
    pub const PAGE: usize = 2;

    pub fn start() -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let shared = Arc::clone(&world);
        let receiver =
            Receiver::start(move |call| answer(call, &mut shared.lock().unwrap_or_else(PoisonError::into_inner)));
        Self { receiver, world }
    }

    fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.lock().unwrap())
    }

    /// Adds a subscription that the credential sees, without anything in it.
    pub fn subscription(&self, id: &str, name: &str) -> &Self {
        let written = json!({"id": format!("/subscriptions/{id}"), "subscriptionId": id, "displayName": name,
            "tenantId": TENANT, "state": "Enabled", "authorizationSource": "RoleBased"});
        self.holds("/subscriptions", &written);
        for kind in [
            "Microsoft.Web/sites",
            "Microsoft.ContainerRegistry/registries",
            "Microsoft.ContainerService/managedClusters",
        ] {
            self.list(&format!("/subscriptions/{id}/providers/{kind}"));
        }
        self
    }

    /// A list without entries, unless some are added.
    pub fn list(&self, path: &str) {
        self.change(|world| world.lists.entry(path.to_ascii_lowercase()).or_default().len());
    }

    pub fn holds(&self, path: &str, entry: &Value) -> &Self {
        self.change(|world| world.lists.entry(path.to_ascii_lowercase()).or_default().push(entry.clone()));
        self
    }

    /// Adds a function app, with what differs from [`site`].
    pub fn app(&self, subscription: &str, name: &str, changes: &Value) -> &Self {
        let id = site_id(subscription, name);
        self.list(&format!("{id}/slots"));
        self.holds(&format!("/subscriptions/{subscription}/providers/Microsoft.Web/sites"), &site(&id, name, changes))
    }

    /// Adds a slot of an app.
    pub fn slot(&self, subscription: &str, app: &str, name: &str, changes: &Value) -> &Self {
        let id = site_id(subscription, app);
        let slot = site(&format!("{id}/slots/{name}"), &format!("{app}/{name}"), changes);
        self.holds(&format!("{id}/slots"), &slot)
    }

    /// Adds a cluster, with what differs from the properties that it has.
    pub fn cluster(&self, subscription: &str, group: &str, name: &str, changes: &Value) -> &Self {
        let id = cluster_id(subscription, group, name);
        let mut properties = json!({"fqdn": format!("{name}-1.hcp.westeurope.azmk8s.io"), "kubernetesVersion": "1.33",
            "currentKubernetesVersion": "1.33.2", "powerState": {"code": "Running"}, "disableLocalAccounts": false});
        properties.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
        let made = json!({"id": id, "name": name, "location": "westeurope", "properties": properties});
        self.change(|world| world.things.insert(id.to_ascii_lowercase(), made.clone()));
        self.holds(
            &format!("/subscriptions/{subscription}/providers/Microsoft.ContainerService/managedClusters"),
            &made,
        )
    }

    /// Hands out that kubeconfig for a cluster.
    pub fn hands_out(&self, subscription: &str, group: &str, name: &str, kubeconfig: &str) -> &Self {
        let path = format!("{}/listClusterUserCredential", cluster_id(subscription, group, name));
        let value = BASE64_STANDARD.encode(kubeconfig);
        let credential = json!({"kubeconfigs": [{"name": "clusterUser", "value": value}]});
        self.change(|world| world.things.insert(path.to_ascii_lowercase(), credential));
        self
    }

    /// Empties a list.
    pub fn clear(&self, path: &str) {
        self.change(|world| world.lists.insert(path.to_ascii_lowercase(), Vec::new()));
    }

    /// From now on what is at a path and below it says this.
    pub fn says(&self, path: &str, says: Says) -> &Self {
        self.change(|world| world.says.insert(path.to_ascii_lowercase(), says));
        self
    }

    pub fn asked(&self, path: &str) -> Vec<Call> {
        self.receiver.calls().into_iter().filter(|call| call.path().eq_ignore_ascii_case(path)).collect()
    }
}

/// A token as Microsoft Entra ID gives it, for a client that does not ask for one.
pub fn token() -> String {
    tokens::issued(&json!({"tid": TENANT, "appid": entra::CLIENT, "aud": AUDIENCE}))
}

fn cluster_id(subscription: &str, group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}"
    )
}

fn site_id(subscription: &str, name: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/shop/providers/Microsoft.Web/sites/{name}")
}

/// As Web Apps - List describes one.
fn site(id: &str, name: &str, changes: &Value) -> Value {
    let mut site = json!({
        "id": id,
        "name": name,
        "type": if id.contains("/slots/") { "Microsoft.Web/sites/slots" } else { "Microsoft.Web/sites" },
        "kind": "functionapp,linux",
        "location": "West Europe",
        "tags": {"hidden-link: /app-insights-conn-string": SETTING},
        "identity": {"type": "SystemAssigned", "tenantId": TENANT, "principalId": entra::CLIENT},
        "properties": {
            "name": name,
            "state": "Running",
            "enabled": true,
            "reserved": true,
            "defaultHostName": format!("{name}.azurewebsites.net"),
            "lastModifiedTimeUtc": "2026-03-01T12:00:00.1233333",
            "siteConfig": {"linuxFxVersion": "Node|24", "appSettings": [{"name": "KEY", "value": SETTING}]},
            "siteProperties": {"metadata": null, "properties": [{"name": "LinuxFxVersion", "value": "Node|24"}],
                "appSettings": null},
            "functionAppConfig": null,
        },
    });
    for (member, value) in changes.as_object().expect("an object") {
        match member.as_str() {
            "kind" | "location" | "identity" | "id" | "properties" => site[member] = value.clone(),
            _ => site["properties"][member] = value.clone(),
        }
    }
    site
}

fn refused(status: u16, code: &str) -> Said {
    let body = json!({"error": {"code": code, "message": UPSTREAM, "details": [{"code": code, "message": UPSTREAM}]}});
    Said::json(status, &body).with("x-ms-failure-cause", "gateway")
}

fn answer(call: &Call, world: &mut World) -> Said {
    if bearer(call).and_then(tokens::claims).is_none_or(|claims| claims["aud"] != AUDIENCE) {
        let asked = format!("Bearer authorization_uri=\"https://login.windows.net/{TENANT}\", error=\"invalid_token\"");
        return refused(401, "InvalidAuthenticationToken").with("WWW-Authenticate", asked);
    }
    let path = call.path().to_ascii_lowercase();
    let hands_out = path.ends_with("/listclusterusercredential");
    if call.method != if hands_out { "POST" } else { "GET" } {
        return refused(405, "MethodNotAllowed");
    }
    if hands_out && (call.header("content-length") != Some("0") || call.query("format").as_deref() != Some("exec")) {
        return refused(411, "LengthRequired");
    }
    let version = call.query("api-version").unwrap_or_default();
    if version.len() != 10 || !version.chars().all(|c| c.is_ascii_digit() || c == '-') {
        return refused(400, "MissingApiVersionParameter");
    }
    if let Some((at, says)) = world.says.iter().rev().find(|(at, _)| path.starts_with(at.as_str())) {
        let (at, says) = (at.clone(), says.clone());
        match says {
            Says::Denied => return refused(403, "AuthorizationFailed"),
            Says::OtherTenant => return refused(401, "InvalidAuthenticationTokenTenant"),
            Says::Unregistered => return refused(409, "MissingSubscriptionRegistration"),
            Says::Busy(0) => drop(world.says.remove(&at)),
            Says::Busy(left) => {
                world.says.insert(at, Says::Busy(left - 1));
                let left = "x-ms-ratelimit-remaining-subscription-reads";
                return refused(429, "SubscriptionRequestsThrottled").with("Retry-After", "1").with(left, "0");
            }
            Says::Raw(said) => return said,
        }
    }
    if let Some(thing) = world.things.get(&path) {
        return Said::json(200, thing);
    }
    match world.lists.get(&path) {
        Some(entries) => page(call, entries),
        None if path.contains("/resourcegroups/") => refused(404, "ResourceNotFound"),
        None => refused(404, "SubscriptionNotFound"),
    }
}

/// A token of the letters that have to be encoded.
fn page(call: &Call, entries: &[Value]) -> Said {
    let from: usize = call.query("$skiptoken").map_or(0, |token| {
        token.strip_prefix("m+/ =").and_then(|at| at.parse().ok()).expect("a token comes back as it was given")
    });
    let until = (from + Management::PAGE).min(entries.len());
    let mut body = json!({"value": entries[from..until], "count": {"type": "Total", "value": until - from}});
    if until < entries.len() {
        let target = with(call, "%24skiptoken", format!("m%2B%2F%20%3D{until}"));
        body["nextLink"] = json!(format!("{}{target}", host(call)));
    }
    Said::json(200, &body).with("x-ms-ratelimit-remaining-subscription-reads", "11999")
}
