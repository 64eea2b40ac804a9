//! The filtered table of clusters as a CSV file. Read and sent a piece at a time.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};

use super::query;
use crate::models::deployment_list::{self, Line, Query};
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::web::csv::{Piece, in_pieces};
use crate::web::error::Error;
use crate::web::integrations::deployment::standing;
use crate::web::integrations::shown;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// Rows read at a time.
const PIECE: i64 = 1_000;

const HEAD: [&str; 12] = [
    "deployment",
    "type",
    "cluster",
    "state",
    "desired",
    "ready",
    "kubernetes",
    "image",
    "drifted_fields",
    "trouble",
    "last_seen_at",
    "deployed_at",
];

pub async fn csv(services: Data<Services>, _: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let first = piece(services.clone(), Query { from: None, ..query::read(&params)? }).await?;
    Ok(in_pieces("clusters.csv", &HEAD, first, move |asked| piece(services.clone(), asked)))
}

async fn piece(services: Data<Services>, asked: Query) -> Result<Piece<Query>, DbError> {
    let wanted = asked.clone();
    let rows = services.db.run(move |conn: &mut Conn| deployment_list::sorted(conn, &wanted, PIECE)).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == PIECE).map(|line| line.place(asked.sort, false));
    Ok((rows.into_iter().map(cells).collect(), last.map(|place| Query { from: Some(place), ..asked })))
}

fn cells(line: Line) -> Vec<String> {
    let time = |at: Option<DateTime<Utc>>| at.map(iso).unwrap_or_default();
    let (_, state) = standing::told(line.standing());
    let number = |number: i32| if line.seen_at.is_some() { number.to_string() } else { String::new() };
    vec![
        line.name.clone(),
        shown::version(&line.version),
        line.host.clone(),
        state.to_owned(),
        number(line.desired),
        number(line.ready),
        line.cluster_version.clone(),
        line.image.clone(),
        line.drift.to_string(),
        line.trouble.clone(),
        time(line.seen_at),
        time(line.deployed_at),
    ]
}
