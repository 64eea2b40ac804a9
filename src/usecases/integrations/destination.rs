//! Binding of stored secrets to destinations: before an integration sends one to a host that nobody sends it to yet,
//! the principal proves again who they are; when integrations are edited they also say that they mean it. Nothing is
//! sent anywhere to find out.

use super::draft::Draft;
use crate::form::{Errors, Values};
use crate::integrations::ca_certificate;
use crate::models::credentials::Credential;
use crate::models::events::{self, Action, NewEvent};
use crate::models::integrations::Integration;
use crate::models::trust::Seen;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, credentials, usages};
use crate::services::Services;
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Question, Refusal, Unconfirmed, write};
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
        Ok(row) => row,
        Err(DbError::NotFound) => return Ok(Err(not_listed())),
        Err(error) => return Err(error),
    };
    judge(&row, draft, edited, |same| usages::known_destination(conn, vault, id, &draft.host, same))
}

fn not_listed() -> Errors {
    Errors::one("credential", "Choose one from the list.")
}

/// The same for a credential at hand; `is_known` says whether an integration for which the test holds sends its secret to
/// the host of the draft.
pub fn judge(
    row: &Credential,
    draft: &Draft,
    edited: Option<&Integration>,
    is_known: impl FnOnce(&dyn Fn(&Integration) -> bool) -> Result<bool, DbError>,
) -> Result<Result<Option<Destination>, Errors>, DbError> {
    let id = row.id;
    if !draft.kinds().contains(&row.kind.as_str()) {
        return Ok(Err(not_listed()));
    }
    if let Err(errors) = draft.suits(&row.kind, &row.facts) {
        return Ok(Err(errors));
    }
    let authority = authority(draft.settings());
    let vouched = |row: &Integration| self::authority(&row.settings) == authority;
    let to_host = edited.filter(|edited| edited.credential_id == Some(id) && edited.host == draft.host);
    let integration = edited.map(|edited| edited.id);
    if to_host.is_some_and(vouched)
        || !draft.provider.chooses_host()
        || is_known(&|row| Some(row.id) != integration && vouched(row))?
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
}

/// What was answered to a [`Question`], and the password that came with it.
pub struct Answer<'a> {
    /// The destination that the secret is said to belong to.
    pub send_to: Option<&'a str>,
    pub confirmation: Confirmation<'a>,
}

/// Passes by a password given lately for a new integration, else by the answer to the [`Question`], which is one for all
/// the destinations of a secret. A refusal is audited for each, beside whose name the destination stands.
pub(in crate::usecases) async fn confirm_all(
    services: &Services,
    principal: &Principal,
    destinations: &[(&Destination, &str)],
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    let Some((first, _)) = destinations.first() else { return Ok(()) };
    let (editing, visitor, confirmation) = (first.integration.is_some(), principal.visitor(), &answer.confirmation);
    if !editing && visitor.confirmed_lately() {
        return Ok(());
    }
    let value = value(services, destinations);
    let asked = answer.send_to.is_some() || confirmation.password.is_some();
    let meant = !editing || answer.send_to == Some(&*value);
    let password = match confirmation.password {
        Some(password) if meant && !password.is_empty() => check_password(services, visitor, confirmation).await,
        _ => Err(Refusal::Unconfirmed(Unconfirmed {
            error: asked.then(|| "Enter your password.".to_owned()),
            seconds: None,
        })),
    };
    let Err(Refusal::Unconfirmed(Unconfirmed { error, seconds })) = password else { return password };
    let refused: Vec<(Destination, String)> =
        destinations.iter().map(|(one, name)| ((*one).clone(), (*name).to_owned())).collect();
    let record = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let mut events = refused.iter().map(|(one, name)| one.event(Action::IntegrationDestinationRefused, name));
        events.try_for_each(|event| events::record(conn, vault, actor, &event))
    };
    write(services, principal, record).await?;
    Err(Refusal::Destination(Box::new(Question {
        host: hosts(destinations),
        credential: first.credential_name.clone(),
        value: editing.then_some(value),
        checked: editing && meant,
        checkbox_error: (asked && !meant).then(|| "Tick it if the secret belongs there.".to_owned()),
        password_error: error,
        seconds,
    })))
}

/// What must be answered: good for these destinations and no others.
fn value(services: &Services, destinations: &[(&Destination, &str)]) -> String {
    let mut values: Vec<String> = destinations.iter().map(|(one, _)| one.value()).collect();
    values.sort_unstable();
    values.dedup();
    match &values[..] {
        [only] => only.clone(),
        several => {
            let several: Vec<&[u8]> = several.iter().map(String::as_bytes).collect();
            hex::encode(services.vault.mac("destinations", &several))
        }
    }
}

/// Each host once.
fn hosts(destinations: &[(&Destination, &str)]) -> String {
    let mut hosts: Vec<&str> = destinations.iter().map(|(one, _)| one.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.join(", ")
}
