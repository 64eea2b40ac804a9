//! Binding of stored secrets to destinations: before an integration sends one to a host that nobody sends it to yet,
//! the principal proves again who they are; when an integration is edited they also say that they mean it. Nothing is
//! sent anywhere to find out.

use super::Entered;
use super::draft::Draft;
use crate::form::{Errors, Values};
use crate::integrations::ca_certificate;
use crate::models::events::{self, Action, NewEvent};
use crate::models::integrations::Integration;
use crate::models::trust::Seen;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, credentials, usages};
use crate::services::Services;
use crate::usecases::confirmation::check_password;
use crate::usecases::{Principal, Question, Refusal, Unconfirmed, write};
use crate::vault::Vault;

/// A stored secret and the host that would get to know it.
#[derive(Clone, Debug)]
pub struct Destination {
    credential: CredentialId,
    credential_name: String,
    host: String,
    /// The integration that is edited, if one is.
    integration: Option<IntegrationId>,
}

/// Checks the chosen credential and finds out whether its secret would go somewhere new. `edited` is the row as saved.
pub fn find(
    conn: &mut Conn,
    vault: &Vault,
    draft: &Draft,
    edited: Option<&Integration>,
) -> Result<Result<Option<Destination>, Errors>, DbError> {
    let Some(id) = draft.credential else { return Ok(Ok(None)) };
    let row = match credentials::find(conn, vault, id).and_then(Seen::trust) {
        Ok(row) if draft.provider.credential_kinds().contains(&row.kind.as_str()) => row,
        Ok(_) | Err(DbError::NotFound) => return Ok(Err(Errors::one("credential", "Choose one of the list."))),
        Err(error) => return Err(error),
    };
    if let Err(errors) = draft.suits(&row.kind, &row.facts) {
        return Ok(Err(errors));
    }
    let authority = authority(draft.settings());
    let vouched = |row: &Integration| self::authority(&row.settings) == authority;
    let to_host = edited.filter(|edited| edited.credential_id == Some(id) && edited.host == draft.host);
    let integration = edited.map(|edited| edited.id);
    if to_host.is_some_and(vouched)
        || !draft.provider.chooses_host()
        || usages::known_destination(conn, vault, id, &draft.host, |row| Some(row.id) != integration && vouched(row))?
    {
        return Ok(Ok(None));
    }
    let host = match to_host {
        Some(_) => format!("{} under another CA certificate", draft.host),
        None => draft.host.clone(),
    };
    Ok(Ok(Some(Destination { credential: id, credential_name: row.name.clone(), host, integration })))
}

/// The private CA that vouches for the host.
fn authority(settings: &str) -> String {
    ca_certificate::authority(&Values::from_json(settings.as_bytes()).unwrap_or_default())
}

impl Destination {
    fn value(&self) -> String {
        format!("{} {}", self.credential, self.host)
    }

    /// The trail's line for either answer.
    fn event<'a>(&self, action: Action, name: &'a str) -> NewEvent<'a> {
        let (subject_id, detail) =
            (self.integration.map(|id| id.0), format!("{} to {}", self.credential_name, self.host));
        NewEvent { action, subject_kind: "integration", subject_id, subject_name: name, detail }
    }

    /// The trail's line once it is allowed, for the integration of that name. `id` where it was just added.
    pub fn allowed<'a>(&self, id: Option<IntegrationId>, name: &'a str) -> NewEvent<'a> {
        let event = self.event(Action::IntegrationDestinationAllowed, name);
        NewEvent { subject_id: id.map(|id| id.0).or(event.subject_id), ..event }
    }

    /// Passes by a password given lately for a new integration, else by the answers to the [`Question`]. A refusal is
    /// audited, `name` being the integration's.
    pub async fn confirm(
        &self,
        services: &Services,
        principal: &Principal,
        entered: &Entered<'_>,
        name: &str,
    ) -> Result<(), Refusal> {
        let (editing, visitor, confirmation) = (self.integration.is_some(), principal.visitor(), &entered.confirmation);
        if !editing && visitor.confirmed_lately() {
            return Ok(());
        }
        let asked = entered.send_to.is_some() || confirmation.password.is_some();
        let meant = !editing || entered.send_to == Some(&*self.value());
        let password = match confirmation.password {
            Some(password) if meant && !password.is_empty() => check_password(services, visitor, confirmation).await,
            _ => Err(Refusal::Unconfirmed(Unconfirmed {
                error: asked.then(|| "Enter your password.".to_owned()),
                seconds: None,
            })),
        };
        let Err(Refusal::Unconfirmed(Unconfirmed { error, seconds })) = password else { return password };
        let (this, name) = (self.clone(), name.to_owned());
        let record = move |conn: &mut Conn, vault: &_, actor: &_| {
            events::record(conn, vault, actor, &this.event(Action::IntegrationDestinationRefused, &name))
        };
        write(services, principal, record).await?;
        Err(Refusal::Destination(Box::new(Question {
            host: self.host.clone(),
            credential: self.credential_name.clone(),
            value: editing.then(|| self.value()),
            checked: editing && meant,
            checkbox_error: (asked && !meant).then(|| "Tick it if the secret belongs there.".to_owned()),
            password_error: error,
            seconds,
        })))
    }
}
