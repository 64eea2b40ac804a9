//! Rules: what a client may fetch. Operators let it fetch what ends by itself; only administrators let a stored value
//! leave, with their password and the credential's name typed, and every administrator who can be written to is told.

use crate::accounts::Role;
use crate::draft::Shown;
use crate::form::{self, Errors, Field, Values};
use crate::integrations::issue::{FORMS, Form};
use crate::models::client_rules::{self as stored_rules, ClientRule, NewRule};
use crate::models::credentials::Credential;
use crate::models::events::{self, Actor};
use crate::models::{ClientId, ClientRuleId, Conn, CredentialId, DbError, account_letters, clients, credentials};
use crate::services::Services;
use crate::usecases::clients::guard;
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

/// Most rules of one client.
const MOST: usize = 500;
/// The field of the credential's name, typed before its stored value may leave.
pub const RELEASED: &str = "release";
/// Why no stored value leaves.
pub const OFF: &str =
    "Stored values are not released by this console. Its operator can allow it with STRONGROOM_RELEASE_VALUES.";
const ADMINISTRATORS: &str = "Only an administrator can let a client fetch a stored value.";

const NAME: Field = Field::text("name", "Name")
    .max(63)
    .placeholder("deploy")
    .check(name)
    .help("What the program asks for: small letters, digits, dots, hyphens and underscores.");
const FORM: Field = Field::pick("form", "Form").check(form_slug);
const CREDENTIAL: Field =
    Field::pick("credential", "Credential").check(id).help("Only credentials that this can be issued from are listed.");

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
    Form::find(slug).map(|form| form.slug.to_owned()).ok_or_else(|| "Choose one from the list.".to_owned())
}

fn id(text: &str) -> Result<String, String> {
    text.parse::<CredentialId>().map(|id| id.to_string()).map_err(|_| "Choose one from the list.".to_owned())
}

/// The form that was chosen, or the first of the list.
pub fn chosen(slug: &str) -> &'static Form {
    Form::find(slug).unwrap_or(FORMS[0])
}

/// The forms that a principal may choose: the stored value is for administrators, where this console releases any.
pub fn offered(services: &Services, principal: &Principal) -> Vec<&'static Form> {
    let may_release = services.settings.releases_values() && principal.visitor().may(Role::Administrator);
    FORMS.iter().copied().filter(|form| may_release || !form.is_value()).collect()
}

/// The whole form of a rule.
pub fn fields(form: &Form) -> Vec<Field> {
    let mut fields = vec![FORM, CREDENTIAL, NAME];
    fields.extend(form.fields);
    fields
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
    values.set("credential", row.credential_id.to_string());
    values
}

/// A rule as somebody entered it, after all checks.
struct Checked {
    form: &'static Form,
    name: String,
    credential: CredentialId,
    credential_name: String,
    settings: String,
}

impl Checked {
    fn row(&self) -> NewRule<'_> {
        NewRule { name: &self.name, credential: self.credential, form: self.form.slug, settings: &self.settings }
    }
}

/// Why the question for a stored value must be answered: what it names, and what was wrong with the answer.
async fn check(services: &Services, principal: &Principal, posted: &Values) -> Result<Checked, Refusal> {
    let form = chosen(posted.get("form"));
    let common = form::check(&[FORM, CREDENTIAL, NAME], posted, None);
    let row = find_credential(services, posted.get("credential")).await?;
    let settings = match &row {
        Some(row) => settings(form, row, posted),
        None => form::check(form.fields, posted, None),
    };
    let (common, settings) = match (common, settings) {
        (Ok(common), Ok(settings)) => (common, settings),
        (common, settings) => {
            let mut errors = common.err().unwrap_or_default();
            errors.extend(settings.err().unwrap_or_default());
            return Err(Refusal::Invalid(errors));
        }
    };
    let row = row.ok_or_else(|| Refusal::Invalid(Errors::one("credential", "Choose one from the list.")))?;
    if form.is_value() {
        may_release(services, principal)?;
    }
    Ok(Checked {
        form,
        name: common.get("name").to_owned(),
        credential: row.id,
        credential_name: row.name,
        settings: String::from_utf8_lossy(&settings.to_json()).into_owned(),
    })
}

fn may_release(services: &Services, principal: &Principal) -> Result<(), Refusal> {
    let refused = |sentence: &str| Refusal::Invalid(Errors::one("form", sentence));
    if !services.settings.releases_values() {
        return Err(refused(OFF));
    }
    if !principal.visitor().may(Role::Administrator) {
        return Err(refused(ADMINISTRATORS));
    }
    Ok(())
}

fn settings(form: &Form, row: &Credential, posted: &Values) -> Result<Values, Errors> {
    let kind = crate::credentials::find(&row.kind);
    let kind = kind.ok_or_else(|| Errors::one("credential", "This release does not know the type of it."))?;
    form.check(kind, posted, &Shown::read(&row.facts).stored())
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

/// What comes with the form beside its fields.
pub struct Answer<'a> {
    /// The name of the credential, as it was typed; `None` while nobody was asked.
    pub released: Option<&'a str>,
    pub confirmation: Confirmation<'a>,
}

/// The password; for a stored value always anew, with the credential's name.
async fn confirm_all(
    services: &Services,
    principal: &Principal,
    checked: &Checked,
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    if !checked.form.is_value() {
        return confirm(services, principal.visitor(), &answer.confirmation).await;
    }
    match answer.released {
        Some(typed) if typed.trim() == checked.credential_name => {
            check_password(services, principal.visitor(), &answer.confirmation).await
        }
        Some(typed) if !typed.trim().is_empty() => {
            Err(Refusal::Invalid(Errors::one(RELEASED, "The name doesn't match. Nothing was saved.")))
        }
        _ => Err(Refusal::Invalid(Errors::one(RELEASED, "Type the name of the credential."))),
    }
}

fn refused(error: DbError) -> Refusal {
    match error {
        DbError::Duplicate(_) => Refusal::Invalid(Errors::one("name", "This client has another rule of this name.")),
        DbError::Stale => Refusal::Overtaken,
        // Deleted a moment ago.
        DbError::Reference(_) => Refusal::Invalid(Errors::one("credential", "Choose one from the list.")),
        error => error.into(),
    }
}

/// Refuses the first rule for a stored value while somebody else's login would get it.
async fn check_logins(services: &Services, client: ClientId, form: &'static Form) -> Result<(), Refusal> {
    let look = move |conn: &mut Conn, vault: &Vault| guard::first_value(conn, vault, client, form);
    read(services, look).await?.map_or(Ok(()), Err)
}

/// The same inside the transaction that saves the rule, with the client held.
fn held_logins(conn: &mut Conn, vault: &Vault, client: ClientId, form: &Form) -> Result<Option<Refusal>, DbError> {
    if !form.is_value() {
        return Ok(None);
    }
    guard::hold(conn, vault, client)?;
    guard::first_value(conn, vault, client, form)
}

/// Tells every administrator that a stored value may leave.
fn tell(conn: &mut Conn, vault: &Vault, actor: &Actor, (client, checked): (&str, &Checked)) -> Result<(), DbError> {
    if !checked.form.is_value() {
        return Ok(());
    }
    let about = format!("“{}”, by the rule {} of the client {client}", checked.credential_name, checked.name);
    let now = events::open(conn)?.now;
    account_letters::tell_administrators(conn, vault, &about, (&actor.name, now)).map(drop)
}

/// Adds a rule.
pub async fn create(
    services: &Services,
    principal: &Principal,
    client: ClientId,
    posted: &Values,
    answer: &Answer<'_>,
) -> Result<ClientRuleId, Refusal> {
    principal.require(Role::Operator)?;
    let checked = check(services, principal, posted).await?;
    check_logins(services, client, checked.form).await?;
    confirm_all(services, principal, &checked, answer).await?;
    let add = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        if let Some(refusal) = held_logins(conn, vault, client, checked.form)? {
            return Ok(Err(refusal));
        }
        let row = clients::find(conn, vault, client)?.trust()?;
        if stored_rules::of(conn, vault, client)?.len() >= MOST {
            return Ok(Err(Refusal::Conflict("This client has 500 rules. Delete one first.")));
        }
        let id = stored_rules::make(conn, vault, actor, &row, &checked.row())?;
        tell(conn, vault, actor, (&row.name, &checked))?;
        Ok(Ok(id))
    };
    let id = write(services, principal, add).await.map_err(refused)??;
    services.wake.messages.notify_one();
    Ok(id)
}

/// Saves what was entered over the version of a rule that the principal has seen.
pub async fn update(
    services: &Services,
    principal: &Principal,
    (client, id, seen): (ClientId, ClientRuleId, i64),
    posted: &Values,
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let checked = check(services, principal, posted).await?;
    check_logins(services, client, checked.form).await?;
    confirm_all(services, principal, &checked, answer).await?;
    let save = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        if let Some(refusal) = held_logins(conn, vault, client, checked.form)? {
            return Ok(Err(refusal));
        }
        let row = clients::find(conn, vault, client)?.trust()?;
        stored_rules::update(conn, vault, actor, (&row, id, seen), &checked.row())?;
        tell(conn, vault, actor, (&row.name, &checked)).map(Ok)
    };
    write(services, principal, save).await.map_err(refused)??;
    services.wake.messages.notify_one();
    Ok(())
}

/// A rule of a client, to be shown.
pub async fn of_client(services: &Services, client: ClientId, id: ClientRuleId) -> Result<ClientRule, DbError> {
    let find = move |conn: &mut Conn, vault: &Vault| stored_rules::find(conn, vault, (client, id));
    Ok(read(services, find).await?.into_shown())
}

/// Takes a rule from a client: it fetches by it no more, at once.
pub async fn delete(
    services: &Services,
    principal: &Principal,
    (client, id): (ClientId, ClientRuleId),
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let delete = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        let row = clients::find(conn, vault, client)?.into_shown();
        stored_rules::delete(conn, vault, actor, &row, id)
    };
    Ok(write(services, principal, delete).await?)
}
