//! An incoming webhook: whoever has the address can post, so the whole address is the secret and only its host is
//! shown. A receiver of one's own may check a signature besides, made with a second secret.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Facts, Guide, Kind, checks};
use crate::form::{Errors, Field, Values};

/// What a consumer gets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// An https address. Log only its host.
    pub url: SecretString,
    signing_secret: Option<SecretString>,
}

impl Payload {
    /// The key that messages are signed with; `None` when they are not to be.
    pub fn signing_key(&self) -> Option<Zeroizing<Vec<u8>>> {
        self.signing_secret.as_ref().and_then(|secret| signing_key(secret.expose_secret()).ok())
    }
}

pub static KIND: Kind = Kind {
    slug: "webhook",
    label: "Webhook URL",
    summary: "An address to post to, which is itself the secret: Slack, Microsoft Teams, any receiver of webhooks.",
    fields: &[
        Field::secret("url", "URL")
            .max(4096)
            .help("Starts with https://. The address is stored as a secret: afterwards only its host is shown.")
            .check(|value| checks::https_url(value.trim()).map(String::from)),
        Field::secret("signing_secret", "Signing secret")
            .optional()
            .max(512)
            .help(
                "Lets your own receiver check that a message came from here: at least 24 characters, or whsec_ and \
                 base64 of 24 bytes or more. Slack and Microsoft Teams don't use one. Without it, messages aren't signed.",
            )
            .check(|value| {
                let value = value.trim();
                signing_key(value).map(|_| value.to_owned())
            }),
    ],
    examine,
    parses: |values| super::payload::<Payload>(values).is_some(),
    ages: |_| false,
    guide: Guide {
        steps: &[
            "Slack: at api.slack.com/apps create an app, switch on Incoming Webhooks, choose Add New Webhook to \
             Workspace and a channel, and copy the Webhook URL.",
            "Microsoft Teams: in the channel's Workflows add \"Post to a channel when a webhook request is received\" \
             and copy the address.",
            "Anyone who knows the address can post to the channel: keep it nowhere else.",
            "Your own receiver: create a signing secret, store it on both \
             sides, and check every message as below. Without one, messages aren't signed.",
        ],
        snippets: &[
            ("Create a signing secret", "echo \"whsec_$(openssl rand -base64 32)\""),
            ("Check a message in Python (Standard Webhooks)", VERIFY),
            ("What is posted", EXAMPLE),
        ],
        source: "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/",
    },
    policies: super::no_policies,
    address: |values| super::address_in("url", values),
};

const VERIFY: &str = "\
import base64, hashlib, hmac, time

def is_genuine(secret: str, headers, body: bytes) -> bool:
    key = base64.b64decode(secret[6:]) if secret.startswith(\"whsec_\") else secret.encode()
    sent = headers[\"webhook-timestamp\"]
    signed = f'{headers[\"webhook-id\"]}.{sent}.'.encode() + body
    good = \"v1,\" + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    fresh = abs(time.time() - int(sent)) <= 300
    return fresh and any(hmac.compare_digest(good, one) for one in headers[\"webhook-signature\"].split())

# A message that comes again has the same webhook-id: take each id once.";

const EXAMPLE: &str = r#"{
  "type": "strongroom.alerts", "id": "<webhook-id>", "timestamp": "2026-11-22T03:16:33Z",
  "console": "https://strongroom.example.com/", "profile": "Security team", "test": false,
  "alerts": [{
    "id": "<the same from its raising to its closing>",
    "trigger": "stale | expiring | failed_test | failed_scan | old_runtime | old_cloud_key | drift | integrity | delivery | lockout",
    "event": "ahead | raised | reminder | closed", "severity": "info | warning | error | critical",
    "title": "The access key of “prod-ci” is 94 days old; its limit is 90 days.",
    "subject": "prod-ci", "subject_url": "https://…", "detail": "AWS · ID ends in 6QXA",
    "since": "2026-11-18T00:00:00Z", "remedy": "…", "url": "https://…",
    "usages": [{ "family": "Registry Scan", "name": "mirror", "url": "https://…" }], "more_usages": 0
  }],
  "more": 0
}"#;

/// As the standard asks, in bytes; in characters without a prefix.
const SHORTEST: usize = 24;

/// The key of a signing secret: what base64 stands for after `whsec_`, else the characters themselves.
fn signing_key(secret: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let (key, long_enough) = match secret.strip_prefix("whsec_") {
        Some(encoded) => {
            let key = BASE64_STANDARD.decode(encoded);
            let key =
                key.map_err(|_| "What follows whsec_ must be base64. Copy the signing secret whole.".to_owned())?;
            let long_enough = key.len() >= SHORTEST;
            (key, long_enough)
        }
        None => (secret.as_bytes().to_vec(), secret.chars().count() >= SHORTEST),
    };
    let key = Zeroizing::new(key);
    let short = || "A signing secret has at least 24 characters, or stands for 24 bytes behind whsec_.".to_owned();
    if long_enough { Ok(key) } else { Err(short()) }
}

fn examine(values: &Values) -> Result<Facts, Errors> {
    let signed = if values.contains("signing_secret") { "Yes" } else { "No" };
    Ok(Facts {
        identity: checks::host(values.get("url")),
        lines: vec![("Signed messages", signed.to_owned())],
        ..Facts::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(payload: &str) -> Option<Vec<u8>> {
        let payload: Payload = serde_json::from_str(payload).unwrap();
        payload.signing_key().map(|key| key.to_vec())
    }

    #[test]
    fn a_webhook_that_was_stored_before_there_were_signing_secrets_is_read() {
        assert_eq!(key(r#"{"url":"https://example.com/x"}"#), None);
    }

    #[test]
    fn a_signing_secret_is_base64_behind_its_prefix_and_characters_otherwise() {
        let secret = format!("whsec_{}", BASE64_STANDARD.encode([7; 24]));
        assert_eq!(
            key(&format!(r#"{{"url":"https://example.com/x","signing_secret":"{secret}"}}"#)),
            Some(vec![7; 24])
        );
        let plain = "é".repeat(24);
        assert_eq!(
            key(&format!(r#"{{"url":"https://example.com/x","signing_secret":"{plain}"}}"#)),
            Some(plain.into_bytes())
        );
        for bad in ["short", "whsec_!!!!!!!!!!!!!!!!!!!!!!!!!", "whsec_AAAA", &"x".repeat(23)] {
            assert!(signing_key(bad).is_err(), "{bad}");
        }
    }
}
