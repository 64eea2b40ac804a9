//! The table of integrations as a file for a spreadsheet: what the address filters. Read and sent a piece at a time, so that
//! no store is too large.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};

use super::{query, row, shown};
use crate::models::integration_list::{self, Line};
use crate::models::integration_query::Query;
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::web::csv::{Piece, in_pieces};
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
    let first = piece(services.clone(), Query { from: None, ..query::read(&params)? }).await?;
    Ok(in_pieces("integrations.csv", &HEAD, first, move |asked| piece(services.clone(), asked)))
}

async fn piece(services: Data<Services>, asked: Query) -> Result<Piece<Query>, DbError> {
    let wanted = asked.clone();
    let rows = services.db.run(move |conn: &mut Conn| integration_list::sorted(conn, &wanted, PIECE)).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == PIECE).map(|line| line.place(asked.sort, false));
    Ok((rows.iter().map(cells).collect(), last.map(|place| Query { from: Some(place), ..asked })))
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
