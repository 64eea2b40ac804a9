//! Addresses that registries call when something in them changed, at most one an integration. What a call says waits in
//! its row, so that a burst of calls becomes one scan, also when one is under way. The row is signed but for that: who
//! changes it by SQL gets a scan, which they can have by the schedule too.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::events::{self, Action, Actor, NewEvent};
use super::integrations::Integration;
use super::runs::{self, RunAction};
use super::schema::{hooks, runs as history};
use super::times::Time;
use super::trust::{self, Parts, Seen, Signed, latest_version, signed_columns};
use super::{Conn, DbError, HookId, IntegrationId};
use crate::vault::Vault;

/// Seconds from the first call to its scan, in which further calls join it.
const JOIN_SECONDS: i32 = 3;
/// Seconds between two scans that the calls of one address ask for.
const PAUSE_SECONDS: i32 = 15;
/// Places that are scanned one by one; where more have changed, all are scanned.
const MOST_PLACES: i32 = 20;

/// An address. Another one of the same integration is another row, with an id of its own.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable)]
pub struct Hook {
    pub id: HookId,
    pub integration_id: IntegrationId,
    /// SHA-256 of what the address ends with.
    pub secret_hash: Vec<u8>,
    #[diesel(deserialize_as = Time)]
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    pub row_version: i64,
    pub row_mac: Vec<u8>,
}

impl Signed for Hook {
    const TABLE: &'static str = "hooks";

    fn subject(&self) -> Uuid {
        self.id.0
    }

    signed_columns!();

    fn parts(&self) -> Parts {
        Parts::default()
            .id(Some(self.id))
            .id(Some(self.integration_id))
            .bytes(&self.secret_hash)
            .time(self.made_at)
            .text(&self.made_by)
            .number(self.row_version)
    }
}

impl Hook {
    /// Compares in constant time.
    pub fn opens(&self, secret_hash: &[u8]) -> bool {
        bool::from(subtle::ConstantTimeEq::ct_eq(self.secret_hash.as_slice(), secret_hash))
    }

    fn event<'a>(&self, action: Action, integration: &'a Integration) -> NewEvent<'a> {
        let (name, detail) = (&integration.name, integration.host.clone());
        NewEvent { action, subject_kind: "hook", subject_id: Some(self.id.0), subject_name: name, detail }
    }
}

type Row = (Hook, Option<i64>);

/// The next rows by id, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Hook>>, DbError> {
    let rows = hooks::table.filter(hooks::id.gt(after)).order(hooks::id).limit(limit);
    let found: Vec<Row> = rows.select((Hook::as_select(), latest_version!(hooks::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |_| true)).collect())
}

pub fn find(conn: &mut Conn, vault: &Vault, id: HookId) -> Result<Seen<Hook>, DbError> {
    let rows = hooks::table.find(id).select((Hook::as_select(), latest_version!(hooks::id)));
    Ok(Seen::new(vault, rows.first(conn)?, |row: &Hook| row.id == id))
}

/// The address of an integration, if it has one.
pub fn of(conn: &mut Conn, vault: &Vault, integration: IntegrationId) -> Result<Option<Seen<Hook>>, DbError> {
    let rows = hooks::table.filter(hooks::integration_id.eq(integration));
    let found: Option<Row> = rows.select((Hook::as_select(), latest_version!(hooks::id))).first(conn).optional()?;
    Ok(found.map(|row| Seen::new(vault, row, |row: &Hook| row.integration_id == integration)))
}

/// Makes an address for an integration instead of the one that it has. Call inside a transaction.
pub fn make(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    integration: &Integration,
    secret_hash: &[u8],
) -> Result<HookId, DbError> {
    remove(conn, vault, actor, integration)?;
    let mut ledger = events::open(conn)?;
    let row = Hook {
        id: HookId::fresh(),
        integration_id: integration.id,
        secret_hash: secret_hash.to_vec(),
        made_at: ledger.now,
        made_by: actor.name.clone(),
        row_version: 1,
        row_mac: Vec::new(),
    };
    let row = trust::sign(vault, row);
    diesel::insert_into(hooks::table).values(&*row).execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(Action::HookMade, integration), row.row_version)?;
    Ok(row.id)
}

/// Removes the address of an integration; `false` when it has none. Call inside a transaction.
pub fn remove(conn: &mut Conn, vault: &Vault, actor: &Actor, integration: &Integration) -> Result<bool, DbError> {
    let mut ledger = events::open(conn)?;
    let Some(seen) = of(conn, vault, integration.id)? else { return Ok(false) };
    let (last, row) = (seen.next_version(), seen.into_shown());
    diesel::delete(hooks::table.find(row.id)).execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(Action::HookRemoved, integration), last)?;
    Ok(true)
}

/// The places that wait, and those of this call.
const TOGETHER: &str = "ARRAY(SELECT DISTINCT unnest(places || $3) ORDER BY 1)";

/// Notes which places a call says have changed, `None`: any, for the scan that it asks for. What waits already is not
/// written again.
pub fn note(conn: &mut Conn, id: HookId, places: Option<&[String]>) -> Result<(), DbError> {
    let (whole, places) = (places.is_none(), places.unwrap_or_default());
    diesel::sql_query(format!(
        "UPDATE hooks SET due_at = coalesce(due_at, now() + make_interval(secs => $4)),
             whole = $2 OR cardinality({TOGETHER}) > $5,
             places = CASE WHEN $2 OR cardinality({TOGETHER}) > $5 THEN '{{}}' ELSE {TOGETHER} END
         WHERE id = $1 AND NOT whole AND (due_at IS NULL OR $2 OR NOT places @> $3)"
    ))
    .bind::<SqlUuid, _>(id)
    .bind::<Bool, _>(whole)
    .bind::<Array<Text>, _>(places)
    .bind::<Integer, _>(JOIN_SECONDS)
    .bind::<Integer, _>(MOST_PLACES)
    .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: HookId,
    #[diesel(sql_type = SqlUuid)]
    integration_id: IntegrationId,
    #[diesel(sql_type = Bool)]
    whole: bool,
    #[diesel(sql_type = Array<Text>)]
    places: Vec<String>,
}

/// Queues the scans that calls have asked for, where none is under way; how many. Call inside a transaction.
pub fn queue_due(conn: &mut Conn, vault: &Vault) -> Result<usize, DbError> {
    let due: Vec<Due> = diesel::sql_query(
        "SELECT h.id, h.integration_id, h.whole, h.places FROM hooks h JOIN integrations i ON i.id = h.integration_id
         WHERE h.due_at <= now() AND i.active
             AND (h.asked_at IS NULL OR h.asked_at < now() - make_interval(secs => $1) OR h.asked_at > now())
             AND NOT EXISTS (SELECT FROM runs r WHERE r.integration_id = i.id AND r.state IN ('queued', 'running'))
         ORDER BY h.due_at LIMIT 100 FOR NO KEY UPDATE OF h SKIP LOCKED",
    )
    .bind::<Integer, _>(PAUSE_SECONDS)
    .load(conn)?;
    let mut queued = 0;
    for hook in due {
        // Some places alone would pass for the whole where nothing was read before.
        let some = !hook.whole && has_been_read(conn, hook.integration_id)?;
        let places = some.then_some(hook.places.as_slice()).filter(|places| !places.is_empty());
        let asked = ("webhook", "a webhook");
        if runs::queue_of(conn, vault, hook.integration_id, places, asked)?.is_none() {
            continue;
        }
        diesel::sql_query(
            "UPDATE hooks SET due_at = NULL, asked_at = now(), whole = false, places = '{}' WHERE id = $1",
        )
        .bind::<SqlUuid, _>(hook.id)
        .execute(conn)?;
        queued += 1;
    }
    Ok(queued)
}

/// Whether a scan of the whole has left an inventory.
fn has_been_read(conn: &mut Conn, integration: IntegrationId) -> Result<bool, DbError> {
    let read = history::integration_id.eq(integration).and(history::state.eq_any(runs::READ));
    let whole = history::table.filter(read.and(history::action.eq(RunAction::Scan)));
    Ok(diesel::select(diesel::dsl::exists(whole)).get_result(conn)?)
}
