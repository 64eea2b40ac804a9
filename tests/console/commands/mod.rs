//! The binary's commands, run as an operator runs them. What the console does when it is killed, stopped or cut off
//! from its database is here too, since only a process can be.

mod audit;
mod backup;
mod boot;
mod clocks;
mod database_url;
mod doors;
mod frozen;
mod halves;
mod hardening;
mod key;
mod kill;
mod no_room;
mod orchestrators;
mod outage;
mod proxies;
mod proxy_settings;
mod restart;
mod rewrap;
mod rolling;
mod stop;
mod user;
mod verify;

use diesel::pg::PgConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use strongroom::models::CredentialId;
use strongroom::models::credentials::{self, NewCredential};
use strongroom::models::events::Actor;
use strongroom::vault::Vault;

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = diesel::sql_types::Text)]
    answer: String,
}

/// The one text that a query selects.
fn ask(conn: &mut PgConnection, query: &str) -> String {
    sql_query(format!("SELECT ({query})::text AS answer")).get_result::<Answer>(conn).expect(query).answer
}

fn secret(number: usize) -> String {
    format!("plaintext of credential {number}")
}

/// Saves credentials with [`secret`]s; returns their ids.
pub fn credentials(conn: &mut PgConnection, vault: &Vault, numbers: std::ops::Range<usize>) -> Vec<CredentialId> {
    let save = |number| {
        let (name, plaintext) = (format!("credential {number}"), secret(number));
        let new = NewCredential {
            kind: "basic",
            name: &name,
            note: "",
            identity: "robot",
            facts: "[]",
            ages: false,
            expires_at: None,
            key_id: None,
            plaintext: plaintext.as_bytes(),
        };
        diesel::Connection::transaction(conn, |conn| credentials::create(conn, vault, &Actor::command_line(), &new))
            .expect("saved")
    };
    numbers.map(save).collect()
}

/// What a credential's value opens to.
fn opened(conn: &mut PgConnection, vault: &Vault, id: CredentialId) -> String {
    let (row, sealed) = credentials::find_sealed(conn, vault, id).expect("a row");
    let row = row.trust().expect("the row is whole");
    String::from_utf8(vault.open(&row.context(), &sealed).expect("it opens").to_vec()).expect("text")
}
