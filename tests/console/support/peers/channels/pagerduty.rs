//! PagerDuty's Events API v2, of one service.
//! <https://developer.pagerduty.com/docs/send-alert-event>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::receiver::{Receiver, Said, UPSTREAM};
use super::{fits, is_json, links_home};

pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Incidents by their keys: `triggered` or `resolved`.
pub type Incidents = Arc<Mutex<BTreeMap<String, &'static str>>>;

pub fn start() -> (Receiver, Incidents) {
    let incidents = Incidents::default();
    let kept = Arc::clone(&incidents);
    let receiver = Receiver::start(move |call| {
        let body = call.json();
        if call.target != "/v2/enqueue" {
            return Said::html(404);
        }
        let invalid =
            |error: &str| Said::json(400, &json!({"status": "invalid event", "message": UPSTREAM, "errors": [error]}));
        if !is_json(call, "POST") || body["routing_key"] != KEY {
            return invalid("Length of 'routing_key' is incorrect (should be 32 characters)");
        }
        if !fits(&body["dedup_key"], 1, 255) || call.body.len() > 512 * 1024 {
            return invalid("'dedup_key' is too long");
        }
        let key = body["dedup_key"].as_str().unwrap().to_owned();
        let state = match body["event_action"].as_str() {
            Some("trigger") if is_event(&body) => "triggered",
            Some("resolve") => "resolved",
            _ => return invalid("'payload' is missing or blank"),
        };
        kept.lock().unwrap().insert(key.clone(), state);
        Said::json(202, &json!({"status": "success", "message": UPSTREAM, "dedup_key": key}))
    });
    (receiver, incidents)
}

fn is_event(body: &Value) -> bool {
    let payload = &body["payload"];
    fits(&payload["summary"], 1, 1024)
        && fits(&payload["source"], 1, 255)
        && ["critical", "error", "warning", "info"].iter().any(|severity| payload["severity"] == *severity)
        && payload["timestamp"].as_str().is_some_and(|time| chrono::DateTime::parse_from_rfc3339(time).is_ok())
        && body["links"].as_array().is_some_and(|links| !links.is_empty())
        && links_home(&body["links"], "href")
        && links_home(&body["client_url"], "")
}
