//! When each login of a client was last used, and by it each rule. For pages only: nothing is decided by it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};

use super::schema::{client_logins, client_uses};
use super::times::Time;
use super::{ClientId, ClientLoginId, ClientRuleId, Conn, DbError};

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = client_uses)]
pub struct ClientUse {
    pub login_id: ClientLoginId,
    /// `None`: it logged in.
    pub rule_id: Option<ClientRuleId>,
    #[diesel(deserialize_as = Time)]
    pub used_at: DateTime<Utc>,
    pub address: String,
    pub uses: i64,
}

/// The last uses of a client: of each login alone, and of each rule by each login.
pub fn of(conn: &mut Conn, client: ClientId) -> Result<Vec<ClientUse>, DbError> {
    let rows = client_uses::table.inner_join(client_logins::table).filter(client_logins::client_id.eq(client));
    Ok(rows.order(client_uses::used_at.desc()).select(ClientUse::as_select()).load(conn)?)
}

/// Notes `uses` uses of a login just now, `None`: to log in. At most once a minute for each login and rule. Does
/// nothing once one of them is gone. Call inside a transaction.
pub fn note(
    conn: &mut Conn,
    login: ClientLoginId,
    rule: Option<ClientRuleId>,
    address: &str,
    uses: i64,
) -> Result<(), DbError> {
    let target = match rule {
        Some(_) => "(login_id, rule_id) WHERE rule_id IS NOT NULL",
        None => "(login_id) WHERE rule_id IS NULL",
    };
    diesel::sql_query(format!(
        "INSERT INTO client_uses (login_id, rule_id, used_at, address, uses) SELECT $1, $2, now(), $3, $4
         WHERE EXISTS (SELECT FROM client_logins WHERE id = $1)
             AND ($2 IS NULL OR EXISTS (SELECT FROM client_rules WHERE id = $2))
         ON CONFLICT {target} DO UPDATE SET used_at = now(), address = $3, uses = client_uses.uses + $4"
    ))
    .bind::<SqlUuid, _>(login)
    .bind::<Nullable<SqlUuid>, _>(rule)
    .bind::<Text, _>(address)
    .bind::<BigInt, _>(uses)
    .execute(conn)?;
    diesel::sql_query(
        "UPDATE clients c SET last_used_at = now() FROM client_logins l
         WHERE l.id = $1 AND c.id = l.client_id AND c.last_used_at < now() - interval '1 minute'",
    )
    .bind::<SqlUuid, _>(login)
    .execute(conn)?;
    Ok(())
}
