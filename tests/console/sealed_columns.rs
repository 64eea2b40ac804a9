//! No plaintext where ciphertext belongs: the database itself refuses it, in every column that holds sealed values.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{Binary, Text};
use diesel::{Connection, QueryableByName, RunQueryDsl, sql_query};
use strongroom::models::sealed::SEALED;

use crate::support::app::TestApp;

/// How columns of hashes and keyed checks end, which are no ciphertext. Any other column of bytes is a sealed one.
const NOT_SEALED: [&str; 3] = ["mac", "_hash", "_check_value"];

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    /// What an INSERT may name, this column among them.
    #[diesel(sql_type = Text)]
    written: String,
}

fn sealed_columns(conn: &mut PgConnection) -> Vec<Column> {
    let query = sql_query(
        "SELECT table_name::text, column_name::text, written
         FROM information_schema.columns c
         CROSS JOIN LATERAL (
             SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS written
             FROM information_schema.columns o
             WHERE (o.table_schema, o.table_name) = (c.table_schema, c.table_name) AND o.is_generated = 'NEVER') o
         WHERE table_schema = 'public' AND data_type = 'bytea'
         ORDER BY table_name, ordinal_position",
    );
    let mut columns: Vec<Column> = query.load(conn).expect("the catalogue");
    columns.retain(|column| !NOT_SEALED.iter().any(|ending| column.column_name.ends_with(ending)));
    columns
}

/// What a careless release would write: nothing, a secret, a document, a bare data key, another version of the
/// envelope.
fn plaintexts(column: &str) -> Vec<Vec<u8>> {
    let document = format!("{{\"password\":\"{}\"}}", "x".repeat(200)).into_bytes();
    let mut plaintexts = vec![Vec::new(), b"correct horse battery staple".to_vec(), document, vec![7; 32], vec![1; 60]];
    if !column.ends_with("wrapped_dek") {
        plaintexts.extend([0, 2, 255].map(|version| [&[version][..], &[7; 200]].concat()));
        plaintexts.push(vec![1; 92]);
    }
    plaintexts
}

/// Runs a statement that must not succeed, in a transaction of its own; the CHECK that stood in the way.
fn refused(conn: &mut PgConnection, statement: &str, bytes: &[u8]) -> Option<String> {
    let tried = conn.transaction(|conn| {
        sql_query(statement).bind::<Binary, _>(bytes).execute(conn)?;
        Err::<(), _>(Error::RollbackTransaction)
    });
    match tried {
        Err(Error::DatabaseError(DatabaseErrorKind::CheckViolation, told)) => told.constraint_name().map(str::to_owned),
        _ => None,
    }
}

#[actix_web::test]
async fn plaintext_is_refused_by_a_check_of_every_sealed_column() {
    let app = TestApp::start();
    app.administrator();
    let mut conn = app.connect();
    // Of every sealed value one that is good: the second of a user is optional.
    conn.batch_execute(
        "UPDATE users SET totp_kek_id = password_kek_id, totp_wrapped_dek = password_wrapped_dek,
             totp_payload = password_payload",
    )
    .expect("a second sealed value");
    let columns = sealed_columns(&mut conn);
    let mut open = Vec::new();
    for Column { table_name: table, column_name: column, written } in &columns {
        let same = format!("UPDATE {table} SET {column} = {column} WHERE {column} IS NOT NULL");
        assert!(sql_query(same).execute(&mut conn).expect("a good row") > 0, "{table}.{column}: a row is to be tried");
        let others: Vec<&str> = written.split(", ").map(|name| if name == column { "$1" } else { name }).collect();
        let statements = [
            format!("UPDATE {table} SET {column} = $1"),
            format!("INSERT INTO {table} ({written}) SELECT {} FROM {table} LIMIT 1", others.join(", ")),
        ];
        for (statement, bytes) in statements.iter().flat_map(|s| plaintexts(column).into_iter().map(move |b| (s, b))) {
            let check = refused(&mut conn, statement, &bytes);
            if check.as_deref() != Some(&format!("{table}_{column}_check")) {
                open.push(format!("{statement} of {} bytes: {check:?}", bytes.len()));
            }
        }
    }
    assert!(open.is_empty(), "these need a CHECK as the other sealed columns have it:\n{}", open.join("\n"));
    // Both parts of each envelope were among them.
    let mut tried: Vec<String> = columns.iter().map(|c| format!("{}.{}", c.table_name, c.column_name)).collect();
    let parts = |part: &'static str| SEALED.iter().map(move |c| format!("{}.{}{part}", c.table, c.prefix));
    let mut listed: Vec<String> = parts("wrapped_dek").chain(parts("payload")).collect();
    tried.sort();
    listed.sort();
    assert_eq!(tried, listed);
}
