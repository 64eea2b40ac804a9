//! The release that snoozes old keys of the cloud: alerts and keys stay, on the way up and on the way back.

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use strongroom::models::{MIGRATIONS, old_keys, snoozed_keys};

use super::{load, revert_to_before};
use crate::support::sql::count_on;

const STORE: &str = include_str!("../stores/before_the_frame.sql");
const SCANNED: &str = "01a21951-0411-7724-9260-cadd14f84e83";

#[test]
fn alerts_and_keys_stay_on_the_way_to_snoozes_and_back() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let (items, alerts) = (count_on(&mut conn, "items"), count_on(&mut conn, "alerts"));
    revert_to_before(&mut conn, "20261127100000");
    conn.batch_execute(&format!(
        "INSERT INTO items (id, integration_id, place, name, fingerprint, facts) VALUES (gen_random_uuid(), '{SCANNED}',
             '123456789012', 'AKIAOLD', '', '{{\"sort\": \"key\", \"kind\": \"aws\", \"owner\": \"ada\",
             \"root\": false, \"active\": true, \"made\": 1500000000}}')"
    ))
    .expect("a key");
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    assert_eq!((count_on(&mut conn, "items"), count_on(&mut conn, "alerts")), (items + 1, alerts));
    let id = SCANNED.parse().expect("an id");
    let old = |conn: &mut diesel::pg::PgConnection| old_keys::count(conn, id, 90).expect("a count").number;
    assert_eq!(old(&mut conn), 1);
    // A key without an owner's id is snoozed by the owner's name.
    conn.batch_execute(&format!(
        "INSERT INTO snoozed_keys (id, integration_id, place, by_owner, what, title, until, snoozed_by) VALUES
             (gen_random_uuid(), '{SCANNED}', '123456789012', true, 'ada', 'all keys of ada',
             now() + interval '1 day', 'ada')"
    ))
    .expect("a snooze");
    assert_eq!(old(&mut conn), 0);
    conn.batch_execute("UPDATE snoozed_keys SET until = now()").expect("its end");
    assert_eq!((old(&mut conn), snoozed_keys::end(&mut conn).expect("ended")), (1, vec![id]));
    revert_to_before(&mut conn, "20261127100000");
    assert_eq!((count_on(&mut conn, "items"), count_on(&mut conn, "alerts")), (items + 1, alerts));
}
