//! Saved views of a list: saved, renamed and removed. Anybody has views of their own; shared ones are made by operators,
//! and changed by whoever made them and by administrators.

use std::collections::BTreeMap;

use super::{Principal, Refusal, write};
use crate::accounts::Role;
use crate::form::{self, Errors, Field, Values};
use crate::models::views::{self, FULL, List, NewView, View};
use crate::models::{Conn, DbError, ViewId};
use crate::names;
use crate::pasted::{self, Wanted};
use crate::services::Services;
use crate::vault::Vault;

/// Longest name, in characters.
pub const LONGEST: usize = 60;

const NAME: Field =
    Field::text("name", "Name").wants(Wanted::Name).max(LONGEST).check(|text| names::label(text, LONGEST));

/// A view as somebody entered it; `query` has passed the checks of its list.
pub struct Entered<'a> {
    pub list: List,
    pub name: &'a str,
    pub shared: bool,
    pub query: BTreeMap<String, String>,
}

/// Whether the principal may rename and remove a view that they see.
pub fn may_change(principal: &Principal, view: &View) -> bool {
    let visitor = principal.visitor();
    !view.is_shared() || view.made_by == visitor.user_id.0 || visitor.may(Role::Administrator)
}

/// Saves a view.
pub async fn save(services: &Services, principal: &Principal, entered: Entered<'_>) -> Result<(), Refusal> {
    principal.require(if entered.shared { Role::Operator } else { Role::Auditor })?;
    let Entered { list, name, shared, query } = entered;
    let name = checked(name)?;
    if query.is_empty() {
        return Err(invalid("Filter, search or sort the list first."));
    }
    if query.values().any(|value| pasted::holds_secret(value)) {
        return Err(invalid("The search looks like a secret. Search for something else first."));
    }
    let (user, new) = (principal.visitor().user_id, NewView { list, name, shared, query });
    let save = move |conn: &mut Conn, vault: &Vault, actor: &_| views::create(conn, vault, actor, user, &new);
    write(services, principal, save).await.map(drop).map_err(refused)
}

/// Gives a view another name; returns the list that it is of.
pub async fn rename(services: &Services, principal: &Principal, id: ViewId, name: &str) -> Result<View, Refusal> {
    principal.require(Role::Auditor)?;
    let name = checked(name)?;
    change(services, principal, id, move |conn, vault, actor, view| views::rename(conn, vault, actor, view, &name))
        .await
}

/// Removes a view; returns what it was.
pub async fn remove(services: &Services, principal: &Principal, id: ViewId) -> Result<View, Refusal> {
    principal.require(Role::Auditor)?;
    change(services, principal, id, views::delete).await
}

async fn change(
    services: &Services,
    principal: &Principal,
    id: ViewId,
    change: impl Fn(&mut Conn, &Vault, &crate::models::events::Actor, &View) -> Result<(), DbError> + Send + 'static,
) -> Result<View, Refusal> {
    let (who, user) = (principal.clone(), principal.visitor().user_id);
    let changed = write(services, principal, move |conn, vault, actor| {
        let view = views::find(conn, user, id)?;
        if !may_change(&who, &view) {
            return Ok(None);
        }
        change(conn, vault, actor, &view)?;
        Ok(Some(view))
    });
    changed.await.map_err(refused)?.ok_or(Refusal::Forbidden)
}

fn checked(name: &str) -> Result<String, Refusal> {
    let values = Values::from_iter([("name", name)]);
    let checked = form::check(&[NAME], &values, None).map_err(Refusal::Invalid)?;
    Ok(checked.get("name").to_owned())
}

fn invalid(sentence: &str) -> Refusal {
    Refusal::Invalid(Errors::one("name", sentence))
}

fn refused(error: DbError) -> Refusal {
    match error {
        DbError::Duplicate(_) => invalid("Another view of this list has this name."),
        DbError::Check(name) if name == FULL => invalid("There are 50 views of this list. Remove one first."),
        error => error.into(),
    }
}
