//! The nightly check of the whole store, done by one replica. When it was last done is read from the audit trail, so
//! that restarts neither repeat nor forget it, and nobody can put it off by SQL. Everything that it finds raises an
//! alert.

use crate::models::altered::{self, Part};
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::trust::Doubt;
use crate::models::{
    Conn, CredentialId, DbError, IntegrationId, RecipientId, UserId, deployment, integrations, recipients, users,
};
use crate::services::Services;
use crate::vault::Vault;
use crate::verification::{Failure, Walk};

/// Checks everything if that is due; `false` when it is not, or another replica is at it.
pub async fn check(services: &Services) -> Result<bool, DbError> {
    let vault = services.vault.clone();
    let claim = move |conn: &mut _| {
        let claimed = deployment::claim_verification(conn, &vault)?;
        if claimed {
            let started = event(Action::StoreVerificationStarted, String::new());
            events::record(conn, &vault, &Actor::system(), &started)?;
        }
        Ok::<_, DbError>(claimed)
    };
    if !services.db.transaction(claim).await? {
        return Ok(false);
    }
    let mut walk = Walk::default();
    loop {
        if services.stopping.is_cancelled() {
            // Started an hour ago and not finished: the next replica takes it.
            return Ok(true);
        }
        let vault = services.vault.clone();
        // Batch by batch, so that a connection is never held for long.
        let step = move |conn: &mut _| {
            let done = walk.step(conn, &vault)?;
            Ok::<_, DbError>((walk, done))
        };
        let (stepped, done) = services.db.run(step).await?;
        walk = stepped;
        if done {
            break;
        }
    }
    for failure in &walk.failures {
        tracing::error!(%failure, "integrity error");
    }
    conclude(services, walk).await?;
    Ok(true)
}

async fn conclude(services: &Services, walk: Walk) -> Result<(), DbError> {
    for failure in walk.failures.clone() {
        // Those of credentials are counted where they are refused.
        if !matches!(failure, Failure::Value { table: "credentials", .. } | Failure::Row { table: "credentials", .. }) {
            metrics::counter!("strongroom_integrity_failures_total").increment(1);
        }
        let vault = services.vault.clone();
        let alert = move |conn: &mut _| match alert(conn, &vault, &failure) {
            // Deleted since.
            Err(DbError::NotFound) => Ok(()),
            result => result,
        };
        services.db.transaction(alert).await?;
    }
    let (action, detail) = match walk.failures.len() {
        0 => (Action::StoreVerified, walk.summary()),
        count => (Action::StoreVerificationFailed, format!("{count} failures, named in the log; {}", walk.summary())),
    };
    tracing::info!(failures = walk.failures.len(), "the store was verified: {}", walk.summary());
    let (vault, sound) = (services.vault.clone(), walk.failures.is_empty());
    let record = move |conn: &mut _| {
        if sound {
            for part in Part::ALL {
                altered::settle_store(conn, part, "the whole store was verified")?;
            }
        }
        events::record(conn, &vault, &Actor::system(), &event(action, detail.clone()))
    };
    services.db.transaction(record).await
}

/// Raises the alert about a finding. A credential is refused for good from here on.
fn alert(conn: &mut Conn, vault: &Vault, failure: &Failure) -> Result<(), DbError> {
    let sentence = format!("The verification of the store found: {failure}.");
    let (table, id) = match failure {
        Failure::Row { doubt: Doubt::LaterRelease, .. } => return Ok(()),
        Failure::Value { table, id, .. } | Failure::Row { table, id, .. } => (*table, *id),
        Failure::Newer { .. } | Failure::Unrecorded { .. } | Failure::Trail(_) | Failure::Gap(_) => {
            return altered::alert_store(conn, vault, Part::Trail, &sentence);
        }
        Failure::Missing { table: "users" } => return altered::alert_store(conn, vault, Part::Users, &sentence),
        Failure::Missing { .. } => return altered::alert_store(conn, vault, Part::Deployment, &sentence),
        Failure::Gone { .. } | Failure::Unreadable { .. } | Failure::Changed { .. } => {
            return altered::alert_store(conn, vault, Part::Rows, &sentence);
        }
    };
    match table {
        "credentials" => altered::quarantine(conn, vault, &Actor::system(), CredentialId(id)),
        "integrations" => {
            let row = integrations::find(conn, vault, IntegrationId(id))?;
            altered::alert(conn, vault, row.shown(), "")
        }
        "users" => {
            let user = users::find(conn, vault, UserId(id))?;
            altered::alert_user(conn, vault, user.shown())
        }
        "recipients" => {
            let person = recipients::find(conn, vault, RecipientId(id))?.into_shown();
            let channel = integrations::find(conn, vault, person.integration_id)?;
            let words = format!("A recipient of “{}” was tampered with, and receives nothing.", channel.shown().name);
            altered::alert(conn, vault, channel.shown(), &words)
        }
        "channels" => {
            let channel = integrations::find(conn, vault, IntegrationId(id))?;
            altered::alert_pauses(conn, vault, channel.shown())
        }
        "sessions" => altered::alert_store(conn, vault, Part::Sessions, &sentence),
        "keks" => altered::alert_store(conn, vault, Part::Keys, &sentence),
        "deployment" => altered::alert_store(conn, vault, Part::Deployment, &sentence),
        "alert_settings" => altered::alert_store(conn, vault, Part::Settings, &sentence),
        _ => altered::alert_store(conn, vault, Part::Rows, &sentence),
    }
}

fn event(action: Action, detail: String) -> NewEvent<'static> {
    NewEvent { action, subject_kind: "store", subject_id: None, subject_name: "the whole store", detail }
}
