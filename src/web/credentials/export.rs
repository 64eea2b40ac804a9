//! The table as a file for a spreadsheet: what the address filters, without secrets. Read and sent a piece at a time, so
//! that no store is too large.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use chrono::{DateTime, Utc};
use futures_util::stream;

use super::query;
use super::row::state;
use super::view::{Age, kind_label};
use crate::models::credential_list;
use crate::models::credential_query::{Query, Row, Sort};
use crate::models::{self, Conn, DbError};
use crate::services::Services;
use crate::web::csv::{attachment, lines};
use crate::web::error::Error;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// Rows read at once.
const PIECE: i64 = 1_000;

const HEAD: [&str; 16] = [
    "name",
    "type",
    "identity",
    "tags",
    "owner",
    "age_days",
    "limit_days",
    "usages",
    "state",
    "created_at",
    "secret_set_at",
    "last_used_at",
    "tested_at",
    "expires_at",
    "edited_at",
    "edited_by",
];

/// Rows and whether there are more.
type Piece = (Vec<Row>, bool);

pub async fn csv(services: Data<Services>, _: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let asked = query::read(&params, services.limits())?;
    let sort = if asked.sort == Sort::Match { Sort::Name } else { asked.sort };
    let asked = Query { sort, from: None, ..asked };
    let wanted = asked.clone();
    // With the first piece, so that a database that is away is a page and not half a file.
    let read =
        move |conn: &mut Conn| Ok::<_, DbError>((credential_list::chunk(conn, &wanted, PIECE)?, models::clock(conn)?));
    let (first, now) = services.db.run(read).await?;
    let pieces = stream::try_unfold(Some((asked, Some(first))), move |state| {
        let services = services.clone();
        async move {
            let Some((asked, first)) = state else { return Ok::<_, DbError>(None) };
            let head = first.is_some();
            let (rows, more) = match first {
                Some(piece) => piece,
                None => next(&services, asked.clone()).await?,
            };
            let bytes = written(&rows, head, now, &asked);
            let place = rows.last().filter(|_| more).map(|row| row.place(asked.sort, false));
            let rest = place.map(|place| (Query { from: Some(place), ..asked }, None));
            Ok(Some((bytes, rest)))
        }
    });
    Ok(attachment("credentials.csv").streaming(Box::pin(pieces)))
}

async fn next(services: &Services, asked: Query) -> Result<Piece, DbError> {
    services.db.run(move |conn: &mut Conn| credential_list::chunk(conn, &asked, PIECE)).await
}

fn written(rows: &[Row], head: bool, now: DateTime<Utc>, query: &Query) -> Bytes {
    let head = head.then(|| HEAD.map(str::to_owned).to_vec());
    lines(head.into_iter().chain(rows.iter().map(|row| cells(row, now, query))))
}

fn cells(row: &Row, now: DateTime<Utc>, query: &Query) -> Vec<String> {
    let limit = query.limits.days(&row.kind, row.ages, row.stale_after_days);
    let age = Age::new(row.aged_from, now, limit);
    let time = |at: Option<DateTime<Utc>>| at.map(iso).unwrap_or_default();
    vec![
        row.name.clone(),
        kind_label(&row.kind),
        row.identity.clone(),
        row.tags.join(", "),
        row.owner.clone(),
        age.days.to_string(),
        limit.map(|days| days.to_string()).unwrap_or_default(),
        row.usage_count.to_string(),
        state(row, age, now).1,
        iso(row.aged_from),
        iso(row.secret_set_at),
        time(Some(row.last_used_at).filter(|at| *at > DateTime::UNIX_EPOCH)),
        time(row.tested_at),
        time(row.expires_at),
        iso(row.edited_at),
        row.edited_by.clone(),
    ]
}
