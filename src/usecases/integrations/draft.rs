//! Between what is entered and the store: what every integration has (name, version, credential, schedule) woven into
//! the fields of a version, checked as one form, and turned into the row that is saved.

use uuid::Uuid;

use crate::draft::Shown;
use crate::form::{self, Errors, Field, Values};
use crate::integrations::alerts::email::FOR_ACCOUNTS;
use crate::integrations::context::MAIN;
use crate::integrations::deployments::DRIFT_CHECK;
use crate::integrations::deployments::syncs::{ITEMS, forget_ends};
use crate::integrations::{Family, Spec, registries};
use crate::models::account_letters::ONE_CHANNEL;
use crate::models::integrations::{Integration, NewIntegration};
use crate::models::labels::Change;
use crate::models::usages::Usage;
use crate::models::{CredentialId, DbError};
use crate::names;
use crate::pasted::Wanted;
use crate::services::Services;
use crate::usecases::{Refusal, labels};

const NAME: Field = Field::text("name", "Name").wants(Wanted::Name).max(200).check(name);
const VERSION: Field = Field::pick("version", "Provider").default("docker_v2").check(version_slug);
const CREDENTIAL: Field = Field::pick("credential", "Credential")
    .help("Only credentials of the types that can be used here are listed.")
    .check(id);
const FURTHER: Field = Field::pick("", "")
    .optional()
    .help("Written into the cluster as a Secret, where its administrators can read it. Only an administrator can choose it.")
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
.default("24")
.advanced();

const DRIFT: Field = Field::choice(
    DRIFT_CHECK,
    "Check for drift",
    &[
        ("15", "Every 15 minutes"),
        ("60", "Every hour"),
        ("360", "Every 6 hours"),
        ("1440", "Every 24 hours"),
        ("off", "Off"),
    ],
)
.help("Compares the cluster with what was deployed, and alerts when they differ.")
.advanced();

fn name(text: &str) -> Result<String, String> {
    names::label(text, 200)
}

fn version_slug(slug: &str) -> Result<String, String> {
    Spec::find(slug).map(|spec| spec.slug.to_owned()).ok_or_else(|| "Choose one from the list.".to_owned())
}

fn id(text: &str) -> Result<String, String> {
    Uuid::try_parse(text).map(|id| id.to_string()).map_err(|_| "Choose one from the list.".to_owned())
}

/// What the form is for. A new integration that nobody names gets a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    New,
    Saved,
}

/// The whole form of a provider, in the order in which it is filled in: where to and what, who, how it is called, how
/// things are done.
pub fn fields(spec: &Spec, purpose: Purpose) -> Vec<Field> {
    let family = spec.family();
    let (how, what): (Vec<Field>, Vec<Field>) = spec.fields.iter().partition(|field| field.after_credential);
    let mut fields = vec![Field { label: family.choice(), ..VERSION }];
    fields.extend(what);
    if let Some(used) = spec.main() {
        let field = Field { label: used.label, ..CREDENTIAL };
        fields.push(if used.required { field } else { field.optional() });
    }
    let further = spec.further().map(|used| Field { name: used.role, label: used.label, ..FURTHER });
    fields.extend(further);
    fields.push(match purpose {
        Purpose::New => NAME.optional().help("Leave blank to name it after its address."),
        Purpose::Saved => NAME,
    });
    fields.extend(how);
    fields.push(match family {
        Family::AlertProfile => labels::ONLY_TAGS,
        Family::DaemonSet | Family::SecretSync => DRIFT,
        _ => SCHEDULE,
    });
    fields.extend([labels::OWNER.advanced(), labels::TAGS.advanced()]);
    fields
}

/// Names of all fields that a form of any provider may post.
pub fn field_names() -> Vec<&'static str> {
    let providers = Family::ALL.iter().flat_map(|family| family.providers());
    providers.flat_map(|spec| fields(spec, Purpose::Saved)).map(|field| field.name).collect()
}

/// What an integration of these settings is called where nobody names it: `registry.example.com`, `AWS Lambda`.
fn proposed(spec: &Spec, settings: &Values) -> String {
    let host = spec.address(settings).and(spec.host(settings));
    host.map_or_else(|| spec.label.to_owned(), |host| host.trim_start_matches("http://").to_owned())
}

/// The provider that was chosen, or the first of the list.
pub fn chosen(slug: &str) -> &'static Spec {
    Spec::find(slug).unwrap_or(registries::VERSIONS[0])
}

/// A form that passed every check that needs no database.
#[derive(Clone)]
pub struct Draft {
    pub provider: &'static Spec,
    pub name: String,
    /// Nobody has named it; where the name is taken, a number makes it another.
    pub proposed: bool,
    pub credential: Option<CredentialId>,
    /// The role that it has.
    role: String,
    /// The credential that it signs in with, which decides where the other credentials are written.
    main: Option<CredentialId>,
    /// The credentials of other roles.
    pub others: Vec<(&'static str, CredentialId)>,
    pub host: String,
    settings: String,
    every_hours: Option<i32>,
    /// Owner and tags.
    pub labels: Change,
}

impl Draft {
    /// Checks what was posted, the address by the operator's rules too.
    pub fn check(services: &Services, posted: &Values, purpose: Purpose) -> Result<Self, Errors> {
        let provider = chosen(posted.get("version"));
        let mut values = form::check(&fields(provider, purpose), posted, None)?;
        let labels = labels::entered(posted, &values);
        let mut take = |field: &str| {
            let value = values.get(field).to_owned();
            values.set(field, "");
            value
        };
        let (name, _, credential, schedule) = (take("name"), take("version"), take("credential"), take("schedule"));
        drop((take("owner"), take("tags")));
        let others = provider.further().filter_map(|used| Some((used.role, take(used.role).parse().ok()?))).collect();
        let refused = |message: String| Errors::one(provider.address_field().map_or("", |field| field.name), message);
        let Some(host) = provider.host(&values) else { return Err(refused("Enter the address.".to_owned())) };
        if let Some(address) = provider.address(&values) {
            services.egress.check_url(&address).map_err(|error| refused(error.to_string()))?;
        }
        let nameless = name.is_empty();
        Ok(Self {
            provider,
            name: if nameless { proposed(provider, &values) } else { name },
            proposed: nameless,
            credential: credential.parse().ok(),
            role: MAIN.to_owned(),
            main: credential.parse().ok(),
            others,
            host,
            settings: String::from_utf8_lossy(&values.to_json()).into_owned(),
            every_hours: schedule.parse().ok(),
            labels,
        })
    }

    /// A saved integration with another credential in a role; `None` where this release knows no such role of it.
    pub fn with_credential(row: &Integration, role: &str, credential: CredentialId) -> Option<Self> {
        let provider = Spec::find(&row.version)?;
        provider.used_as(role)?;
        let further = row.further.iter().find(|usage| usage.role == role);
        Some(Self {
            provider,
            name: row.name.clone(),
            proposed: false,
            credential: Some(credential),
            role: role.to_owned(),
            main: if role == MAIN { Some(credential) } else { row.credential_id },
            others: Vec::new(),
            host: further.map_or(&row.host, |usage| &usage.host).clone(),
            settings: row.settings.clone(),
            every_hours: row.every_hours,
            labels: Change::Both { owner: None, tags: None },
        })
    }

    /// The draft for the credential of another role, which is written to `host`.
    pub fn of_role(&self, role: &str, credential: CredentialId, host: String) -> Self {
        Self { role: role.to_owned(), credential: Some(credential), host, others: Vec::new(), ..self.clone() }
    }

    /// Whether it signs in with the same credential and settings as the saved integration.
    pub fn signs_in_as(&self, row: &Integration) -> bool {
        self.main == row.credential_id
    }

    /// The role of the credential.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Whether the credential is written to its destination, where others can read it.
    pub fn hands_on(&self) -> bool {
        self.role != MAIN
    }

    /// Where the credential of another role ends up, given the cluster of the main one.
    pub fn end(&self, role: &str, main: &str) -> String {
        let settings = Values::from_json(self.settings.as_bytes()).unwrap_or_default();
        self.provider.end(role, &settings, main)
    }

    /// Slugs of the kinds that the credential can be.
    pub fn kinds(&self) -> &'static [&'static str] {
        self.provider.used_as(&self.role).map_or(&[], |used| used.kinds)
    }

    /// The checked settings, as they would be saved.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// Whether it goes with the credential of these facts.
    pub fn suits(&self, kind: &str, facts: &str) -> Result<(), Errors> {
        let settings = Values::from_json(self.settings.as_bytes()).unwrap_or_default();
        match self.hands_on() {
            true => Ok(()),
            false => (self.provider.suits)(&settings, kind, &Shown::read(facts).stored()),
        }
    }

    /// Whether more than the name of a channel changes: then it may send fewer alerts, or send them to somebody else.
    pub fn redirects_alerts(&self, row: &Integration) -> bool {
        let same = self.settings == row.settings && self.credential == row.credential_id && self.host == row.host;
        self.provider.family() == Family::AlertProfile && !same
    }

    /// Whether a secret store would be read in another way, or other entries of it could be.
    pub fn reads_elsewhere(&self, row: &Integration) -> bool {
        let now = (self.provider.slug, &*self.host, &*self.settings, self.credential);
        self.provider.store().is_some() && now != (&*row.version, &*row.host, &*row.settings, row.credential_id)
    }

    /// Whether nothing but owner and tags changes.
    pub fn is_saved_as(&self, row: &Integration) -> bool {
        (self.provider.slug, &*self.name, &*self.host, &*self.settings)
            == (&*row.version, &*row.name, &*row.host, &*row.settings)
            && (self.credential, self.every_hours) == (row.credential_id, row.every_hours)
            && (self.provider.is_sync() || self.others.len() == row.further.len())
            && self.others.iter().all(|(role, id)| row.credential_as(role) == Some(*id))
    }

    /// Keeps the items of a saved sync, which no form of the integration holds. Another login may lead elsewhere, so
    /// where their values go is not confirmed any more then.
    pub fn keep_items(&mut self, row: &Integration) {
        if !self.provider.is_sync() {
            return;
        }
        let (Some(mut settings), Some(saved)) =
            (Values::from_json(self.settings.as_bytes()), Values::from_json(row.settings.as_bytes()))
        else {
            return;
        };
        settings.set(ITEMS, saved.get(ITEMS));
        if !self.signs_in_as(row) {
            forget_ends(&mut settings);
        }
        self.settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    }

    /// As the models take it, with that name and the usages of other roles.
    pub fn row<'a>(&'a self, name: &'a str, further: &'a [Usage]) -> NewIntegration<'a> {
        NewIntegration {
            family: self.provider.family().slug(),
            version: self.provider.slug,
            name,
            credential_id: self.credential,
            host: &self.host,
            further,
            settings: &self.settings,
            every_hours: self.every_hours,
        }
    }
}

/// Another channel, of this name, writes to users about their accounts already.
pub(super) fn marked_already(name: Option<&str>) -> Refusal {
    let who = name.map_or_else(|| "Another channel".to_owned(), |name| format!("“{name}”"));
    Refusal::Invalid(Errors::one(FOR_ACCOUNTS, format!("{who} does this already. Clear the box there first.")))
}

/// What the database found wrong with what was entered.
pub fn refused(error: DbError) -> Refusal {
    match error {
        DbError::Duplicate(constraint) if constraint.contains("name_key") => {
            Refusal::Invalid(Errors::one("name", "An integration with this name already exists. Choose another name."))
        }
        DbError::Duplicate(constraint) if constraint == ONE_CHANNEL => marked_already(None),
        DbError::Reference(_) => {
            Refusal::Invalid(Errors::one("credential", "This credential has been deleted. Choose another."))
        }
        // Somebody else was faster by a moment.
        DbError::Stale => Refusal::Overtaken,
        other => other.into(),
    }
}
