//! The list of first steps on the dashboard: what only a person can tick.

use super::{Principal, Refusal, write};
use crate::accounts::Role;
use crate::models::first_steps::{self, Tick};
use crate::services::Services;

/// Ticks a step for everybody.
pub async fn tick(services: &Services, principal: &Principal, tick: Tick) -> Result<(), Refusal> {
    principal.require(Role::Administrator)?;
    Ok(write(services, principal, move |conn, vault, actor| first_steps::tick(conn, vault, actor, tick)).await?)
}
