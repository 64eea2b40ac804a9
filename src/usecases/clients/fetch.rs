//! What a client fetches. The first answer of a minute is written into the audit trail before it is given; until the
//! minute is over the same question is answered from memory, and counted. What is not there and what the client may not
//! fetch look the same.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::caller::{self, Caller, Denied};
use super::material::{self, Material, version_of};
use crate::accounts::client_tokens::Token;
use crate::accounts::fetches::{Answer, Failed, Fetched, Minute, Minutes};
use crate::form::Values;
use crate::integrations::issue::{Delivery, Form, Issued, Key, Order, Read, delivery, entry};
use crate::models::client_rules::{self, ClientRule};
use crate::models::events::{self, Action, NewEvent};
use crate::models::trust::Trusted;
use crate::models::{Conn, CredentialId, DbError, altered, client_uses, credentials};
use crate::opening::{Closed, Opened};
use crate::providers::{Failure, ProviderError, finding};
use crate::services::Services;
use crate::vault::Vault;

/// Minutes of one transaction. The audit trail is held for as long as it takes, and clients that fetch for the first time
/// within a minute wait for it.
const TOLD_AT_ONCE: usize = 4;

/// Why a client gets nothing.
#[derive(Debug)]
pub enum Refused {
    /// It has not shown who it is.
    Unauthenticated,
    /// There is no such rule, or none of this client's.
    Unknown,
    /// Seconds to wait.
    TooOften(i64),
    /// This console does not answer the rule now: stored values are switched off, or a later release made it.
    SwitchedOff,
    /// The provider issued nothing.
    Failed(Failed),
    /// The credential is not used.
    Closed(Closed),
    Db(DbError),
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// One question, as a client asks it.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub token: &'a str,
    pub rule: &'a str,
    pub address: IpAddr,
}

impl Question<'_> {
    /// The same question has the same key. Of the token no more than a hash is kept.
    fn key(&self) -> Vec<u8> {
        let mut hash = Sha256::new();
        for part in [self.token.as_bytes(), self.rule.as_bytes(), self.address.to_string().as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().to_vec()
    }
}

/// What the rule of that name gives.
pub async fn fetch(services: &Services, asked: Question<'_>) -> Result<Arc<Fetched>, Refused> {
    let key = asked.key();
    if !services.trail.is_held()
        && let Some(answer) = services.fetches.again(&key)
    {
        return answered(answer);
    }
    let ticket = services.fetches.ticket();
    let ready = prepare(services, asked).await?;
    let minute = ready.minute(services);
    let answer = ready.answer(services).await;
    // A value of a store is kept nowhere but among the entries, which are dropped to the second.
    if !ready.form.is_entry() {
        services.fetches.keep(ticket, key, (answer.clone(), minute), ready.left);
    }
    answered(answer)
}

fn answered(answer: Answer) -> Result<Arc<Fetched>, Refused> {
    let outcome = if answer.is_ok() { "ok" } else { "failed" };
    metrics::counter!("strongroom_client_fetches_total", "outcome" => outcome).increment(1);
    answer.map_err(Refused::Failed)
}

/// The names and forms of a client's rules, as far as this console answers them.
pub async fn rules(services: &Services, token: &str, address: IpAddr) -> Result<Vec<(String, &'static Form)>, Refused> {
    let Some(token) = Token::parse(&services.vault, token) else {
        return Err(caller::deny(services, Denied::malformed(), address).await);
    };
    let vault = services.vault.clone();
    let found = services.db.run(move |conn| {
        let caller = match caller::of_token(conn, &vault, &token, address)? {
            Ok(caller) => caller,
            Err(denied) => return Ok(Err(denied)),
        };
        client_rules::of(conn, &vault, caller.client.id).map(Ok::<_, Denied>)
    });
    let found = match found.await? {
        Ok(found) => found,
        Err(denied) => return Err(caller::deny(services, denied, address).await),
    };
    let releases = services.settings.releases_values();
    let rules = found.into_iter().filter_map(|seen| seen.judged().ok());
    Ok(rules.filter_map(|rule| Some((rule.name.clone(), form_of(&rule, releases)?))).collect())
}

/// The form of a rule; `None` where this console does not answer it.
fn form_of(rule: &ClientRule, releases: bool) -> Option<&'static Form> {
    Form::find(&rule.form).filter(|form| releases || !form.is_stored_value())
}

/// Everything that an answer is made from.
struct Ready {
    client: String,
    rule: Trusted<ClientRule>,
    form: &'static Form,
    settings: Values,
    found: material::Found,
    /// How long what the client has shown holds.
    left: Option<Duration>,
}

enum Found {
    Denied(Denied),
    Unknown,
    SwitchedOff,
    Closed(Closed),
    Ready(Box<Ready>),
}

async fn prepare(services: &Services, asked: Question<'_>) -> Result<Box<Ready>, Refused> {
    let Some(token) = Token::parse(&services.vault, asked.token) else {
        return Err(caller::deny(services, Denied::malformed(), asked.address).await);
    };
    let (vault, fetches) = (services.vault.clone(), services.fetches.minutes());
    let (name, address, releases) = (asked.rule.to_owned(), asked.address, services.settings.releases_values());
    let found = services.db.transaction(move |conn| {
        let caller = match caller::of_token(conn, &vault, &token, address)? {
            Ok(caller) => caller,
            Err(denied) => return Ok(Found::Denied(denied)),
        };
        look(conn, &vault, &caller, (&name, releases), &fetches)
    });
    match found.await? {
        Found::Denied(denied) => Err(caller::deny(services, denied, asked.address).await),
        Found::Unknown => Err(Refused::Unknown),
        Found::SwitchedOff => Err(Refused::SwitchedOff),
        Found::Closed(closed) => Err(Refused::Closed(closed)),
        Found::Ready(ready) => Ok(ready),
    }
}

/// Opens what the rule names. Call inside a transaction.
fn look(
    conn: &mut Conn,
    vault: &Vault,
    caller: &Caller,
    (name, releases): (&str, bool),
    minutes: &Minutes,
) -> Result<Found, DbError> {
    if !may_be_named(name) {
        return Ok(Found::Unknown);
    }
    let Some(seen) = client_rules::named(conn, vault, caller.client.id, name)? else { return Ok(Found::Unknown) };
    let rule = match seen.judged() {
        Ok(rule) => rule,
        Err((rule, doubt)) => {
            let what = format!("the rule {} refused: {}", rule.name, doubt.words());
            altered::refuse_client(conn, vault, &caller.actor(), &caller.client, &what)?;
            return Ok(Found::Unknown);
        }
    };
    let Some(form) = form_of(&rule, releases) else { return Ok(Found::SwitchedOff) };
    let detail = format!("by the rule {} ({}), {}", rule.name, form.label, caller.login.title());
    let found = match material::find(conn, vault, (caller, &rule, detail), |used| minutes.knows(used))? {
        Ok(found) => found,
        Err(closed) => return Ok(Found::Closed(closed)),
    };
    let settings = Values::from_json(rule.settings.as_bytes()).unwrap_or_default();
    let (client, left) = (caller.client.name.clone(), caller.left());
    Ok(Found::Ready(Box::new(Ready { client, rule, form, settings, found, left })))
}

/// What the database would refuse to be asked for is no rule.
fn may_be_named(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    name.len() <= 63 && name.bytes().all(fits)
}

impl Ready {
    /// The minute of this use: it has been written down.
    fn minute(&self, services: &Services) -> Arc<Minute> {
        services.fetches.begin(self.found.used.clone(), self.found.said.clone())
    }

    async fn answer(&self, services: &Services) -> Answer {
        let fetched = match &self.found.material {
            Material::Credential(opened) => self.of_credential(services, opened).await,
            Material::Entry(wanted) => wanted.read(services).await.and_then(|read| self.of_entry(services, &read)),
        };
        match fetched {
            Ok(fetched) => Ok(Arc::new(fetched)),
            Err(failure) => {
                self.record_failure(services, &failure).await;
                Err(Failed { failure, waits: delivery::waits(&self.settings) })
            }
        }
    }

    async fn of_credential(&self, services: &Services, opened: &Opened) -> Result<Fetched, Failure> {
        let issued = self.issue(services, opened).await?;
        let version = opened.version;
        let tag = match issued.expires_at {
            Some(end) => format!("{version}-{}-{}", self.rule_tag(), end.timestamp()),
            None => format!("{version}-{}", self.rule_tag()),
        };
        Ok(self.fetched(version, tag, (issued, self.found.set_at)))
    }

    fn of_entry(&self, services: &Services, read: &Read) -> Result<Fetched, Failure> {
        let issued = entry::given(&self.settings, &read.entry)?;
        let (version, mark) = version_of(&services.vault, &read.entry);
        Ok(self.fetched(version, format!("{mark}-{}", self.rule_tag()), (issued, read.asked_at)))
    }

    /// Another one for another rule, and whenever this one is changed.
    fn rule_tag(&self) -> String {
        let id = self.rule.id.0.simple().to_string();
        format!("{}-{}", &id[id.len() - 8..], self.rule.row_version)
    }

    async fn issue(&self, services: &Services, opened: &Opened) -> Result<Issued, Failure> {
        let wrong = || Failure::from(finding(&ProviderError::WrongCredential, "the provider"));
        let issue = self.form.issue.ok_or_else(wrong)?;
        let (outside, settings) = (services.outside(), &self.settings);
        let order = Order { outside, secret: opened.secret(), settings, client: &self.client };
        if self.form.is_value() {
            return issue(&order).await;
        }
        services.issued.get(self.key(opened), || issue(&order)).await
    }

    fn fetched(&self, version: i32, tag: String, (issued, set_at): (Issued, DateTime<Utc>)) -> Fetched {
        let delivery = Some(Delivery::of(&self.settings)).filter(|said| self.form.is_value() && !said.is_plain());
        Fetched { form: self.form, version, tag, set_at, issued, delivery }
    }

    fn key(&self, opened: &Opened) -> Key {
        Key {
            credential: opened.id.0,
            secret_version: opened.version,
            rule: self.rule.id.0,
            rule_version: self.rule.row_version,
        }
    }

    /// The trail gets our own sentence, never the provider's words.
    async fn record_failure(&self, services: &Services, failure: &Failure) {
        let (vault, said) = (services.vault.clone(), self.found.said.clone());
        let detail = format!("{}: {}", said.detail, failure.sentence);
        let recorded = services.db.transaction(move |conn| {
            let (kind, id, name) = &said.subject;
            if *kind == "credential" {
                let row = credentials::find(conn, &vault, CredentialId(*id))?.into_shown();
                let event = (Action::ClientFetchFailed, detail.clone());
                return credentials::record_fetch(conn, &vault, &said.actor, &row, event);
            }
            let event = NewEvent {
                action: Action::ClientFetchFailed,
                subject_kind: kind,
                subject_id: Some(*id),
                subject_name: name,
                detail: detail.clone(),
            };
            events::record(conn, &vault, &said.actor, &event)
        });
        if let Err(error) = recorded.await {
            tracing::warn!(%error, "a failed fetch could not be written into the audit trail");
        }
    }
}

/// Tells the audit trail how often the answers of the minutes that are over were given again; of `all`, when the console
/// stops.
pub async fn tell_ended(services: &Services, all: bool) -> Result<(), DbError> {
    let mut ended = services.fetches.ended(all);
    // In one order, so that replicas do not wait for each other.
    ended.sort_by_key(|minute| (minute.used.login.0, minute.used.rule.0));
    while !ended.is_empty() {
        let part = ended.split_off(ended.len().saturating_sub(TOLD_AT_ONCE));
        let (vault, minutes) = (services.vault.clone(), part.clone());
        let tell = move |conn: &mut Conn| minutes.iter().try_for_each(|minute| tell(conn, &vault, minute));
        if let Err(error) = services.db.transaction(tell).await {
            services.fetches.untold(ended.into_iter().chain(part).collect());
            return Err(error);
        }
    }
    Ok(())
}

fn tell(conn: &mut Conn, vault: &Vault, minute: &Minute) -> Result<(), DbError> {
    let (said, used, again) = (&minute.said, &minute.used, minute.again());
    let times = if again == 1 { "once more".to_owned() } else { format!("{again} times more") };
    let detail = format!("{}, version {}: {times} within a minute", said.detail, used.version);
    let (kind, id, name) = &said.subject;
    let event = NewEvent {
        action: Action::ClientFetchedAgain,
        subject_kind: kind,
        subject_id: Some(*id),
        subject_name: name,
        detail,
    };
    events::record(conn, vault, &said.actor, &event)?;
    let again = i64::try_from(again).unwrap_or(i64::MAX);
    client_uses::note(conn, used.login, Some(used.rule), &said.actor.address, again)
}
