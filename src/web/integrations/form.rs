//! The form of an integration as a page shows it, filled in anew or from what is saved, and what it says when it comes
//! back. What it may hold is in `usecases::integrations::draft`.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use url::Url;

use super::clusters::{self, Listed};
use super::shown;
use super::trial::Shown;
use crate::form::{self, Errors, FieldView, Values};
use crate::integrations::deployments::Clusters;
use crate::integrations::{Family, Spec};
use crate::models::credential_choices::{self, Choice};
use crate::models::integrations::Integration;
use crate::models::{self, CredentialId, DbError};
use crate::providers::egress::Egress;
use crate::services::Services;
use crate::usecases::integrations::draft::{self, Purpose};
use crate::usecases::integrations::{Entered, Trial, Tried};
use crate::usecases::{Answer, Question, Refusal};
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::step_up::{self, Ask};

/// The field of the checkbox that a [`Question`] adds to the form.
const SEND_TO: &str = "send_to";

/// The button that adds a store although its connection does not work.
const ANYWAY: &str = "anyway";

/// Refuses what the form does not hold; `more` are fields of one of the two pages alone.
pub fn only(posted: &Posted, more: &[&'static str]) -> Result<(), Error> {
    let own = draft::field_names().into_iter().chain([
        SEND_TO,
        step_up::FIELD,
        ANYWAY,
        "redraw",
        "try",
        "add",
        clusters::LIST,
        clusters::PICK,
    ]);
    posted.only(own.chain(more.iter().copied()))
}

/// What was posted, for a use case.
pub fn entered<'a>(services: &Services, request: &HttpRequest, posted: &'a Posted) -> Entered<'a> {
    let send_to = posted.0.contains(SEND_TO).then(|| posted.get(SEND_TO));
    let confirmation = step_up::typed(step_up::FIELD, services, request, posted);
    Entered { values: &posted.0, answer: Answer { send_to, confirmation }, anyway: posted.get(ANYWAY) == "on" }
}

/// What the form was sent for.
pub enum Pressed {
    /// Another version was chosen, without the script.
    Redraw,
    Try(Trial),
    /// The *List clusters* button was pressed.
    ListClusters,
    /// A credential is missing: *Add credential*.
    AddCredential,
    Save,
}

pub fn pressed(posted: &Posted) -> Result<Pressed, Error> {
    if posted.0.contains(clusters::LIST) {
        return Ok(Pressed::ListClusters);
    }
    if posted.0.contains("redraw") || posted.0.contains(clusters::PICK) {
        return Ok(Pressed::Redraw);
    }
    if posted.0.contains("add") {
        return Ok(Pressed::AddCredential);
    }
    match posted.get("try") {
        "connection" => Ok(Pressed::Try(Trial::Connection)),
        "on" => Ok(Pressed::Try(Trial::Alert)),
        "" => Ok(Pressed::Save),
        _ => Err(Error::Malformed),
    }
}

/// What the form says when it comes back, and with which status.
pub struct Reply {
    pub status: StatusCode,
    /// Seconds to wait, after too many wrong passwords.
    pub wait: Option<i64>,
    pub errors: Errors,
    pub ask: Option<Question>,
    pub password: Option<Ask>,
    pub tried: Option<Shown>,
    pub clusters: Option<Listed>,
    /// The connection does not work, and it was not saved.
    pub not_connected: bool,
    /// Somebody else has saved meanwhile.
    pub overtaken: bool,
}

impl Default for Reply {
    /// The form as it was filled in.
    fn default() -> Self {
        let (status, errors) = (StatusCode::OK, Errors::default());
        let (ask, password, tried, clusters) = (None, None, None, None);
        Self { status, wait: None, errors, ask, password, tried, clusters, not_connected: false, overtaken: false }
    }
}

impl Reply {
    pub fn tried(tried: Tried) -> Self {
        Self { tried: Some(Shown::new(tried)), ..Self::default() }
    }

    pub fn listed(found: Result<Clusters, String>) -> Self {
        Self { clusters: Some(Listed::new(found)), ..Self::default() }
    }

    /// What a person at the form can mend; any other refusal is a page of its own.
    pub fn refused(refusal: Refusal) -> Result<Self, Error> {
        let asked = |wait: Option<i64>| {
            let status = wait.map_or(StatusCode::UNPROCESSABLE_ENTITY, |_| StatusCode::TOO_MANY_REQUESTS);
            Self { status, wait, ..Self::default() }
        };
        Ok(match refusal {
            Refusal::Invalid(errors) => Self { errors, ..asked(None) },
            Refusal::Destination(question) => {
                let wait = question.seconds;
                Self { ask: Some(*question), ..asked(wait) }
            }
            Refusal::Unconfirmed(why) => {
                let wait = why.seconds;
                Self { password: Some(Ask::new(step_up::FIELD, why)), ..asked(wait) }
            }
            Refusal::NotConnected(why) => {
                Self { tried: Some(Shown::not_saved(&why)), not_connected: true, ..asked(None) }
            }
            Refusal::Overtaken => Self { status: StatusCode::CONFLICT, overtaken: true, ..Self::default() },
            refusal => return Err(refusal.into()),
        })
    }
}

/// What a person sees of the form. `choices` are the credentials to pick from.
pub fn views(
    provider: &'static Spec,
    posted: Option<&Values>,
    stored: Option<&Values>,
    errors: &Errors,
    choices: &Choices,
) -> Vec<FieldView> {
    let purpose = if stored.is_some() { Purpose::Saved } else { Purpose::New };
    let picks = |field: &str| match field {
        "version" => {
            // A saved channel stays what it is.
            let fixed = stored.is_some() && provider.family() == Family::AlertProfile;
            let known = if fixed { vec![provider] } else { provider.family().providers().to_vec() };
            known.into_iter().map(|spec| (spec.slug.to_owned(), spec.label.to_owned())).collect()
        }
        field => choices.iter().find(|(known, _)| *known == field).map(|(_, list)| list.clone()).unwrap_or_default(),
    };
    let mut views = form::view(&draft::fields(provider, purpose), posted, stored, errors, &picks);
    for view in views.iter_mut().filter(|view| view.name == "version") {
        // Each provider has fields of its own.
        view.switches = true;
    }
    views
}

/// The credentials that can be chosen, by field: the id, and `Harbor robot — robot$ci · 120 days`.
pub type Choices = Vec<(&'static str, Vec<(String, String)>)>;

/// The choices for a provider. They include the credentials already chosen.
pub async fn choices(services: &Services, provider: &'static Spec, values: &Values) -> Result<Choices, DbError> {
    let further = provider.further().map(|used| (used.role, used.kinds));
    let fields: Vec<_> = [("credential", provider.credential_kinds())].into_iter().chain(further).collect();
    let chosen: Vec<_> = fields.iter().map(|(field, _)| values.get(field).parse::<CredentialId>().ok()).collect();
    let find = move |conn: &mut _| {
        let list = |((field, kinds), chosen): (&(_, &[&str]), &Option<_>)| {
            Ok((*field, credential_choices::choices(conn, kinds, *chosen)?))
        };
        let found = fields.iter().zip(&chosen).map(list).collect::<Result<Vec<_>, DbError>>()?;
        Ok::<_, DbError>((found, models::clock(conn)?))
    };
    let (found, now) = services.db.run(find).await?;
    let label = |choice: Choice| {
        let age = shown::counted((now - choice.aged_from).num_days().max(0), "day");
        let whose = if choice.identity.is_empty() { String::new() } else { format!("{} · ", choice.identity) };
        (choice.id.to_string(), format!("{} — {whose}{age}", choice.name))
    };
    Ok(found.into_iter().map(|(field, list)| (field, list.into_iter().map(label).collect())).collect())
}

/// The form's values of a saved integration.
pub fn stored(row: &Integration) -> Values {
    let mut values = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    values.set("name", &row.name);
    values.set("version", &row.version);
    values.set("credential", row.credential_id.map(|id| id.to_string()).unwrap_or_default());
    for usage in row.further.iter() {
        values.set(&usage.role, usage.credential.to_string());
    }
    values.set("owner", &row.owner);
    values.set("tags", row.tags.join(", "));
    values.set("schedule", row.every_hours.map_or("off".to_owned(), |hours| hours.to_string()));
    values
}

/// The address that settings name, for showing it and warning of it.
pub fn address(version: &str, settings: &Values) -> Option<Url> {
    Spec::find(version)?.address(settings)
}

/// A sentence when the address that was typed carries the credential in the clear.
pub fn warning(provider: &Spec, values: &Values) -> Option<&'static str> {
    Egress::warning(&provider.address(values)?)
}

/// Who decides where the address that was typed leads, when the operator's proxy does.
pub fn way_out(egress: &Egress, provider: &Spec, values: &Values) -> Option<String> {
    egress.way_out(&provider.address(values)?)
}
