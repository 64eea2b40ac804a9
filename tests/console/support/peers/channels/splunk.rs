//! Splunk's HTTP Event Collector, with the codes of its documentation.
//! <https://docs.splunk.com/Documentation/Splunk/latest/Data/TroubleshootHTTPEventCollector>
//! <https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector>
//! <https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTinput> (services/collector/health)

use serde_json::{Deserializer, Value, json};

use super::super::receiver::{Call, Receiver, Said};

pub const TOKEN: &str = "B5A79AAD-D822-46CC-80D1-819F80D7BFB0";

pub fn start() -> Receiver {
    Receiver::start(rules)
}

pub fn rules(call: &Call) -> Said {
    let coded = |status, text: &str, code: u32| Said::json(status, &json!({"text": text, "code": code}));
    if (call.method.as_str(), call.path()) == ("GET", "/services/collector/health") {
        return match call.header("authorization") == Some(format!("Splunk {TOKEN}").as_str()) {
            true => coded(200, "HEC is healthy", 17),
            false => coded(400, "Invalid HEC token", 4),
        };
    }
    if (call.method.as_str(), call.path()) != ("POST", "/services/collector/event") {
        return coded(404, "The requested URL was not found on this server.", 404);
    }
    match call.header("authorization") {
        None => return coded(401, "Token is required", 2),
        Some(header) if !header.starts_with("Splunk ") => return coded(401, "Invalid authorization", 3),
        Some(header) if header != format!("Splunk {TOKEN}") => return coded(403, "Invalid token", 4),
        Some(_) => {}
    }
    if call.header("x-splunk-request-channel").is_none_or(|channel| uuid::Uuid::try_parse(channel).is_err()) {
        return coded(400, "Data channel is missing", 10);
    }
    match events(call) {
        None => coded(400, "Invalid data format", 6),
        Some(events) if events.is_empty() => coded(400, "No data", 5),
        Some(events) if events.iter().any(|event| !event["index"].is_null() && event["index"] != "security") => {
            coded(400, "Incorrect index", 7)
        }
        Some(_) => coded(200, "Success", 0),
    }
}

/// The events of a call, one after the other.
pub fn events(call: &Call) -> Option<Vec<Value>> {
    let events: Vec<Value> = Deserializer::from_slice(&call.body).into_iter().collect::<Result<_, _>>().ok()?;
    let known = ["time", "host", "source", "sourcetype", "index", "event"];
    let good = |event: &Value| {
        event["time"].is_i64()
            && event["event"].is_object()
            && event.as_object().is_some_and(|members| members.keys().all(|key| known.contains(&key.as_str())))
    };
    events.iter().all(good).then_some(events)
}
