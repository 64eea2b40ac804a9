//! The page of one client: how it logs in, what it may fetch, when it last did, what was done to it.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::lines::{self, Login, Rule};
use crate::models::clients::Client;
use crate::models::events::{self, Action};
use crate::models::{ClientId, DbError, alerts};
use crate::services::Services;
use crate::web::alerts::view::AlertView;
use crate::web::audit::fold::{Folded, fold};
use crate::web::error::Error;
use crate::web::page::{self, Shell, When, when};
use crate::web::session::{As, Auditor};

/// Events on the page; the audit trail has them all.
const MOST_EVENTS: usize = 15;
/// Events that those lines are made of.
const MOST_READ: i64 = 200;

struct Entry {
    tone: &'static str,
    text: String,
    detail: String,
    at: When,
    times: usize,
}

#[derive(Template)]
#[template(path = "clients/show.html")]
struct Show {
    shell: Shell,
    row: Client,
    intact: bool,
    created: When,
    edited: When,
    used: Option<When>,
    /// Where it last came from.
    from: String,
    logins: Vec<Login>,
    rules: Vec<Rule>,
    alerts: Vec<AlertView>,
    history: Vec<Entry>,
    /// A rule lets a stored value leave, and this console releases none.
    held: bool,
    /// Whether the visitor may let more in: of a client that fetches values only administrators.
    may_open: bool,
}

pub async fn show(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    id: Path<ClientId>,
) -> Result<HttpResponse, Error> {
    let read = lines::read(&services, *id).await?;
    let (subjects, client) = (read.subjects(), *id);
    let look = move |conn: &mut _| {
        let open = alerts::of_subject(conn, client.0)?;
        Ok::<_, DbError>((open, events::of_subjects(conn, &subjects, MOST_READ)?))
    };
    let (open, found) = services.db.run(look).await?;
    let (row, now, rules) = (read.client.shown().clone(), read.now, read.rules());
    let shell = Shell::new(&request, &visitor, super::SECTION);
    page::html(&Show {
        may_open: shell.is_administrator || (shell.may_edit && !rules.iter().any(|rule| rule.is_lasting)),
        shell,
        intact: read.client.doubt().is_none(),
        created: when(row.created_at, now),
        edited: when(row.edited_at, now),
        used: read.used(),
        from: read.address().unwrap_or_default().to_owned(),
        logins: read.logins(),
        held: !services.settings.releases_values() && rules.iter().any(|rule| rule.is_stored_value),
        rules,
        alerts: AlertView::lines(&open, now),
        history: fold(&found, MOST_EVENTS).0.into_iter().map(|folded| entry(folded, now)).collect(),
        row,
    })
}

fn entry(Folded { event, times, .. }: Folded, now: DateTime<Utc>) -> Entry {
    let action = Action::find(&event.action);
    let tone = match action {
        Some(Action::ClientIntegrityFailure | Action::ClientLoginFailed | Action::ClientFetchFailed) => "bad",
        Some(Action::ClientValueAllowed) => "warn",
        Some(Action::ClientCreated | Action::ClientEnabled) => "good",
        _ => "neutral",
    };
    let done = match action {
        Some(action) => action.label(),
        None => event.action.as_str(),
    };
    Entry { tone, text: format!("{done} by {}", event.actor), detail: event.detail, at: when(event.at, now), times }
}
