//! ServiceNow's Table API: incidents and security incidents of one instance.
//! <https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html>

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::{fits, hex_id, is_json};

pub const USER: &str = "strongroom";
pub const PASSWORD: &str = "hunter2-but-longer";
/// An entry of the application registry, for the client credentials grant.
pub const CLIENT: &str = "7ae0e1b2c3d44f5e9a8b7c6d5e4f3a2b";
pub const CLIENT_SECRET: &str = "not-a-real-client-secret";
pub const TABLES: [&str; 2] = ["incident", "sn_si_incident"];

/// Records with their table, as written; and the work notes of each.
pub type Records = Arc<Mutex<Vec<Map<String, Value>>>>;

pub fn start() -> (Receiver, Records) {
    let records = Records::default();
    let kept = Arc::clone(&records);
    (Receiver::start(move |call| answer(call, &mut kept.lock().unwrap())), records)
}

fn refused(status: u16, message: &str) -> Said {
    Said::json(status, &json!({"error": {"message": message, "detail": UPSTREAM}, "status": "failure"}))
}

fn answer(call: &Call, records: &mut Vec<Map<String, Value>>) -> Said {
    if call.path() == "/oauth_token.do" {
        let field = |name: &str| call.field(name).unwrap_or_default();
        let known = field("client_id") == CLIENT && field("client_secret") == CLIENT_SECRET;
        return match (call.method.as_str(), field("grant_type").as_str()) {
            ("POST", "client_credentials") if known => Said::json(
                200,
                &json!({"access_token": "a-token-of-theirs", "scope": "useraccount", "token_type": "Bearer",
                "expires_in": 1799}),
            ),
            ("POST", "client_credentials") => {
                Said::json(401, &json!({"error_description": UPSTREAM, "error": "server_error"}))
            }
            _ => Said::json(400, &json!({"error": "unsupported_grant_type"})),
        };
    }
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}")));
    if ![Some(&*expected), Some("Bearer a-token-of-theirs")].contains(&call.header("authorization")) {
        return refused(401, "User Not Authenticated");
    }
    let mut parts = call.path().trim_start_matches("/api/now/table/").split('/');
    let (table, id) = (parts.next().unwrap_or_default().to_owned(), parts.next());
    if !call.path().starts_with("/api/now/table/") || !TABLES.contains(&table.as_str()) {
        return refused(400, "Invalid table");
    }
    if call.header("accept") != Some("application/json") {
        return refused(406, "Not acceptable");
    }
    match (call.method.as_str(), id) {
        ("GET", None) => {
            if call.query("sysparm_query").is_none() && call.query("sysparm_limit").as_deref() == Some("1") {
                return Said::json(200, &json!({"result": []}));
            }
            let query = call.query("sysparm_query").unwrap_or_default();
            let Some(key) = query.strip_prefix("correlation_id=").filter(|key| !key.contains('^')) else {
                return refused(400, "Unexpected query");
            };
            let found = records.iter().filter(|record| record["table"] == table && record["correlation_id"] == key);
            Said::json(200, &json!({"result": found.take(1).map(shown).collect::<Vec<_>>()}))
        }
        ("GET", Some(id)) => match records.iter().find(|record| record["sys_id"] == id) {
            Some(record) => Said::json(200, &json!({"result": shown(record)})),
            None => refused(404, "No Record found"),
        },
        ("POST", None) => {
            let body = call.json();
            let good = is_json(call, "POST")
                && fits(&body["short_description"], 1, 160)
                && fits(&body["description"], 1, 4000)
                && ["1", "2", "3"].iter().any(|urgency| body["urgency"] == *urgency)
                && fits(&body["correlation_id"], 1, 100);
            if !good {
                return refused(400, "Bad request");
            }
            let mut record = body.as_object().unwrap().clone();
            record.insert("table".into(), json!(table));
            record.insert("state".into(), json!(if table == "incident" { "1" } else { "10" }));
            record.insert("sys_id".into(), json!(hex_id(records.len() + 1)));
            record.insert("notes".into(), json!([]));
            records.push(record);
            Said::json(201, &json!({"result": shown(records.last().unwrap())}))
        }
        ("PATCH", Some(id)) if is_json(call, "PATCH") => {
            let Some(record) = records.iter_mut().find(|record| record["sys_id"] == id) else {
                return refused(404, "No Record found");
            };
            let body = call.json();
            // A data policy of every instance.
            let ends = ["6", "3", "7"].iter().any(|state| body["state"] == *state);
            if ends && (body["close_code"] != "Solution provided" || !fits(&body["close_notes"], 1, 4000)) {
                return refused(403, "Operation Failed");
            }
            for (field, value) in body.as_object().unwrap() {
                if field == "work_notes" {
                    record["notes"].as_array_mut().unwrap().push(value.clone());
                } else {
                    record.insert(field.clone(), value.clone());
                }
            }
            Said::json(200, &json!({"result": shown(record)}))
        }
        _ => refused(405, "Method not supported"),
    }
}

fn shown(record: &Map<String, Value>) -> Value {
    json!({"sys_id": record["sys_id"], "state": record["state"]})
}
