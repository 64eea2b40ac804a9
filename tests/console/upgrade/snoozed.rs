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

#[test]
fn alerts_of_before_have_a_severity_an_age_and_words_and_lose_them_on_the_way_back() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    revert_to_before(&mut conn, "20261127110000");
    let mut alert = |trigger: &str, stage: i16, notice: &str| {
        conn.batch_execute(&format!(
            "WITH made AS (INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
                VALUES (gen_random_uuid(), '{trigger}', 'user', gen_random_uuid(), 'of before', {stage}) RETURNING id)
             INSERT INTO notices (id, alert_id, number, event, days, of_days, words)
             SELECT gen_random_uuid(), id, 1, {notice} FROM made"
        ))
        .expect("an alert");
    };
    alert("stale", 3, "'raised', 212, 90, ''");
    alert("stale", 3, "'raised', 2147483647, 0, ''");
    alert("expiring", 6, "'raised', 0, 0, ''");
    alert("failed_scan", 3, "'raised', 0, 0, 'The registry returned an error (500).'");
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    let of_before = |conn: &mut diesel::pg::PgConnection, which: &str| {
        count_on(conn, &format!("alerts WHERE subject_name = 'of before' AND {which}"))
    };
    assert_eq!(of_before(&mut conn, "trigger = 'stale' AND severity = 2 AND since::date = current_date - 122"), 1);
    assert_eq!(of_before(&mut conn, "trigger = 'expiring' AND severity = 1"), 1);
    assert_eq!(of_before(&mut conn, "words LIKE '%(500).' AND since = opened_at"), 1);
    revert_to_before(&mut conn, "20261127110000");
    assert_eq!(of_before(&mut conn, "true"), 4);
}
