//! Binding of stored secrets to destinations: before an integration sends one to a host that nobody sends it to yet,
//! the visitor proves again who they are; when an integration is edited they also say that they mean it. Nothing is
//! sent anywhere to find out.

use actix_web::HttpRequest;
use uuid::Uuid;

use super::draft::Draft;
use crate::accounts::Refused;
use crate::accounts::visitor::Visitor;
use crate::form::{Errors, Values};
use crate::integrations::ca_certificate;
use crate::models::events::{self, Action, NewEvent};
use crate::models::integrations::Integration;
use crate::models::trust::Seen;
use crate::models::{Conn, DbError, credentials, usages};
use crate::services::Services;
use crate::vault::Vault;
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::session;

/// The fields that [`Ask`] adds to a form.
pub const FIELDS: [&str; 2] = ["send_to", "password"];

/// A stored secret and the host that would get to know it.
#[derive(Clone, Debug)]
pub struct Destination {
    credential: Uuid,
    credential_name: String,
    host: String,
    /// The integration that is edited, if one is.
    integration: Option<Uuid>,
}

/// What the form asks for before it saves.
#[derive(Clone, Debug)]
pub struct Ask {
    pub host: String,
    pub credential: String,
    /// What the checkbox sends: good for this secret and this host only. `None` where no checkbox is needed.
    pub value: Option<String>,
    pub checked: bool,
    pub checkbox_error: Option<String>,
    pub password_error: Option<String>,
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

    fn detail(&self) -> String {
        format!("{} to {}", self.credential_name, self.host)
    }

    /// The trail's line for either answer.
    pub fn event<'a>(&self, action: Action, name: &'a str) -> NewEvent<'a> {
        let (subject_id, detail) = (self.integration, self.detail());
        NewEvent { action, subject_kind: "integration", subject_id, subject_name: name, detail }
    }

    /// Whether the visitor may go on: by a password given lately for a new integration, else by what the form asks.
    /// A refusal is audited.
    pub async fn confirm(
        &self,
        services: &Services,
        request: &HttpRequest,
        visitor: &Visitor,
        posted: &Posted,
        name: &str,
    ) -> Result<Result<(), Ask>, Error> {
        let editing = self.integration.is_some();
        if !editing && visitor.confirmed_lately() {
            return Ok(Ok(()));
        }
        let asked = FIELDS.iter().any(|field| posted.0.contains(field));
        let meant = !editing || posted.get("send_to") == self.value();
        let mut ask = Ask {
            host: self.host.clone(),
            credential: self.credential_name.clone(),
            value: editing.then(|| self.value()),
            checked: editing && meant,
            checkbox_error: (asked && !meant).then(|| "Tick it if the secret belongs there.".to_owned()),
            password_error: None,
        };
        if meant && !posted.get("password").is_empty() {
            let address = session::client_ip(request, services);
            match services.gate.password(&visitor.name, posted.get("password"), address).await {
                Ok(user) if user.id == visitor.user_id => return Ok(Ok(())),
                Ok(_) | Err(Refused::Wrong) => ask.password_error = Some("That is not your password.".to_owned()),
                Err(refused) => return Err(refused.into()),
            }
        } else if asked {
            ask.password_error = Some("Enter your password.".to_owned());
        }
        self.record_refusal(services, visitor, name).await?;
        Ok(Err(ask))
    }

    async fn record_refusal(&self, services: &Services, visitor: &Visitor, name: &str) -> Result<(), DbError> {
        let (vault, actor, this, name) = (services.vault.clone(), visitor.actor(), self.clone(), name.to_owned());
        services
            .db
            .transaction(move |conn| {
                events::record(conn, &vault, &actor, &this.event(Action::IntegrationDestinationRefused, &name))
            })
            .await
    }
}
