//! A receiver of one's own that verifies Standard Webhooks as its standard says.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::is_json;

pub const PATH: &str = "/hooks/c2VjcmV0LXBhdGg";

/// Takes what is signed with the key; without one, what is not signed.
pub fn start(key: Option<Vec<u8>>) -> Receiver {
    Receiver::start(move |call| {
        if call.target != PATH {
            return Said::json(404, &json!({"error": UPSTREAM}));
        }
        if !is_json(call, "POST") {
            return Said::json(400, &json!({"error": UPSTREAM}));
        }
        let good = match &key {
            Some(key) => is_genuine(call, key),
            None => call.header("webhook-signature").is_none() && call.header("webhook-id").is_some(),
        };
        if good { Said::json(204, &json!(null)) } else { Said::json(401, &json!({"error": UPSTREAM})) }
    })
}

fn is_genuine(call: &Call, key: &[u8]) -> bool {
    let (Some(id), Some(sent), Some(signatures)) =
        (call.header("webhook-id"), call.header("webhook-timestamp"), call.header("webhook-signature"))
    else {
        return false;
    };
    let fresh = sent.parse::<i64>().is_ok_and(|sent| (sent - call.now).abs() <= 300);
    let signed = [id.as_bytes(), b".", sent.as_bytes(), b".", &call.body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let good = |one: &str| {
        let signature = one.strip_prefix("v1,").and_then(|text| BASE64_STANDARD.decode(text).ok());
        signature.is_some_and(|signature| hmac::verify(&key, &signed, &signature).is_ok())
    };
    fresh && signatures.split(' ').any(good)
}
