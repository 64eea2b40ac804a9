//! Rows that are gone without an event that says so: somebody deleted them in the database.

use std::collections::HashSet;

use diesel::prelude::*;
use uuid::Uuid;

use super::events::{Action, Event};
use super::schema::{credentials, events, integrations, users};
use super::{Conn, DbError};

/// The actions that begin and end a row. Users are switched off and never deleted.
const ENDS: [Action; 2] = [Action::CredentialDeleted, Action::IntegrationDeleted];

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
