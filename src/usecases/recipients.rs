//! Who gets the mail of an e-mail profile. Administrators add and remove recipients; the owner of an address confirms it
//! and unsubscribes by links from mails, which need no login.

use std::net::IpAddr;
use std::time::Instant;

use chrono::TimeDelta;

use super::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::accounts::Role;
use crate::form::{self, Errors, Field, Values};
use crate::integrations::alerts::email::address;
use crate::integrations::alerts::{self, TRIGGER_FIELDS, Trigger};
use crate::models::events::Actor;
use crate::models::integrations::{self, Integration};
use crate::models::recipients::{self, LINK_DAYS, Link, Recipient};
use crate::models::trust::Trusted;
use crate::models::{self, Conn, DbError, IntegrationId, RecipientId};
use crate::services::Services;
use crate::vault::Vault;

/// The field of the address.
pub const ADDRESS: Field =
    Field::text("address", "E-mail address").placeholder("ops@example.com").max(254).check(address);

/// What is entered of a recipient: the address, and what it is sent.
pub fn fields() -> Vec<Field> {
    std::iter::once(ADDRESS).chain(TRIGGER_FIELDS).collect()
}

/// The e-mail profile of that id; [`DbError::NotFound`] where people cannot subscribe.
pub async fn profile(services: &Services, id: IntegrationId) -> Result<Trusted<Integration>, DbError> {
    let row = read(services, move |conn, vault| integrations::find(conn, vault, id)).await?.trust()?;
    let has_people = alerts::channel(&row.version).is_some_and(|channel| channel.has_recipients);
    if has_people { Ok(row) } else { Err(DbError::NotFound) }
}

/// Adds a recipient to a profile, and asks the owner of the address to confirm. It asks for the password.
pub async fn invite(
    services: &Services,
    principal: &Principal,
    profile: &Trusted<Integration>,
    entered: &Values,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Administrator)?;
    let (address, triggers) = checked(entered).map_err(Refusal::Invalid)?;
    confirm(services, principal.visitor(), confirmation).await?;
    // Each sends a mail to somebody who did not ask for it.
    services.invitations.take(principal.visitor().user_id, Instant::now())?;
    let id = profile.id;
    let create = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        recipients::create(conn, vault, actor, id, &address, &triggers).map(drop)
    };
    let invalid = |sentence: String| Refusal::Invalid(Errors::one(ADDRESS.name, sentence));
    write(services, principal, create).await.map_err(|error| match error {
        DbError::Duplicate(_) => invalid("This address is on the list already.".to_owned()),
        DbError::Check(name) if name == recipients::TOO_MANY => invalid(asked_often()),
        error => error.into(),
    })?;
    services.wake.messages.notify_one();
    Ok(())
}

/// The address, and the slugs of the triggers.
fn checked(entered: &Values) -> Result<(String, String), Errors> {
    let values = form::check(&fields(), entered, None)?;
    let wanted = Trigger::ALL.into_iter().filter(|trigger| trigger.wanted(&values)).map(Trigger::slug);
    match wanted.collect::<Vec<_>>().join(",") {
        none if none.is_empty() => Err(Errors::one(TRIGGER_FIELDS[0].name, "Tick at least one.")),
        wanted => Ok((values.get(ADDRESS.name).to_owned(), wanted)),
    }
}

fn asked_often() -> String {
    format!(
        "This address was asked to confirm {} times in the last 24 hours, and has not. Wait for its owner to follow the \
         link, or try again tomorrow.",
        recipients::MOST_A_DAY
    )
}

/// The profile that a recipient belongs to.
pub async fn profile_of(services: &Services, id: RecipientId) -> Result<IntegrationId, DbError> {
    Ok(read(services, move |conn, vault| recipients::find(conn, vault, id)).await?.shown().integration_id)
}

/// Takes a recipient off the list, with everything that waits to be sent there.
pub async fn remove(services: &Services, principal: &Principal, id: RecipientId) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    let remove = move |conn: &mut _, vault: &_, actor: &_| recipients::delete(conn, vault, actor, id);
    Ok(write(services, principal, remove).await?)
}

/// A link from a mail: it names the recipient and proves that its owner has read the mail.
#[derive(Clone)]
pub struct Proof {
    pub id: RecipientId,
    pub key: String,
}

/// Where a confirmation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It can be answered.
    Open,
    /// The link counts no more.
    Over,
    Confirmed,
}

/// The recipient that a link from a mail names, if the link is one of ours. A row that is not what Strongroom wrote,
/// and a link that is not, are [`DbError::NotFound`].
fn linked(conn: &mut Conn, vault: &Vault, link: Link, proof: &Proof) -> Result<Trusted<Recipient>, DbError> {
    let person = recipients::find(conn, vault, proof.id)?.judged();
    person.ok().filter(|person| person.opens(vault, link, &proof.key)).ok_or(DbError::NotFound)
}

/// The recipient of a link that asks for confirmation, and where that stands.
pub async fn asked(services: &Services, proof: &Proof) -> Result<(Trusted<Recipient>, Asked), DbError> {
    let proof = proof.clone();
    let find = move |conn: &mut Conn, vault: &Vault| {
        let person = linked(conn, vault, Link::Confirm, &proof)?;
        let over = models::clock(conn)? > person.invited_at + TimeDelta::days(LINK_DAYS);
        let asked = match (person.confirmed_at.is_some(), over) {
            (true, _) if person.wants_mail() => Asked::Confirmed,
            (false, false) if person.unsubscribed_at.is_none() => Asked::Open,
            _ => Asked::Over,
        };
        Ok((person, asked))
    };
    read(services, find).await
}

/// The owner of an address confirms that they want its mail, where that can still be answered. `from` is where they are.
pub async fn accept(services: &Services, proof: &Proof, from: IpAddr) -> Result<(Trusted<Recipient>, Asked), DbError> {
    let (person, state) = asked(services, proof).await?;
    if state != Asked::Open {
        return Ok((person, state));
    }
    let (vault, actor, seen) = (services.vault.clone(), owner(&person, from), (person.id, person.row_version));
    match services.db.transaction(move |conn| recipients::confirm(conn, &vault, &actor, seen)).await {
        Ok(()) => Ok((person, Asked::Confirmed)),
        // Somebody was faster: a second click, or an administrator who asked anew.
        Err(DbError::Stale) => asked(services, proof).await,
        Err(error) => Err(error),
    }
}

/// The recipient of a link that ends the mail; `None` where nobody has the id.
pub async fn subscriber(services: &Services, proof: &Proof) -> Result<Option<Trusted<Recipient>>, DbError> {
    let proof = proof.clone();
    let find = move |conn: &mut Conn, vault: &Vault| match recipients::find(conn, vault, proof.id) {
        Err(DbError::NotFound) => Ok(None),
        Err(error) => Err(error),
        Ok(_) => linked(conn, vault, Link::Unsubscribe, &proof).map(Some),
    };
    read(services, find).await
}

/// The owner of an address wants no more mail. `None` where nobody has the id.
pub async fn unsubscribe(
    services: &Services,
    proof: &Proof,
    from: IpAddr,
) -> Result<Option<Trusted<Recipient>>, DbError> {
    let Some(person) = subscriber(services, proof).await? else { return Ok(None) };
    let (vault, actor, id) = (services.vault.clone(), owner(&person, from), person.id);
    match services.db.transaction(move |conn| recipients::unsubscribe(conn, &vault, &actor, id)).await {
        Ok(()) => Ok(Some(person)),
        // Removed this very moment.
        Err(DbError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who follows a link from a mail is known by its address.
fn owner(person: &Recipient, from: IpAddr) -> Actor {
    Actor { name: person.address.clone(), address: from.to_string() }
}
