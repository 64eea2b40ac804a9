//! What people decide about messages that no channel would take.

use super::{Principal, Refusal, write};
use crate::accounts::Role;
use crate::models::DbError;
use crate::models::deliveries::{self, Parked};
use crate::services::Services;

/// What is to be done with a message that waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Retry,
    /// It is never sent; that needs a password that was given lately.
    GiveUp,
}

/// Decides about one message, or about all that wait at a channel. Returns how many are tried again: those whose alerts
/// have been closed meanwhile are not.
pub async fn decide(
    services: &Services,
    principal: &Principal,
    which: Parked,
    decision: Decision,
) -> Result<usize, Refusal> {
    principal.require(Role::Operator)?;
    if decision == Decision::GiveUp {
        principal.require_fresh()?;
    }
    let again = decision == Decision::Retry;
    let decide = move |conn: &mut _, vault: &_, actor: &_| deliveries::decide(conn, vault, actor, which, again);
    let tried = write(services, principal, decide).await.map_err(|error| match error {
        DbError::Stale => Refusal::Conflict("This message is no longer waiting."),
        error => error.into(),
    })?;
    services.wake.messages.notify_one();
    services.wake.alerts.notify_one();
    Ok(tried)
}
