//! Short ways to the database of a console, for what no page can do: moving times, counting rows.

use diesel::RunQueryDsl;

use super::app::TestApp;

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

/// Runs a statement, after which no replica given here remembers a session.
pub fn run(app: &TestApp, statement: &str) {
    diesel::sql_query(statement).execute(&mut app.connect()).expect("the statement runs");
    app.app.sessions.forget();
}

/// `SELECT count(*) FROM …`
pub fn count(app: &TestApp, from: &str) -> i64 {
    let query = format!("SELECT count(*) AS number FROM {from}");
    diesel::sql_query(query).get_result::<Number>(&mut app.connect()).expect("a count").number
}
