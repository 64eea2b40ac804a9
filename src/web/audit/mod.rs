//! The audit trail as a page: newest first, filtered by who, what and when; each line reads as a sentence. The same as
//! a file is in `export`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use super::error::Error;
use super::htmx;
use super::page::{self, Shell};
use super::params::Params;
use super::session::{As, Auditor};
use fold::{Folded, each, fold};

use crate::form::Errors;
use crate::models::events::{self, Action, Event, Filter, Place};
use crate::models::{Conn, DbError, user_list};
use crate::services::Services;

pub mod export;
pub mod fold;

/// Lines of a page, and events that it is made of at most.
const PAGE: usize = 50;
const READ: usize = 500;

#[derive(Template)]
#[template(path = "audit/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    who: String,
    what: String,
    from: String,
    to: String,
    subject: String,
    /// Uses by scheduled runs and alerts are left out.
    without_uses: bool,
    /// Equal events are not one line.
    each: bool,
    /// What the events are filtered by beside the fields of the form.
    subject_name: Option<String>,
    names: Vec<String>,
    actions: &'static [Action],
    /// What of the filter cannot be read, by field.
    errors: Errors,
    lines: Vec<Line>,
    newest: Option<String>,
    older: Option<String>,
    export: String,
    filtered: bool,
}

/// One event, or equal ones.
struct Line {
    at: String,
    time: String,
    actor: String,
    verb: String,
    detail: String,
    subject: String,
    link: Option<String>,
    address: String,
    bad: bool,
    again: Option<Again>,
}

/// Of a line that stands for several events.
struct Again {
    times: usize,
    first: String,
    first_text: String,
    /// The same events one by one.
    href: String,
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (wanted, errors) =
        filter(&params).map_or_else(|errors| (None, errors), |filter| (Some(filter), Errors::default()));
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let who = params.get("who").trim().to_owned();
    let folds = params.get("each").is_empty();
    let found = services.db.run(move |conn| Found::read(conn, &who, wanted, folds)).await?;
    let index = Index::new(Shell::new(&request, &visitor, "audit"), &params, found, errors);
    match htmx::asked(&request) {
        true => page::html_with(status, &index.as_results()),
        false => page::html_with(status, &index),
    }
}

/// Everything that the page is made of.
struct Found {
    lines: Vec<Folded>,
    /// Where older ones begin.
    older: Option<String>,
    /// Of all users, to filter by.
    names: Vec<String>,
}

impl Found {
    /// Without a filter there are no events.
    fn read(conn: &mut Conn, who: &str, wanted: Option<Filter>, folds: bool) -> Result<Self, DbError> {
        let events = match wanted {
            Some(wanted) => {
                let wanted = Filter { actors: named(conn, who)?, ..wanted };
                events::list(conn, &wanted, if folds { READ } else { PAGE + 1 } as i64)?
            }
            None => Vec::new(),
        };
        let (lines, taken) = if folds { fold(&events, PAGE) } else { each(&events, PAGE) };
        let more = taken < events.len() || events.len() == READ;
        let older = events[..taken].last().filter(|_| more).map(place);
        let names = user_list::names(conn)?;
        Ok(Self { lines, older, names })
    }
}

impl Index {
    fn new(shell: Shell, params: &Params, found: Found, errors: Errors) -> Self {
        let Found { lines, older, names } = found;
        let first = lines.first().map(|line| line.event.subject_name.clone());
        let subject = subject(params).map(|id| id.to_string()).unwrap_or_default();
        Self {
            who: params.get("who").to_owned(),
            what: params.get("what").to_owned(),
            from: params.get("from").to_owned(),
            to: params.get("to").to_owned(),
            subject_name: Some(subject.clone()).filter(|id| !id.is_empty()).map(|id| first.unwrap_or(id)),
            without_uses: !params.get("uses").is_empty(),
            each: !params.get("each").is_empty(),
            subject,
            names,
            actions: Action::ALL,
            errors,
            lines: lines.iter().map(|folded| line(folded, params, shell.is_administrator)).collect(),
            newest: Some(params.link("/audit", &[("before", "")])).filter(|_| !params.get("before").is_empty()),
            older: older.map(|place| params.link("/audit", &[("before", &place)])),
            export: params.link("/audit.csv", &[("before", "")]),
            filtered: ["who", "what", "from", "to", "subject", "uses", "each"]
                .iter()
                .any(|name| !params.get(name).is_empty()),
            shell,
        }
    }
}

/// The actors that a filter means; `None` for everybody.
fn named(conn: &mut Conn, who: &str) -> Result<Option<Vec<String>>, DbError> {
    if who.is_empty() { Ok(None) } else { events::actors(conn, who).map(Some) }
}

/// What the address asks for, without the actors; or what of it cannot be read. Events that nobody asked for would pass
/// for those that fit.
fn filter(params: &Params) -> Result<Filter, Errors> {
    let mut errors = Errors::default();
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let action = read(params, "what", |text| Some(Action::find(text)?.name()), &mut errors);
    let from = read(params, "from", date, &mut errors);
    let to = read(params, "to", date, &mut errors);
    if from.zip(to).is_some_and(|(from, to)| to < from) {
        errors.add("to", "The last day is before the first. Swap them.".to_owned());
    }
    let filter = Filter {
        actors: None,
        action: action.unwrap_or_default().to_owned(),
        subject_id: read(params, "subject", |text| Uuid::try_parse(text).ok(), &mut errors),
        without_uses: !params.get("uses").is_empty(),
        from: from.map(midnight),
        until: to.and_then(|date| date.checked_add_days(Days::new(1))).map(midnight),
        before: read(params, "before", read_place, &mut errors),
    };
    if errors.is_empty() { Ok(filter) } else { Err(errors) }
}

/// One part of the filter: `None` when nothing was asked for, and when it cannot be read, which is noted.
fn read<T>(params: &Params, name: &str, parse: impl Fn(&str) -> Option<T>, errors: &mut Errors) -> Option<T> {
    let text = params.get(name);
    let found = Some(text).filter(|text| !text.is_empty()).and_then(parse);
    if !text.is_empty() && found.is_none() {
        let shown: String = text.chars().take(40).collect();
        let why = match name {
            "what" => "isn't in the list of events. Choose one from it.",
            "from" | "to" => "isn't a date. Enter one such as 2026-11-26, or leave it blank.",
            "subject" => "isn't an ID. Open History on the page of what you're looking for.",
            _ => "isn't a place in the trail. Start with the newest events.",
        };
        errors.add(name, format!("“{shown}” {why}"));
    }
    found
}

fn subject(params: &Params) -> Option<Uuid> {
    Uuid::try_parse(params.get("subject")).ok()
}

fn date(text: &str) -> Option<NaiveDate> {
    // Four digits a year: what Postgres can hold, and what a date field sends.
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)
}

/// Where a page ends: microseconds, lane, number.
fn place(event: &Event) -> String {
    format!("{}.{}.{}", event.at.timestamp_micros(), event.lane, event.seq)
}

fn read_place(text: &str) -> Option<Place> {
    let mut parts = text.splitn(3, '.');
    let at = DateTime::<Utc>::from_timestamp_micros(parts.next()?.parse().ok()?)?;
    let in_range = (0..=4_102_444_800).contains(&at.timestamp());
    Some((at, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)).filter(|_| in_range)
}

fn line(folded: &Folded, params: &Params, administrator: bool) -> Line {
    let event = &folded.event;
    let known = Action::find(&event.action);
    Line {
        at: page::iso(event.at),
        time: moment(event.at),
        actor: event.actor.clone(),
        verb: known.map_or_else(|| event.action.clone(), |action| action.verb().to_owned()),
        detail: event.detail.clone(),
        subject: event.subject_name.clone(),
        link: link(event, administrator),
        address: event.address.clone(),
        bad: ["failed", "locked", "refused", "integrity_failure"].iter().any(|bad| event.action.ends_with(bad)),
        again: Some(folded).filter(|folded| folded.times > 1).map(|folded| again(folded, params)),
    }
}

fn again(folded: &Folded, params: &Params) -> Again {
    let (event, subject) = (&folded.event, folded.event.subject_id.map(|id| id.to_string()).unwrap_or_default());
    let changed =
        [("before", ""), ("each", "on"), ("who", &event.actor), ("what", &event.action), ("subject", &subject)];
    Again {
        times: folded.times,
        first: page::iso(folded.first),
        first_text: moment(folded.first),
        href: params.link("/audit", &changed),
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y %H:%M:%S").to_string()
}

/// The page of what an event is about, unless the event says that it is gone.
fn link(event: &Event, administrator: bool) -> Option<String> {
    let id = event.subject_id.filter(|_| !event.action.ends_with(".deleted"))?;
    match event.subject_kind.as_str() {
        "credential" => Some(format!("/credentials/{id}")),
        "integration" | "cloud_key" => Some(format!("/integrations/{id}")),
        "client" => Some(format!("/clients/{id}")),
        "user" if administrator => Some(format!("/users/{id}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_page_survives_the_address_and_nothing_else_is_one() {
        assert_eq!(
            read_place("1800000000000000.3.17"),
            Some((DateTime::from_timestamp(1_800_000_000, 0).unwrap(), 3, 17))
        );
        for bad in ["", "1", "1.2", "x.1.1", "-5.1.1", "99999999999999999.1.1", "1.99999.1", "1.1.1.1"] {
            assert_eq!(read_place(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_dates_are_dates() {
        assert!(date("2026-11-22").is_some());
        for bad in ["", "2026-13-01", "+262142-01-01", "22.11.2026", "2026-1-1"] {
            assert!(date(bad).is_none(), "{bad}");
        }
    }
}
