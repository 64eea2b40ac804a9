//! The *List clusters* button on the form of a deployment.

use std::time::Instant;

use super::Entered;
use super::draft;
use crate::accounts::Role;
use crate::connection_test::{self, Draft};
use crate::form::{Errors, Values};
use crate::integrations::deployments::Clusters;
use crate::services::Services;
use crate::usecases::{Principal, Refusal};

/// The clusters that the chosen credential can see. The inner error says in sentences why they could not be listed. The
/// form need not be complete. Only the cloud is asked, which is where this credential already goes.
pub async fn clusters(
    services: &Services,
    principal: &Principal,
    entered: &Entered<'_>,
) -> Result<Result<Clusters, String>, Refusal> {
    principal.require(Role::Operator)?;
    let spec = draft::chosen(entered.values.get("version"));
    if spec.cluster().is_none() || spec.chooses_host() {
        return Err(Refusal::Unacceptable("Only the form of a deployment lists clusters."));
    }
    let Ok(credential) = entered.values.get("credential").parse() else {
        return Err(Refusal::Invalid(Errors::one("credential", "Choose a credential first.")));
    };
    services.checkups.take(principal.visitor().user_id, Instant::now())?;
    let own = spec.fields.iter().map(|field| (field.name, entered.values.get(field.name).trim()));
    let settings: Values = own.collect();
    let draft = Draft { spec, settings: &settings, credential: Some(credential), name: spec.label, host: spec.label };
    Ok(connection_test::clusters::run(services, principal.actor(), &draft).await?)
}
