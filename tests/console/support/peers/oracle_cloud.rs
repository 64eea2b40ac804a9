//! A tenancy of Oracle Cloud with two regions: its compartments, functions and clusters beside the registry in
//! [`super::oracle_registry`]. Requests are signed; what the user may not see does not exist.
//! <https://docs.oracle.com/en-us/iaas/api/>

use serde_json::{Value, json};

use super::clouds;
use super::oracle_registry::{self, COMPARTMENT, TENANCY, USER, fingerprint, key, public};
use super::receiver::{Call, Said, UPSTREAM};

/// One whose functions and clusters the user may not see.
pub const HALF: &str = "ocid1.compartment.oc1..aaaaaaaahalf";

pub fn answer(call: &Call) -> Said {
    let parts: Vec<&str> = call.path().trim_start_matches('/').splitn(3, '/').collect();
    match parts[..] {
        ["20160918", "tenancies", _] | ["20160918", "compartments"] | ["20181201" | "20180222", ..] => {
            let id = format!("{TENANCY}/{USER}/{}", fingerprint(key()));
            if !clouds::is_signed(call, &id, &public(key())) {
                return refused(401, "NotAuthenticated");
            }
            own(call, &parts)
        }
        _ => oracle_registry::answer(call),
    }
}

fn refused(status: u16, code: &str) -> Said {
    Said::json(status, &json!({"code": code, "message": UPSTREAM})).with("opc-request-id", "A1/B2/C3")
}

fn own(call: &Call, parts: &[&str]) -> Said {
    let compartment = call.query("compartmentId").unwrap_or_default();
    let known = [TENANCY, COMPARTMENT].contains(&compartment.as_str());
    match parts {
        ["20160918", "compartments"] if call.query("compartmentIdInSubtree").as_deref() == Some("true") => page(
            call,
            &[
                json!({"id": COMPARTMENT, "name": "shop", "compartmentId": TENANCY, "lifecycleState": "ACTIVE"}),
                json!({"id": HALF, "name": "half", "compartmentId": TENANCY, "lifecycleState": "ACTIVE"}),
            ],
        ),
        ["20160918", "tenancies", path] if *path == TENANCY => {
            Said::json(200, &json!({"id": TENANCY, "name": "acme", "homeRegionKey": "FRA"}))
        }
        ["20160918", "tenancies", path] if *path == format!("{TENANCY}/regionSubscriptions") => {
            let region = |name: &str, status: &str| json!({"regionKey": "X", "regionName": name, "status": status, "isHomeRegion": name == "eu-frankfurt-1"});
            Said::json(
                200,
                &json!([
                    region("us-ashburn-1", "READY"),
                    region("eu-frankfurt-1", "READY"),
                    region("me-jeddah-1", "IN_PROGRESS")
                ]),
            )
        }
        ["20181201", "applications"] if known => {
            let id = format!("ocid1.fnapp.oc1.eu-frankfurt-1.{}", if compartment == TENANCY { "none" } else { "shop" });
            page(call, &[json!({"id": id, "displayName": "shop", "compartmentId": compartment})])
        }
        ["20181201", "functions"] => {
            let function = |name: &str| json!({"id": format!("ocid1.fnfunc.oc1..{name}"), "displayName": name});
            let shop = call.query("applicationId").is_some_and(|id| id.ends_with(".shop"));
            page(call, &if shop { vec![function("pay"), function("mail")] } else { Vec::new() })
        }
        ["20180222", "clusters"] if compartment == TENANCY => page(call, &[]),
        ["20180222", "clusters"] if known => page(call, &[cluster("prod", "ACTIVE"), cluster("gone", "DELETED")]),
        _ => refused(404, "NotAuthorizedOrNotFound"),
    }
}

/// One entry a page, and no list around it.
fn page(call: &Call, entries: &[Value]) -> Said {
    let at: usize = call.query("page").map_or(0, |token| token.trim_start_matches("p+/=").parse().unwrap());
    let said = Said::json(200, &json!(entries.get(at).into_iter().collect::<Vec<_>>()));
    if at + 1 < entries.len() { said.with("opc-next-page", format!("p+/={}", at + 1)) } else { said }
}

fn cluster(name: &str, state: &str) -> Value {
    json!({"id": format!("ocid1.cluster.oc1.eu-frankfurt-1.{name}"), "name": name, "compartmentId": COMPARTMENT,
        "kubernetesVersion": "v1.33.1", "lifecycleState": state, "type": "ENHANCED_CLUSTER",
        "endpoints": {"kubernetes": null, "publicEndpoint": "203.0.113.7:6443", "privateEndpoint": "10.0.0.7:6443"},
        "metadata": {"timeCreated": "2026-03-01T10:00:00+00:00"}})
}
