//! The bridge to the database from outside: what is said when it is slow, refuses or breaks is true, in whatever
//! language the server writes, and SQL means the same whatever the database's settings are.

mod classified;
mod extension;
mod idle;
mod pooler;
mod search_path;
mod truth;
mod writes;

use diesel::pg::PgConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Text)]
    answer: String,
}

/// The one text that a query selects.
fn ask(conn: &mut PgConnection, query: &str) -> String {
    sql_query(format!("SELECT ({query})::text AS answer")).get_result::<Answer>(conn).expect(query).answer
}
