//! Sample data: a console that is empty is filled with made-up credentials and integrations, so that somebody who looks at
//! it sees a living one, and emptied again. Every row is saved as a person's would be, signed and audited; integrations
//! are switched off and lead to reserved names, no provider is asked, and alerts about the rows are told to nobody. What
//! somebody uses for something of their own by then stays.

use std::collections::HashMap;

use chrono::TimeDelta;

use crate::accounts::Role;
use crate::credentials as kinds;
use crate::draft;
use crate::form::{Errors, Values};
use crate::integrations::Spec;
use crate::models::checkups::{self, Outcome};
use crate::models::events::{Action, Actor};
use crate::models::integrations::NewIntegration;
use crate::models::labels::Change;
use crate::models::provider_facts::Told;
use crate::models::sample::{self, Row, TAG};
use crate::models::{self, Conn, CredentialId, DbError, IntegrationId, credentials, integrations, relabel};
use crate::providers::probe::Verdict;
use crate::services::Services;
use crate::usecases::credentials::entered;
use crate::usecases::integrations::draft::{Draft, Purpose};
use crate::usecases::{Principal, Refusal, write};
use crate::vault::Vault;

mod plan;
mod values;

use plan::{Key, Test, User};

const NOT_EMPTY: &str = "sample_not_empty";
const NOTE: &str = "Sample data. The secret is made up and opens nothing.";

/// A credential that is ready to be saved.
struct Prepared {
    key: &'static Key,
    draft: draft::Draft,
}

/// Fills an empty console.
pub async fn load(services: &Services, principal: &Principal) -> Result<(), Refusal> {
    principal.require(Role::Administrator)?;
    let keys: Vec<Prepared> =
        plan::KEYS.iter().enumerate().map(prepared).collect::<Result<_, _>>().map_err(Refusal::Invalid)?;
    let drafted = |user: &'static User| Ok((user, Draft::check(services, &settings(user), Purpose::New)?));
    let users: Vec<(&User, Draft)> =
        plan::USERS.iter().map(drafted).collect::<Result<_, Errors>>().map_err(Refusal::Invalid)?;
    let load = move |conn: &mut Conn, vault: &Vault, actor: &Actor| save(conn, vault, actor, &keys, &users);
    write(services, principal, load).await.map_err(|error| match error {
        DbError::Check(why) if why == NOT_EMPTY => {
            Refusal::Conflict("Sample data is for an empty console. There is a credential or an integration already.")
        }
        DbError::Duplicate(_) => Refusal::Conflict("Someone else has just loaded it."),
        error => error.into(),
    })?;
    services.wake.alerts.notify_one();
    Ok(())
}

fn prepared((number, key): (usize, &'static Key)) -> Result<Prepared, Errors> {
    let kind = kinds::find(key.kind).ok_or_else(|| Errors::one("kind", "There is no such type."))?;
    let mut values = values::of(key.kind, number + 1);
    values.set("name", key.name);
    values.set("description", NOTE);
    let entered = entered::check(kind, &values, None)?;
    Ok(Prepared { key, draft: draft::Draft::new(kind, entered.name, entered.note, &entered.values)? })
}

/// The form of an integration. Its credential has no id yet.
fn settings(user: &User) -> Values {
    let schedule = if user.settings.iter().any(|(name, _)| *name == "registry") { "24" } else { "" };
    let mut values: Values = user.settings.iter().copied().collect();
    for (name, value) in [("version", user.version), ("name", user.name), ("schedule", schedule)] {
        values.set(name, value);
    }
    // What is ticked on a new form.
    for field in Spec::find(user.version).map_or(&[][..], |spec| spec.fields) {
        if !values.contains(field.name) && !field.default.is_empty() {
            values.set(field.name, field.default);
        }
    }
    if !user.credential.is_empty() {
        values.set("credential", CredentialId::fresh().to_string());
    }
    values
}

fn labels(owner: &str, tag: &str) -> Change {
    let tags = [tag, TAG].map(str::to_owned).into();
    Change::Both { owner: Some(owner.to_owned()), tags: Some(tags) }
}

/// One transaction: all of it, or nothing.
fn save(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    keys: &[Prepared],
    users: &[(&User, Draft)],
) -> Result<(), DbError> {
    if !sample::is_console_empty(conn)? {
        return Err(DbError::Check(NOT_EMPTY.to_owned()));
    }
    let mut ids: HashMap<&str, CredentialId> = HashMap::new();
    for Prepared { key, draft } in keys {
        let id = credentials::create(conn, vault, actor, &draft.row())?;
        relabel::credential(conn, vault, actor, (id, None), &labels(key.owner, key.tag))?;
        ids.insert(key.name, id);
    }
    let mut others: Vec<IntegrationId> = Vec::new();
    for (user, draft) in users {
        let row = NewIntegration { credential_id: ids.get(user.credential).copied(), ..draft.row(&draft.name, &[]) };
        let id = integrations::create(conn, vault, actor, &row)?;
        relabel::integration(conn, vault, actor, (id, None), &labels(user.owner, user.tag))?;
        integrations::set_active(conn, vault, actor, id, false)?;
        others.push(id);
    }
    let all: Vec<CredentialId> = ids.values().copied().collect();
    sample::list(conn, &all, &others)?;
    for Prepared { key, .. } in keys {
        live(conn, vault, actor, key, ids[key.name])?;
    }
    let detail = format!("{} credentials, {} integrations", all.len(), others.len());
    sample::record(conn, vault, actor, Action::SampleLoaded, detail)
}

/// Gives a credential its age, its end and its last test.
fn live(conn: &mut Conn, vault: &Vault, actor: &Actor, key: &Key, id: CredentialId) -> Result<(), DbError> {
    let now = models::clock(conn)?;
    sample::date(conn, id, now - TimeDelta::days(key.age))?;
    let Some(test) = key.test.or(key.ends.map(|_| Test::Good)) else { return Ok(()) };
    let (verdict, sentence, failed) = match test {
        Test::Good => (Verdict::Ok, "The key is valid.", false),
        Test::Bad(verdict, sentence) => (verdict, sentence, true),
    };
    let outcome = Outcome {
        verdict: verdict.slug(),
        sentence: format!("Sample data: {sentence}"),
        detail: "sample data, no provider was asked".to_owned(),
        failed,
        expires_at: key.ends.map(|days| now + TimeDelta::days(days)),
        told: Told::default(),
        key_id: None,
    };
    checkups::record(conn, vault, actor, (id, 1), &outcome)
}

/// Deletes the sample data; returns what stays, since somebody uses it for something of their own.
pub async fn remove(services: &Services, principal: &Principal) -> Result<Vec<Row>, Refusal> {
    principal.require(Role::Administrator)?;
    let kept = write(services, principal, |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        let rows = sample::rows(conn)?;
        let (kept, gone): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.in_use);
        for row in &gone {
            match row.kind.as_str() {
                "integration" => integrations::delete(conn, vault, actor, IntegrationId(row.id))?,
                _ => credentials::delete(conn, vault, actor, CredentialId(row.id))?,
            }
        }
        sample::unlist(conn, &kept.iter().map(|row| row.id).collect::<Vec<_>>())?;
        let detail = format!("{} rows, {} kept", gone.len(), kept.len());
        sample::record(conn, vault, actor, Action::SampleRemoved, detail)?;
        Ok(kept)
    });
    let kept = kept.await?;
    services.wake.alerts.notify_one();
    Ok(kept)
}
