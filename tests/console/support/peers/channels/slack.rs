//! Slack: an incoming webhook and `chat.postMessage`.
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/>
//! <https://docs.slack.dev/reference/methods/chat.postMessage>
//! <https://docs.slack.dev/reference/methods/auth.test>
//! <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>

use serde_json::{Value, json};

use super::super::receiver::{Receiver, Said, UPSTREAM};
use super::{fits, is_json, links_home, texts};

pub const PATH: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
pub const TOKEN: &str = "xoxb-111111111111-not-a-real-token";
pub const CHANNEL: &str = "#security";

pub fn start() -> Receiver {
    Receiver::start(|call| {
        let body = call.json();
        match call.target.as_str() {
            PATH if !is_json(call, "POST") => said(400, "invalid_payload"),
            PATH => match fault(&body) {
                Some(fault) => said(400, fault),
                None => said(200, "ok"),
            },
            "/api/auth.test" => {
                let token = call.header("authorization") == Some(format!("Bearer {TOKEN}").as_str());
                let known =
                    json!({"ok": true, "url": "https://example.slack.com/", "team": UPSTREAM, "user": UPSTREAM});
                Said::json(200, &if token { known } else { json!({"ok": false, "error": "invalid_auth"}) })
            }
            "/api/chat.postMessage" => {
                let token = call.header("authorization") == Some(format!("Bearer {TOKEN}").as_str());
                let error = match fault(&body) {
                    _ if call.header("authorization").is_none() => Some("not_authed"),
                    _ if !token => Some("invalid_auth"),
                    _ if !is_json(call, "POST") => Some("invalid_json"),
                    _ if body["channel"] == "#elsewhere" => Some("not_in_channel"),
                    _ if body["channel"] != CHANNEL => Some("channel_not_found"),
                    fault => fault,
                };
                let answer = match error {
                    Some(error) => json!({"ok": false, "error": error, "response_metadata": {"messages": [UPSTREAM]}}),
                    None => {
                        json!({"ok": true, "channel": "C0123456789", "ts": "1503435956.000247", "message": {"text": UPSTREAM}})
                    }
                };
                Said::json(200, &answer)
            }
            _ => said(404, "no_service"),
        }
    })
}

fn said(status: u16, text: &str) -> Said {
    let headers = vec![("Content-Type", "text/html".to_owned())];
    Said::Answer { status, headers, body: text.as_bytes().to_vec() }
}

/// What Slack would refuse, and what would make a name into more than text.
fn fault(body: &Value) -> Option<&'static str> {
    let Some(blocks) = body["blocks"].as_array() else { return Some("no_text") };
    let text = body["text"].as_str().unwrap_or_default();
    let bare = ["parse", "link_names", "unfurl_links", "unfurl_media"].map(|name| body[name].clone());
    if text.is_empty() || text.contains(['<', '>']) || bare != [json!("none"), json!(false), json!(false), json!(false)]
    {
        return Some("invalid_arguments");
    }
    if blocks.len() > 50 || body.to_string().chars().count() > 40_000 {
        return Some("msg_blocks_too_long");
    }
    let good = blocks.iter().all(|block| match block["type"].as_str() {
        Some("header") => block["text"]["type"] == "plain_text" && fits(&block["text"]["text"], 1, 150),
        Some("rich_text") => block["elements"].as_array().is_some_and(|sections| sections.iter().all(is_section)),
        _ => false,
    });
    let plain = texts(body).iter().all(|(name, text)| name != "type" || text != "mrkdwn");
    (!good || !plain || !links_home(body, "url")).then_some("invalid_blocks")
}

fn is_section(section: &Value) -> bool {
    let elements = section["elements"].as_array();
    section["type"] == "rich_text_section"
        && elements.is_some_and(|all| {
            all.iter().all(|element| match element["type"].as_str() {
                Some("text") => fits(&element["text"], 1, 3000),
                Some("link") => fits(&element["text"], 1, 3000) && fits(&element["url"], 9, 3000),
                Some("emoji") => fits(&element["name"], 1, 100),
                _ => false,
            })
        })
}
