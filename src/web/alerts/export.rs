//! The filtered alerts as a CSV file.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};

use super::asked::{self, SEVERITIES};
use super::view;
use crate::alerting::words;
use crate::integrations::alerts::Trigger;
use crate::models::alert_list::{self, Filter, Line, Place};
use crate::models::{self, DbError};
use crate::services::Services;
use crate::web::csv::{Piece, in_pieces};
use crate::web::error::Error;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// Rows read at a time.
const PIECE: i64 = 1_000;

const HEAD: [&str; 11] = [
    "trigger",
    "severity",
    "about",
    "name",
    "what",
    "since",
    "opened_at",
    "owner",
    "snoozed_until",
    "closed_at",
    "closed_why",
];

pub async fn csv(services: Data<Services>, _: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let filter = asked::filter(|name| params.get(name))?;
    let first = piece(services.clone(), filter.clone(), None).await?;
    Ok(in_pieces("alerts.csv", &HEAD, first, move |place| piece(services.clone(), filter.clone(), Some(place))))
}

async fn piece(services: Data<Services>, filter: Filter, after: Option<Place>) -> Result<Piece<Place>, DbError> {
    let read =
        move |conn: &mut _| Ok::<_, DbError>((alert_list::page(conn, &filter, after, PIECE)?, models::clock(conn)?));
    let (rows, now) = services.db.run(read).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == PIECE);
    let place =
        last.map(|line| Place { severity: line.severity, at: line.closed_at.unwrap_or(line.since), id: line.id });
    Ok((rows.iter().map(|line| cells(line, now)).collect(), place))
}

fn cells(line: &Line, now: DateTime<Utc>) -> Vec<String> {
    let time = |at: Option<DateTime<Utc>>| at.map(iso).unwrap_or_default();
    let severity = SEVERITIES.iter().find(|(number, _)| *number == line.severity.to_string());
    vec![
        Trigger::find(&line.trigger).map_or_else(|| line.trigger.clone(), |trigger| trigger.label().to_owned()),
        severity.map_or("", |(_, label)| label).to_owned(),
        line.subject_kind.clone(),
        line.subject_name.clone(),
        view::said(line, now).map(|said| words::title(&said)).unwrap_or_default(),
        time(Some(line.since)),
        time(Some(line.opened_at)),
        line.acknowledged_by.clone().unwrap_or_default(),
        time(line.snoozed_until),
        time(line.closed_at),
        line.closed_why.clone().unwrap_or_default(),
    ]
}
