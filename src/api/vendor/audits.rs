//! The audit trail as the vendor's history of management. What an event says is what the console's page says; it never holds
//! a secret.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::answer::Bad;
use super::caller::Caller;
use crate::models::event_pages::{self, Asked};
use crate::models::events::{self, Action, Event};
use crate::models::{Conn, DbError};
use crate::web::csv;

/// Events of a page, at most; and of an answer to who asks for no page.
const PAGE: i64 = 50;
const WHOLE: i64 = 1_000;
/// Rows of a file that are read at once.
const PIECE: i64 = 1_000;
const HEAD: [&str; 7] = ["time", "type", "username", "sourceIP", "diff", "status", "failure"];

/// The vendor's type of an action, by the noun of its name.
fn kind(action: &str) -> &'static str {
    match action.split('.').next().unwrap_or_default() {
        "credential" => "credential",
        "login" | "session" => "login",
        "user" | "api_token" => "user",
        "alert" | "delivery" | "recipient" => "profile",
        "client" => "rule",
        _ => "settings",
    }
}

/// Every type that an event can have, in the order of the alphabet.
const KINDS: [&str; 6] = ["credential", "login", "profile", "rule", "settings", "user"];

fn is_failure(action: &str) -> bool {
    let verb = action.split('.').nth(1).unwrap_or_default();
    verb.contains("fail") || verb.contains("refused") || verb == "locked"
}

fn diff(event: &Event) -> String {
    let label = Action::find(&event.action).map_or(event.action.as_str(), |action| action.label());
    match event.detail.as_str() {
        "" => format!("{label}: {}", event.subject_name),
        detail => format!("{label}: {} ({detail})", event.subject_name),
    }
}

fn written(event: &Event) -> Value {
    let failure = is_failure(&event.action);
    json!({
        "time": event.at,
        "type": kind(&event.action),
        "username": event.actor,
        "sourceIP": event.address,
        "api": "",
        "diff": diff(event),
        "status": if failure { 400 } else { 200 },
        "failure": failure,
    })
}

fn time(caller: &Caller, name: &str) -> Result<Option<DateTime<Utc>>, Bad> {
    let text = caller.asked(name);
    if text.is_empty() {
        return Ok(None);
    }
    // A plus that nobody has escaped came as a space.
    let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+"));
    let known = |time: &DateTime<Utc>| (1970..=9999).contains(&chrono::Datelike::year(time));
    let time = time.ok().map(|time| time.to_utc()).filter(known);
    time.map(Some).ok_or_else(|| Bad::said(format!("{name} must be a time as in RFC 3339.")))
}

fn asked(caller: &Caller) -> Result<Asked, Bad> {
    let kinds = caller.all("type");
    let of = |action: &&Action| kinds.iter().any(|wanted| wanted == kind(action.name()));
    let actions = Action::ALL.iter().filter(of).map(|action| action.name()).collect();
    if !matches!(caller.asked("sort").as_str(), "" | "time") {
        return Err(Bad::said("sort must be time."));
    }
    Ok(Asked {
        actions: Some(actions).filter(|_| !kinds.is_empty()),
        actor: caller.asked("username"),
        from: time(caller, "from")?,
        until: time(caller, "to")?,
        oldest_first: caller.flag("reverse"),
    })
}

pub async fn index(caller: Caller) -> Result<HttpResponse, Bad> {
    let asked = asked(&caller)?;
    let (offset, limit) = (caller.number("offset")?, caller.number("limit")?);
    let paged = offset.is_some() || limit.is_some();
    let most = if paged { limit.unwrap_or(PAGE).min(PAGE) } else { WHOLE };
    let read = move |conn: &mut Conn| {
        let total = if paged { Some(event_pages::count(conn, &asked)?) } else { None };
        Ok::<_, DbError>((event_pages::page(conn, &asked, (offset.unwrap_or_default(), most))?, total))
    };
    let (events, total) = caller.services.db.run(read).await?;
    let mut response = HttpResponse::Ok();
    if let Some(total) = total {
        response.insert_header((HeaderName::from_static("total-count"), HeaderValue::from(total)));
    }
    Ok(response.json(events.iter().map(written).collect::<Vec<_>>()))
}

/// What can be filtered by.
pub async fn filters(caller: Caller) -> Result<HttpResponse, Bad> {
    let names = caller.services.db.run(|conn: &mut Conn| events::actors(conn, "")).await?;
    Ok(HttpResponse::Ok().json(json!({"type": KINDS, "username": names})))
}

pub async fn download(caller: Caller) -> Result<HttpResponse, Bad> {
    let asked = asked(&caller)?;
    let services = caller.services.clone();
    let load = move |offset: i64| {
        let (services, asked) = (services.clone(), asked.clone());
        async move {
            let read = move |conn: &mut Conn| event_pages::page(conn, &asked, (offset, PIECE));
            let events = services.db.run(read).await?;
            let rest = (events.len() as i64 == PIECE && offset + PIECE < event_pages::MOST).then_some(offset + PIECE);
            Ok::<_, DbError>((events.iter().map(cells).collect(), rest))
        }
    };
    let first = load(0).await?;
    let mut response = csv::in_pieces("audits.csv", &HEAD, first, load);
    // The vendor's own client takes no other spelling for CSV.
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/csv"));
    Ok(response)
}

fn cells(event: &Event) -> Vec<String> {
    let failure = is_failure(&event.action);
    vec![
        event.at.to_rfc3339(),
        kind(&event.action).to_owned(),
        event.actor.clone(),
        event.address.clone(),
        diff(event),
        if failure { "400" } else { "200" }.to_owned(),
        failure.to_string(),
    ]
}
