//! Jira's REST API v2: one project, whose workflow leads from To Do to Done. In the cloud `/search` has gone (410) and
//! `/search/jql` is new; a server of one's own has only the first.
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v2/intro/>
//! <https://developer.atlassian.com/changelog/#CHANGE-2046>

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::{fits, is_json};

pub const USER: &str = "bot@example.com";
pub const TOKEN: &str = "ATATT3xFfGF0-not-a-real-token";
/// A personal access token of a server of one's own.
pub const PERSONAL: &str = "NjM2ODQxNTI1NTA4Omnot-a-real-one";

#[derive(Default)]
pub struct Project {
    /// The fields of each issue: `SEC-1` is the first.
    pub issues: Vec<Value>,
    pub comments: Vec<(usize, String)>,
    /// Issues in a state of the category Done.
    pub done: Vec<usize>,
    /// Whether the transition asks for a field that we do not send.
    pub strict: bool,
    pub cloud: bool,
    /// Whether basic authentication is switched off: then personal access tokens alone are taken.
    pub tokens_only: bool,
}

pub fn start() -> (Receiver, Arc<Mutex<Project>>) {
    let project = Arc::<Mutex<Project>>::default();
    let kept = Arc::clone(&project);
    (Receiver::start(move |call| answer(call, &mut kept.lock().unwrap())), project)
}

fn refused(status: u16) -> Said {
    Said::json(status, &json!({"errorMessages": [UPSTREAM], "errors": {}}))
}

fn answer(call: &Call, project: &mut Project) -> Said {
    let mut expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{USER}:{TOKEN}")));
    if project.tokens_only {
        if call.header("authorization").is_some_and(|header| header.starts_with("Basic ")) {
            let text = "Basic Authentication has been disabled on this instance.";
            return Said::json(403, &json!({"message": text})).with("X-Seraph-LoginReason", "AUTHENTICATION_DENIED");
        }
        expected = format!("Bearer {PERSONAL}");
    }
    if call.header("authorization") != Some(&expected) {
        return refused(401);
    }
    let Some(path) = call.path().strip_prefix("/rest/api/2/") else { return Said::html(404) };
    let parts: Vec<&str> = path.split('/').collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", ["project", "SEC"]) => Said::json(200, &json!({"id": "10000", "key": "SEC", "name": UPSTREAM})),
        ("GET", ["project", _]) => refused(404),
        ("GET", ["search"]) if project.cloud => refused(410),
        ("GET", ["search", "jql"]) if !project.cloud => refused(404),
        ("GET", ["search"] | ["search", "jql"]) => {
            let jql = call.query("jql").unwrap_or_default();
            let Some(label) =
                jql.strip_prefix("project = \"SEC\" AND labels = \"").and_then(|rest| rest.strip_suffix('"'))
            else {
                return refused(400);
            };
            let has = |issue: &Value| issue["labels"].as_array().unwrap().iter().any(|one| one == label);
            let found = project.issues.iter().position(has).map(|at| json!({"key": format!("SEC-{}", at + 1)}));
            Said::json(200, &json!({"issues": found.into_iter().collect::<Vec<_>>()}))
        }
        ("POST", ["issue"]) => {
            let fields = call.json()["fields"].clone();
            let labelled = fields["labels"].as_array().is_some_and(|labels| {
                labels.iter().all(|label| fits(label, 1, 255) && !label.as_str().unwrap().contains(' '))
            });
            let good = is_json(call, "POST")
                && fields["project"] == json!({"key": "SEC"})
                && fields["issuetype"] == json!({"name": "Task"})
                && fits(&fields["summary"], 1, 255)
                && fits(&fields["description"], 1, 32_767)
                && labelled;
            if !good {
                return refused(400);
            }
            project.issues.push(fields);
            let number = project.issues.len();
            Said::json(
                201,
                &json!({"id": (10_000 + number).to_string(), "key": format!("SEC-{number}"), "self": UPSTREAM}),
            )
        }
        (method, ["issue", key, rest @ ..]) => {
            let number = key.strip_prefix("SEC-").and_then(|number| number.parse::<usize>().ok());
            match number.filter(|number| (1..=project.issues.len()).contains(number)) {
                Some(number) => issue(call, project, method, number, rest),
                None => refused(404),
            }
        }
        _ => refused(405),
    }
}

fn issue(call: &Call, project: &mut Project, method: &str, number: usize, rest: &[&str]) -> Said {
    let category = |done: bool| json!({"statusCategory": {"key": if done { "done" } else { "new" }}});
    match (method, rest) {
        ("GET", []) => Said::json(200, &json!({"fields": {"status": category(project.done.contains(&number))}})),
        ("GET", ["comment"]) => {
            let all = project.comments.iter().filter(|(of, _)| *of == number);
            Said::json(200, &json!({"comments": all.map(|(_, body)| json!({"body": body})).collect::<Vec<_>>()}))
        }
        ("POST", ["comment"]) if fits(&call.json()["body"], 1, 32_767) => {
            project.comments.push((number, call.json()["body"].as_str().unwrap().to_owned()));
            Said::json(201, &json!({"id": "1"}))
        }
        ("GET", ["transitions"]) => {
            let way = |id: &str, done| json!({"id": id, "name": UPSTREAM, "to": category(done)});
            Said::json(200, &json!({"transitions": [way("11", false), way("31", true)]}))
        }
        ("POST", ["transitions"]) if project.strict => refused(400),
        ("POST", ["transitions"]) if call.json() == json!({"transition": {"id": "31"}}) => {
            project.done.push(number);
            Said::Answer { status: 204, headers: Vec::new(), body: Vec::new() }
        }
        _ => refused(400),
    }
}
