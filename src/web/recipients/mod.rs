//! Who gets the mail of an e-mail profile. An administrator adds and removes them, on a page that belongs to the
//! profile's; the owner of an address confirms it and unsubscribes by links that need no login. What is sent is not
//! decided here.

use actix_web::HttpRequest;
use actix_web::web::Data;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::page::{self, When};
use super::session;
use crate::integrations::alerts::Trigger;
use crate::models::events::Actor;
use crate::models::recipients::{self, LINK_DAYS, Link, Recipient};
use crate::models::trust::{Seen, Trusted};
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::vault::Vault;

pub mod confirm;
mod links;
pub mod new;
pub mod remove;
pub mod unsubscribe;

pub use links::is_link;

/// A line of the list on the profile's page.
pub struct Person {
    pub id: Uuid,
    pub address: String,
    pub by: String,
    pub at: When,
    pub tone: &'static str,
    pub state: &'static str,
    pub triggers: String,
}

impl Person {
    pub fn new(seen: &Seen<Recipient>, now: DateTime<Utc>) -> Self {
        let row = seen.shown();
        let over = now > row.invited_at + TimeDelta::days(LINK_DAYS);
        let (tone, state) = match (seen.doubt().is_none(), row.confirmed_at, row.unsubscribed_at) {
            (false, ..) => ("bad", "Tampered with: receives nothing"),
            (_, _, Some(_)) => ("neutral", "Unsubscribed"),
            (_, Some(_), None) => ("good", "Confirmed"),
            _ if over => ("neutral", "Never confirmed: remove it, or add it again"),
            _ => ("warn", "Asked, not confirmed yet"),
        };
        Self {
            id: row.id,
            address: row.address.clone(),
            by: row.invited_by.clone(),
            at: page::when(row.invited_at, now),
            tone,
            state,
            triggers: labels(row).join(", "),
        }
    }
}

/// What it is told about, in words.
fn labels(row: &Recipient) -> Vec<&'static str> {
    row.triggers.split(',').filter_map(Trigger::find).map(Trigger::label).collect()
}

/// The recipient that a link from a mail names, if the link is one of ours. A row that is not what Strongroom wrote,
/// and a link that is not, look like a page that does not exist.
fn linked(conn: &mut Conn, vault: &Vault, id: Uuid, what: Link, key: &str) -> Result<Trusted<Recipient>, DbError> {
    let person = recipients::find(conn, vault, id)?.judged();
    person.ok().filter(|person| person.opens(vault, what, key)).ok_or(DbError::NotFound)
}

/// Whoever follows a link from a mail is known by its address.
fn owner(services: &Services, request: &HttpRequest, person: &Recipient) -> Actor {
    Actor { name: person.address.clone(), address: session::client_ip(request, services).to_string() }
}

/// The id and the key of a link; an id that is none names no page.
type Place = actix_web::web::Path<(Uuid, String)>;

type Shared = Data<Services>;
