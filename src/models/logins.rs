//! Failed logins, counted in the database so that all replicas share the count, and the one-time set-up link.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::schema::{login_failures, setup_links};
use super::{Conn, DbError};

/// What the failures of late mean for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    Open,
    /// Refused until the window has passed: seconds.
    Closed(i64),
    /// The whole account is under attack from many places: let in slowly, never locked out.
    Slow,
}

/// Failures of one account from one network within 15 minutes that close it to that network.
const MOST_PER_NAME: i64 = 5;
/// Failures of one network within an hour, whatever the account.
const MOST_PER_NETWORK: i64 = 100;
/// Failures of one account within an hour from everywhere.
const MOST_PER_ACCOUNT: i64 = 50;

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    pair: i64,
    #[diesel(sql_type = BigInt)]
    network: i64,
    #[diesel(sql_type = BigInt)]
    account: i64,
    #[diesel(sql_type = BigInt)]
    wait: i64,
}

/// `network` is the /24 or /64 of the visitor's address.
pub fn throttle(conn: &mut Conn, name_key: &str, network: &str) -> Result<Throttle, DbError> {
    let counts: Counts = diesel::sql_query(
        "SELECT
            (SELECT count(*) FROM login_failures WHERE name_key = $1 AND network = $2 AND at > now() - interval '15 minutes') AS pair,
            (SELECT count(*) FROM login_failures WHERE network = $2 AND at > now() - interval '1 hour') AS network,
            (SELECT count(*) FROM login_failures WHERE name_key = $1 AND at > now() - interval '1 hour') AS account,
            (SELECT ceil(coalesce(extract(epoch FROM max(at) + interval '15 minutes' - now()), 0))::bigint
                FROM login_failures WHERE network = $2) AS wait",
    )
    .bind::<Text, _>(name_key)
    .bind::<Text, _>(network)
    .get_result(conn)?;
    Ok(match counts {
        Counts { pair: MOST_PER_NAME.., .. } | Counts { network: MOST_PER_NETWORK.., .. } => {
            Throttle::Closed(counts.wait.max(1))
        }
        Counts { account: MOST_PER_ACCOUNT.., .. } => Throttle::Slow,
        _ => Throttle::Open,
    })
}

pub fn record_failure(conn: &mut Conn, name_key: &str, network: &str) -> Result<(), DbError> {
    let name_key: String = name_key.chars().take(200).collect();
    let row = (login_failures::name_key.eq(name_key), login_failures::network.eq(network));
    diesel::insert_into(login_failures::table).values(row).execute(conn)?;
    Ok(())
}

/// A right password from here clears what was counted from here.
pub fn clear_failures(conn: &mut Conn, name_key: &str, network: &str) -> Result<(), DbError> {
    let here = login_failures::name_key.eq(name_key).and(login_failures::network.eq(network));
    diesel::delete(login_failures::table.filter(here)).execute(conn)?;
    Ok(())
}

pub fn purge(conn: &mut Conn) -> Result<usize, DbError> {
    Ok(diesel::delete(login_failures::table.filter(sql::<Bool>("at < now() - interval '1 hour'"))).execute(conn)?)
}

/// Stores a set-up link's token hash for half an hour; earlier links stop working.
pub fn offer_setup(conn: &mut Conn, hash: &[u8]) -> Result<(), DbError> {
    diesel::delete(setup_links::table.filter(sql::<Bool>("expires_at < now()"))).execute(conn)?;
    diesel::sql_query("INSERT INTO setup_links (token_hash, expires_at) VALUES ($1, now() + interval '30 minutes')")
        .bind::<diesel::sql_types::Binary, _>(hash)
        .execute(conn)?;
    Ok(())
}

/// Whether a set-up link may be used: it is known, fresh, and there is no user yet.
pub fn setup_open(conn: &mut Conn, hash: &[u8]) -> Result<bool, DbError> {
    let fresh: i64 =
        setup_links::table.find(hash).filter(sql::<Bool>("expires_at > now()")).count().get_result(conn)?;
    Ok(fresh == 1 && super::users::count(conn)? == 0)
}

/// Uses the link up, in the transaction that makes the first user. Two at once: one gets `true`.
pub fn take_setup(conn: &mut Conn, hash: &[u8]) -> Result<bool, DbError> {
    diesel::sql_query("LOCK TABLE setup_links IN EXCLUSIVE MODE").execute(conn)?;
    let open = setup_open(conn, hash)?;
    if open {
        diesel::delete(setup_links::table).execute(conn)?;
    }
    Ok(open)
}
