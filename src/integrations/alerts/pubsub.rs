//! Google Pub/Sub: a message for each alert, its JSON as the data and what subscriptions filter by as attributes.
//! <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, Caller, Peer};
use super::{Channel, Dispatch, Failure, Message, Receipt, fields, wire};
use crate::credentials::gcp::Payload;
use crate::form::Field;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::egress::{Answer, Tls};
use crate::providers::endpoints::Service;
use crate::providers::gcp;

const HOST: &str = "pubsub.googleapis.com";

static FIELDS: [Field; 1 + fields::TRIGGERS] = fields::with_triggers([Field::text("topic", "Topic")
    .placeholder("projects/example/topics/strongroom")
    .help("Its whole name, or its short one when it is in the project of the service account.")
    .max(320)
    .check(topic)]);

static PEER: Peer = Peer {
    who: "Google Pub/Sub",
    bad_request: "Google Pub/Sub rejected the message. Check the topic, and its schema if it has one.",
    unauthorized: "Google Pub/Sub refused the token of the service account. Test the credential, and edit it if its key \
                   was replaced.",
    forbidden: "The service account may not publish to the topic. Give it the role Pub/Sub Publisher on the topic, and \
                see that the Pub/Sub API is switched on in the project.",
    not_found: "Google Pub/Sub does not have the topic. Check its name and project.",
};

pub static PUBSUB: Spec = Spec {
    slug: "google_pubsub",
    label: "Google Pub/Sub",
    fields: &FIELDS,
    uses: &[Use::main(&["gcp"])],
    host: Host::Vendor(|_| Some(HOST.to_owned())),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| call::checked(check(cx))),
    does: Does::Channel(&Channel::service(100, &PEER, send)),
};

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let messages = messages(dispatch.message);
        let answer = ask(cx, "publish", &json!({ "messages": messages })).await?;
        let taken: Taken = PEER.json(&answer)?;
        if taken.message_ids.len() == messages.len() { Ok(Receipt::default()) } else { Err(PEER.not_understood()) }
    })
}

/// Whether the service account may publish, which it may ask without any permission.
/// <https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/testIamPermissions>
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    #[derive(Deserialize)]
    struct Allowed {
        #[serde(default)]
        permissions: Vec<String>,
    }
    const PUBLISH: &str = "pubsub.topics.publish";
    let answer = ask(cx, "testIamPermissions", &json!({ "permissions": [PUBLISH] })).await?;
    let allowed: Allowed = PEER.json(&answer)?;
    if allowed.permissions.iter().any(|permission| permission == PUBLISH) {
        Ok("The service account may publish to the topic.".to_owned())
    } else {
        Err(Failure::never(PEER.forbidden))
    }
}

/// A call of the topic.
async fn ask(cx: &Context<'_>, method: &str, body: &Value) -> Result<Answer, Failure> {
    let secret = call::secret(cx, &PEER)?;
    let account = call::payload::<Payload>(cx, &PEER)?.service_account;
    let token = cx.outside.tokens.google_token(secret.stored, secret.values, gcp::CLOUD_PLATFORM).await;
    let token = token?;
    let topic = match cx.settings.get("topic") {
        whole if whole.starts_with("projects/") => whole.to_owned(),
        short => format!("projects/{}/topics/{short}", account.project_id),
    };
    let path = format!("/v1/{topic}:{method}");
    let url = cx.outside.endpoints.url(Service::GooglePubsub, "https://pubsub.googleapis.com", &path);
    let request = call::json(Method::POST, url.map_err(|error| PEER.failed(&error))?, body);
    let request = call::with_token(request, "Bearer", &token.secret)?;
    Caller::new(cx, Tls::default(), &PEER)?.call(request).await
}

/// <https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names>
fn topic(text: &str) -> Result<String, String> {
    let refused = || "Enter a topic: projects/example/topics/strongroom, or its short name.".to_owned();
    let text = text.trim();
    let (project, name) = match text.strip_prefix("projects/") {
        Some(rest) => rest.split_once("/topics/").ok_or_else(refused)?,
        None => ("project", text),
    };
    let project_good = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    let name_good = |c: char| c.is_ascii_alphanumeric() || "-._~+".contains(c);
    let good = !project.is_empty()
        && !project.contains("..")
        && project.chars().all(project_good)
        && (3..=255).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(name_good)
        && !name.contains("..");
    if good { Ok(text.to_owned()) } else { Err(refused()) }
}

fn messages(sent: &Message) -> Vec<Value> {
    let message = |line| {
        let mut data = wire::line(line);
        data["message_id"] = json!(sent.id);
        data["test"] = json!(sent.test);
        json!({
            "data": BASE64_STANDARD.encode(data.to_string()),
            "attributes": {
                "alert": line.alert,
                "trigger": line.trigger.slug(),
                "event": line.event.slug(),
                "severity": line.severity.slug(),
                "message": sent.id,
            },
        })
    };
    sent.lines.iter().map(message).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    message_ids: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_topic_is_a_topic() {
        for good in ["strongroom", "projects/example.com:a-1/topics/alerts"] {
            assert_eq!(topic(good).as_deref(), Ok(good));
        }
        for bad in
            ["", "ab", "a/b/c", "projects/x", "projects/x/topics/../y", "projects//topics/abc", "abc?x", "abc:publish"]
        {
            assert!(topic(bad).is_err(), "{bad}");
        }
    }
}
