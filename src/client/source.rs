//! Where programs get what they need: from the agent if one runs, else from the console.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::HeaderName;

use super::cache::Cache;
use super::console::{Standing, accepted};
use super::identity::Named;
use super::net::{Answer, Ask, Place, Trust, send};
use super::settings::Connection;
use super::trouble::{Result, Trouble};
use super::wire::{Fetched, Path, Problem, checked_rule};

/// Names the console that is meant; an agent of another one passes.
pub const CONSOLE: HeaderName = HeaderName::from_static("x-strongroom-console");
/// The mark of the login that is meant; an agent with another one passes.
pub const LOGIN: HeaderName = HeaderName::from_static("x-strongroom-login");
/// How it passes.
pub const ANOTHER: u16 = 421;

pub struct Source {
    agent: Option<PathBuf>,
    named: Option<Named>,
    /// Why not, where nothing says which console and who we are; an agent may still answer.
    direct: Result<Arc<Cache>>,
    /// Sessions that the agent gave: good for as long as they live, also if it goes away.
    kept: Mutex<HashMap<String, Arc<Fetched>>>,
}

/// A session with fewer seconds is as good as over.
const LEAST: i64 = 5;

impl Source {
    /// From the agent if there is one.
    pub fn of(connection: &Connection) -> Self {
        let direct = connection.console().map(|console| Arc::new(Cache::new(console, connection.patience())));
        let agent = connection.socket().filter(|_| !connection.no_agent);
        Self { agent, named: connection.named(), direct, kept: Mutex::default() }
    }

    /// From the console only, for instance because we are the agent.
    pub fn direct(cache: Arc<Cache>) -> Self {
        Self { agent: None, named: None, direct: Ok(cache), kept: Mutex::default() }
    }

    pub async fn get(&self, rule: &str) -> Result<Arc<Fetched>> {
        let rule = checked_rule(rule)?;
        let answered = match self.ask_agent(rule).await {
            Some(answer) => of_agent(rule, answer),
            None => match &self.direct {
                Ok(cache) => cache.get(rule).await,
                Err(trouble) => Err(trouble.clone()),
            },
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &answered {
            Ok(fetched) if fetched.expires_at.is_some() && self.agent.is_some() => {
                kept.insert(rule.to_owned(), fetched.clone());
            }
            // What is not allowed any more is not kept.
            Err(Trouble::Unknown { .. } | Trouble::Refused) => drop(kept.remove(rule)),
            Err(trouble) => {
                let alive = |fetched: &&Arc<Fetched>| fetched.seconds_left().is_some_and(|left| left > LEAST);
                return kept.get(rule).filter(alive).cloned().ok_or_else(|| trouble.clone());
            }
            Ok(_) => {}
        }
        answered
    }

    /// The same, asked of the console anew where it can be reached without the agent.
    pub async fn get_anew(&self, rule: &str) -> Result<Arc<Fetched>> {
        match &self.direct {
            Ok(cache) => cache.get_anew(checked_rule(rule)?).await,
            Err(_) => self.get(rule).await,
        }
    }

    /// Waits until the console says that rules have changed; see [`Console::changes`](super::console::Console::changes).
    pub async fn changes(&self, tag: Option<&str>) -> Result<Option<Standing>> {
        match &self.direct {
            Ok(cache) => cache.console().changes(tag).await,
            Err(trouble) => Err(trouble.clone()),
        }
    }

    /// `None` when no agent answers for this console and this login.
    async fn ask_agent(&self, rule: &str) -> Option<Answer> {
        let place = Place::Socket(self.agent.clone()?);
        let mut ask = Ask::get(Path::Sessions.of(rule));
        if let Ok(cache) = &self.direct {
            ask = ask.with(CONSOLE, cache.console().name());
        }
        if let Some(named) = &self.named {
            // A token file that cannot be read is for `direct` to name.
            ask = ask.with(LOGIN, named.mark().ok()?);
        }
        send(&place, &Trust::default(), &ask).await.ok().filter(|answer| answer.status != ANOTHER)
    }
}

/// The agent's words are for people already.
fn of_agent(rule: &str, answer: Answer) -> Result<Arc<Fetched>> {
    match answer.status {
        200 => Fetched::parse(&answer.body).map(Arc::new),
        401 | 404 => accepted(rule, answer).and(Err(Trouble::Refused)),
        status => {
            let problem = Problem::read(&answer.body);
            Err(match problem.wait {
                true => Trouble::Wait { detail: problem.text() },
                false => Trouble::Agent { status, detail: problem.text() },
            })
        }
    }
}
