//! The same done to many credentials: each by itself, in a transaction and with an event of its own, so that one that does
//! not work stops no other.

use super::{MOST_DAYS, UNKNOWN_KIND, checkup, remove};
use crate::accounts::Role;
use crate::credentials as kinds;
use crate::form::Errors;
use crate::models::credential_query::Row;
use crate::models::labels::{Change, FULL};
use crate::models::{Conn, CredentialId, DbError, credential_limits, credential_list, relabel};
use crate::providers;
use crate::providers::probe::Finding;
use crate::services::Services;
use crate::usecases::labels as entered;
use crate::usecases::numbers::days;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

/// Most credentials at once.
pub const MOST: i64 = 1_000;

/// What is done to each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Labels(Change),
    /// Days: 0 is never, nothing is as its type says.
    Limit(Option<i32>),
    Delete,
}

impl Act {
    /// Puts a tag on, or takes it off.
    pub fn tag(text: &str, adds: bool) -> Result<Self, Refusal> {
        let tag = entered::tag(text).map_err(|sentence| invalid("tag", sentence))?;
        Ok(Self::Labels(if adds { Change::AddTag(tag) } else { Change::RemoveTag(tag) }))
    }

    /// Sets the owner; nothing takes it off.
    pub fn owner(text: &str) -> Result<Self, Refusal> {
        let owner = entered::owner(text).map_err(|sentence| invalid("owner", sentence))?;
        Ok(Self::Labels(Change::Both { owner: Some(owner), tags: None }))
    }

    pub fn limit(text: &str) -> Result<Self, Refusal> {
        days(text, 0, MOST_DAYS).map(Self::Limit).map_err(|sentence| invalid("days", sentence))
    }
}

fn invalid(field: &str, sentence: String) -> Refusal {
    Refusal::Invalid(Errors::one(field, sentence))
}

/// What became of one.
#[derive(Debug)]
pub struct Outcome {
    pub id: CredentialId,
    pub name: String,
    /// Whether anything changed, or why not.
    pub done: Result<bool, String>,
}

/// The credentials of these ids that there are, by name.
pub async fn chosen(services: &Services, ids: Vec<CredentialId>) -> Result<Vec<Row>, DbError> {
    read(services, move |conn: &mut Conn, _| credential_list::of(conn, ids)).await
}

/// Does it to each. A longer limit makes alerts quieter, and what is deleted is gone, so both ask for the password.
pub async fn act(
    services: &Services,
    principal: &Principal,
    rows: &[Row],
    act: &Act,
    confirmation: &Confirmation<'_>,
) -> Result<Vec<Outcome>, Refusal> {
    principal.require(Role::Operator)?;
    if asks(services, rows, act) {
        confirm(services, principal.visitor(), confirmation).await?;
    }
    let mut outcomes = Vec::new();
    for row in rows {
        let done = one(services, principal, row.id, act).await.map_err(reason);
        outcomes.push(Outcome { id: row.id, name: row.name.clone(), done });
    }
    if matches!(act, Act::Limit(_)) {
        services.wake.alerts.notify_one();
    }
    Ok(outcomes)
}

/// Whether the password is asked for.
fn asks(services: &Services, rows: &[Row], act: &Act) -> bool {
    let limits = services.limits();
    match act {
        Act::Labels(_) => false,
        Act::Delete => true,
        Act::Limit(own) => rows.iter().any(|row| {
            let [before, after] = [row.stale_after_days, *own].map(|own| limits.days(&row.kind, row.ages, own));
            before.is_some_and(|before| after.is_none_or(|after| after > before))
        }),
    }
}

async fn one(services: &Services, principal: &Principal, id: CredentialId, act: &Act) -> Result<bool, Refusal> {
    if *act == Act::Delete {
        return remove(services, principal, id, None).await.map(|()| true);
    }
    let act = act.clone();
    let change = move |conn: &mut Conn, vault: &Vault, actor: &_| match &act {
        Act::Labels(change) => relabel::credential(conn, vault, actor, (id, None), change),
        Act::Limit(days) => credential_limits::set(conn, vault, actor, id, *days).map(|()| true),
        Act::Delete => Ok(false),
    };
    Ok(write(services, principal, change).await?)
}

/// Counts one run of many tests of saved credentials: each goes only where its own sealed values say.
pub fn begin_tests(services: &Services, principal: &Principal) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    Ok(services.checkups.take(principal.visitor().user_id, std::time::Instant::now())?)
}

/// Tests one of them, and records the outcome; else why it was not tested.
pub async fn test_one(services: &Services, principal: &Principal, row: &Row) -> Result<Finding, String> {
    principal.require(Role::Operator).map_err(reason)?;
    let test = async {
        let kind = kinds::find(&row.kind).ok_or(UNKNOWN_KIND)?;
        if !providers::has_test(kind) {
            return Err(Refusal::Conflict("This type can't be tested on its own."));
        }
        checkup::saved(services, principal, row.id).await
    };
    test.await.map_err(reason)
}

/// Why one was left as it is.
fn reason(refusal: Refusal) -> String {
    let text = match refusal {
        Refusal::Conflict(sentence) | Refusal::Unacceptable(sentence) => sentence,
        Refusal::Invalid(errors) => return errors.iter().map(|(_, text)| text).collect::<Vec<_>>().join(" "),
        Refusal::TooOften(too_often) => return too_often.text,
        Refusal::InUse => "Integrations use it.",
        Refusal::Overtaken => "Someone else changed it at the same time.",
        Refusal::Forbidden => "Your role doesn't allow it.",
        Refusal::Db(DbError::Check(name)) if name == FULL => "It has 10 tags already.",
        Refusal::Db(DbError::Check(_)) => "It is built in and can't be changed.",
        Refusal::Db(DbError::NotFound) => "It has been deleted.",
        Refusal::Db(DbError::Integrity) => "Its record has been tampered with.",
        Refusal::Db(DbError::LaterRelease) => "A later release of Strongroom saved it.",
        Refusal::Db(DbError::TrailHeld | DbError::TrailCut) => "The audit trail is broken, so nothing is changed.",
        Refusal::Db(DbError::OutcomeUnknown) => "The database stopped answering: look whether it was saved.",
        Refusal::Db(_) => "The database can't be reached. Try again.",
        _ => "It was refused. Open it to see why.",
    };
    text.to_owned()
}
