//! Microsoft Teams: a workflow that posts when a webhook request is received, and an old connector.
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>
//! <https://learn.microsoft.com/adaptive-cards/schema-explorer/adaptive-card>

use serde_json::{Value, json};

use super::super::receiver::{Receiver, Said, UPSTREAM};
use super::{is_json, links_home, texts};

pub const PATH: &str =
    "/workflows/0123abcd/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sig=c2lnbmF0dXJl";

pub fn start() -> Receiver {
    Receiver::start(|call| {
        let refused = |status, code: &str| Said::json(status, &json!({"error": {"code": code, "message": UPSTREAM}}));
        if call.path() != PATH.split('?').next().unwrap() {
            return refused(404, "WorkflowNotFound");
        }
        if call.target != PATH {
            return refused(401, "DirectApiAuthorizationRequired");
        }
        if call.body.len() > 28 * 1024 {
            return refused(413, "RequestEntityTooLarge");
        }
        if !is_json(call, "POST") || !is_card(&call.json()) {
            return refused(400, "InvalidRequestContent");
        }
        Said::Answer { status: 202, headers: Vec::new(), body: Vec::new() }
    })
}

/// An Adaptive Card whose texts are runs, in which no Markdown is read.
fn is_card(body: &Value) -> bool {
    let Some([attachment]) = body["attachments"].as_array().map(Vec::as_slice) else { return false };
    let card = &attachment["content"];
    let typed = body["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard"
        && card["version"] == "1.4";
    let known = ["message", "AdaptiveCard", "Container", "RichTextBlock", "TextRun", "Action.OpenUrl"];
    let plain = texts(body).iter().all(|(name, text)| name != "type" || known.contains(&text.as_str()));
    typed && plain && card["msteams"]["entities"].is_null() && links_home(card, "url")
}
