//! Who is told what: each waiting notice is given, once, to every channel and person that wants its trigger. What is
//! given becomes deliveries, as many as the channel's calls need; sending them is not done here.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::due_alerts::{LOCK, PATIENCE};
use super::schema::notices;
use super::{Conn, DbError, IntegrationId, RecipientId, sample, tagged};
use crate::vault::Vault;

/// Somebody to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub integration: IntegrationId,
    /// The person, where the channel has persons.
    pub recipient: Option<RecipientId>,
    /// Slugs of what they want to hear of.
    pub triggers: Vec<String>,
    /// What it is about has one of these tags; none: they hear of everything.
    pub tags: Vec<String>,
    /// Lines of one call.
    pub at_once: i64,
    /// Lines of one digest; what is more is only counted.
    pub most: i64,
}

/// Whether anything waits to be told: cheap, so that it can be asked often.
pub fn waiting(conn: &mut Conn) -> Result<bool, DbError> {
    Ok(diesel::select(diesel::dsl::exists(notices::table.filter(notices::digest_id.is_null()))).get_result(conn)?)
}

/// Takes the turn of giving out; `false` when another replica has it. Until the transaction ends.
pub fn lock(conn: &mut Conn) -> Result<bool, DbError> {
    let locked = diesel::dsl::sql::<Bool>(&format!("SELECT pg_try_advisory_xact_lock({LOCK})")).get_result(conn)?;
    if locked {
        conn.batch_execute(PATIENCE)?;
    }
    Ok(locked)
}

/// Gives what waits to the targets; returns how many notices there were. Call under [`lock`], in its transaction: then
/// a notice is given to all or to none, and to nobody twice.
pub fn give(conn: &mut Conn, vault: &Vault, targets: &[Target]) -> Result<usize, DbError> {
    let digest = Uuid::now_v7();
    let taken = diesel::update(notices::table.filter(notices::digest_id.is_null()))
        .set(notices::digest_id.eq(digest))
        .execute(conn)?;
    if taken == 0 {
        return Ok(0);
    }
    let limited = targets.iter().any(|target| !target.tags.is_empty());
    let doubted = if limited { tagged::doubted(conn, vault, digest)? } else { Vec::new() };
    let query = GIVE.replace("__SAMPLE__", sample::OF_SAMPLE);
    for target in targets {
        diesel::sql_query(&query)
            .bind::<SqlUuid, _>(digest)
            .bind::<Array<Text>, _>(&target.triggers)
            .bind::<SqlUuid, _>(target.integration)
            .bind::<Nullable<SqlUuid>, _>(target.recipient)
            .bind::<BigInt, _>(target.most)
            .bind::<BigInt, _>(target.at_once)
            .bind::<Array<Text>, _>(&target.tags)
            .bind::<Array<SqlUuid>, _>(&doubted)
            .execute(conn)?;
    }
    Ok(taken)
}

/// That an alert is closed is told to those who heard of it before, whatever tags it has by now, or who hear of it now. A
/// channel is not told of its own failure. `$7` are the tags of the target, and `$8` rows whose tags do not count.
/// `__SAMPLE__` is what is about sample data, of which nobody is told.
const GIVE: &str = "
    WITH told AS (
        SELECT n.id, row_number() OVER (ORDER BY array_position(ARRAY['raised', 'reminder', 'ahead', 'closed'], n.event),
            a.trigger, n.days DESC, n.at, n.id) - 1 AS at
        FROM notices n JOIN alerts a ON a.id = n.alert_id
        WHERE n.digest_id = $1 AND a.trigger = ANY($2) AND NOT (a.trigger = 'delivery' AND a.subject_id = $3)
            AND NOT __SAMPLE__
            AND (n.event = 'closed' AND EXISTS (
                SELECT 1 FROM notices m JOIN delivery_lines l ON l.notice_id = m.id JOIN deliveries d ON d.id = l.delivery_id
                WHERE m.alert_id = a.id AND d.integration_id = $3 AND d.recipient_id IS NOT DISTINCT FROM $4)
            OR (n.event <> 'closed'
                OR EXISTS (SELECT 1 FROM notices m WHERE m.alert_id = a.id AND m.digest_id = $1 AND m.event <> 'closed'))
            AND (cardinality($7) = 0 OR a.subject_id = ANY($8) OR CASE a.subject_kind
                WHEN 'credential' THEN
                    EXISTS (SELECT FROM credentials c WHERE c.id = a.subject_id AND c.tags && $7)
                WHEN 'integration' THEN
                    EXISTS (SELECT FROM integrations i WHERE i.id = a.subject_id AND i.tags && $7)
                WHEN 'item' THEN
                    EXISTS (SELECT FROM items t JOIN integrations i ON i.id = t.integration_id
                        WHERE t.id = a.subject_id AND (i.tags && $7 OR i.id = ANY($8)))
                ELSE false END))),
    listed AS (SELECT id, at FROM told WHERE at < $5),
    made AS (
        INSERT INTO deliveries (id, kind, integration_id, recipient_id, digest_id, part, more)
        SELECT gen_random_uuid(), 'digest', $3, $4, $1, part,
            CASE WHEN part = max(part) OVER () THEN (SELECT greatest(count(*) - $5, 0) FROM told) ELSE 0 END
        FROM (SELECT DISTINCT (at / $6)::int AS part FROM listed) AS parts RETURNING id, part)
    INSERT INTO delivery_lines (delivery_id, position, notice_id)
    SELECT made.id, (listed.at % $6)::int, listed.id FROM listed JOIN made ON made.part = listed.at / $6";
