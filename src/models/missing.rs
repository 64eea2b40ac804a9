//! Rows that are gone without an event that says so, and events that are gone while their lane holds: somebody deleted
//! them in the database, the latter in the very transaction that wrote them.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use uuid::Uuid;

use super::events::{Action, Event};
use super::schema::{clients, credentials, events, integrations, users};
use super::{Conn, DbError};

/// The actions that begin and end a row. The row of a deleted user stays.
const ENDS: [Action; 3] = [Action::CredentialDeleted, Action::IntegrationDeleted, Action::ClientDeleted];

/// The rows whose beginning is among these events, and that are neither there nor deleted by Strongroom: their table
/// and id.
pub fn rows(conn: &mut Conn, page: &[Event]) -> Result<Vec<(&'static str, Uuid)>, DbError> {
    let begun = |action: Action| {
        let of = page.iter().filter(|event| event.action == action.name());
        of.filter_map(|event| event.subject_id).collect::<Vec<_>>()
    };
    let mut gone = Vec::new();
    let ids = begun(Action::CredentialCreated);
    let there = credentials::table.filter(credentials::id.eq_any(&ids)).select(credentials::id).load(conn)?;
    gone.extend(without(ids, there).map(|id| ("credentials", id)));
    let ids = begun(Action::IntegrationCreated);
    let there = integrations::table.filter(integrations::id.eq_any(&ids)).select(integrations::id).load(conn)?;
    gone.extend(without(ids, there).map(|id| ("integrations", id)));
    let ids = begun(Action::UserCreated);
    let there = users::table.filter(users::id.eq_any(&ids)).select(users::id).load(conn)?;
    gone.extend(without(ids, there).map(|id| ("users", id)));
    let ids = begun(Action::ClientCreated);
    let there = clients::table.filter(clients::id.eq_any(&ids)).select(clients::id).load(conn)?;
    gone.extend(without(ids, there).map(|id| ("clients", id)));
    if gone.is_empty() {
        return Ok(gone);
    }
    // After the rows: a row that is being deleted meanwhile then has its event.
    let ids: Vec<Uuid> = gone.iter().map(|(_, id)| *id).collect();
    let ended = events::table
        .filter(events::subject_id.eq_any(ids).and(events::action.eq_any(ENDS.map(Action::name))))
        .select(events::subject_id)
        .load::<Option<Uuid>>(conn)?;
    let ended: HashSet<Uuid> = ended.into_iter().flatten().collect();
    gone.retain(|(_, id)| !ended.contains(id));
    Ok(gone)
}

fn without(ids: Vec<Uuid>, there: Vec<Uuid>) -> impl Iterator<Item = Uuid> {
    let there: HashSet<Uuid> = there.into_iter().collect();
    ids.into_iter().filter(move |id| !there.contains(id))
}

/// A version of a row that the audit trail passes over: the event of the change was taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// As the trail calls it: *credential*.
    pub kind: String,
    pub id: Uuid,
    pub version: i64,
}

impl Gap {
    /// As `audit accept` records it: `id@version`.
    pub(super) fn word(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// Reads that: the row and its version.
    pub(super) fn read(word: &str) -> Option<(Uuid, i64)> {
        let (id, version) = word.split_once('@')?;
        Some((id.parse().ok()?, version.parse().ok()?))
    }
}

#[derive(QueryableByName)]
struct Later {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// Every change makes the next version. The first one that is recorded may be any, and what the release before changed
/// is not recorded: so nothing counts that stands before a signing of the whole store.
const GAPS: &str = "SELECT later.id, later.version FROM unnest($1, $2) AS later (id, version)
    WHERE NOT EXISTS (SELECT FROM events e WHERE e.subject_id = later.id AND e.subject_version = later.version - 1)
        AND EXISTS (SELECT FROM events e WHERE e.subject_id = later.id AND e.subject_version < later.version
            AND NOT EXISTS (SELECT FROM events s
                WHERE s.action = 'store.signed' AND s.subject_id IS NULL AND s.at >= e.at))";

/// The gaps before the versions that these events made.
pub fn gaps(conn: &mut Conn, page: &[Event]) -> Result<Vec<Gap>, DbError> {
    let changes = page.iter().filter_map(|event| event.subject_id.zip(event.subject_version));
    let (ids, versions): (Vec<Uuid>, Vec<i64>) = changes.filter(|(_, version)| *version > 1).unzip();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = diesel::sql_query(GAPS).bind::<Array<SqlUuid>, _>(&ids).bind::<Array<BigInt>, _>(&versions);
    let found: Vec<Later> = query.load(conn)?;
    let kind = |id| page.iter().find(|event| event.subject_id == Some(id)).map(|event| event.subject_kind.clone());
    Ok(found
        .into_iter()
        .map(|Later { id, version }| Gap { kind: kind(id).unwrap_or_default(), id, version: version - 1 })
        .collect())
}
