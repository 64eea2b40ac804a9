//! One alert: what is wrong and what to do, who looks after it, what was said of it, and every message with its
//! outcome.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::keys::{self, Members, MembersView};
use super::view::{self, AlertView, DeliveryView};
use crate::alerting::words::{self, Said};
use crate::integrations::alerts::{Event, Trigger};
use crate::models::alerts::Line;
use crate::models::delivery_list::{self, Shown};
use crate::models::events::{self, Action, Filter};
use crate::models::notices::{self, Notice};
use crate::models::{self, AlertId, Conn, CredentialId, DbError, alerts};
use crate::runs::alarms;
use crate::services::Services;
use crate::web::credentials::view::{Usage, Used};
use crate::web::error::Error;
use crate::web::help::paths;
use crate::web::page::{self, Shell, When, when};
use crate::web::params;
use crate::web::session::{As, Auditor};

/// Most of each list; the counts beside them are whole.
const MOST: i64 = 200;
const MOST_USAGES: i64 = 50;

/// Something that happened to the alert.
struct Entry {
    /// `raised`, `alert.snoozed`
    what: String,
    tone: &'static str,
    text: String,
    detail: String,
    when: When,
    at: DateTime<Utc>,
}

/// What the alert is about.
struct Subject {
    name: String,
    page: Option<String>,
    /// `Credential`
    label: &'static str,
    is_credential: bool,
}

#[derive(Template)]
#[template(path = "alerts/show.html")]
struct Show {
    shell: Shell,
    alert: AlertView,
    subject: Subject,
    open: bool,
    remedy: &'static str,
    /// The page of the help about such alerts.
    help: Option<String>,
    acknowledged_at: Option<When>,
    quiet_by: String,
    usages: Vec<Usage>,
    more_usages: bool,
    entries: Vec<Entry>,
    deliveries: Vec<DeliveryView>,
    /// Of an alert about old keys in the cloud.
    members: Option<MembersView>,
    /// Of this page, where the forms lead back to.
    next: String,
}

/// Everything that the page is made of.
struct Read {
    line: Line,
    said: Vec<Notice>,
    trail: Vec<events::Event>,
    deliveries: Vec<Shown>,
    usages: Option<Used>,
    members: Option<Members>,
    now: DateTime<Utc>,
}

/// `limit_days`: of keys in the cloud.
fn read(conn: &mut Conn, id: AlertId, limit_days: Option<i32>) -> Result<Read, DbError> {
    let line = alerts::line(conn, id)?;
    let usages = match line.usages {
        0 => None,
        _ => Some(Used::read(conn, CredentialId(line.subject_id), MOST_USAGES)?),
    };
    let filter = Filter { subject_id: Some(id.0), ..Filter::default() };
    Ok(Read {
        said: notices::of(conn, id, MOST)?,
        trail: events::list(conn, &filter, MOST)?,
        deliveries: delivery_list::of_alert(conn, id, MOST)?,
        members: keys::read(conn, &line, limit_days)?,
        now: models::clock(conn)?,
        line,
        usages,
    })
}

pub async fn show(services: Data<Services>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    let (id, limit_days) = (params::id(&request)?, alarms::limit_days(&services));
    let read = services.db.run(move |conn| read(conn, id, limit_days)).await?;
    page::html(&Show::new(Shell::new(&request, &visitor, "alerts"), read))
}

impl Show {
    fn new(shell: Shell, read: Read) -> Self {
        let Read { line, said, trail, deliveries, usages, members, now } = read;
        let usages = usages.map(|used| used.list(now)).unwrap_or_default();
        let mut entries: Vec<Entry> = said.iter().filter_map(|notice| told(&line, notice, now)).collect();
        entries.extend(trail.into_iter().map(|event| done(event, now)));
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        Self {
            shell,
            subject: subject(&line),
            open: line.closed_at.is_none(),
            help: Trigger::find(&line.trigger).map(paths::of_trigger),
            remedy: view::said(&line, now).map_or("", |said| words::remedy(&said)),
            acknowledged_at: line.acknowledged_at.map(|at| when(at, now)),
            quiet_by: line.snoozed_by.clone().unwrap_or_default(),
            alert: AlertView::new(&line, now),
            more_usages: usize::try_from(line.usages).is_ok_and(|all| all > usages.len()),
            usages,
            deliveries: deliveries.into_iter().map(|shown| DeliveryView::new(shown, now)).collect(),
            members: members.map(|members| MembersView::new(members, now)),
            next: format!("/alerts/{}", line.id),
            entries,
        }
    }
}

fn subject(line: &Line) -> Subject {
    let label = match line.subject_kind.as_str() {
        "credential" => "Credential",
        "integration" => "Integration",
        "item" => "Found by a scan",
        "client" => "Client",
        "store" => "Store",
        _ => "Account",
    };
    Subject {
        name: line.subject_name.clone(),
        page: view::subject_page(line),
        is_credential: line.subject_kind == "credential" && line.there,
        label,
    }
}

/// A notice, in the words of its day.
fn told(line: &Line, notice: &Notice, now: DateTime<Utc>) -> Option<Entry> {
    let event = Event::find(&notice.event)?;
    let (tone, text) = match event {
        Event::Ahead => ("neutral", "Warned ahead"),
        Event::Raised => ("bad", "Opened"),
        Event::Reminder => ("bad", "Reminder sent"),
        Event::Closed => ("good", "Closed"),
    };
    let words = match event {
        Event::Closed => line.closed_why.as_deref().unwrap_or(&notice.words),
        _ => &notice.words,
    };
    let said = view::said(line, now)?;
    let said = Said { event, days: notice.days, of_days: notice.of_days, words, ..said };
    let detail = words::title(&said);
    let what = notice.event.clone();
    Some(Entry { what, tone, text: text.to_owned(), detail, when: when(notice.at, now), at: notice.at })
}

/// What somebody did about it.
fn done(event: events::Event, now: DateTime<Utc>) -> Entry {
    let (text, detail) = match Action::find(&event.action) {
        Some(Action::AlertAcknowledged) => (format!("Acknowledged by {}", event.actor), String::new()),
        Some(Action::AlertSnoozed) => (format!("Snoozed {} by {}", event.detail, event.actor), String::new()),
        _ => (event.actor, event.detail),
    };
    Entry { what: event.action, tone: "neutral", text, detail, when: when(event.at, now), at: event.at }
}
