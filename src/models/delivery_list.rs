//! The messages of the outbox as pages list them: of an alert, of a channel, and those that wait for a person.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::deliveries::Delivery;
use super::readable::kept;
use super::times::{MaybeTime, Time};
use super::{AlertId, Conn, DbError, DeliveryId, IntegrationId};

/// A delivery as pages list it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Shown {
    #[diesel(embed)]
    pub delivery: Delivery,
    #[diesel(sql_type = Text)]
    pub channel: String,
    #[diesel(sql_type = Text)]
    pub version: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub address: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub lines: i64,
    /// Whether the channel is switched on.
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// When it is tried, at the earliest: a channel that is away holds up all of its messages.
    #[diesel(sql_type = Timestamptz)]
    #[diesel(deserialize_as = Time)]
    pub next_at: DateTime<Utc>,
}

const TABLE: &str = "deliveries";

const SHOWN: &str = "
    SELECT d.*, i.name AS channel, i.version, i.active, coalesce(r.address, a.address) AS address, greatest(d.not_before, c.not_before) AS next_at,
        (SELECT count(*) FROM delivery_lines l WHERE l.delivery_id = d.id) AS lines
    FROM deliveries d JOIN integrations i ON i.id = d.integration_id LEFT JOIN recipients r ON r.id = d.recipient_id
    LEFT JOIN account_letters a ON a.id = d.letter_id LEFT JOIN channels c ON c.integration_id = d.integration_id";

/// The messages that tell of an alert, newest first.
pub fn of_alert(conn: &mut Conn, alert: AlertId, limit: i64) -> Result<Vec<Shown>, DbError> {
    let which = "WHERE d.id IN (SELECT l.delivery_id FROM delivery_lines l JOIN notices n ON n.id = l.notice_id
        WHERE n.alert_id = $1)";
    let rows = diesel::sql_query(format!("{SHOWN} {which} ORDER BY d.created_at DESC, d.id LIMIT $2"))
        .bind::<SqlUuid, _>(alert)
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    Ok(kept(rows, TABLE))
}

/// The messages through a channel: what waits for a person first, then newest first.
pub fn of_channel(conn: &mut Conn, integration: IntegrationId, limit: i64) -> Result<Vec<Shown>, DbError> {
    let rows = diesel::sql_query(format!(
        "{SHOWN} WHERE d.integration_id = $1 ORDER BY (d.state = 'parked') DESC, d.created_at DESC, d.id LIMIT $2"
    ))
    .bind::<SqlUuid, _>(integration)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(kept(rows, TABLE))
}

/// The newest test of a channel.
pub fn last_test(conn: &mut Conn, integration: IntegrationId) -> Result<Option<Shown>, DbError> {
    let which = "WHERE d.integration_id = $1 AND d.kind = 'test' ORDER BY d.created_at DESC, d.id LIMIT 1";
    let rows = diesel::sql_query(format!("{SHOWN} {which}")).bind::<SqlUuid, _>(integration).load(conn)?;
    Ok(kept(rows, TABLE).pop())
}

/// What waits for a person, of all channels, newest first.
pub fn parked(conn: &mut Conn, limit: i64) -> Result<Vec<Shown>, DbError> {
    let rows = diesel::sql_query(format!("{SHOWN} WHERE d.state = 'parked' ORDER BY d.ended_at DESC LIMIT $1"))
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    Ok(kept(rows, TABLE))
}

/// A channel and how it is doing.
#[derive(Clone, Debug, QueryableByName)]
pub struct ChannelState {
    #[diesel(sql_type = SqlUuid)]
    pub id: DeliveryId,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub version: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// Since when nothing has got through.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub failing_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    #[diesel(sql_type = BigInt)]
    pub parked: i64,
}

const CHANNELS: &str = "
        SELECT i.id, i.name, i.version, i.active, c.failing_since,
            (SELECT count(*) FROM deliveries d WHERE d.integration_id = i.id AND d.state = 'ready') AS waiting,
            (SELECT count(*) FROM deliveries d WHERE d.integration_id = i.id AND d.state = 'parked') AS parked
        FROM integrations i LEFT JOIN channels c ON c.integration_id = i.id";

/// Every channel, by name.
pub fn channels(conn: &mut Conn) -> Result<Vec<ChannelState>, DbError> {
    let all = format!("{CHANNELS} WHERE i.family = 'alert_profile' ORDER BY i.name_key");
    Ok(diesel::sql_query(all).load(conn)?)
}

pub fn channel(conn: &mut Conn, id: IntegrationId) -> Result<ChannelState, DbError> {
    Ok(diesel::sql_query(format!("{CHANNELS} WHERE i.id = $1")).bind::<SqlUuid, _>(id).get_result(conn)?)
}
