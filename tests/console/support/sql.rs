//! Short ways to the database of a console, for what no page can do: moving times, counting rows.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;

use super::app::TestApp;

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

/// Runs statements, after which no replica given here remembers a session.
pub fn run(app: &TestApp, statements: &str) {
    app.connect().batch_execute(statements).expect("the statements run");
    app.services.sessions.forget();
}

/// `SELECT count(*) FROM …`
pub fn count(app: &TestApp, from: &str) -> i64 {
    count_on(&mut app.connect(), from)
}

/// The same on a connection to whatever console.
pub fn count_on(conn: &mut PgConnection, from: &str) -> i64 {
    let query = format!("SELECT count(*) AS number FROM {from}");
    diesel::sql_query(query).get_result::<Number>(conn).expect("a count").number
}

#[derive(diesel::QueryableByName)]
struct Words {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// The column `text` of a query.
pub fn texts(app: &TestApp, query: &str) -> Vec<String> {
    let rows: Vec<Words> = diesel::sql_query(query).load(&mut app.connect()).expect("texts");
    rows.into_iter().map(|row| row.text).collect()
}
