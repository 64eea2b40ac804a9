//! Failed logins, counted in the database so that all replicas share the count, and the one-time set-up link.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use uuid::Uuid;

use super::events::{self, Action};
use super::schema::{login_failures, setup_links};
use super::times::Time;
use super::trust::{self, Parts, Seen, Signed, signed_columns};
use super::{Conn, DbError, UserId};
use crate::vault::Vault;

/// What the failures of late mean for a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// The try counts as a failure until [`clear_failures`]. `closes`: if it is one, the next is refused.
    Open { closes: bool },
    /// Refused, and not counted: seconds to wait.
    Closed(i64),
    /// The whole account is under attack from many places: let in slowly, never locked out.
    Slow { closes: bool },
}

/// Failures of one account from one network within 15 minutes that close it to that network for 15 minutes.
const MOST_PER_NAME: i64 = 5;
/// Failures of one visitor within an hour, whatever the account.
const MOST_PER_ADDRESS: i64 = 100;
/// Failures of one account within an hour from everywhere.
const MOST_PER_ACCOUNT: i64 = 50;
/// Characters of a name that count.
const LONGEST: usize = 200;

/// Who tries what: a key for the name, the visitor (an IPv4 address, or a /64), and the network (a /24 or /64).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    name_key: String,
    network: String,
    address: String,
}

impl Attempt {
    pub fn new(name_key: &str, network: String, address: String) -> Self {
        Self { name_key: name_key.chars().take(LONGEST).collect(), network, address }
    }
}

#[derive(QueryableByName)]
struct Counts {
    #[diesel(sql_type = BigInt)]
    pair: i64,
    #[diesel(sql_type = BigInt)]
    pair_wait: i64,
    #[diesel(sql_type = BigInt)]
    recent: i64,
    #[diesel(sql_type = BigInt)]
    address: i64,
    #[diesel(sql_type = BigInt)]
    address_wait: i64,
    #[diesel(sql_type = BigInt)]
    account: i64,
}

const COUNTS: &str = "
    WITH pair AS (SELECT at FROM login_failures WHERE name_key = $1 AND network = $2 ORDER BY at DESC LIMIT 5),
         places AS (SELECT at FROM login_failures WHERE address = $3 AND at > now() - interval '1 hour'
             ORDER BY at DESC LIMIT 100)
    SELECT (SELECT count(*) FROM pair WHERE at > (SELECT max(at) FROM pair) - interval '15 minutes') AS pair,
           (SELECT coalesce(ceil(extract(epoch FROM max(at) + interval '15 minutes' - now())), 0)::bigint FROM pair) AS pair_wait,
           (SELECT count(*) FROM pair WHERE at > now() - interval '15 minutes') AS recent,
           (SELECT count(*) FROM places) AS address,
           (SELECT coalesce(ceil(extract(epoch FROM min(at) + interval '1 hour' - now())), 0)::bigint FROM places) AS address_wait,
           (SELECT count(*) FROM login_failures WHERE name_key = $1 AND at > now() - interval '1 hour') AS account";

/// Counts a try before it is judged, unless it is refused. Call inside a transaction.
pub fn count(conn: &mut Conn, attempt: &Attempt) -> Result<Throttle, DbError> {
    // Tries that arrive together must see each other, or a burst would pass the limit.
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('login ' || $1, 0))")
        .bind::<Text, _>(&attempt.network)
        .execute(conn)?;
    let counts: Counts = diesel::sql_query(COUNTS)
        .bind::<Text, _>(&attempt.name_key)
        .bind::<Text, _>(&attempt.network)
        .bind::<Text, _>(&attempt.address)
        .get_result(conn)?;
    if counts.pair >= MOST_PER_NAME && counts.pair_wait > 0 {
        return Ok(Throttle::Closed(counts.pair_wait));
    }
    if counts.address >= MOST_PER_ADDRESS {
        return Ok(Throttle::Closed(counts.address_wait.max(1)));
    }
    let row = (
        login_failures::name_key.eq(&attempt.name_key),
        login_failures::network.eq(&attempt.network),
        login_failures::address.eq(&attempt.address),
    );
    // A trigger or a rule of somebody else may have swallowed what was written: then nobody may try.
    if diesel::insert_into(login_failures::table).values(row).execute(conn)? != 1 {
        return Err(DbError::ReadOnly);
    }
    let closes = counts.recent + 1 == MOST_PER_NAME || counts.address + 1 == MOST_PER_ADDRESS;
    Ok(if counts.account >= MOST_PER_ACCOUNT { Throttle::Slow { closes } } else { Throttle::Open { closes } })
}

/// A right password from here clears what was counted from here.
pub fn clear_failures(conn: &mut Conn, attempt: &Attempt) -> Result<(), DbError> {
    let here = login_failures::name_key.eq(&attempt.name_key).and(login_failures::network.eq(&attempt.network));
    diesel::delete(login_failures::table.filter(here)).execute(conn)?;
    Ok(())
}

/// The key under which the tries of a name are counted: a keyed hash, since what is typed as a name may be a password.
fn counted_as(vault: &Vault, name: &str) -> String {
    hex::encode(vault.mac("login/name", &[name.as_bytes()]))
}

/// For the passwords of a name, by its key; `names::key`.
pub fn of_passwords(vault: &Vault, name_key: &str) -> String {
    counted_as(vault, name_key)
}

/// For the one-time codes of a user: apart from the passwords, since whoever knows the password must not clear the count
/// of the codes with it.
pub fn of_codes(vault: &Vault, name_key: &str) -> String {
    // No name has a line break in its key, so no user's own count is this one.
    counted_as(vault, &format!("{name_key}\ncode"))
}

/// For the password resets that are asked for by what somebody typed, known or not.
pub fn of_resets(vault: &Vault, typed_key: &str) -> String {
    counted_as(vault, &format!("{typed_key}\nreset"))
}

/// For the API tokens of a name.
pub fn of_tokens(vault: &Vault, name_key: &str) -> String {
    counted_as(vault, &format!("{name_key}\napi token"))
}

/// For the tries of a client's login, by its id; `None` for one that nobody has.
pub fn of_clients(vault: &Vault, login: Option<Uuid>) -> String {
    // No name has a line break in its key.
    counted_as(vault, &format!("\nclient {}", login.map(|id| id.simple().to_string()).unwrap_or_default()))
}

/// Most mails with a reset that a user gets within an hour, whoever asks for them.
const MOST_RESETS: i64 = 5;

/// Whether a user may get another mail with a reset; counts it. Call inside a transaction that holds the user's row.
pub fn may_mail_reset(conn: &mut Conn, vault: &Vault, user: UserId) -> Result<bool, DbError> {
    // No address of a visitor is this one, so that nobody else's tries are counted with it.
    let key = counted_as(vault, &format!("{user}\nmails"));
    let attempt = Attempt::new(&key, "mails".to_owned(), key.clone());
    let lately = sql::<Bool>("at > now() - interval '1 hour'");
    let mails = login_failures::table.filter(login_failures::name_key.eq(&attempt.name_key).and(lately));
    if mails.count().get_result::<i64>(conn)? >= MOST_RESETS {
        return Ok(false);
    }
    let row = (
        login_failures::name_key.eq(&attempt.name_key),
        login_failures::network.eq(&attempt.network),
        login_failures::address.eq(&attempt.address),
    );
    Ok(diesel::insert_into(login_failures::table).values(row).execute(conn)? == 1)
}

/// Forgets the failures of an account from everywhere, of passwords and of codes. Returns whether there were any.
pub fn forget_failures(conn: &mut Conn, vault: &Vault, name_key: &str) -> Result<bool, DbError> {
    let both = [of_passwords(vault, name_key), of_codes(vault, name_key)];
    let theirs = login_failures::table.filter(login_failures::name_key.eq_any(both));
    Ok(diesel::delete(theirs).execute(conn)? > 0)
}

/// Takes back the newest try: it was never judged.
pub fn uncount(conn: &mut Conn, attempt: &Attempt) -> Result<(), DbError> {
    diesel::sql_query(
        "DELETE FROM login_failures WHERE id = (SELECT max(id) FROM login_failures WHERE name_key = $1 AND network = $2)",
    )
    .bind::<Text, _>(&attempt.name_key)
    .bind::<Text, _>(&attempt.network)
    .execute(conn)?;
    Ok(())
}

pub fn purge(conn: &mut Conn) -> Result<usize, DbError> {
    Ok(diesel::delete(login_failures::table.filter(sql::<Bool>("at < now() - interval '1 hour'"))).execute(conn)?)
}

/// A one-time link that makes the first administrator.
struct SetupLink {
    token_hash: Vec<u8>,
    expires_at: DateTime<Utc>,
    row_mac: Vec<u8>,
}

impl Signed for SetupLink {
    const TABLE: &'static str = "setup_links";

    fn subject(&self) -> Uuid {
        Uuid::nil()
    }

    signed_columns!(unversioned);

    fn parts(&self) -> Parts {
        Parts::default().bytes(&self.token_hash).time(self.expires_at)
    }
}

/// Whether this console may be set up: nobody has ever been a user of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    Open,
    Done,
    /// There is no user, and the audit trail knows of one: the users were taken out of the database.
    UsersGone,
}

pub fn setup(conn: &mut Conn) -> Result<Setup, DbError> {
    if super::users::any(conn)? {
        return Ok(Setup::Done);
    }
    if !events::has(conn, Action::UserCreated)? {
        return Ok(Setup::Open);
    }
    // The first user may have been made between the two looks.
    Ok(if super::users::any(conn)? { Setup::Done } else { Setup::UsersGone })
}

/// How long a set-up link is good.
pub const SETUP_MINUTES: i64 = 30;

/// Stores a set-up link's token hash for so long. Replicas that start together each have theirs.
pub fn offer_setup(conn: &mut Conn, vault: &Vault, hash: &[u8], minutes: i64) -> Result<(), DbError> {
    let now = super::clock(conn)?;
    diesel::delete(setup_links::table.filter(setup_links::expires_at.lt(now))).execute(conn)?;
    let expires_at = now + TimeDelta::minutes(minutes);
    let link = trust::sign(vault, SetupLink { token_hash: hash.to_vec(), expires_at, row_mac: Vec::new() });
    diesel::insert_into(setup_links::table)
        .values((
            setup_links::token_hash.eq(&link.token_hash),
            setup_links::expires_at.eq(link.expires_at),
            setup_links::row_mac.eq(&link.row_mac),
        ))
        .execute(conn)?;
    Ok(())
}

/// Whether a set-up link may be used: Strongroom made it, it is fresh, and there has never been a user.
pub fn setup_open(conn: &mut Conn, vault: &Vault, hash: &[u8]) -> Result<bool, DbError> {
    let columns = (setup_links::token_hash, setup_links::expires_at, setup_links::row_mac);
    let found: Option<(Vec<u8>, Time, Vec<u8>)> =
        setup_links::table.find(hash).select(columns).first(conn).optional()?;
    let Some((token_hash, expires_at, row_mac)) = found else { return Ok(false) };
    let link = SetupLink { token_hash, expires_at: expires_at.into(), row_mac };
    let Ok(link) = Seen::new(vault, (link, None), |link| link.token_hash == hash).judged() else { return Ok(false) };
    Ok(link.expires_at > super::clock(conn)? && setup(conn)? == Setup::Open)
}

/// Uses the link up, in the transaction that makes the first user. Two at once: one gets `true`.
pub fn take_setup(conn: &mut Conn, vault: &Vault, hash: &[u8]) -> Result<bool, DbError> {
    diesel::sql_query("LOCK TABLE setup_links IN EXCLUSIVE MODE").execute(conn)?;
    let open = setup_open(conn, vault, hash)?;
    if open {
        diesel::delete(setup_links::table).execute(conn)?;
    }
    Ok(open)
}
