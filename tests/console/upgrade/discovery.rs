//! The release that discovers registries, functions and clusters: what scans had found before stays, on the way up and
//! on the way back.

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use strongroom::models::discovery::{self, Query, Sort};
use strongroom::models::{MIGRATIONS, coverage};

use super::{load, revert_to_before};
use crate::support::sql::count_on;

const STORE: &str = include_str!("../stores/before_the_frame.sql");
const SCANNED: &str = "01a21951-0411-7724-9260-cadd14f84e83";

#[test]
fn what_scans_had_found_stays_on_the_way_to_discovery_and_back() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let items = count_on(&mut conn, "items");
    revert_to_before(&mut conn, "20261127090000");
    assert_eq!(count_on(&mut conn, "items"), items);
    // A release that keeps resources as items may come back to one without the page.
    conn.batch_execute(&format!(
        "INSERT INTO items (id, integration_id, place, name, fingerprint, facts) VALUES (gen_random_uuid(), '{SCANNED}',
             '123456789012', 'ecr/eu-central-1', '', '{{\"sort\": \"registry\", \"scope\": \"registry/r.example\"}}')"
    ))
    .expect("a registry");
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    assert_eq!(count_on(&mut conn, "items"), items + 1);
    let open = Query { sort: Sort::All, not_covered: true, search: String::new(), from: None, size: 10 };
    let found = discovery::page(&mut conn, &open).expect("a page");
    assert_eq!((found.lines.len(), found.next), (1, None));
    let covers = [coverage::Place { scope: "registry/r.example".to_owned(), whole: Some(true) }];
    let id = SCANNED.parse().expect("an id");
    coverage::save(&mut conn, id, "of other settings", &covers).expect("nothing");
    assert_eq!(discovery::page(&mut conn, &open).expect("a page").lines.len(), 1);
    conn.batch_execute("UPDATE integrations SET settings = '{}'").expect("settings");
    coverage::save(&mut conn, id, "{}", &covers).expect("saved");
    assert_eq!(discovery::page(&mut conn, &open).expect("a page").lines.len(), 0);
    revert_to_before(&mut conn, "20261127090000");
    assert_eq!(count_on(&mut conn, "items"), items + 1);
}
