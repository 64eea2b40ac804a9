//! The page of an alert channel: how it is doing, what it delivered and what waits, and its settings. A scan's page is in
//! `show`, which comes here for channels.

use actix_web::HttpResponse;
use askama::Template;
use chrono::{DateTime, Utc};

use super::facts::facts;
use super::{form, shown};
use crate::alerting;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::alerts::{self, Trigger};
use crate::models::channels::{self, Health};
use crate::models::deliveries::DeliveryState;
use crate::models::delivery_list::{self, ChannelState, Shown};
use crate::models::integrations::Integration;
use crate::models::recipients::{self, Recipient};
use crate::models::trust::Seen;
use crate::models::{self, Conn, CredentialId, DbError, IntegrationId, credentials};
use crate::providers::egress::Egress;
use crate::vault::Vault;
use crate::web::alerts::view::DeliveryView;
use crate::web::error::Error;
use crate::web::page::{self, Shell, When};
use crate::web::recipients::Person;

const DELIVERIES: i64 = 50;

#[derive(Template)]
#[template(path = "integrations/channel.html")]
struct Channel {
    shell: Shell,
    id: IntegrationId,
    name: String,
    kind: String,
    host: String,
    active: bool,
    /// Why the row is not used, and what to do.
    doubt: Option<String>,
    warning: Option<&'static str>,
    /// Since when the peer is not reached, and when it is tried again.
    away: Option<(When, When)>,
    /// The last test: tone and sentence, and when.
    test: Option<(&'static str, String, When)>,
    parked: i64,
    /// Messages that a channel which is off keeps.
    held: i64,
    /// What waits for somebody first, then newest first.
    deliveries: Vec<DeliveryView>,
    /// Where their forms lead back to.
    next: String,
    credential: Option<(CredentialId, String)>,
    role: Option<String>,
    triggers: String,
    /// The tags that it is limited to.
    only_tags: Vec<String>,
    facts: Vec<(&'static str, String)>,
    owner: String,
    tags: Vec<String>,
    edited: (String, When),
    /// Of a channel that has some.
    people: Option<Vec<Person>>,
}

/// Everything that the page is made of.
pub struct Read {
    pub row: Integration,
    doubt: Option<String>,
    credential: Option<(CredentialId, String)>,
    health: Health,
    state: ChannelState,
    deliveries: Vec<Shown>,
    test: Option<Shown>,
    people: Vec<Seen<Recipient>>,
    now: DateTime<Utc>,
}

pub fn read(conn: &mut Conn, vault: &Vault, seen: Seen<Integration>) -> Result<Read, DbError> {
    let (doubt, row) = (seen.doubt().map(|doubt| doubt.sentence("channel")), seen.into_shown());
    let credential = match row.credential_id {
        Some(id) => Some((id, credentials::find(conn, vault, id)?.into_shown().name)),
        None => None,
    };
    let health = channels::health(conn, vault, row.id)?;
    let deliveries = delivery_list::of_channel(conn, row.id, DELIVERIES)?;
    let (people, test) = (recipients::of(conn, vault, row.id)?, delivery_list::last_test(conn, row.id)?);
    let state = delivery_list::channel(conn, row.id)?;
    Ok(Read { row, doubt, credential, health, state, deliveries, test, people, now: models::clock(conn)? })
}

pub fn show(shell: Shell, egress: &Egress, read: Read) -> Result<HttpResponse, Error> {
    let Read { row, doubt, credential, health, state, deliveries, test, people, now } = read;
    let has_people = alerts::channel(&row.version).is_some_and(|channel| channel.has_recipients);
    let people = has_people.then(|| people.iter().map(|person| Person::new(person, now)).collect());
    let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    let address = form::address(&row.version, &settings);
    let way_out = address.as_ref().and_then(|url| egress.way_out(url));
    let wanted: Vec<&str> =
        Trigger::ALL.into_iter().filter(|trigger| trigger.wanted(&settings)).map(Trigger::label).collect();
    let test = test.map(|shown| {
        let (row, at) = (&shown.delivery, page::when(shown.delivery.created_at, now));
        match (row.state, &row.error) {
            (DeliveryState::Sent, _) => ("good", "The last test alert was delivered.".to_owned(), at),
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
        doubt,
        warning: address.as_ref().and_then(Egress::warning),
        away: health.failing_since.map(|since| (page::when(since, now), shown::until(health.not_before, now))),
        test,
        held: if row.active { 0 } else { state.waiting },
        parked: state.parked,
        next: format!("/integrations/{}", row.id),
        deliveries: deliveries.into_iter().map(|shown| DeliveryView::new(shown, now)).collect(),
        credential,
        role: Spec::find(&row.version).and_then(|spec| spec.role(&settings)),
        triggers: if wanted.is_empty() { "Nothing".to_owned() } else { wanted.join(", ") },
        only_tags: alerting::only_tags(&settings),
        facts: facts(&row, &settings, way_out),
        owner: row.owner.clone(),
        tags: row.tags.clone(),
        edited: (row.edited_by.clone(), page::when(row.edited_at, now)),
        name: row.name,
        people,
    })
}
