//! Signatures by which a receiver tells our webhooks from anybody's: Standard Webhooks, symmetric, version 1.
//! <https://www.standardwebhooks.com/>. What is posted, and where, is the integrations' business.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Request;
use reqwest::header::HeaderValue;
use uuid::Uuid;

use super::{ProviderError, clock};

/// Adds `webhook-id`, `webhook-timestamp` (seconds since 1970, of this attempt) and, with a key, `webhook-signature`:
/// `v1,` and the base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`. The id is that of the message, the same at every
/// attempt.
pub fn sign(request: &mut Request, id: Uuid, key: Option<&[u8]>) -> Result<(), ProviderError> {
    let timestamp = clock::now().timestamp().to_string();
    let body = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
    let signature = key.map(|key| signature(key, id, &timestamp, body));
    let named = [
        ("webhook-id", Some(id.to_string())),
        ("webhook-timestamp", Some(timestamp)),
        ("webhook-signature", signature),
    ];
    for (name, value) in named {
        let Some(value) = value else { continue };
        let value = HeaderValue::from_str(&value).map_err(|_| ProviderError::WrongCredential)?;
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

fn signature(key: &[u8], id: Uuid, timestamp: &str, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in [id.to_string().as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        context.update(part);
    }
    format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
}
