//! What is done to many credentials at once.

use super::{MOST_DAYS, UNKNOWN_KIND, checkup, remove};
use crate::accounts::Role;
use crate::credentials as kinds;
use crate::models::credential_query::Row;
use crate::models::labels::Change;
use crate::models::{Conn, CredentialId, DbError, credential_limits, credential_list, relabel};
use crate::providers;
use crate::providers::probe::Finding;
use crate::services::Services;
use crate::usecases::bulk::{Outcome, invalid, owner, reason, tag};
use crate::usecases::numbers::days;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

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
        tag(text, adds).map(Self::Labels)
    }

    /// Sets the owner; nothing takes it off.
    pub fn owner(text: &str) -> Result<Self, Refusal> {
        owner(text).map(Self::Labels)
    }

    pub fn limit(text: &str) -> Result<Self, Refusal> {
        days(text, 0, MOST_DAYS).map(Self::Limit).map_err(|sentence| invalid("days", sentence))
    }
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
        outcomes.push(Outcome { id: row.id.0, name: row.name.clone(), done });
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
