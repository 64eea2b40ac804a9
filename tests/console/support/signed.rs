//! Rows as Strongroom would have written them at another time: a test moves their columns by SQL, and they are signed
//! again.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Binary, Uuid as SqlUuid};
use strongroom::models::runs::Run;
use strongroom::models::schema::runs;
use strongroom::models::trust::{self, Seen, Signed};
use strongroom::models::{
    DbError, account_letters, api_tokens, channels, client_logins, client_rules, clients, credentials, deployment,
    hooks, integrations, recipients, sessions, users,
};
use strongroom::vault::Vault;
use uuid::Uuid;

use super::app::TestApp;

/// Runs statements, and then signs every row that they may have changed.
pub fn run(app: &TestApp, statements: &str) {
    run_at(&mut app.connect(), &app.services.vault, statements);
    app.services.sessions.forget();
}

/// The same beside a console that runs as a process.
pub fn run_at(conn: &mut PgConnection, vault: &Vault, statements: &str) {
    conn.transaction_with(|conn| {
        conn.batch_execute(statements).expect("the database takes it");
        again(conn, vault, "id", sessions::page);
        again(conn, vault, "id", users::page);
        again(conn, vault, "id", credentials::page);
        again(conn, vault, "id", integrations::page);
        again(conn, vault, "id", recipients::page);
        again(conn, vault, "id", hooks::page);
        again(conn, vault, "id", clients::page);
        again(conn, vault, "id", client_logins::page);
        again(conn, vault, "id", client_rules::page);
        again(conn, vault, "id", api_tokens::page);
        again(conn, vault, "id", account_letters::page);
        again(conn, vault, "integration_id", channels::page);
        let queued: Vec<Run> = runs::table.select(Run::as_select()).load(conn).expect("runs");
        for run in queued {
            let mac = trust::signature(vault, &run);
            let same = runs::table.find(run.id).filter(runs::row_mac.ne(&mac));
            diesel::update(same).set(runs::row_mac.eq(&mac)).execute(conn).expect("signed");
        }
        let deployment = deployment::seen(conn, vault).expect("read").expect("a deployment").into_shown();
        sql_query("UPDATE deployment SET row_mac = $1")
            .bind::<Binary, _>(trust::signature(vault, &deployment))
            .execute(conn)
            .expect("signed");
    });
}

type Page<T> = fn(&mut PgConnection, &Vault, Uuid, i64) -> Result<Vec<Seen<T>>, DbError>;

fn again<T: Signed>(conn: &mut PgConnection, vault: &Vault, key: &str, page: Page<T>) {
    let mut after = Uuid::nil();
    loop {
        let rows = page(conn, vault, after, 1_000).expect("rows");
        let Some(last) = rows.last() else { return };
        after = last.shown().subject();
        for row in rows.iter().filter(|row| row.doubt() == Some(trust::Doubt::Tampered)) {
            sql_query(format!("UPDATE {} SET row_mac = $2 WHERE {key} = $1", T::TABLE))
                .bind::<SqlUuid, _>(row.shown().subject())
                .bind::<Binary, _>(trust::signature(vault, row.shown()))
                .execute(conn)
                .expect("signed");
        }
    }
}

/// One transaction, so that the console never sees a row between its change and its signature.
trait Transaction {
    fn transaction_with(&mut self, f: impl FnOnce(&mut Self));
}

impl Transaction for PgConnection {
    fn transaction_with(&mut self, f: impl FnOnce(&mut Self)) {
        let done: Result<(), diesel::result::Error> = diesel::Connection::transaction(self, |conn| {
            f(conn);
            Ok(())
        });
        done.expect("a transaction");
    }
}
