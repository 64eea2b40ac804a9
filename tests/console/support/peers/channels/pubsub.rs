//! Google Pub/Sub: one topic, and a token as [`clouds::google`] gives it.
//! <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish>
//! <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/testIamPermissions>
//! <https://cloud.google.com/pubsub/docs/reference/error-codes>
//!
//! [`clouds::google`]: super::super::clouds::google

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::is_json;

pub const TOPIC: &str = "projects/mycompany-project/topics/strongroom";

pub fn start() -> Receiver {
    Receiver::start(|call| {
        let refused = |code: u16, status: &str| {
            Said::json(code, &json!({"error": {"code": code, "message": UPSTREAM, "status": status}}))
        };
        if call.header("authorization").is_none_or(|header| !header.starts_with("Bearer ya29.")) {
            return refused(401, "UNAUTHENTICATED");
        }
        if let Some(topic) = call.target.strip_prefix("/v1/").and_then(|rest| rest.strip_suffix(":testIamPermissions"))
        {
            let asked = call.json()["permissions"].clone();
            return match topic == TOPIC {
                true => Said::json(200, &json!({"permissions": asked})),
                // Nothing is allowed on what is not shown either.
                false => Said::json(200, &json!({})),
            };
        }
        let Some(topic) = call.target.strip_prefix("/v1/").and_then(|rest| rest.strip_suffix(":publish")) else {
            return Said::html(404);
        };
        if topic == "projects/elsewhere/topics/strongroom" {
            return refused(403, "PERMISSION_DENIED");
        }
        if topic != TOPIC {
            return refused(404, "NOT_FOUND");
        }
        if !is_json(call, "POST") {
            return refused(400, "INVALID_ARGUMENT");
        }
        match messages(call) {
            Some(messages) if (1..=1000).contains(&messages.len()) => {
                let ids: Vec<_> = (0..messages.len()).map(|number| format!("1958{number}")).collect();
                Said::json(200, &json!({"messageIds": ids}))
            }
            _ => refused(400, "INVALID_ARGUMENT"),
        }
    })
}

/// Data and attributes of each message.
pub fn messages(call: &Call) -> Option<Vec<(Value, Value)>> {
    let messages = call.json()["messages"].as_array()?.clone();
    let read = |message: &Value| {
        let data = BASE64_STANDARD.decode(message["data"].as_str()?).ok()?;
        let attributes = message["attributes"].as_object()?;
        let fit = attributes
            .iter()
            .all(|(key, value)| key.len() <= 256 && value.as_str().is_some_and(|value| value.len() <= 1024));
        fit.then_some((serde_json::from_slice(&data).ok()?, message["attributes"].clone()))
    };
    messages.iter().map(read).collect()
}
