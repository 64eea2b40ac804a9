//! What the messages of a channel are made of: the notices of each, with their alerts, credentials and usages.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use super::readable::kept;
use super::times::Time;
use super::{AlertId, Conn, CredentialId, DbError, DeliveryId, IntegrationId};

/// Everything of one alert that a message's line is made of.
#[derive(Clone, Debug, QueryableByName)]
pub struct LineRow {
    #[diesel(sql_type = SqlUuid)]
    pub delivery_id: DeliveryId,
    #[diesel(sql_type = SqlUuid)]
    pub alert: AlertId,
    #[diesel(sql_type = Text)]
    pub trigger: String,
    #[diesel(sql_type = Text)]
    pub event: String,
    #[diesel(sql_type = Integer)]
    pub days: i32,
    #[diesel(sql_type = Integer)]
    pub of_days: i32,
    #[diesel(sql_type = Text)]
    pub words: String,
    #[diesel(sql_type = Text)]
    pub subject_kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub subject_id: Uuid,
    #[diesel(sql_type = Text)]
    pub subject_name: String,
    #[diesel(sql_type = Timestamptz)]
    #[diesel(deserialize_as = Time)]
    pub opened_at: DateTime<Utc>,
    /// Slug and identity of the credential; `client`; empty for other subjects.
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub identity: String,
    #[diesel(sql_type = Integer)]
    pub usages: i32,
    /// What the channel called the alert before.
    #[diesel(sql_type = Nullable<Text>)]
    pub reference: Option<String>,
}

/// The lines of these deliveries of one channel, in order.
pub fn lines(conn: &mut Conn, integration: IntegrationId, ids: &[DeliveryId]) -> Result<Vec<LineRow>, DbError> {
    let rows = diesel::sql_query(
        "SELECT l.delivery_id, a.id AS alert, a.trigger, n.event, n.days, n.of_days, n.words, a.subject_kind, a.subject_id,
            coalesce(c.name, a.subject_name) AS subject_name, a.opened_at, coalesce(c.kind,
                CASE a.subject_kind WHEN 'client' THEN 'client' END, '') AS kind,
            coalesce(c.identity, '') AS identity, coalesce(c.usage_count, 0) AS usages, r.reference
         FROM delivery_lines l JOIN notices n ON n.id = l.notice_id JOIN alerts a ON a.id = n.alert_id
         LEFT JOIN credentials c ON a.subject_kind = 'credential' AND c.id = a.subject_id
         LEFT JOIN LATERAL (SELECT d.reference FROM notices m JOIN delivery_lines k ON k.notice_id = m.id
            JOIN deliveries d ON d.id = k.delivery_id
            WHERE n.number > 1 AND m.alert_id = a.id AND d.integration_id = $1 AND d.reference IS NOT NULL
            ORDER BY d.created_at DESC LIMIT 1) r ON true
         WHERE l.delivery_id = ANY($2) ORDER BY l.delivery_id, l.position",
    )
    .bind::<SqlUuid, _>(integration)
    .bind::<Array<SqlUuid>, _>(ids)
    .load(conn)?;
    Ok(kept(rows, "notices"))
}

/// A consumer of a credential that a message names.
#[derive(Clone, Debug, QueryableByName)]
pub struct UsageRow {
    #[diesel(sql_type = SqlUuid)]
    pub credential_id: CredentialId,
    #[diesel(sql_type = SqlUuid)]
    pub id: DeliveryId,
    #[diesel(sql_type = Text)]
    pub family: String,
    #[diesel(sql_type = Text)]
    pub name: String,
}

/// The first `each` usages of these credentials, by name.
pub fn usages(conn: &mut Conn, credentials: &[CredentialId], each: i64) -> Result<Vec<UsageRow>, DbError> {
    Ok(diesel::sql_query(
        "SELECT u.credential_id, u.id, u.family, u.name FROM unnest($1) AS c (id)
         CROSS JOIN LATERAL (SELECT u.credential_id, i.id, i.family, i.name, i.name_key
            FROM usages u JOIN integrations i ON i.id = u.integration_id
            WHERE u.credential_id = c.id ORDER BY i.name_key LIMIT $2) u
         ORDER BY u.credential_id, u.name_key",
    )
    .bind::<Array<SqlUuid>, _>(credentials)
    .bind::<BigInt, _>(each)
    .load(conn)?)
}
