//! Between the form and the store: what every integration has (name, version, credential, schedule) woven into the
//! fields of a version, checked as one form, and turned into the row that is saved.

use url::Url;
use uuid::Uuid;

use crate::draft::Shown;
use crate::form::{self, Errors, Field, FieldView, Values};
use crate::integrations::{Family, Spec, registries};
use crate::models::integrations::{Integration, NewIntegration};
use crate::models::{DbError, credentials};
use crate::names;
use crate::pasted::Wanted;
use crate::providers::egress::Egress;
use crate::services::Services;

const NAME: Field = Field::text("name", "Name").wants(Wanted::Name).max(200).check(name);
const VERSION: Field = Field::pick("version", "Version").default("docker_v2").check(version_slug);
const CHANNEL: Field = Field::pick("version", "Channel").check(version_slug);
const CREDENTIAL: Field = Field::pick("credential", "Credential")
    .help("Only credentials of the types that can be used here are listed.")
    .check(id);
const SCHEDULE: Field = Field::choice(
    "schedule",
    "Schedule",
    &[
        ("off", "Off"),
        ("1", "Every hour"),
        ("6", "Every 6 hours"),
        ("12", "Every 12 hours"),
        ("24", "Every 24 hours"),
        ("168", "Every 7 days"),
    ],
)
.default("24");

fn name(text: &str) -> Result<String, String> {
    names::label(text, 200)
}

fn version_slug(slug: &str) -> Result<String, String> {
    Spec::find(slug).map(|spec| spec.slug.to_owned()).ok_or_else(|| "Choose one of the list.".to_owned())
}

fn id(text: &str) -> Result<String, String> {
    Uuid::try_parse(text).map(|id| id.to_string()).map_err(|_| "Choose one of the list.".to_owned())
}

/// The whole form of a provider, in the order in which it is filled in.
pub fn fields(spec: &Spec) -> Vec<Field> {
    let alerts = spec.family() == Family::AlertProfile;
    // Where to and what come first, then who, then how.
    let (how, what): (Vec<Field>, Vec<Field>) = spec.fields.iter().partition(|field| field.after_credential);
    let mut fields = vec![NAME, if alerts { CHANNEL } else { VERSION }];
    fields.extend(what);
    if let Some(used) = spec.main() {
        let field = Field { label: used.label, ..CREDENTIAL };
        fields.push(if used.required { field } else { field.optional() });
    }
    fields.extend(how);
    if !alerts {
        fields.push(SCHEDULE);
    }
    fields
}

/// Names of all fields that a form of any provider may post.
pub fn field_names() -> Vec<&'static str> {
    let providers = Family::ALL.iter().flat_map(|family| family.providers());
    providers.flat_map(|spec| fields(spec)).map(|field| field.name).collect()
}

/// The provider that was chosen, or the first of the list.
pub fn chosen(slug: &str) -> &'static Spec {
    Spec::find(slug).unwrap_or(registries::VERSIONS[0])
}

/// What a person sees of the form. `choices` are the credentials to pick from.
pub fn views(
    provider: &'static Spec,
    posted: Option<&Values>,
    stored: Option<&Values>,
    errors: &Errors,
    choices: &[(Uuid, String)],
) -> Vec<FieldView> {
    let picks = |field: &str| match field {
        "version" => {
            // A saved channel stays what it is.
            let fixed = stored.is_some() && provider.family() == Family::AlertProfile;
            let known = if fixed { vec![provider] } else { provider.family().providers().to_vec() };
            known.into_iter().map(|spec| (spec.slug.to_owned(), spec.label.to_owned())).collect()
        }
        _ => choices.iter().map(|(id, name)| (id.to_string(), name.clone())).collect(),
    };
    let mut views = form::view(&fields(provider), posted, stored, errors, &picks);
    for view in views.iter_mut().filter(|view| view.name == "version") {
        // Each provider has fields of its own.
        view.switches = true;
    }
    views
}

/// The credentials that a provider can use.
pub async fn choices(services: &Services, provider: &'static Spec) -> Result<Vec<(Uuid, String)>, DbError> {
    services.db.run(move |conn| credentials::choices(conn, provider.credential_kinds())).await
}

/// A form that passed every check that needs no database.
pub struct Draft {
    pub provider: &'static Spec,
    pub name: String,
    pub credential: Option<Uuid>,
    pub host: String,
    settings: String,
    every_hours: Option<i32>,
}

impl Draft {
    /// Checks what was posted, the address by the operator's rules too.
    pub fn check(services: &Services, posted: &Values) -> Result<Self, Errors> {
        let provider = chosen(posted.get("version"));
        let mut values = form::check(&fields(provider), posted, None)?;
        let mut take = |field: &str| {
            let value = values.get(field).to_owned();
            values.set(field, "");
            value
        };
        let (name, _, credential, schedule) = (take("name"), take("version"), take("credential"), take("schedule"));
        let refused = |message: String| Errors::one(provider.address_field().map_or("", |field| field.name), message);
        let Some(host) = provider.host(&values) else { return Err(refused("Enter the address.".to_owned())) };
        if let Some(address) = provider.address(&values) {
            services.egress.check_url(&address).map_err(|error| refused(error.to_string()))?;
        }
        Ok(Self {
            provider,
            name,
            credential: Uuid::try_parse(&credential).ok(),
            host,
            settings: String::from_utf8_lossy(&values.to_json()).into_owned(),
            every_hours: schedule.parse().ok(),
        })
    }

    /// The checked settings, as they would be saved.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// Whether it goes with the credential of these facts.
    pub fn suits(&self, kind: &str, facts: &str) -> Result<(), Errors> {
        let settings = Values::from_json(self.settings.as_bytes()).unwrap_or_default();
        (self.provider.suits)(&settings, kind, &Shown::read(facts).stored())
    }

    /// As the models take it.
    pub fn row(&self) -> NewIntegration<'_> {
        NewIntegration {
            family: self.provider.family().slug(),
            version: self.provider.slug,
            name: &self.name,
            credential_id: self.credential,
            host: &self.host,
            further: &[],
            settings: &self.settings,
            every_hours: self.every_hours,
        }
    }
}

/// The form's values of a saved integration.
pub fn stored(row: &Integration) -> Values {
    let mut values = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    values.set("name", &row.name);
    values.set("version", &row.version);
    values.set("credential", row.credential_id.map(|id| id.to_string()).unwrap_or_default());
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

/// What the database found wrong with a form; anything else is an error of its own.
pub fn refused_by_database(error: DbError) -> Result<Errors, DbError> {
    match error {
        DbError::Duplicate(constraint) if constraint.contains("name_key") => {
            Ok(Errors::one("name", "There is an integration of that name already. Choose another."))
        }
        DbError::Reference(_) => Ok(Errors::one("credential", "This credential has been deleted. Choose another.")),
        other => Err(other),
    }
}
