//! The one reader of secret stores: the values of entries, for whoever passes them on. It loads the integration, checks
//! its row, opens its credential, which the audit trail records, and asks the store. Nothing of what is read is kept,
//! logged or recorded here.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::Context;
use crate::integrations::stores::{Entry, Store};
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration};
use crate::models::trust::Trusted;
use crate::models::{Conn, DbError, IntegrationId, altered, credentials};
use crate::opening::{self, Opened};
use crate::providers::Failure;
use crate::services::Services;
use crate::vault::Vault;

/// Longest that one read takes.
const LIMIT: Duration = Duration::from_secs(60);
/// So many entries are named in the audit trail; the rest is counted.
const NAMED: usize = 3;

/// Why nothing was read.
#[derive(Debug)]
pub enum Refused {
    /// The integration or its credential cannot be used: whole sentences.
    Closed(String),
    /// The store could not be reached, or refused the login.
    Failed(Failure),
    Db(DbError),
}

impl Refused {
    /// What happened and what to do; never what a store said.
    pub fn sentence(&self) -> String {
        match self {
            Self::Closed(sentence) => sentence.clone(),
            Self::Failed(failure) => failure.to_string(),
            Self::Db(error) => format!("It failed: {error}."),
        }
    }
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

/// What a read works with.
struct Ready {
    integration: Trusted<Integration>,
    spec: &'static Spec,
    store: &'static dyn Store,
    settings: Values,
    opened: Option<Opened>,
}

/// The current values of entries of a store, one answer for each, in order, for `actor`. Each entry is spelled as
/// [`entry_name`](crate::integrations::stores::entry_name) does.
pub async fn read(
    services: &Services,
    actor: &Actor,
    store: IntegrationId,
    entries: &[String],
) -> Result<Vec<Result<Entry, Failure>>, Refused> {
    let (vault, actor, named) = (services.vault.clone(), actor.clone(), named(entries));
    let prepared = services.db.transaction(move |conn| prepare(conn, &vault, &actor, store, &named));
    let ready = prepared.await?.map_err(Refused::Closed)?;
    let secret = ready.opened.as_ref().map(Opened::secret);
    let echoes = Echoes::of_opened(secret.map(|secret| (secret.kind, secret.values)));
    let cx = Context::new(services.outside(), &ready.settings, &ready.integration.name, secret);
    let work = async { ready.store.read(&cx, entries).await };
    let fault = |failure: Failure| Refused::Failed(clean(failure, &echoes));
    let mut found = match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(found)) => found.map_err(fault)?,
        Ok(Err(_)) => {
            tracing::error!(provider = ready.spec.slug, "the read of a secret store panicked");
            let text = "It failed by a fault of Strongroom itself. It has been logged; please report it.";
            return Err(Refused::Closed(text.to_owned()));
        }
        Err(_) => {
            let text = format!("{} did not answer within a minute. Try again later.", ready.spec.label);
            return Err(Refused::Failed(Failure::new(text, crate::providers::Retry::ReceiverDown)));
        }
    };
    if found.len() != entries.len() {
        tracing::error!(provider = ready.spec.slug, "a secret store did not answer for each entry");
        found.resize_with(entries.len(), || Err(Failure::later("The store did not answer for this entry.")));
    }
    Ok(found.into_iter().map(|one| one.map_err(|failure| clean(failure, &echoes))).collect())
}

fn clean(mut failure: Failure, echoes: &Echoes) -> Failure {
    echoes.take_out(&mut failure.sentence);
    echoes.take_out(&mut failure.remedy);
    failure
}

/// `secret/team/db, secret/team/web and 4 others`
fn named(entries: &[String]) -> String {
    let shown = entries.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match entries.len().saturating_sub(NAMED) {
        0 => shown,
        1 => format!("{shown} and one other"),
        more => format!("{shown} and {more} others"),
    }
}

/// Loads and checks the integration and opens its credential: one short transaction, in which the opening is audited.
/// The inner error is in whole sentences.
fn prepare(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    store: IntegrationId,
    named: &str,
) -> Result<Result<Ready, String>, DbError> {
    let integration = match integrations::find(conn, vault, store)?.judged() {
        Ok(integration) => integration,
        Err((integration, doubt)) => {
            if doubt.is_tampering() {
                altered::refuse(conn, vault, &integration, doubt)?;
            }
            return Ok(Err(format!("{} can't be used: {}, so nothing was read.", integration.name, doubt.words())));
        }
    };
    if !integration.active {
        return Ok(Err(format!("{} is switched off, so nothing was read. Switch it on first.", integration.name)));
    }
    let spec = Spec::find(&integration.version).and_then(|spec| Some((spec, spec.store()?)));
    let (Some((spec, store)), Some(settings)) = (spec, Values::from_json(integration.settings.as_bytes())) else {
        return Ok(Err(format!("{} is no secret store that this release of Strongroom knows.", integration.name)));
    };
    let opened = match integration.credential_id {
        None => None,
        Some(id) => {
            let why = format!("to read {named} of {} at {}", integration.name, integration.host);
            let opened = opening::open(conn, vault, actor, id, why)?;
            credentials::touch(conn, id)?;
            match opened {
                Ok(opened) if spec.credential_kinds().contains(&opened.kind.slug) => Some(opened),
                Ok(_) => return Ok(Err(format!("{} can't use its credential. Choose another.", integration.name))),
                Err(closed) => {
                    return Ok(Err(format!(
                        "The credential of {} can't be used: {}",
                        integration.name,
                        closed.sentence()
                    )));
                }
            }
        }
    };
    Ok(Ok(Ready { integration, spec, store, settings, opened }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audit_trail_names_a_few_entries_and_counts_the_rest() {
        let of = |number: usize| named(&(1..=number).map(|n| format!("a/{n}")).collect::<Vec<_>>());
        assert_eq!((of(1), of(3)), ("a/1".to_owned(), "a/1, a/2, a/3".to_owned()));
        assert_eq!((of(4), of(9)), ("a/1, a/2, a/3 and one other".to_owned(), "a/1, a/2, a/3 and 6 others".to_owned()));
    }
}
