//! The messages of the outbox as pages list them: of an alert, of a channel, and those that wait for a person.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::deliveries::Delivery;
use super::{Conn, DbError};

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
}

const SHOWN: &str = "
    SELECT d.*, i.name AS channel, i.version, r.address,
        (SELECT count(*) FROM delivery_lines l WHERE l.delivery_id = d.id) AS lines
    FROM deliveries d JOIN integrations i ON i.id = d.integration_id LEFT JOIN recipients r ON r.id = d.recipient_id";

/// The messages that tell of an alert, newest first.
pub fn of_alert(conn: &mut Conn, alert: Uuid, limit: i64) -> Result<Vec<Shown>, DbError> {
    let which = "WHERE d.id IN (SELECT l.delivery_id FROM delivery_lines l JOIN notices n ON n.id = l.notice_id
        WHERE n.alert_id = $1)";
    Ok(diesel::sql_query(format!("{SHOWN} {which} ORDER BY d.created_at DESC, d.id LIMIT $2"))
        .bind::<SqlUuid, _>(alert)
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

/// The messages through a channel, newest first.
pub fn of_channel(conn: &mut Conn, integration: Uuid, limit: i64) -> Result<Vec<Shown>, DbError> {
    Ok(diesel::sql_query(format!("{SHOWN} WHERE d.integration_id = $1 ORDER BY d.created_at DESC, d.id LIMIT $2"))
        .bind::<SqlUuid, _>(integration)
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}

/// What waits for a person, of all channels, newest first.
pub fn parked(conn: &mut Conn, limit: i64) -> Result<Vec<Shown>, DbError> {
    Ok(diesel::sql_query(format!("{SHOWN} WHERE d.state = 'parked' ORDER BY d.ended_at DESC LIMIT $1"))
        .bind::<BigInt, _>(limit)
        .load(conn)?)
}
