//! A rule as somebody enters it: the fields of its form, and what has to go together. Nothing is written here.

use crate::accounts::Role;
use crate::draft::Shown;
use crate::form::{self, Errors, Field, Values};
use crate::integrations::Family;
use crate::integrations::issue::{FORMS, Form};
use crate::models::client_rules::{ClientRule, NewRule, Source};
use crate::models::credentials::Credential;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, credentials, integrations};
use crate::services::Services;
use crate::usecases::{Principal, Refusal, read};
use crate::vault::Vault;

/// The field of the credential's name, typed before its stored value may leave.
pub const RELEASED: &str = "release";
/// Why no stored value leaves.
pub const OFF: &str =
    "Stored values are not released by this console. Its operator can allow it with STRONGROOM_RELEASE_VALUES.";
const ADMINISTRATORS: &str = "Only an administrator can let a client fetch a stored value or an entry of a store.";
const FROM_LIST: &str = "Choose one from the list.";

const NAME: Field = Field::text("name", "Name")
    .max(63)
    .placeholder("deploy")
    .check(name)
    .help("What the program asks for: small letters, digits, dots, hyphens and underscores.");
const FORM: Field = Field::pick("form", "Form").check(form_slug);
const CREDENTIAL: Field =
    Field::pick("credential", "Credential").check(id).help("Only credentials that this can be issued from are listed.");
const STORE: Field =
    Field::pick("store", "Secret store").check(store_id).help("The entry is read when the program asks for it.");

fn name(text: &str) -> Result<String, String> {
    let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    match text.starts_with(first) && text.chars().all(|c| first(c) || ".-_".contains(c)) {
        true => Ok(text.to_owned()),
        false => {
            Err("Begin with a small letter or a digit, and use only those, dots, hyphens and underscores.".to_owned())
        }
    }
}

fn form_slug(slug: &str) -> Result<String, String> {
    Form::find(slug).map(|form| form.slug.to_owned()).ok_or_else(|| FROM_LIST.to_owned())
}

fn id(text: &str) -> Result<String, String> {
    text.parse::<CredentialId>().map(|id| id.to_string()).map_err(|_| FROM_LIST.to_owned())
}

fn store_id(text: &str) -> Result<String, String> {
    text.parse::<IntegrationId>().map(|id| id.to_string()).map_err(|_| FROM_LIST.to_owned())
}

/// The form that was chosen, or the first of the list.
pub fn chosen(slug: &str) -> &'static Form {
    Form::find(slug).unwrap_or(FORMS[0])
}

/// The forms that a principal may choose. What stays valid is for administrators, and a stored value only where this
/// console releases any.
pub fn offered(services: &Services, principal: &Principal) -> Vec<&'static Form> {
    let administers = principal.visitor().may(Role::Administrator);
    let releases = services.settings.releases_values();
    let may = |form: &&Form| !form.is_value() || (administers && (releases || !form.is_stored_value()));
    FORMS.iter().copied().filter(may).collect()
}

/// What it gives from, and what the client calls it.
fn common(form: &Form) -> [Field; 3] {
    [FORM, if form.is_entry() { STORE } else { CREDENTIAL }, NAME]
}

/// The whole form of a rule.
pub fn fields(form: &Form) -> Vec<Field> {
    common(form).into_iter().chain(form.fields.iter().copied()).collect()
}

/// Names of all fields that the form may post.
pub fn field_names() -> Vec<&'static str> {
    let own = FORMS.iter().flat_map(|form| fields(form)).map(|field| field.name);
    own.chain([RELEASED]).collect()
}

/// The form's values of a saved rule.
pub fn stored(row: &ClientRule) -> Values {
    let mut values = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    values.set("name", &row.name);
    values.set("form", &row.form);
    match row.source() {
        Some(Source::Credential(id)) => values.set("credential", id.to_string()),
        Some(Source::Store(id)) => values.set("store", id.to_string()),
        None => {}
    }
    values
}

/// A rule as somebody entered it, after all checks.
pub(super) struct Checked {
    pub form: &'static Form,
    pub name: String,
    pub source: Source,
    /// Of the credential or the store.
    pub source_name: String,
    settings: String,
}

impl Checked {
    pub fn row(&self) -> NewRule<'_> {
        NewRule { name: &self.name, source: self.source, form: self.form.slug, settings: &self.settings }
    }
}

/// What a rule gives from, with its name.
type Named = (Source, String);

pub(super) async fn check(services: &Services, principal: &Principal, posted: &Values) -> Result<Checked, Refusal> {
    let form = chosen(posted.get("form"));
    let checked = form::check(&common(form), posted, None);
    let (found, settings) = look(services, form, posted).await?;
    let (checked, settings) = match (checked, settings) {
        (Ok(checked), Ok(settings)) => (checked, settings),
        (checked, settings) => {
            let mut errors = checked.err().unwrap_or_default();
            errors.extend(settings.err().unwrap_or_default());
            return Err(Refusal::Invalid(errors));
        }
    };
    let (source, source_name) = found.ok_or_else(|| Refusal::Invalid(Errors::one(common(form)[1].name, FROM_LIST)))?;
    may_release(services, principal, form)?;
    let settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    Ok(Checked { form, name: checked.get("name").to_owned(), source, source_name, settings })
}

/// What was chosen, and the settings that go with it.
async fn look(
    services: &Services,
    form: &'static Form,
    posted: &Values,
) -> Result<(Option<Named>, Result<Values, Errors>), Refusal> {
    if form.is_entry() {
        let found = find_store(services, posted.get(STORE.name)).await?;
        return Ok((found, form::check(form.fields, posted, None)));
    }
    let Some(row) = find_credential(services, posted.get(CREDENTIAL.name)).await? else {
        return Ok((None, form::check(form.fields, posted, None)));
    };
    let settings = settings(form, &row, posted);
    Ok((Some((Source::Credential(row.id), row.name)), settings))
}

fn may_release(services: &Services, principal: &Principal, form: &Form) -> Result<(), Refusal> {
    let refused = |sentence: &str| Refusal::Invalid(Errors::one("form", sentence));
    if form.is_stored_value() && !services.settings.releases_values() {
        return Err(refused(OFF));
    }
    if form.is_value() && !principal.visitor().may(Role::Administrator) {
        return Err(refused(ADMINISTRATORS));
    }
    Ok(())
}

fn settings(form: &Form, row: &Credential, posted: &Values) -> Result<Values, Errors> {
    let kind = crate::credentials::find(&row.kind);
    let kind = kind.ok_or_else(|| Errors::one("credential", "This release does not know the type of it."))?;
    form.check(kind, posted, &Shown::read(&row.facts).stored())
}

/// The secret store that was chosen, if it is there and is what Strongroom saved.
async fn find_store(services: &Services, chosen: &str) -> Result<Option<Named>, Refusal> {
    let Ok(id) = chosen.parse::<IntegrationId>() else { return Ok(None) };
    let find = move |conn: &mut Conn, vault: &Vault| match integrations::find(conn, vault, id) {
        Err(DbError::NotFound) => Ok(None),
        found => found.map(Some),
    };
    let Some(seen) = read(services, find).await? else { return Ok(None) };
    let row = seen.trust()?;
    let is_store = row.family == Family::SecretStore.slug();
    Ok(is_store.then(|| (Source::Store(row.id), row.name.clone())))
}

/// The credential that was chosen, if it is there and is what Strongroom saved.
async fn find_credential(services: &Services, chosen: &str) -> Result<Option<Credential>, Refusal> {
    let Ok(id) = chosen.parse::<CredentialId>() else { return Ok(None) };
    let find = move |conn: &mut Conn, vault: &Vault| match credentials::find(conn, vault, id) {
        Err(DbError::NotFound) => Ok(None),
        found => found.map(Some),
    };
    match read(services, find).await? {
        None => Ok(None),
        Some(seen) => Ok(Some(Credential::clone(&*seen.trust()?))),
    }
}
