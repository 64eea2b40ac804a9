//! The filtered table of clients as a CSV file. Read and sent a piece at a time.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::query;
use super::row;
use crate::models::client_list::{self, Line, Query};
use crate::models::{self, Conn, DbError};
use crate::services::Services;
use crate::web::csv::{Piece, in_pieces};
use crate::web::error::Error;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// Rows read at a time.
const PIECE: i64 = 1_000;

const HEAD: [&str; 11] = [
    "client",
    "description",
    "state",
    "logins",
    "rules",
    "stored_values",
    "addresses",
    "last_fetch_at",
    "expires_at",
    "created_at",
    "created_by",
];

pub async fn csv(services: Data<Services>, _: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let first = piece(services.clone(), Query { from: None, ..query::read(&params)? }).await?;
    Ok(in_pieces("clients.csv", &HEAD, first, move |asked| piece(services.clone(), asked)))
}

async fn piece(services: Data<Services>, asked: Query) -> Result<Piece<Query>, DbError> {
    let wanted = asked.clone();
    let read =
        move |conn: &mut Conn| Ok::<_, DbError>((client_list::sorted(conn, &wanted, PIECE)?, models::clock(conn)?));
    let (rows, now) = services.db.run(read).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == PIECE).map(|line| line.place(asked.sort, false));
    let cells = rows.into_iter().map(|line| cells(&line, row::state(&line, now).1)).collect();
    Ok((cells, last.map(|place| Query { from: Some(place), ..asked })))
}

fn cells(line: &Line, state: &str) -> Vec<String> {
    vec![
        line.name.clone(),
        line.description.clone(),
        state.to_owned(),
        line.methods.join(", "),
        line.rules.to_string(),
        line.values.to_string(),
        line.networks.join(", "),
        if line.is_unused() { String::new() } else { iso(line.last_used_at) },
        line.ends_at.map(iso).unwrap_or_default(),
        iso(line.created_at),
        line.created_by.clone(),
    ]
}
