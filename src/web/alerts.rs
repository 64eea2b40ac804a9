//! What needs attention, straight from the store: old access keys, credentials that expire soon, fail their test or do not
//! hold together any more, integrations whose last run failed. Nothing is sent from here.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::credentials::view::{Badge, verdict_badge};
use super::error::Error;
use super::page::{self, Shell};
use super::session::{As, Auditor};
use crate::app::App;
use crate::credentials;
use crate::models::credential_list::{self, EXPIRING_DAYS, Query, Row, Sort, State};
use crate::models::{self, DbError, credential_tests, runs};

/// Most lines of one kind; the rest is on the page that the section links to.
const MOST: usize = 20;

#[derive(Template)]
#[template(path = "alerts/index.html")]
struct Index {
    shell: Shell,
    stale_days: i32,
    expiring_days: i32,
    altered: Vec<Line>,
    failed_tests: Vec<Failed>,
    failing: Vec<Failing>,
    expiring: Vec<Line>,
    stale: Vec<Line>,
    more_expiring: bool,
    more_stale: bool,
}

struct Line {
    id: Uuid,
    name: String,
    kind: &'static str,
    identity: String,
    days: i64,
    text: String,
}

/// A credential whose last test failed.
struct Failed {
    id: Uuid,
    name: String,
    sentence: String,
    badge: Badge,
}

struct Failing {
    id: Uuid,
    name: String,
    error: String,
}

pub async fn index(app: Data<App>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    let stale_days = app.stale_days();
    let (stale, expiring, altered, tests, failing, now) = app
        .db
        .run(move |conn| {
            let query = |state| Query { state: Some(state), stale_days, ..Query::default() };
            let old = Query { sort: Sort::Age, descending: true, ..query(State::Stale) };
            Ok::<_, DbError>((
                credential_list::page(conn, &old)?.rows,
                credential_list::page(conn, &query(State::Expiring))?.rows,
                credential_list::altered(conn, MOST as i64)?,
                credential_tests::failed(conn, MOST as i64)?,
                runs::failing(conn, MOST as i64)?,
                models::clock(conn)?,
            ))
        })
        .await?;
    let failing = failing.into_iter().map(|(id, name, error)| Failing {
        id,
        name,
        error: error.unwrap_or_else(|| "The last run failed.".to_owned()),
    });
    let index = Index {
        shell: Shell::new(&request, &visitor, "alerts"),
        stale_days,
        expiring_days: EXPIRING_DAYS,
        more_stale: stale.len() > MOST,
        more_expiring: expiring.len() > MOST,
        altered: altered.iter().map(|row| line(row, now, String::new())).collect(),
        failed_tests: tests.into_iter().map(failed).collect(),
        failing: failing.collect(),
        expiring: expiring.iter().take(MOST).map(|row| line(row, now, expiry(row, now))).collect(),
        stale: stale.iter().take(MOST).map(|row| line(row, now, String::new())).collect(),
    };
    page::html(&index)
}

fn failed(row: Row) -> Failed {
    let badge = verdict_badge(row.test_verdict.as_deref().unwrap_or_default());
    Failed { id: row.id, name: row.name, sentence: row.test_sentence.unwrap_or_default(), badge }
}

fn line(row: &Row, now: DateTime<Utc>, text: String) -> Line {
    Line {
        id: row.id,
        name: row.name.clone(),
        kind: credentials::find(&row.kind).map_or("Unsupported type", |kind| kind.label),
        identity: row.identity.clone(),
        days: now.signed_duration_since(row.secret_set_at).num_days(),
        text,
    }
}

fn expiry(row: &Row, now: DateTime<Utc>) -> String {
    let Some(at) = row.expires_at else { return String::new() };
    let date = at.format("%-d %B %Y");
    match at.signed_duration_since(now).num_days() {
        _ if at <= now => format!("Expired on {date}"),
        0 => "Expires today or tomorrow".to_owned(),
        1 => "Expires in 1 day".to_owned(),
        days => format!("Expires in {days} days"),
    }
}

impl Index {
    fn quiet(&self) -> bool {
        self.altered.is_empty()
            && self.failed_tests.is_empty()
            && self.failing.is_empty()
            && self.expiring.is_empty()
            && self.stale.is_empty()
    }
}
