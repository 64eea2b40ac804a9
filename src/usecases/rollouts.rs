//! Starts and stops upgrades of many deployments to one image, a few at a time.

use super::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::accounts::Role;
use crate::form::{self, Errors, Values};
use crate::integrations::{Family, deployments};
use crate::models::rollouts::{self, MOST_AT_ONCE, Rollout, RolloutState, Step};
use crate::models::{Conn, IntegrationId, RolloutId, integration_list};
use crate::services::Services;
use crate::vault::Vault;

/// The fields of the form.
pub struct Entered<'a> {
    pub image: &'a str,
    /// How many deployments are upgraded at the same time.
    pub at_once: &'a str,
    pub confirmation: Confirmation<'a>,
}

/// Starts an upgrade of these deployments, in the order of their names.
pub async fn begin(
    services: &Services,
    principal: &Principal,
    ids: Vec<IntegrationId>,
    entered: Entered<'_>,
) -> Result<RolloutId, Refusal> {
    principal.require(Role::Operator)?;
    let image = image(entered.image)?;
    let at_once = entered.at_once.trim().parse().ok().filter(|number| (1..=MOST_AT_ONCE).contains(number));
    let Some(at_once) = at_once else {
        let sentence = format!("Enter a number from 1 to {MOST_AT_ONCE}.");
        return Err(Refusal::Invalid(Errors::one("at_once", sentence)));
    };
    confirm(services, principal.visitor(), &entered.confirmation).await?;
    let begun = write(services, principal, move |conn, vault, actor| {
        let rows = integration_list::of(conn, ids.clone())?;
        let deployments: Vec<IntegrationId> =
            rows.iter().filter(|row| row.family == Family::DaemonSet.slug()).map(|row| row.id).collect();
        match deployments.is_empty() {
            true => Ok(None),
            false => rollouts::begin(conn, vault, actor, (&image, at_once), &deployments).map(Some),
        }
    });
    begun.await?.ok_or(Refusal::Conflict("Only deployments can be upgraded."))
}

/// Checks the image like the form of a deployment does.
fn image(text: &str) -> Result<String, Refusal> {
    let field = deployments::VERSIONS.iter().flat_map(|spec| spec.fields).find(|field| field.name == "image");
    let Some(field) = field else { return Err(Refusal::Unacceptable("This release has no deployments.")) };
    let posted: Values = [("image", text)].into_iter().collect();
    let checked = form::check(std::slice::from_ref(field), &posted, None).map_err(Refusal::Invalid)?;
    Ok(checked.get("image").to_owned())
}

/// A rollout with its steps, for display. A tampered rollout is shown too.
pub async fn find(services: &Services, id: RolloutId) -> Result<(Rollout, Vec<Step>), Refusal> {
    let found = move |conn: &mut Conn, vault: &Vault| {
        Ok::<_, crate::models::DbError>((rollouts::find(conn, vault, id)?.into_shown(), rollouts::steps(conn, id)?))
    };
    Ok(read(services, found).await?)
}

/// Starts no further deployment. Those under way continue.
pub async fn stop(services: &Services, principal: &Principal, id: RolloutId) -> Result<bool, Refusal> {
    principal.require(Role::Operator)?;
    let stopped = write(services, principal, move |conn, vault, actor| {
        let image = rollouts::find(conn, vault, id)?.into_shown().image;
        rollouts::end(conn, vault, actor, (id, &image), RolloutState::Stopped)
    });
    Ok(stopped.await?)
}
