//! The console: one login, and what it answers. What is kept for later is in `cache`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, USER_AGENT};
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use super::identity::Proof;
use super::net::{Answer, Ask, Failed, Place, Trust, send};
use super::session_file;
use super::trouble::{Result, Trouble};
use super::wire::{Changed, Fetched, LoggedIn, Path, Problem, Rules, form};

const AGENT: &str = concat!("strongroom-client/", env!("CARGO_PKG_VERSION"));
const ANOTHER_ADDRESS: &str = "the console serves no programs at this address: use its public address, or list this one in \
     STRONGROOM_MACHINE_HOSTS on the server";
/// A session token is renewed when less is left.
const LEFT: i64 = 60;
/// How long the console is asked to wait for a change: less than what proxies and firewalls cut off.
const WAIT_SECONDS: u64 = 50;

pub struct Console {
    name: String,
    place: Place,
    /// The part of the address before `/machine/v1`.
    prefix: String,
    trust: Trust,
    proof: Proof,
    session: Mutex<Option<LoggedIn>>,
}

/// What came of asking for a rule that is known already.
pub enum Fetch {
    Same,
    New { fetched: Arc<Fetched>, path: Path, etag: Option<String> },
}

/// How the rules of a client stand.
pub struct Standing {
    pub tag: String,
    /// By the name of the rule, what is another when it has changed.
    pub rules: BTreeMap<String, String>,
}

/// What is known of a rule from before.
#[derive(Clone)]
pub struct Known {
    pub path: Path,
    pub etag: Option<String>,
}

impl Console {
    pub fn new(url: &Url, proof: Proof, trust: Trust, allow_http: bool) -> Result<Self> {
        let wrong = |why: &str| Trouble::Local(format!("{url} cannot be the address of a console: {why}"));
        let host = url.host_str().ok_or_else(|| wrong("it has no host"))?.to_owned();
        let tls = match url.scheme() {
            "https" => true,
            "http" if allow_http || is_local(&host) => false,
            "http" => return Err(wrong("without https, anyone on the network can read what is fetched")),
            _ => return Err(wrong("it has to begin with https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it must not hold a password"));
        }
        let port = url.port_or_known_default().unwrap_or(443);
        let name = format!("{host}:{port}");
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { name, place: Place::Tcp { host, port, tls }, prefix, trust, proof, session: Mutex::default() })
    }

    /// What agent and programs compare to know that they mean the same console.
    pub fn name(&self) -> String {
        format!("{}{}", self.name, self.prefix)
    }

    /// What they compare to know that they log in as the same client.
    pub fn login_mark(&self) -> Result<String> {
        self.proof.mark()
    }

    pub async fn rules(&self) -> Result<Rules> {
        let answer = self.authorized(Ask::get(format!("{}/machine/v1/rules", self.prefix))).await?;
        let body = accepted("", answer)?;
        serde_json::from_slice(&body.body)
            .map_err(|_| Trouble::Unavailable { detail: "the answer is not what a Strongroom console sends".into() })
    }

    /// How the rules stand, once that differs from what the tag says; `None` while nothing changes. An older console does
    /// not know the call: [`Trouble::Unknown`].
    pub async fn changes(&self, tag: Option<&str>) -> Result<Option<Standing>> {
        let mut ask = Ask::get(format!("{}/machine/v1/changes?wait={WAIT_SECONDS}", self.prefix));
        ask.within += Duration::from_secs(WAIT_SECONDS);
        if let Some(tag) = tag {
            ask = ask.with(IF_NONE_MATCH, tag);
        }
        let answer = self.authorized(ask).await?;
        if answer.status == 304 {
            return Ok(None);
        }
        let answer = accepted("changes", answer)?;
        let unreadable =
            |_| Trouble::Unavailable { detail: "the answer is not what a Strongroom console sends".into() };
        let changed: Changed = serde_json::from_slice(&answer.body).map_err(unreadable)?;
        let tag = answer.header(&ETAG).unwrap_or_default().to_owned();
        Ok(Some(Standing { tag, rules: changed.rules }))
    }

    pub async fn fetch(&self, rule: &str, known: Option<&Known>) -> Result<Fetch> {
        let path = match known {
            Some(known) => known.path,
            None => self.path_of(rule).await?,
        };
        match self.ask(rule, path, known).await {
            // It may have been made anew, as one of the other kind.
            Err(Trouble::Unknown { .. }) if known.is_some() => self.ask(rule, self.path_of(rule).await?, None).await,
            answered => answered,
        }
    }

    /// A rule that is asked for at the wrong path would be counted as a read.
    async fn path_of(&self, rule: &str) -> Result<Path> {
        let rules = self.rules().await?.rules;
        let found =
            rules.iter().find(|other| other.name == rule).ok_or_else(|| Trouble::Unknown { rule: rule.to_owned() })?;
        Ok(if found.form == form::VALUE { Path::Values } else { Path::Sessions })
    }

    async fn ask(&self, rule: &str, path: Path, known: Option<&Known>) -> Result<Fetch> {
        let mut ask = Ask::get(format!("{}{}", self.prefix, path.of(rule)));
        if let Some(etag) = known.and_then(|known| known.etag.as_ref()) {
            ask = ask.with(IF_NONE_MATCH, etag);
        }
        let answer = self.authorized(ask).await?;
        if answer.status == 304 {
            return Ok(Fetch::Same);
        }
        let answer = accepted(rule, answer)?;
        let etag = answer.header(&ETAG).map(str::to_owned);
        Ok(Fetch::New { fetched: Arc::new(Fetched::parse(&answer.body)?), path, etag })
    }

    /// Logs in if needed; once more if the session token is not accepted any more. The console says 429 instead of 401
    /// to what has been wrong too often, and something before it may say 403. A proof that counts once is not spent on
    /// those.
    async fn authorized(&self, ask: Ask) -> Result<Answer> {
        let ask = ask.with(USER_AGENT, AGENT);
        let first = self.bearer().await?;
        let bearer = |token: &str| Zeroizing::new(format!("Bearer {token}"));
        let mut ask = ask;
        ask.headers.push((AUTHORIZATION, bearer(&first)));
        let answer = self.send(&ask).await?;
        let is_refused = match answer.status {
            401 => self.proof.is_exchanged(),
            403 | 429 => self.proof.is_exchanged() && self.proof.counts_once().is_none(),
            _ => false,
        };
        if !is_refused {
            return Ok(answer);
        }
        if self.session.lock().await.take_if(|session| session.token == first).is_some() {
            self.proof.counts_once().inspect(|_| session_file::forget());
        }
        ask.headers.pop();
        ask.headers.push((AUTHORIZATION, bearer(&self.bearer().await?)));
        self.send(&ask).await
    }

    async fn bearer(&self) -> Result<Zeroizing<String>> {
        if let Some(token) = self.proof.token()? {
            return Ok(token);
        }
        // Held while logging in: many requests share one login.
        let mut session = self.session.lock().await;
        let now = chrono::Utc::now();
        if let Some(client) = self.proof.counts_once().filter(|_| session.is_none()) {
            *session = session_file::read(&self.name(), client);
        }
        if let Some(session) = session.as_ref().filter(|session| (session.expires_at - now).num_seconds() > LEFT) {
            return Ok(session.token.clone());
        }
        let new = self.log_in().await?;
        if let Some(client) = self.proof.counts_once() {
            session_file::write(&self.name(), client, &new);
        }
        let token = new.token.clone();
        *session = Some(new);
        Ok(token)
    }

    async fn log_in(&self) -> Result<LoggedIn> {
        let body = self.proof.login(&self.trust).await?;
        let path = format!("{}/machine/v1/login", self.prefix);
        let ask = Ask { method: Method::POST, body, ..Ask::get(path) }
            .with(CONTENT_TYPE, "application/json")
            .with(USER_AGENT, AGENT);
        let answer = accepted("", self.send(&ask).await?)?;
        serde_json::from_slice(&answer.body).map_err(|_| Trouble::Unavailable {
            detail: "the login's answer is not what a Strongroom console sends".into(),
        })
    }

    async fn send(&self, ask: &Ask) -> Result<Answer> {
        let console = self.name.clone();
        send(&self.place, &self.trust, ask).await.map_err(|failed| match failed {
            Failed::Away(reason) => Trouble::Away { console, reason },
            Failed::Untrusted(reason) => Trouble::Untrusted { console, reason },
        })
    }
}

fn is_local(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// An answer with status 200, or why it has another.
pub fn accepted(rule: &str, answer: Answer) -> Result<Answer> {
    let problem = Problem::read(&answer.body);
    if problem.wait {
        return Err(Trouble::Wait { detail: problem.text() });
    }
    let detail = || problem.text();
    Err(match answer.status {
        200 => return Ok(answer),
        401 => Trouble::Refused,
        421 => Trouble::local(ANOTHER_ADDRESS),
        404 if rule.is_empty() => Trouble::local("there is no Strongroom console at this address"),
        404 => Trouble::Unknown { rule: rule.to_owned() },
        429 => {
            let seconds = answer.header(&RETRY_AFTER).and_then(|text| text.parse().ok());
            Trouble::TooOften { wait: seconds.map(Duration::from_secs) }
        }
        502 if !detail().is_empty() => Trouble::Provider { detail: detail() },
        status if status >= 500 => {
            let text = detail();
            Trouble::Unavailable { detail: if text.is_empty() { format!("status {status}") } else { text } }
        }
        status => Trouble::Local(format!("the console refuses this request (status {status}): {}", detail())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str, allow_http: bool) -> Result<Console> {
        let proof = Proof::Token(Zeroizing::new("srt_x".to_owned()));
        Console::new(&url.parse().unwrap(), proof, Trust::default(), allow_http)
    }

    #[test]
    fn a_token_leaves_the_machine_over_https_only() {
        for url in ["https://a.example", "http://127.0.0.1:80", "http://[::1]", "http://localhost:8080/room/"] {
            assert!(at(url, false).is_ok(), "{url}");
        }
        for url in ["http://a.example", "http://localhost.example", "ftp://a.example", "https://a:b@a.example"] {
            assert!(at(url, false).is_err(), "{url}");
        }
        assert!(at("http://a.example", true).is_ok());
        assert_eq!(at("http://localhost:8080/room/", false).ok().unwrap().name(), "localhost:8080/room");
    }
}
