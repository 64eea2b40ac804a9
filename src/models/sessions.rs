//! Sessions as rows: the cookie holds a random token, the table its SHA-256. A session is signed with all its times,
//! and bound to one version of its user and to the event of its login: a row that was put in, moved, prolonged or put
//! back opens nothing. All times are the database's.

use chrono::{DateTime, Utc};
use diesel::dsl::{self, AsExprOf, IntervalDsl, exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Timestamptz};
use uuid::Uuid;

use super::events::{self, Action, Actor, Ledger, NewEvent};
use super::schema::{events as trail, sessions, users};
pub use super::session_ends::{Which, end, end_of, forget, forget_all, log_out};
use super::times::Time;
use super::trust::{self, Doubt, Parts, Seen, Signed, Trusted, latest_version, signed_columns};
use super::users::User;
use super::{Conn, DbError, SessionId, UserId};
use crate::vault::Vault;

#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
pub struct Session {
    pub token_hash: Vec<u8>,
    pub id: SessionId,
    pub user_id: UserId,
    pub awaits_code: bool,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    #[diesel(deserialize_as = Time)]
    pub last_seen_at: DateTime<Utc>,
    #[diesel(deserialize_as = Time)]
    pub authenticated_at: DateTime<Utc>,
    pub address: String,
    pub agent: String,
    pub row_mac: Vec<u8>,
    /// The version of the user that it was made for.
    pub user_version: i64,
    /// Grows when the password is confirmed; the end of the session is the last version.
    pub row_version: i64,
    /// The event of the login; `None` between the password and the one-time code.
    pub login_lane: Option<i16>,
    pub login_seq: Option<i64>,
}

/// Covers all but what the list of sessions shows.
impl Signed for Session {
    const TABLE: &'static str = "sessions";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        Parts::default()
            .bytes(&self.token_hash)
            .id(Some(self.id))
            .id(Some(self.user_id))
            .flags(&[self.awaits_code])
            .time(self.created_at)
            .time(self.last_seen_at)
            .time(self.authenticated_at)
            .number(self.user_version)
            .number(self.row_version)
            .number(self.login_lane.map(i64::from))
            .number(self.login_seq)
    }
}

impl Session {
    pub(super) fn event<'a>(&self, action: Action, user: &'a str) -> NewEvent<'a> {
        NewEvent {
            action,
            subject_kind: "session",
            subject_id: Some(self.id.0),
            subject_name: user,
            detail: String::new(),
        }
    }
}

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub idle_minutes: i32,
    pub hours: i32,
}

/// A session that holds, with its user.
pub struct Valid {
    pub session: Trusted<Session>,
    pub user: Trusted<User>,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

/// What the database says of a token.
pub enum Found {
    Valid(Box<Valid>),
    /// The row of the session does not count: it was put in, moved, prolonged or put back.
    Doubted(Doubt),
    /// The row of its user does not count.
    UserDoubted(Box<User>, Doubt),
}

/// Who logs in, and from where.
pub struct Visit<'a> {
    pub token_hash: &'a [u8],
    pub address: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
}

/// Makes a session for a login whose event is the last one in the ledger; `awaits_code`: of a login that still needs
/// its one-time code and has no event yet.
pub fn create(
    conn: &mut Conn,
    vault: &Vault,
    ledger: &Ledger,
    user: &Trusted<User>,
    awaits_code: bool,
    visit: &Visit,
) -> Result<(), DbError> {
    let (lane, seq) = ledger.place();
    let now = ledger.now;
    let row = Session {
        token_hash: visit.token_hash.to_vec(),
        id: SessionId(Uuid::new_v4()),
        user_id: user.id,
        awaits_code,
        created_at: now,
        last_seen_at: now,
        authenticated_at: now,
        address: visit.address.to_owned(),
        agent: visit.agent.to_owned(),
        row_mac: Vec::new(),
        user_version: user.row_version,
        row_version: 1,
        login_lane: (!awaits_code).then_some(lane),
        login_seq: (!awaits_code).then_some(seq),
    };
    diesel::insert_into(sessions::table).values(&*trust::sign(vault, row)).execute(conn)?;
    Ok(())
}

/// The database's clock at the start of the transaction.
fn clock() -> AsExprOf<dsl::now, Timestamptz> {
    dsl::now.into_sql::<Timestamptz>()
}

/// Whether a session is within its limits. Of Diesel's own expressions, not SQL text: only those are prepared once a
/// connection.
macro_rules! alive {
    ($limits:expr) => {{
        let begun = sessions::created_at.gt(clock() - $limits.hours.hours());
        let seen = sessions::last_seen_at.gt(clock() - $limits.idle_minutes.minutes());
        begun.and(seen).and(not(sessions::awaits_code).or(sessions::created_at.gt(clock() - 10.minutes())))
    }};
}

/// The session of a token, when it is alive and its user may come in.
pub fn find(conn: &mut Conn, vault: &Vault, hash: &[u8], limits: Limits) -> Result<Option<Found>, DbError> {
    let login = trail::table.filter(
        trail::lane
            .nullable()
            .eq(sessions::login_lane)
            .and(trail::seq.nullable().eq(sessions::login_seq))
            .and(trail::action.eq(Action::LoginSucceeded.name()))
            .and(trail::subject_id.eq(sessions::user_id.nullable())),
    );
    let columns = (
        Session::as_select(),
        latest_version!(sessions::id),
        User::as_select(),
        latest_version!(users::id),
        clock(),
        exists(login),
    );
    type Row = (Session, Option<i64>, User, Option<i64>, DateTime<Utc>, bool);
    let found: Option<Row> = sessions::table
        .inner_join(users::table)
        .filter(sessions::token_hash.eq(hash).and(users::disabled.eq(false)).and(alive!(limits)))
        .select(columns)
        .first(conn)
        .optional()?;
    let Some((session, recorded, user, recorded_user, now, has_login)) = found else { return Ok(None) };
    let session = match Seen::new(vault, (session, recorded), |session: &Session| session.token_hash == hash).judged() {
        Ok(session) if session.awaits_code || has_login => session,
        // Its login was taken out of the audit trail.
        Ok(_) => return Ok(Some(Found::Doubted(Doubt::Tampered))),
        Err((_, doubt)) => return Ok(Some(Found::Doubted(doubt))),
    };
    let user = match Seen::new(vault, (user, recorded_user), |user: &User| user.id == session.user_id).judged() {
        Ok(user) if user.row_version == session.user_version => user,
        // Made for a user as they were before a change that ends sessions.
        Ok(_) => return Ok(Some(Found::Doubted(Doubt::PutBack))),
        Err((user, doubt)) => return Ok(Some(Found::UserDoubted(Box::new(user), doubt))),
    };
    Ok(Some(Found::Valid(Box::new(Valid { session, user, now }))))
}

/// Notes activity. Callers do so at most once a minute a session.
pub fn touch(conn: &mut Conn, vault: &Vault, session: Trusted<Session>, now: DateTime<Utc>) -> Result<(), DbError> {
    let (mut row, read) = (session.into_row(), sessions::row_mac);
    let before = std::mem::take(&mut row.row_mac);
    row.last_seen_at = now;
    let row = trust::sign(vault, row);
    // Whoever has written the row since has the last word.
    let same = sessions::table.find(&row.token_hash).filter(read.eq(before));
    diesel::update(same)
        .set((sessions::last_seen_at.eq(row.last_seen_at), sessions::row_mac.eq(&row.row_mac)))
        .execute(conn)?;
    Ok(())
}

pub(super) fn lock(conn: &mut Conn, vault: &Vault, hash: &[u8]) -> Result<Option<Seen<Session>>, DbError> {
    let rows = sessions::table.find(hash).select((Session::as_select(), latest_version!(sessions::id)));
    let row = rows.for_update().first(conn).optional()?;
    Ok(row.map(|row| Seen::new(vault, row, |session: &Session| session.token_hash == hash)))
}

/// Gives a session a new token after its password was asked for again; the old one is worth nothing from then on. The
/// absolute limit stays where it was. `false`: the session has ended. Call inside a transaction.
pub fn renew(conn: &mut Conn, vault: &Vault, actor: &Actor, old: &[u8], new: &[u8]) -> Result<bool, DbError> {
    let mut ledger = events::open(conn)?;
    let Some(session) = lock(conn, vault, old)? else { return Ok(false) };
    let Ok(session) = session.judged() else { return Ok(false) };
    if session.awaits_code {
        return Ok(false);
    }
    let next = session.next_version();
    let mut row = session.into_row();
    row.token_hash = new.to_vec();
    (row.authenticated_at, row.last_seen_at, row.row_version) = (ledger.now, ledger.now, next);
    let row = trust::sign(vault, row);
    diesel::update(sessions::table.find(old)).set(&*row).execute(conn)?;
    // Diesel leaves keys out of changes.
    diesel::update(sessions::table.find(old)).set(sessions::token_hash.eq(new)).execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(Action::LoginConfirmed, &actor.name), next)?;
    Ok(true)
}

/// Binds the sessions of a user to the version that a change has made, from the version `read` before it. Sessions that
/// must not outlive the change have been deleted before.
pub(super) fn carry_over(conn: &mut Conn, vault: &Vault, user: &Trusted<User>, read: i64) -> Result<(), DbError> {
    let of_user = sessions::user_id.eq(user.id).and(sessions::user_version.eq(read));
    let rows = sessions::table.filter(of_user).order(sessions::id).for_update();
    let found: Vec<(Session, Option<i64>)> =
        rows.select((Session::as_select(), latest_version!(sessions::id))).load(conn)?;
    for row in found {
        let Ok(session) = Seen::new(vault, row, |session: &Session| session.user_id == user.id).judged() else {
            continue;
        };
        let mut session = session.into_row();
        session.user_version = user.row_version;
        let session = trust::sign(vault, session);
        diesel::update(sessions::table.find(&session.token_hash))
            .set((sessions::user_version.eq(session.user_version), sessions::row_mac.eq(&session.row_mac)))
            .execute(conn)?;
    }
    Ok(())
}

/// The live sessions of a user, latest activity first, for a list.
pub fn of(conn: &mut Conn, user: UserId, limits: Limits) -> Result<Vec<Session>, DbError> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::awaits_code.eq(false)).and(alive!(limits)))
        .order(sessions::last_seen_at.desc())
        .select(Session::as_select())
        .load(conn)?)
}

/// The next rows by id, for walking through all of them: each with whether its login is in the audit trail.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Session>>, DbError> {
    let rows = sessions::table.filter(sessions::id.gt(after)).order(sessions::id).limit(limit);
    let found: Vec<(Session, Option<i64>)> =
        rows.select((Session::as_select(), latest_version!(sessions::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

/// Those of these sessions whose login is not in the audit trail.
pub fn without_login(conn: &mut Conn, ids: &[SessionId]) -> Result<Vec<SessionId>, DbError> {
    let logins = trail::table.filter(
        trail::lane
            .nullable()
            .eq(sessions::login_lane)
            .and(trail::seq.nullable().eq(sessions::login_seq))
            .and(trail::action.eq(Action::LoginSucceeded.name())),
    );
    let complete = sessions::id.eq_any(ids).and(sessions::awaits_code.eq(false));
    let without = sessions::table.filter(complete).filter(not(exists(logins)));
    Ok(without.select(sessions::id).load(conn)?)
}

/// Forgets sessions past their absolute limit.
pub fn purge(conn: &mut Conn, limits: Limits) -> Result<usize, DbError> {
    let over = sql::<Bool>("created_at < now() - make_interval(hours => ").bind::<Integer, _>(limits.hours).sql(")");
    Ok(diesel::delete(sessions::table.filter(over)).execute(conn)?)
}
