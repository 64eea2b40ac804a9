//! `strongroom key`: the rotation of the master keys.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::sealed::SEALED;
use strongroom::models::{self, CredentialId, DbError, credentials as stored, keks};

use super::{ask, credentials, opened, secret};
use crate::support::binary::Strongroom;
use crate::support::process::{Random, Spawn};

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

#[test]
fn every_sealed_column_of_the_database_is_moved_and_opened() {
    let strongroom = Strongroom::founded();
    let columns: Vec<Name> = sql_query(
        "SELECT table_name || '.' || column_name AS name FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name LIKE '%kek\\_id'",
    )
    .load(&mut strongroom.connect())
    .expect("the catalogue");
    let made: BTreeSet<String> = columns.into_iter().map(|column| column.name).collect();
    let listed = SEALED.iter().map(|column| format!("{}.{}kek_id", column.table, column.prefix)).collect();
    assert_eq!(made, listed);
    // And nothing else holds envelopes.
    let payloads = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public'
                    AND (column_name LIKE '%payload' OR column_name LIKE '%wrapped\\_dek')";
    assert_eq!(ask(&mut strongroom.connect(), payloads), (2 * SEALED.len()).to_string());
}

#[actix_web::test]
async fn a_rotation_moves_every_value_while_the_console_runs_and_changes_no_secret() {
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let mut visit = strongroom.visit("ada", Role::Administrator);
    let ids = credentials(&mut conn, &vault, 0..450);
    let serving = strongroom.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    let versions =
        "SELECT sum(row_version) || ' ' || sum(secret_version) || ' ' || string_agg(row_mac::text, '' ORDER BY id)
                    FROM credentials";
    let before = ask(&mut conn, versions);

    assert!(strongroom.done(&["key", "add"]).starts_with("master key 2 is in the key ring"));
    // The console hears of the new key at its next heartbeat; until then it is refused.
    strongroom.sql("UPDATE replicas SET kek_ids = '{1}', last_seen_at = now()");
    let ran = strongroom.run(&["key", "activate", "2"]);
    assert!(ran.status == 1 && ran.err.contains("1 of the running consoles do not hold master key 2"), "{ran:?}");
    strongroom.sql("UPDATE replicas SET kek_ids = '{1,2}', last_seen_at = now()");
    strongroom.done(&["key", "activate", "2"]);
    let fresh = credentials(&mut conn, &vault, 450..451);
    assert_eq!(ask(&mut conn, &format!("SELECT kek_id FROM secrets WHERE credential_id = '{}'", fresh[0])), "2");
    let ran = strongroom.run(&["key", "retire", "1"]);
    assert!(ran.status == 1 && ran.err.contains("still protects 452 values"), "{ran:?}");

    let said = strongroom.done(&["key", "rewrap"]);
    // 450 credentials, the shipped one and a password.
    assert!(said.starts_with("452 values moved") && said.contains("453 sealed values opened"), "{said}");
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM secrets WHERE kek_id <> 2"), "0");
    let delete = |conn: &mut _| stored::delete(conn, &vault, &Actor::command_line(), fresh[0]);
    models::transaction::<_, DbError>(&mut conn, &delete).expect("deleted");
    assert_eq!(ask(&mut conn, versions), before, "no row's version or check has changed");
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(opened(&mut conn, &vault, *id), secret(number));
    }
    assert_eq!(visit.get("/").await.status, 200, "the session goes on");
    let list = strongroom.done(&["key", "list"]);
    let line = |id: &str| list.lines().find(|line| line.trim_start().starts_with(id)).expect(id).to_owned();
    assert!(line("1 ").contains("decrypt_only") && line("1 ").trim_end().ends_with("0  yes"), "{list}");
    assert!(line("2 ").contains("active") && line("2 ").trim_end().ends_with("452  yes"), "{list}");

    strongroom.done(&["key", "retire", "1"]);
    let late =
        sql_query(format!("UPDATE secrets SET kek_id = 1 WHERE credential_id = '{}'", ids[0])).execute(&mut conn);
    assert!(late.is_err(), "no write uses a retired key");
    // The retired key may leave the ring; the console starts without it.
    let ring = std::fs::read_to_string(strongroom.keyring()).expect("a key ring");
    let kept: Vec<&str> = ring.lines().filter(|line| !line.contains("\"id\":1,")).collect();
    strongroom.write_keyring(&(kept.join("\n") + "\n"));
    assert_eq!(serving.stop().status, 0);
    strongroom.serve().ready().await;
    strongroom.done(&["verify"]);
    let trail =
        "SELECT string_agg(action || ' ' || subject_name, ', ' ORDER BY at) FROM events WHERE subject_kind = 'key'";
    assert_eq!(
        ask(&mut conn, trail),
        "key.added master key 1, key.added master key 2, key.superseded master key 1, key.activated master key 2, \
         key.verified master key 1, key.verified master key 2, key.rewrapped master key 2, key.retired master key 1"
    );
}

#[test]
fn a_key_is_not_retired_before_every_value_opened_after_the_last_move() {
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let ids = credentials(&mut conn, &vault, 0..3);
    strongroom.done(&["key", "add"]);
    strongroom.done(&["key", "activate", "2"]);
    let damage = format!(
        "UPDATE secrets SET payload = set_byte(payload, 40, 255 - get_byte(payload, 40)) WHERE credential_id = '{}'",
        ids[1]
    );
    strongroom.sql(&damage);
    let ran = strongroom.run(&["key", "rewrap"]);
    assert!(ran.status == 1 && ran.out.contains(&format!("credentials {}", ids[1])), "{ran:?}");
    let ran = strongroom.run(&["key", "retire", "1"]);
    assert!(ran.status == 1 && ran.err.contains("have not all been opened"), "{ran:?}");
    // Mended, it goes on.
    strongroom.sql(&damage);
    strongroom.done(&["key", "rewrap"]);
    strongroom.done(&["key", "retire", "1"]);
}

#[test]
fn a_value_whose_key_does_not_unwrap_stops_nobody_elses_move() {
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let ids = credentials(&mut conn, &vault, 0..300);
    strongroom.done(&["key", "add"]);
    strongroom.done(&["key", "activate", "2"]);
    strongroom.sql(&format!("UPDATE credentials SET name = 'moved' WHERE id = '{}'", ids[7]));
    strongroom.sql(&format!(
        "UPDATE secrets SET wrapped_dek = set_byte(wrapped_dek, 20, 255 - get_byte(wrapped_dek, 20))
         WHERE credential_id = '{}'",
        ids[7]
    ));
    let ran = strongroom.run(&["key", "rewrap"]);
    assert!(ran.status == 1 && ran.out.starts_with("300 values moved"), "{ran:?}");
    assert_eq!(
        ask(&mut conn, "SELECT string_agg(credential_id::text, '') FROM secrets WHERE kek_id = 1"),
        ids[7].to_string()
    );
}

#[test]
fn steps_out_of_order_are_refused_with_a_sentence() {
    let strongroom = Strongroom::founded();
    for (arguments, said) in [
        (["key", "activate", "1"], "is the active one already"),
        (["key", "activate", "2"], "there is no master key 2"),
        (["key", "activate", "4294967295"], "there is no master key"),
        (["key", "retire", "1"], "master key 1 is the active one"),
        (["key", "retire", "2"], "there is no master key 2"),
    ] {
        let ran = strongroom.run(&arguments);
        assert!(ran.status == 1 && ran.err.contains(said), "{arguments:?}: {ran:?}");
    }
    strongroom.done(&["key", "add"]);
    strongroom.done(&["key", "retire", "2"]);
    let ran = strongroom.run(&["key", "activate", "2"]);
    assert!(ran.status == 1 && ran.err.contains("master key 2 is retired"), "{ran:?}");
    assert!(strongroom.done(&["key", "add"]).starts_with("master key 3 "), "a retired id is not used again");
}

#[test]
fn a_key_that_reached_the_ring_only_is_made_known_and_not_made_twice() {
    let strongroom = Strongroom::founded();
    strongroom::vault::KeyRing::add(&strongroom.keyring(), 0).expect("a second key");
    assert!(strongroom.done(&["key", "list"]).contains("2  in the key ring only"));
    assert!(strongroom.done(&["key", "add"]).starts_with("master key 2 "));
    assert!(strongroom.done(&["key", "add"]).starts_with("master key 3 "));
    assert_eq!(std::fs::read_to_string(strongroom.keyring()).expect("a key ring").lines().count(), 4);
}

#[test]
fn a_replica_without_a_registered_key_does_not_start() {
    let strongroom = Strongroom::founded();
    let old = std::fs::read_to_string(strongroom.keyring()).expect("a key ring");
    strongroom.done(&["key", "add"]);
    strongroom.write_keyring(&old);
    let ran = strongroom.try_serve(&[]).map(|_| ()).expect_err("refused");
    assert!(ran.status == 78 && ran.err.contains("lacks master key 2"), "{ran:?}");
}

#[test]
fn two_moves_at_once_are_one() {
    let strongroom = Strongroom::founded();
    let _other = strongroom::rewrap::lock(strongroom.connect()).expect("free");
    let ran = strongroom.run(&["key", "rewrap"]);
    assert!(ran.status == 1 && ran.err.contains("another re-wrap is at work"), "{ran:?}");
}

#[test]
fn a_move_killed_ten_times_completes_and_every_value_opens() {
    const ROWS: usize = 2_000;
    let seed = u64::from_be_bytes(strongroom::vault::random());
    println!("seed {seed}");
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let first = credentials(&mut conn, &vault, 0..1)[0];
    conn.batch_execute("BEGIN").expect("begun");
    let ids: Vec<CredentialId> = std::iter::once(first).chain(credentials(&mut conn, &vault, 1..ROWS)).collect();
    conn.batch_execute("COMMIT").expect("saved");
    strongroom.done(&["key", "add"]);
    strongroom.done(&["key", "activate", "2"]);
    let mut random = Random(seed);
    let (mut kills, mut moved) = (0, 0);
    while kills < 10 {
        let mut child = strongroom.command(&["key", "rewrap"]).spawn_quiet();
        // A kill is a number of values after which it comes, since a time would depend on the machine.
        let until = (moved + random.below(ROWS / 8)).min(ROWS - 1);
        let count = "SELECT count(*) FROM secrets WHERE kek_id = 2";
        while moved <= until && child.is_running() {
            moved = ask(&mut conn, count).parse().expect("a number");
        }
        assert!(child.is_running() || moved > until, "it did not end by itself");
        child.kill();
        kills += 1;
        assert_eq!(ask(&mut conn, "SELECT count(*) FROM secrets WHERE kek_id NOT IN (1, 2)"), "0");
    }
    let said = strongroom.done(&["key", "rewrap"]);
    assert!(said.contains("all is well"), "{said}");
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM secrets WHERE kek_id = 2"), (ROWS + 1).to_string());
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(opened(&mut conn, &vault, *id), secret(number));
    }
    strongroom.done(&["key", "retire", "1"]);
    let states: Vec<String> = keks::list(&mut conn).expect("the keys").into_iter().map(|kek| kek.state).collect();
    assert_eq!(states, ["retired", "active"]);
}
