//! Who gets the mail of an e-mail profile. An administrator adds and removes them, on a page that belongs to the
//! profile's; the owner of an address confirms it and unsubscribes by links that need no login. What is sent is not
//! decided here.

use chrono::{DateTime, TimeDelta, Utc};

use super::page::{self, When};
use crate::integrations::alerts::Trigger;
use crate::models::RecipientId;
use crate::models::recipients::{LINK_DAYS, Recipient};
use crate::models::trust::Seen;
use crate::usecases::recipients::Proof;

pub mod confirm;
mod links;
pub mod new;
pub mod remove;
pub mod unsubscribe;

pub use links::is_link;

/// A line of the list on the profile's page.
pub struct Person {
    pub id: RecipientId,
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
            _ => ("warn", "Pending confirmation"),
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

/// The link of the address; an id that is none names no page.
type Place = actix_web::web::Path<(RecipientId, String)>;

/// For a use case.
fn proof(link: &Place) -> Proof {
    Proof { id: link.0, key: link.1.clone() }
}
