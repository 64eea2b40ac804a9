//! Saving a credential by its name, whether there is one or not: how programs do it, that know no ids and no versions.

use crate::accounts::Role;
use crate::credentials::{self as kinds, Kind};
use crate::form::{Errors, Values};
use crate::models::{Conn, CredentialId, credential_names};
use crate::services::Services;
use crate::usecases::credentials::{Edited, create, update};
use crate::usecases::{Confirmation, Principal, Refusal, read};
use crate::vault::Vault;

const ANOTHER_TYPE: Refusal = Refusal::Conflict(
    "A credential with this name exists and has another type. A type can't be changed: choose another name, or delete \
     that credential first.",
);

/// What a program sends of a credential. What it leaves out stays as it is stored.
pub struct Upsert {
    pub name: String,
    pub kind: &'static Kind,
    /// Fields of the kind, and `description`. A secret that is blank or absent is kept.
    pub given: Values,
    /// What was sent in place of a secret, by field: it must stand for the stored one.
    pub handles: Vec<(&'static str, String)>,
}

/// What stands for a stored secret where it is not shown: it tells one version from another, and nothing else.
pub fn handle(vault: &Vault, id: CredentialId, secret_version: i32, field: &str) -> String {
    let parts: [&[u8]; 3] = [id.0.as_bytes(), &secret_version.to_be_bytes(), field.as_bytes()];
    hex::encode(vault.mac("credential/handle", &parts))
}

/// Adds the credential, or saves over the one of that name.
pub async fn upsert(
    services: &Services,
    principal: &Principal,
    new: Upsert,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let name = new.name.clone();
    let found = read(services, move |conn: &mut Conn, _| credential_names::find(conn, &name)).await?;
    let Upsert { name, kind, mut given, handles } = new;
    given.set("name", name.clone());
    let Some((id, slug)) = found else {
        check_handles(&handles, |_| None)?;
        return create(services, principal, kind, &given).await.map(drop);
    };
    if slug != kind.slug {
        return Err(ANOTHER_TYPE);
    }
    if is_shipped(&name, kind, &given) {
        return Ok(());
    }
    let edited = Edited::load(services, id).await?;
    let (id, version) = (edited.row.id, edited.row.secret_version);
    check_handles(&handles, |field| Some(handle(&services.vault, id, version, field)))?;
    complete(&edited, &mut given);
    if edited.is_saved_as(&given) {
        return Ok(());
    }
    let seen = edited.row.row_version;
    update(services, principal, (&edited, seen), &given, confirmation).await
}

/// Whether it is what the product comes with, as a program that reads all and writes all sends it back.
fn is_shipped(name: &str, kind: &Kind, given: &Values) -> bool {
    let (shipped, values) = kinds::shipped_iam_role();
    let same = |field: &&str| given.get(field) == values.get(field);
    crate::names::key(name) == crate::names::key(shipped)
        && kind.slug == kinds::aws::KIND.slug
        && ["method", "role_arn", "access_key_id", "secret_access_key"].iter().all(same)
}

fn check_handles(
    handles: &[(&'static str, String)],
    stored: impl Fn(&'static str) -> Option<String>,
) -> Result<(), Refusal> {
    let wrong = handles.iter().find(|(field, sent)| stored(field).as_ref() != Some(sent));
    match wrong {
        None => Ok(()),
        Some((field, _)) => Err(Refusal::Invalid(Errors::one(
            *field,
            "The encrypted secret isn't the one that is stored now. Read the credential again, or send the secret as plain.",
        ))),
    }
}

/// What the program left out stays as it is stored.
fn complete(edited: &Edited, given: &mut Values) {
    let stored = edited.stored();
    for field in edited.kind.fields.iter().filter(|field| !field.control.is_secret()) {
        if !given.contains(field.name) && stored.contains(field.name) {
            given.set(field.name, stored.get(field.name));
        }
    }
    if !given.contains("description") {
        given.set("description", edited.row.note.as_str());
    }
}

/// Deletes the credential of a name.
pub async fn delete_named(services: &Services, principal: &Principal, name: &str) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let id = named(services, name).await?;
    super::delete(services, principal, id, name, None).await
}

/// The credential of a name; [`crate::models::DbError::NotFound`] where there is none.
pub async fn named(services: &Services, name: &str) -> Result<CredentialId, Refusal> {
    let asked = name.to_owned();
    let found = read(services, move |conn: &mut Conn, _| credential_names::find(conn, &asked)).await?;
    found.map(|(id, _)| id).ok_or_else(|| crate::models::DbError::NotFound.into())
}
