//! IBM Cloud's findings API: the notes and occurrences of one provider in one account.
//! <https://cloud.ibm.com/apidocs/security-advisor/findings>

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::{fits, is_json, links_home};

#[derive(Default)]
pub struct Provider {
    pub notes: Vec<String>,
    /// By their ids.
    pub occurrences: BTreeMap<String, Value>,
}

/// Takes tokens whose claims name the account.
pub fn start(account: &'static str) -> (Receiver, Arc<Mutex<Provider>>) {
    let provider = Arc::<Mutex<Provider>>::default();
    let kept = Arc::clone(&provider);
    (Receiver::start(move |call| answer(call, account, &mut kept.lock().unwrap())), provider)
}

fn refused(status: u16) -> Said {
    Said::json(status, &json!({"code": status, "message": UPSTREAM}))
}

fn answer(call: &Call, account: &str, provider: &mut Provider) -> Said {
    let token = call.header("authorization").and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
    if token.split('.').count() != 3 {
        return refused(401);
    }
    let base = format!("/findings/v1/{account}/providers/strongroom/");
    let Some(path) = call.path().strip_prefix(&base) else { return refused(404) };
    let body = call.json();
    match (call.method.as_str(), path.split_once('/').unwrap_or((path, ""))) {
        ("POST", ("notes", "")) => {
            let good = is_json(call, "POST")
                && body["kind"] == "FINDING"
                && ["id", "provider_id", "short_description", "long_description"]
                    .iter()
                    .all(|name| fits(&body[*name], 1, 1000))
                && body["reported_by"]["id"] == "strongroom";
            let id = body["id"].as_str().unwrap_or_default().to_owned();
            match good {
                false => refused(400),
                true if provider.notes.contains(&id) => refused(409),
                true => {
                    provider.notes.push(id);
                    Said::json(200, &body)
                }
            }
        }
        ("POST", ("occurrences", "")) => {
            let name = body["note_name"].as_str().unwrap_or_default();
            let note = name.strip_prefix(&format!("{account}/providers/strongroom/notes/")).unwrap_or_default();
            if !provider.notes.iter().any(|one| one == note) {
                return refused(400);
            }
            let level = ["LOW", "MEDIUM", "HIGH", "CRITICAL"].iter().any(|level| body["finding"]["severity"] == *level);
            let good = is_json(call, "POST")
                && body["kind"] == "FINDING"
                && level
                && links_home(&body["finding"]["next_steps"], "url")
                && fits(&body["id"], 1, 128);
            let id = body["id"].as_str().unwrap_or_default().to_owned();
            let replaced = call.header("replace-if-exists") == Some("true");
            match good {
                false => refused(400),
                true if provider.occurrences.contains_key(&id) && !replaced => refused(409),
                true => {
                    provider.occurrences.insert(id, body.clone());
                    Said::json(200, &body)
                }
            }
        }
        ("DELETE", ("occurrences", id)) => match provider.occurrences.remove(id) {
            Some(_) => Said::json(200, &json!({})),
            None => refused(404),
        },
        _ => refused(405),
    }
}
