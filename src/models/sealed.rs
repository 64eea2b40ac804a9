//! Every sealed value of the store, whatever its table: for moving all of them to another master key and for opening
//! all of them once. Ciphertext only; `rewrap` and `verification` hold the vault. A new sealed column group is a line
//! in [`SEALED`], which a test holds against the tables of the database.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::{Conn, DbError};
use crate::vault::{Context, Sealed};

/// Three columns of a table, `<prefix>kek_id`, `<prefix>wrapped_dek` and `<prefix>payload`, and what their values are
/// bound to.
#[derive(Debug, PartialEq, Eq)]
pub struct Column {
    pub table: &'static str,
    /// The table's name in the [`Context`], and in what is said of a value: where values of before had their place.
    bound: &'static str,
    /// The column with the row's id.
    pub id: &'static str,
    pub prefix: &'static str,
    /// The column's name in the [`Context`].
    name: &'static str,
    /// SQL of the context's kind and version.
    kind: &'static str,
    version: &'static str,
}

pub const SEALED: &[Column] = &[
    Column {
        table: "secrets",
        bound: "credentials",
        id: "credential_id",
        prefix: "",
        name: "payload",
        kind: "(SELECT kind FROM credentials WHERE credentials.id = credential_id)",
        version: "version",
    },
    of_users("password_", "password", "password_version"),
    of_users("totp_", "totp", "totp_version"),
];

const fn of_users(prefix: &'static str, name: &'static str, version: &'static str) -> Column {
    Column { table: "users", bound: "users", id: "id", prefix, name, kind: "''", version }
}

/// Where a walk is: id and version of the last value.
pub type Position = (Uuid, i32);

/// One sealed value and where it belongs.
#[derive(Debug, QueryableByName)]
pub struct Value {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Integer)]
    kek_id: i32,
    #[diesel(sql_type = Binary)]
    wrapped_dek: Vec<u8>,
    #[diesel(sql_type = Binary)]
    payload: Vec<u8>,
}

impl Value {
    pub fn position(&self) -> Position {
        (self.id, self.version)
    }

    pub fn split(self, column: &Column) -> (Place, Sealed) {
        let Self { id, kind, version, kek_id, wrapped_dek, payload } = self;
        (Place { table: column.bound, column: column.name, id, kind, version }, Sealed { kek_id, wrapped_dek, payload })
    }
}

/// An owned [`Context`].
#[derive(Clone, Debug)]
pub struct Place {
    pub table: &'static str,
    pub column: &'static str,
    pub id: Uuid,
    kind: String,
    version: i32,
}

impl Place {
    pub fn context(&self) -> Context<'_> {
        Context { table: self.table, column: self.column, row: self.id, kind: &self.kind, version: self.version }
    }
}

impl Column {
    fn select(&self) -> String {
        let Self { table, id, prefix, kind, version, .. } = self;
        format!(
            "SELECT {id} AS id, {kind}::text AS kind, {version} AS version, {prefix}kek_id AS kek_id,
                    {prefix}wrapped_dek AS wrapped_dek, {prefix}payload AS payload
             FROM {table} WHERE ({id}, {version}) > ($1, $3) AND {prefix}kek_id IS NOT NULL"
        )
    }

    fn order(&self) -> String {
        format!("ORDER BY {}, {}", self.id, self.version)
    }

    /// The next values by id and version, for walking through all of them.
    pub fn page(&self, conn: &mut Conn, (id, version): Position, limit: i64) -> Result<Vec<Value>, DbError> {
        let query = format!("{} {} LIMIT $2", self.select(), self.order());
        let query = diesel::sql_query(query).bind::<SqlUuid, _>(id).bind::<BigInt, _>(limit);
        Ok(query.bind::<Integer, _>(version).load(conn)?)
    }

    /// The next values by id that `active` does not wrap, locked until the transaction ends. Skips what somebody else
    /// is writing.
    pub fn page_to_move(
        &self,
        conn: &mut Conn,
        active: i32,
        (id, version): Position,
        limit: i64,
    ) -> Result<Vec<Value>, DbError> {
        let query = format!(
            "{} AND {}kek_id <> $4 {} LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
            self.select(),
            self.prefix,
            self.order()
        );
        let query = diesel::sql_query(query).bind::<SqlUuid, _>(id).bind::<BigInt, _>(limit);
        Ok(query.bind::<Integer, _>(version).bind::<Integer, _>(active).load(conn)?)
    }

    /// Stores data keys that were wrapped anew by `kek`. The row's version stays, so nobody's edit turns stale.
    pub fn set_wrapped(&self, conn: &mut Conn, kek: i32, values: &[Position], deks: &[Vec<u8>]) -> Result<(), DbError> {
        let Self { table, id, prefix, version, .. } = self;
        let (ids, versions): (Vec<Uuid>, Vec<i32>) = values.iter().copied().unzip();
        diesel::sql_query(format!(
            "UPDATE {table} AS row SET {prefix}kek_id = $1, {prefix}wrapped_dek = moved.dek
             FROM unnest($2, $3, $4) AS moved (id, version, dek)
             WHERE row.{id} = moved.id AND row.{version} = moved.version"
        ))
        .bind::<Integer, _>(kek)
        .bind::<Array<SqlUuid>, _>(ids)
        .bind::<Array<Integer>, _>(versions)
        .bind::<Array<Binary>, _>(deks)
        .execute(conn)?;
        Ok(())
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn count(conn: &mut Conn, condition: &str, kek: i32) -> Result<i64, DbError> {
    let counts: Vec<String> = SEALED
        .iter()
        .map(|Column { table, prefix, .. }| {
            format!("(SELECT count(*) FROM {table} WHERE {prefix}kek_id {condition} $1)")
        })
        .collect();
    let query = format!("SELECT {} AS count", counts.join(" + "));
    Ok(diesel::sql_query(query).bind::<Integer, _>(kek).get_result::<Count>(conn)?.count)
}

/// How many values are wrapped by a master key.
pub fn wrapped_by(conn: &mut Conn, kek: i32) -> Result<i64, DbError> {
    count(conn, "=", kek)
}

/// How many values are wrapped by any other master key.
pub fn not_wrapped_by(conn: &mut Conn, kek: i32) -> Result<i64, DbError> {
    count(conn, "<>", kek)
}
