//! Speaks `/machine/v1` as the console does, for one client with one token and some rules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::{Call, Receiver, Said};

pub const TOKEN: &str = "srt_0123456789abcdef0123456789abcdef_sekret";
/// An identity token that counts once.
pub const ONCE: &str = "eyJ.gitlab";

#[derive(Clone)]
struct Rule {
    kind: &'static str,
    form: &'static str,
    data: BTreeMap<String, String>,
    version: u32,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Default)]
struct State {
    rules: BTreeMap<String, Rule>,
    /// Bodies of logins.
    logins: Vec<Value>,
    /// What a login gets, and what is accepted besides the token.
    session: Option<String>,
    /// Milliseconds that a session lives.
    lives: i64,
    /// The status for a token that is wrong, if it is not 401.
    refuses_with: Option<u16>,
}

pub struct StandIn {
    pub peer: Receiver,
    pub authority: Option<Authority>,
    state: Arc<Mutex<State>>,
}

fn problem(status: u16, detail: &str) -> Said {
    let body = json!({"type": "about:blank", "title": "Problem", "status": status, "detail": detail});
    Said::json(status, &body).with("Content-Type", "application/problem+json")
}

fn answer(state: &mut State, call: &Call) -> Said {
    if call.path() == "/machine/v1/login" {
        let login = call.json();
        let seen = login["token"] == ONCE && state.logins.contains(&login);
        let good = login["client"] == "app" && login["token"] != "wrong" && !seen;
        state.logins.push(login);
        if !good {
            return problem(401, "This login is not known.");
        }
        let session = format!("sst_{}", state.logins.len());
        state.session = Some(session.clone());
        let end = Utc::now() + TimeDelta::milliseconds(state.lives);
        return Said::json(200, &json!({"token": session, "expires_at": end}));
    }
    let bearer = call.header("authorization").and_then(|text| text.strip_prefix("Bearer "));
    if bearer != Some(TOKEN) && (bearer.is_none() || bearer != state.session.as_deref()) {
        return problem(state.refuses_with.unwrap_or(401), "The token is wrong or has expired.");
    }
    assert_eq!(call.header("cookie"), None);
    let mut parts = call.path().trim_start_matches("/machine/v1/").split('/');
    match (parts.next(), parts.next()) {
        (Some("rules"), None) => {
            let rules = state.rules.iter().map(|(name, rule)| json!({"name": name, "form": rule.form}));
            Said::json(200, &json!({"rules": rules.collect::<Vec<_>>()}))
        }
        (Some(kind), Some(name)) => match state.rules.get(name).filter(|rule| rule.kind == kind) {
            None => problem(404, "There is no such rule."),
            Some(rule) => {
                let etag = format!("\"{}\"", rule.version);
                if call.header("if-none-match") == Some(&etag) {
                    return Said::json(304, &json!(null)).with("ETag", etag);
                }
                let body = json!({"data": rule.data, "form": rule.form, "version": rule.version,
                    "expires_at": rule.expires_at});
                Said::json(200, &body).with("ETag", etag).with("Cache-Control", "no-store")
            }
        },
        _ => problem(404, "There is no such rule."),
    }
}

fn fields(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl StandIn {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State { lives: 900_000, ..State::default() }));
        let shared = state.clone();
        let peer = Receiver::start(move |call| answer(&mut shared.lock().unwrap(), call));
        Self { peer, authority: None, state }
    }

    pub fn over_tls() -> Self {
        let (state, authority) = (Arc::new(Mutex::new(State::default())), Authority::new());
        let shared = state.clone();
        let peer = Receiver::start_tls(&authority, move |call| answer(&mut shared.lock().unwrap(), call));
        Self { peer, authority: Some(authority), state }
    }

    /// A rule that gives a stored value; a further call is a new version.
    pub fn value(&self, name: &str, pairs: &[(&str, &str)]) {
        self.put(name, "values", "value", pairs, None);
    }

    /// A rule that issues a session for an hour.
    pub fn session(&self, name: &str, form: &'static str, pairs: &[(&str, &str)]) {
        self.session_for(name, form, pairs, 3600);
    }

    pub fn session_for(&self, name: &str, form: &'static str, pairs: &[(&str, &str)], seconds: i64) {
        self.put(name, "sessions", form, pairs, Some(Utc::now() + TimeDelta::seconds(seconds)));
    }

    fn put(
        &self,
        name: &str,
        kind: &'static str,
        form: &'static str,
        pairs: &[(&str, &str)],
        end: Option<DateTime<Utc>>,
    ) {
        let mut state = self.state.lock().unwrap();
        let version = state.rules.get(name).map_or(1, |rule| rule.version + 1);
        state.rules.insert(name.to_owned(), Rule { kind, form, data: fields(pairs), version, expires_at: end });
    }

    pub fn aws(&self, name: &str) {
        let pairs = [
            ("access_key_id", "ASIAIOSFODNN7EXAMPLE"),
            ("secret_access_key", "sekret-of-the-session"),
            ("session_token", "token-of-the-session"),
            ("region", "eu-central-1"),
        ];
        self.session(name, "aws_session", &pairs);
    }

    pub fn remove(&self, name: &str) {
        self.state.lock().unwrap().rules.remove(name);
    }

    /// The session token that was got last is worth nothing any more.
    pub fn revoke_session(&self) {
        self.state.lock().unwrap().session = None;
    }

    /// As the console says 429 to what has been wrong too often.
    pub fn refuse_with(&self, status: u16) {
        self.state.lock().unwrap().refuses_with = Some(status);
    }

    pub fn logins(&self) -> Vec<Value> {
        self.state.lock().unwrap().logins.clone()
    }

    /// How often a rule was asked for.
    pub fn asked(&self, rule: &str) -> usize {
        self.peer.calls().iter().filter(|call| call.path().ends_with(&format!("/{rule}"))).count()
    }
}
