//! The page of an alert channel: how it is doing, what it delivered and what waits, and its settings. A scan's page is in
//! `show`, which comes here for channels.

use actix_web::HttpResponse;
use askama::Template;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{draft, show, shown};
use crate::form::Values;
use crate::integrations::Provider;
use crate::integrations::alerts::{self, Trigger};
use crate::models::deliveries::{self, Health};
use crate::models::delivery_list::{self, Shown};
use crate::models::integrations::Integration;
use crate::models::recipients::{self, Recipient};
use crate::models::{Conn, DbError, credentials};
use crate::providers::egress::Egress;
use crate::vault::Vault;
use crate::web::error::Error;
use crate::web::page::{self, Shell, When};
use crate::web::recipients::Person;

const DELIVERIES: i64 = 50;

#[derive(Template)]
#[template(path = "integrations/channel.html")]
struct Channel {
    shell: Shell,
    id: Uuid,
    name: String,
    kind: String,
    host: String,
    active: bool,
    altered: bool,
    warning: Option<&'static str>,
    /// Since when the peer is not reached, and when it is tried again.
    away: Option<(When, When)>,
    /// The last test: tone and sentence, and when.
    test: Option<(&'static str, String, When)>,
    parked: usize,
    /// Messages that a channel which is off keeps.
    held: usize,
    deliveries: Vec<Delivery>,
    credential: Option<(Uuid, String)>,
    role: Option<String>,
    triggers: String,
    facts: Vec<(&'static str, String)>,
    edited: (String, When),
    /// Of a channel that has some.
    people: Option<Vec<Person>>,
}

/// A line of the deliveries.
pub struct Delivery {
    pub id: Uuid,
    pub what: String,
    pub address: String,
    pub tone: &'static str,
    pub state: &'static str,
    pub error: String,
    pub at: When,
    pub parked: bool,
}

impl Delivery {
    pub fn new(shown: Shown, now: DateTime<Utc>) -> Self {
        let row = shown.delivery;
        let what = match row.kind.as_str() {
            "confirmation" => "Confirmation of the address".to_owned(),
            "test" => "Test alert".to_owned(),
            _ => shown::counted(shown.lines + i64::from(row.more), "alert"),
        };
        let (tone, state) = match row.state.as_str() {
            "sent" => ("good", "Delivered"),
            "ready" if row.attempts > 0 => ("warn", "Tried again"),
            "ready" => ("info", "Waiting"),
            "sending" => ("info", "Sending"),
            "parked" => ("bad", "Undelivered"),
            _ if row.kind == "test" => ("bad", "Failed"),
            _ => ("neutral", "Given up"),
        };
        let mut error = row.error.unwrap_or_default();
        if row.state == "ready" && row.attempts > 0 {
            error = format!("{error} Next try {}.", shown::until(row.not_before, now).text);
        }
        Self {
            id: row.id,
            what,
            address: shown.address.unwrap_or_default(),
            tone,
            state,
            error,
            at: page::when(row.ended_at.unwrap_or(row.created_at), now),
            parked: row.state == "parked",
        }
    }
}

/// Everything that the page is made of.
pub struct Read {
    pub row: Integration,
    credential: Option<(Uuid, String)>,
    health: Health,
    deliveries: Vec<Shown>,
    people: Vec<Recipient>,
    now: DateTime<Utc>,
}

pub fn read(conn: &mut Conn, row: Integration) -> Result<Read, DbError> {
    let credential = match row.credential_id {
        Some(id) => Some((id, credentials::find(conn, id)?.name)),
        None => None,
    };
    let (health, deliveries) =
        (deliveries::health(conn, row.id)?, delivery_list::of_channel(conn, row.id, DELIVERIES)?);
    let people = recipients::of(conn, row.id)?;
    Ok(Read { row, credential, health, deliveries, people, now: shown::now(conn)? })
}

pub fn show(shell: Shell, vault: &Vault, read: Read) -> Result<HttpResponse, Error> {
    let Read { row, credential, health, deliveries, people, now } = read;
    let altered = row.check(vault).is_err();
    let has_people = alerts::channel(&row.version).is_some_and(alerts::Channel::has_recipients);
    let people = has_people.then(|| people.iter().map(|person| Person::new(person, vault, now)).collect());
    let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    let wanted: Vec<&str> =
        Trigger::ALL.into_iter().filter(|trigger| trigger.wanted(&settings)).map(Trigger::label).collect();
    let test = deliveries.iter().find(|shown| shown.delivery.kind == "test").map(|shown| {
        let (row, at) = (&shown.delivery, page::when(shown.delivery.created_at, now));
        match (row.state.as_str(), &row.error) {
            ("sent", _) => ("good", "The last test alert was delivered.".to_owned(), at),
            (_, Some(error)) => ("bad", format!("The last test alert was not delivered. {error}"), at),
            _ => ("info", "A test alert is on its way.".to_owned(), at),
        }
    });
    page::html(&Channel {
        shell,
        id: row.id,
        kind: shown::kind(&row.family, &row.version),
        host: row.host.clone(),
        active: row.active,
        altered,
        warning: draft::address(&row.version, &settings).and_then(|url| Egress::warning(&url)),
        away: health.away_since.map(|since| (page::when(since, now), shown::until(health.not_before, now))),
        test,
        held: deliveries.iter().filter(|shown| !row.active && shown.delivery.state == "ready").count(),
        parked: deliveries.iter().filter(|shown| shown.delivery.state == "parked").count(),
        deliveries: deliveries.into_iter().map(|shown| Delivery::new(shown, now)).collect(),
        credential,
        role: Provider::find(&row.version).and_then(|provider| provider.spec().role(&settings)),
        triggers: if wanted.is_empty() { "Nothing".to_owned() } else { wanted.join(", ") },
        facts: show::facts(&row, &settings),
        edited: (row.edited_by.clone(), page::when(row.edited_at, now)),
        name: row.name,
        people,
    })
}
