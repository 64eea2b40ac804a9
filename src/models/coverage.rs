//! Which places of the clouds each integration reads, by their scopes. Written with the inventory of a run; what depends
//! on it, the page *Discovery*, asks for those of integrations that are switched on.

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text, Uuid as SqlUuid};

use super::schema::{coverage, integrations};
use super::{Conn, DbError, IntegrationId};

/// A place that a scan reads or tries to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub scope: String,
    /// Whether the settings take all of it; `None` where it could not be read this time: then it stays as it was.
    pub whole: Option<bool>,
}

/// Writes down what a scan of these settings covers, instead of what an earlier one did. Nothing where the integration
/// has other settings by now. Call inside the transaction that saves the scan.
pub fn save(conn: &mut Conn, integration: IntegrationId, settings: &str, places: &[Place]) -> Result<(), DbError> {
    let same = integrations::table.find(integration).filter(integrations::settings.eq(settings));
    if !diesel::select(diesel::dsl::exists(same)).get_result(conn)? {
        return Ok(());
    }
    let scopes = places.iter().map(|place| &place.scope);
    let gone = coverage::integration_id.eq(integration).and(coverage::scope.ne_all(scopes));
    diesel::delete(coverage::table.filter(gone)).execute(conn)?;
    let read = places.iter().filter_map(|place| Some((place.scope.as_str(), place.whole?)));
    let (scopes, wholes): (Vec<&str>, Vec<bool>) = read.unzip();
    diesel::sql_query(
        "INSERT INTO coverage AS c (integration_id, scope, whole)
         SELECT $1, scope, bool_or(whole) FROM unnest($2::text[], $3::bool[]) AS read (scope, whole) GROUP BY scope
         ON CONFLICT (integration_id, scope) DO UPDATE SET whole = excluded.whole WHERE c.whole <> excluded.whole",
    )
    .bind::<SqlUuid, _>(integration)
    .bind::<Array<Text>, _>(scopes)
    .bind::<Array<Bool>, _>(wholes)
    .execute(conn)?;
    Ok(())
}

/// An integration covers nothing until a scan of its new settings has read something.
pub(super) fn forget(conn: &mut Conn, integration: IntegrationId) -> Result<(), DbError> {
    diesel::delete(coverage::table.filter(coverage::integration_id.eq(integration))).execute(conn)?;
    Ok(())
}
