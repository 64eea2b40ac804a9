//! The list: what is open, worst news first by date, or what is closed. Messages that wait for a person stand above it,
//! and so does the warning that nobody is told.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::view::{self, AlertView, DeliveryView};
use crate::alerting;
use crate::integrations::alerts::Trigger;
use crate::models::alerts::{self, Line, Place};
use crate::models::delivery_list::{self, Shown};
use crate::models::{self, Conn, DbError};
use crate::services::Services;
use crate::vault::Vault;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

const PATH: &str = "/alerts";
const PAGE: usize = 50;
/// Parked messages above the list; more are on their channels' pages.
const MOST_PARKED: usize = 3;

/// One trigger to filter by.
struct Choice {
    label: &'static str,
    /// Only what is open is counted.
    count: Option<i64>,
    href: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "alerts/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    closed: bool,
    filtered: bool,
    choices: Vec<Choice>,
    lines: Vec<AlertView>,
    newest: Option<String>,
    older: Option<String>,
    parked: Vec<DeliveryView>,
    more_parked: bool,
    /// Where the forms of parked messages lead back to.
    next: String,
    /// Whether anybody is told.
    told: bool,
    watched: String,
    /// When the whole store was last verified, in words; `late` if that is too long ago.
    verified: String,
    late: bool,
    /// The alert settings do not count.
    settings_doubt: bool,
}

/// What the address asks for.
#[derive(Clone, Copy)]
struct Asked {
    closed: bool,
    trigger: &'static str,
    after: Option<Place>,
}

impl Asked {
    fn of(params: &Params) -> Result<Self, Error> {
        let unknown = || Error::Unacceptable("The address asks for something that this list does not have.".to_owned());
        Ok(Self {
            closed: match params.get("state") {
                "" | "open" => false,
                "closed" => true,
                _ => return Err(unknown()),
            },
            trigger: match params.get("trigger") {
                "" => "",
                slug => Trigger::find(slug).ok_or_else(unknown)?.slug(),
            },
            after: match params.get("before") {
                "" => None,
                place => Some(read_place(place).ok_or_else(unknown)?),
            },
        })
    }
}

/// Everything that the page is made of.
struct Read {
    lines: Vec<Line>,
    more: bool,
    counts: Vec<(String, i64)>,
    parked: Vec<Shown>,
    more_parked: bool,
    told: bool,
    now: DateTime<Utc>,
}

fn read(conn: &mut Conn, vault: &Vault, Asked { closed, trigger, after }: Asked) -> Result<Read, DbError> {
    let counts = if closed { Vec::new() } else { alerts::counts(conn)? };
    let mut lines = alerts::list(conn, closed, trigger, after, PAGE as i64 + 1)?;
    let mut parked = delivery_list::parked(conn, MOST_PARKED as i64 + 1)?;
    let (more, more_parked) = (lines.len() > PAGE, parked.len() > MOST_PARKED);
    lines.truncate(PAGE);
    parked.truncate(MOST_PARKED);
    let told = alerting::has_audience(conn, vault)?;
    Ok(Read { lines, more, counts, parked, more_parked, told, now: models::clock(conn)? })
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (asked, vault) = (Asked::of(&params)?, services.vault.clone());
    let read = services.db.run(move |conn| read(conn, &vault, asked)).await?;
    let index = Index::new(&services, Shell::new(&request, &visitor, "alerts"), &params, asked, read);
    if htmx::asked(&request) { page::html(&index.as_results()) } else { page::html(&index) }
}

impl Index {
    fn new(services: &Services, shell: Shell, params: &Params, asked: Asked, read: Read) -> Self {
        let (Asked { closed, trigger, after }, now) = (asked, read.now);
        let last = read.lines.last().filter(|_| read.more);
        Self {
            shell,
            choices: choices(params, trigger, closed, &read.counts),
            older: last.map(|last| params.link(PATH, &[("before", &place(last, closed))])),
            lines: AlertView::lines(&read.lines, now),
            newest: after.map(|_| params.link(PATH, &[("before", "")])),
            parked: read.parked.into_iter().map(|shown| DeliveryView::new(shown, now)).collect(),
            more_parked: read.more_parked,
            next: params.link(PATH, &[]),
            watched: view::watched(&services.limits()),
            verified: view::verified(services.alerts.verified()),
            late: services.alerts.verified().is_some_and(|verified| verified.is_late()),
            settings_doubt: services.alerts.settings().doubt.is_some(),
            filtered: !trigger.is_empty(),
            closed,
            told: read.told,
        }
    }
}

/// All, then each trigger that has something open; on the closed side each trigger.
fn choices(params: &Params, chosen: &str, closed: bool, counts: &[(String, i64)]) -> Vec<Choice> {
    let link = |slug: &str| params.link(PATH, &[("trigger", slug), ("before", "")]);
    let count = |slug: &str| counts.iter().find(|(trigger, _)| trigger == slug).map_or(0, |(_, count)| *count);
    let all = counts.iter().map(|(_, count)| count).sum();
    let all = Choice { label: "All", count: (!closed).then_some(all), href: link(""), chosen: chosen.is_empty() };
    let wanted =
        Trigger::ALL.into_iter().filter(|trigger| closed || trigger.slug() == chosen || count(trigger.slug()) > 0);
    let each = wanted.map(|trigger| Choice {
        label: trigger.label(),
        count: (!closed).then(|| count(trigger.slug())),
        href: link(trigger.slug()),
        chosen: trigger.slug() == chosen,
    });
    std::iter::once(all).chain(each).collect()
}

/// Where the next page begins: microseconds and id.
fn place(line: &Line, closed: bool) -> String {
    let at = line.closed_at.filter(|_| closed).unwrap_or(line.opened_at);
    format!("{}.{}", at.timestamp_micros(), line.id)
}

fn read_place(text: &str) -> Option<Place> {
    let (micros, id) = text.split_once('.')?;
    let at = DateTime::<Utc>::from_timestamp_micros(micros.parse().ok()?)?;
    let in_range = (0..=4_102_444_800).contains(&at.timestamp());
    Some((at, id.parse().ok()?)).filter(|_| in_range)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::models::AlertId;

    #[test]
    fn the_place_of_a_page_survives_the_address_and_nothing_else_is_one() {
        let id = AlertId(Uuid::from_u128(7));
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(read_place(&format!("1800000000000000.{id}")), Some((at, id)));
        for bad in ["", "1", "1.2", "x.00000000-0000-0000-0000-000000000007", "-5.00000000-0000-0000-0000-000000000007"]
        {
            assert_eq!(read_place(bad), None, "{bad}");
        }
    }
}
