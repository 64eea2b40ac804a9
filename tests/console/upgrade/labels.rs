//! The release with owners and tags: rows of before count as they are, and the way back says what stands in it.

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use strongroom::models::events::Actor;
use strongroom::models::labels::Change;
use strongroom::models::{MIGRATIONS, credentials, relabel, transaction};
use uuid::Uuid;

use super::{load, revert_to_before};
use crate::support::sql::count_on;

const STORE: &str = include_str!("../stores/before_the_frame.sql");
const VERSION: &str = "20261127100500";

#[test]
fn owners_and_tags_come_with_the_upgrade_and_are_taken_off_before_the_way_back() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let (vault, actor) = (strongroom.vault(), Actor::command_line());
    let rows = credentials::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row.doubt().is_none()));
    let id = rows.iter().map(|row| row.shown()).find(|row| !row.shipped).expect("a credential").id;
    let change = |owner: &str, tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let change = Change::Both { owner: Some(owner.to_owned()), tags: Some(tags) };
        let changed = transaction(&mut strongroom.connect(), &|conn| {
            relabel::credential(conn, &vault, &actor, (id, None), &change)
        });
        assert_eq!(changed, Ok(true));
    };
    change("Platform", &["prod"]);
    assert_eq!(count_on(&mut conn, "tags"), 1);
    let newest = |conn: &mut diesel::PgConnection| {
        let applied = conn.applied_migrations().expect("versions");
        applied.iter().map(ToString::to_string).max().expect("a version")
    };
    while newest(&mut conn) != VERSION {
        conn.revert_last_migration(MIGRATIONS).expect("down to this one");
    }
    let refused = conn.revert_last_migration(MIGRATIONS).expect_err("the row's check covers them").to_string();
    assert!(refused.contains("take these off"), "{refused}");
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    change("", &[]);
    revert_to_before(&mut conn, VERSION);
    conn.batch_execute("SELECT id FROM credentials").expect("as it was");
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    let rows = credentials::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
    assert!(rows.iter().all(|row| row.doubt().is_none()));
}
