//! The table of integrations as a file for a spreadsheet: what the address filters. Read and sent a piece at a time, so that
//! no store is too large.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use chrono::{DateTime, Utc};
use futures_util::stream;

use super::{query, row, shown};
use crate::models::integration_list::{self, Line};
use crate::models::integration_query::Query;
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::web::csv::{attachment, lines};
use crate::web::error::Error;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// Rows read at once.
const PIECE: i64 = 1_000;

const HEAD: [&str; 11] = [
    "name",
    "family",
    "type",
    "address",
    "credential",
    "tags",
    "owner",
    "state",
    "error",
    "last_run_at",
    "next_run_at",
];

pub async fn csv(services: Data<Services>, _: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let asked = Query { from: None, ..query::read(&params)? };
    // Before the answer begins, so that a database that is away is a page and not half a file.
    let first = piece(&services, asked.clone()).await?;
    let pieces = stream::try_unfold(Some((asked, Some(first))), move |state| {
        let services = services.clone();
        async move {
            let Some((asked, first)) = state else { return Ok::<_, DbError>(None) };
            let head = first.is_some().then(|| HEAD.map(str::to_owned).to_vec());
            let rows = match first {
                Some(rows) => rows,
                None => piece(&services, asked.clone()).await?,
            };
            let bytes: Bytes = lines(head.into_iter().chain(rows.iter().map(cells)));
            let last = rows.last().filter(|_| rows.len() as i64 == PIECE);
            let place = last.map(|line| line.place(asked.sort, false));
            Ok(Some((bytes, place.map(|place| (Query { from: Some(place), ..asked }, None)))))
        }
    });
    Ok(attachment("integrations.csv").streaming(Box::pin(pieces)))
}

async fn piece(services: &Services, asked: Query) -> Result<Vec<Line>, DbError> {
    services.db.run(move |conn: &mut Conn| integration_list::sorted(conn, &asked, PIECE)).await
}

fn cells(line: &Line) -> Vec<String> {
    let time = |at: Option<DateTime<Utc>>| at.map(iso).unwrap_or_default();
    let (tone, state) = row::state(line);
    vec![
        line.name.clone(),
        shown::family(&line.family).to_owned(),
        shown::version(&line.version),
        line.host.clone(),
        line.credential_name.clone().unwrap_or_default(),
        line.tags.join(", "),
        line.owner.clone(),
        state.to_owned(),
        line.last_error.clone().filter(|_| row::is_wrong(tone)).unwrap_or_default(),
        time(line.last_at),
        time(line.next_run_at.filter(|_| line.active)),
    ]
}
