//! The release with addresses of users: rows of before count as they are, and the way back says what stands in it.

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use strongroom::models::events::Actor;
use strongroom::models::users::Change;
use strongroom::models::{MIGRATIONS, transaction, users};
use uuid::Uuid;

use super::{load, revert_to_before};

const STORE: &str = include_str!("../stores/before_the_frame.sql");
const VERSION: &str = "20261127120000";

#[test]
fn addresses_come_with_the_upgrade_and_are_taken_off_before_the_way_back() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let (vault, actor) = (strongroom.vault(), Actor::command_line());
    let rows = users::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row.doubt().is_none()));
    let id = rows[0].shown().id;
    let change = |email: Option<&str>| {
        let change = Change::Email(email.map(str::to_owned));
        transaction(&mut strongroom.connect(), &|conn| users::change(conn, &vault, &actor, id, &change, None))
            .expect("a change");
    };
    change(Some("ada@example.com"));
    let newest = |conn: &mut diesel::PgConnection| {
        let applied = conn.applied_migrations().expect("versions");
        applied.iter().map(ToString::to_string).max().expect("a version")
    };
    while newest(&mut conn).as_str() != VERSION {
        conn.revert_last_migration(MIGRATIONS).expect("down to this one");
    }
    let refused = conn.revert_last_migration(MIGRATIONS).expect_err("the row's check covers it").to_string();
    assert!(refused.contains("take the addresses off"), "{refused}");
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    change(None);
    revert_to_before(&mut conn, VERSION);
    conn.batch_execute("SELECT id FROM users").expect("as it was");
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    let rows = users::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
    assert!(rows.iter().all(|row| row.doubt().is_none()));
}
