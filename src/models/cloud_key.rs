//! A long-term key of a cloud account as its lists show it: beside the credentials that hold it, and the snooze that it is
//! under.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::times::MaybeTime;
use super::{CredentialId, IntegrationId, ItemId, SnoozeId};

/// Of items, those that are keys.
pub(super) const IS_KEY: &str = "i.facts->>'sort' = 'key'";
/// Seconds since 1970 at which a key was made; 0 where nobody tells.
pub(super) const BY_AGE: &str = "coalesce((i.facts->>'made')::bigint, 0)";
/// The credentials `c` that hold the key, or one of the keys that go by the same name.
pub(super) const HOLD: &str = "c.kind = i.facts->>'kind' AND c.key_id = coalesce(i.facts->>'held_as', i.name)";

/// The owner of a key `i` as its provider names it: names that people read need not be unique.
macro_rules! owner {
    () => {
        "coalesce(nullif(i.facts->>'arn', ''), i.facts->>'owner', '')"
    };
}

/// The snoozes `s` of a key `i` that have not ended.
macro_rules! snoozes {
    ($which:expr) => {
        concat!("s.integration_id = i.integration_id AND s.place = i.place AND s.until > now() AND ", $which)
    };
}

pub(super) const OWNER: &str = owner!();
pub(super) const OF_KEY_ALONE: &str = snoozes!("NOT s.by_owner AND s.what = i.name");
pub(super) const OF_OWNER: &str = snoozes!(concat!("s.by_owner AND s.what = ", owner!()));
pub(super) const OF_KEY: &str = snoozes!(concat!("(s.by_owner, s.what) IN ((false, i.name), (true, ", owner!(), "))"));

/// The key that a page starts after, or, going back, ends before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Seconds since 1970 in the order of the filter.
    pub at: i64,
    pub id: ItemId,
    pub back: bool,
}

/// A key, as a scan found it.
#[derive(Clone, Debug, QueryableByName)]
pub struct Line {
    #[diesel(sql_type = SqlUuid)]
    pub id: ItemId,
    /// The account.
    #[diesel(sql_type = Text)]
    pub place: String,
    /// The key id.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Jsonb)]
    pub facts: serde_json::Value,
    /// The last scan could not read it.
    #[diesel(sql_type = Bool)]
    pub kept: bool,
    #[diesel(sql_type = SqlUuid)]
    pub integration_id: IntegrationId,
    #[diesel(sql_type = Text)]
    pub integration_name: String,
    /// The credential that holds it, the first by name; `None`: it is not stored here.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub credential_id: Option<CredentialId>,
    #[diesel(sql_type = Nullable<Text>)]
    pub credential_name: Option<String>,
    /// How many credentials hold it.
    #[diesel(sql_type = BigInt)]
    pub credentials: i64,
    /// Its value in the order of the filter.
    #[diesel(sql_type = BigInt)]
    pub at: i64,
    /// The snooze that it is under, the one that ends last: of this key alone or of all keys of its owner.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub snooze_id: Option<SnoozeId>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub snoozed_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub snoozed_by: Option<String>,
}

impl Line {
    /// Where this key stands in its order.
    pub fn start(&self, back: bool) -> Place {
        Place { at: self.at, id: self.id, back }
    }
}

/// These keys as [`Line`]s, in the order of their `at`: each beside the credentials that hold it.
pub(super) fn lines_of(keys: &str, direction: &str) -> String {
    format!(
        "SELECT i.id, i.place, i.name, i.facts, i.kept, i.at, i.integration_id, g.name AS integration_name,
             held.ids[1] AS credential_id, held.names[1] AS credential_name, held.number AS credentials,
             s.id AS snooze_id, s.until AS snoozed_until, s.snoozed_by
         FROM ({keys}) i JOIN integrations g ON g.id = i.integration_id
         CROSS JOIN LATERAL (SELECT array_agg(c.id ORDER BY c.name_key) AS ids,
             array_agg(c.name ORDER BY c.name_key) AS names, count(*) AS number FROM credentials c WHERE {HOLD}) held
         LEFT JOIN LATERAL (SELECT * FROM snoozed_keys s WHERE {OF_KEY} ORDER BY s.until DESC LIMIT 1) s ON true
         ORDER BY i.at {direction}, i.id {direction}"
    )
}
