//! Which clients use a credential or a secret store, as lists show it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::schema::{client_rules, clients, integrations};
use super::times::MaybeTime;
use super::{ClientId, ClientRuleId, Conn, CredentialId, DbError, IntegrationId};

/// A client that uses a credential.
#[derive(Clone, Debug, QueryableByName)]
pub struct Using {
    #[diesel(sql_type = SqlUuid)]
    pub client: ClientId,
    #[diesel(sql_type = Text)]
    pub client_name: String,
    #[diesel(sql_type = Bool)]
    pub active: bool,
    /// The rule that issues from it, or `None` for a login that is verified with it.
    #[diesel(sql_type = Nullable<Text>)]
    pub rule: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub form: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    #[diesel(deserialize_as = MaybeTime)]
    pub used_at: Option<DateTime<Utc>>,
}

/// The clients that use a credential, by name: their rules, and the logins that a kubeconfig verifies.
pub fn using(conn: &mut Conn, credential: CredentialId, limit: i64) -> Result<Vec<Using>, DbError> {
    let query = diesel::sql_query(
        "SELECT c.id AS client, c.name AS client_name, c.active, r.name AS rule, r.form,
            (SELECT max(u.used_at) FROM client_uses u WHERE u.rule_id = r.id) AS used_at
         FROM client_rules r JOIN clients c ON c.id = r.client_id WHERE r.credential_id = $1
         UNION ALL
         SELECT c.id, c.name, c.active, NULL, NULL,
            (SELECT max(u.used_at) FROM client_uses u WHERE u.login_id = l.id AND u.rule_id IS NULL)
         FROM client_logins l JOIN clients c ON c.id = l.client_id WHERE l.credential_id = $1
         ORDER BY client_name, rule LIMIT $2",
    );
    Ok(query.bind::<SqlUuid, _>(credential).bind::<BigInt, _>(limit).load(conn)?)
}

/// A rule of a client that gives an entry of a store.
#[derive(Clone, Debug, Queryable)]
pub struct Giving {
    pub client: ClientId,
    pub client_name: String,
    pub rule: ClientRuleId,
    pub rule_name: String,
    /// JSON of the form's values; they name the entry.
    pub settings: String,
}

/// The rules that give entries of a store, by the names of client and rule.
pub fn giving_from(conn: &mut Conn, store: IntegrationId, limit: i64) -> Result<Vec<Giving>, DbError> {
    let rows = client_rules::table.inner_join(clients::table).filter(client_rules::store_id.eq(store));
    let rows = rows.order((clients::name_key, client_rules::name)).limit(limit);
    let named = (clients::id, clients::name, client_rules::id, client_rules::name, client_rules::settings);
    Ok(rows.select(named).load(conn)?)
}

/// A secret store, as lists and the form of a rule name it.
#[derive(Clone, Debug, Default, Queryable)]
pub struct StoreNamed {
    pub id: IntegrationId,
    pub name: String,
    /// Slug of its provider.
    pub version: String,
    pub active: bool,
}

/// The secret stores that there are, by name.
pub fn stores(conn: &mut Conn, family: &str, limit: i64) -> Result<Vec<StoreNamed>, DbError> {
    let rows = integrations::table.filter(integrations::family.eq(family)).order(integrations::name_key).limit(limit);
    let named = (integrations::id, integrations::name, integrations::version, integrations::active);
    Ok(rows.select(named).load(conn)?)
}

/// The secret stores of which a client is given entries.
pub fn stores_of(conn: &mut Conn, client: ClientId) -> Result<Vec<StoreNamed>, DbError> {
    let used = client_rules::table.filter(client_rules::client_id.eq(client)).select(client_rules::store_id);
    let rows = integrations::table.filter(integrations::id.nullable().eq_any(used));
    let named = (integrations::id, integrations::name, integrations::version, integrations::active);
    Ok(rows.select(named).load(conn)?)
}
