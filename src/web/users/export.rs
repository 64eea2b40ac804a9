//! The users that match the search, as a CSV file.

use actix_web::HttpResponse;
use actix_web::web::Data;
use chrono::{DateTime, Utc};

use super::index;
use crate::models::user_list::{self, Listed, Query};
use crate::models::{self, DbError};
use crate::services::Services;
use crate::web::csv::{Piece, in_pieces};
use crate::web::error::Error;
use crate::web::page::iso;
use crate::web::params::Params;
use crate::web::session::{Administrator, As};
use crate::web::users;

/// Rows read at a time.
const PIECE: i64 = 500;

const HEAD: [&str; 7] = ["name", "email", "role", "two_step_verification", "state", "last_login_at", "created_at"];

pub async fn csv(services: Data<Services>, _: As<Administrator>, params: Params) -> Result<HttpResponse, Error> {
    let first = piece(services.clone(), Query { from: None, ..index::query(&params) }).await?;
    Ok(in_pieces("users.csv", &HEAD, first, move |asked| piece(services.clone(), asked)))
}

async fn piece(services: Data<Services>, asked: Query) -> Result<Piece<Query>, DbError> {
    let (wanted, vault) = (asked.clone(), services.vault.clone());
    let read =
        move |conn: &mut _| Ok::<_, DbError>((user_list::list(conn, &vault, &wanted, PIECE)?, models::clock(conn)?));
    let (page, now) = services.db.run(read).await?;
    let last = page.rows.last().filter(|_| page.after).map(|listed| listed.user.shown().name_key.clone());
    let next = last.map(|key| Query { from: Some((key, false)), ..asked });
    Ok((page.rows.iter().map(|listed| cells(listed, now)).collect(), next))
}

fn cells(listed: &Listed, now: DateTime<Utc>) -> Vec<String> {
    let user = listed.user.shown();
    vec![
        user.name.clone(),
        user.email.clone().unwrap_or_default(),
        users::role_label(user).to_owned(),
        users::two_step(user).1.to_owned(),
        index::state(listed, now).1.to_owned(),
        user.last_login_at.map(iso).unwrap_or_default(),
        iso(user.created_at),
    ]
}
