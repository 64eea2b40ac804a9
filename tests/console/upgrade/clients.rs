//! The release with clients: they come with the upgrade, and on the way back go with their usages, so that a credential
//! can be deleted that only they used.

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use strongroom::models::client_logins::{self, Method, NewLogin};
use strongroom::models::client_rules::{self, NewRule, Source};
use strongroom::models::clients::{self, NewClient};
use strongroom::models::events::Actor;
use strongroom::models::{MIGRATIONS, credentials, transaction};
use uuid::Uuid;

use super::{load, revert_to_before};
use crate::support::sql::count_on;

const STORE: &str = include_str!("../stores/before_the_frame.sql");

#[test]
fn clients_go_with_their_usages_on_the_way_back() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let (vault, actor) = (strongroom.vault(), Actor::command_line());
    let used = credentials::page(&mut conn, &vault, Uuid::nil(), 1).expect("rows")[0].shown().clone();
    let make = |conn: &mut diesel::PgConnection| {
        let id =
            clients::create(conn, &vault, &actor, &NewClient { name: "etl", token_minutes: 15, ..Default::default() })?;
        let row = clients::find(conn, &vault, id)?.trust()?;
        let hash = Some(vec![1; 32]);
        let login =
            NewLogin { method: Method::Token, secret_hash: hash, settings: "", credential: None, expires_at: None };
        client_logins::make(conn, &vault, &actor, &row, &login)?;
        let rule = NewRule { name: "deploy", source: Source::Credential(used.id), form: "aws_session", settings: "{}" };
        client_rules::make(conn, &vault, &actor, &row, &rule)
    };
    transaction(&mut strongroom.connect(), &make).expect("a client");
    let usages = |conn: &mut diesel::PgConnection, count: i32| {
        count_on(conn, &format!("credentials WHERE id = '{}' AND usage_count = {count}", used.id))
    };
    assert_eq!(usages(&mut conn, used.usage_count + 1), 1);
    assert_eq!(strongroom.run(&["verify"]).status, 0);
    revert_to_before(&mut conn, "20261127190000");
    assert_eq!(usages(&mut conn, used.usage_count), 1);
    conn.batch_execute("SELECT id FROM account_letters").expect("as it was");
    assert_eq!(count_on(&mut conn, "pg_tables WHERE tablename LIKE 'client%'"), 0);
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    assert_eq!(count_on(&mut conn, "clients"), 0);
}
