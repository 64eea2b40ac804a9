//! Where alert channels deliver to: small servers written from each vendor's documentation, whose address stands beside
//! each. They check every field and header, refuse in the vendor's own shape, and keep what was delivered.

use serde_json::Value;

use super::receiver::Call;

pub mod ibm_findings;
pub mod jira;
pub mod pagerduty;
pub mod pubsub;
pub mod security_hub;
pub mod servicenow;
pub mod slack;
pub mod splunk;
pub mod teams;
pub mod webhooks;

/// Where the links of a message lead.
pub const CONSOLE: &str = "https://strongroom.example.com/";

/// Whether the call is a JSON document by this method.
fn is_json(call: &Call, method: &str) -> bool {
    let typed = call.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    call.method == method && typed && !call.json().is_null()
}

/// Every text in a document with the name of its member.
pub fn texts(value: &Value) -> Vec<(String, String)> {
    fn walk(name: &str, value: &Value, found: &mut Vec<(String, String)>) {
        match value {
            Value::String(text) => found.push((name.to_owned(), text.clone())),
            Value::Array(all) => all.iter().for_each(|one| walk(name, one, found)),
            Value::Object(all) => all.iter().for_each(|(name, one)| walk(name, one, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk("", value, &mut found);
    found
}

/// Whether every member of that name is a link to the console.
fn links_home(value: &Value, name: &str) -> bool {
    texts(value).iter().filter(|(other, _)| other == name).all(|(_, url)| url.starts_with(CONSOLE))
}

/// Whether a text has as many characters as the vendor takes.
fn fits(value: &Value, least: usize, most: usize) -> bool {
    value.as_str().is_some_and(|text| (least..=most).contains(&text.chars().count()))
}

/// 32 hex digits from a number.
fn hex_id(number: usize) -> String {
    format!("{number:032x}")
}
