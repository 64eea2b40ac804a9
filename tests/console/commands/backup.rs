//! Backup, loss and return (R15): what `pg_dump` and the copied key ring hold is the whole store.
#![allow(clippy::disallowed_methods, reason = "psql is the operator's tool")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use strongroom::accounts::Role;

use super::{ask, credentials, opened, secret};
use crate::support::binary::Strongroom;
use crate::support::scale::{self, R15_ROWS};

/// A new installation that the dump is played into, with a copy of the key ring.
fn restored(dump: &str, keyring: &str) -> Strongroom {
    let new = Strongroom::empty();
    let url = new.url.as_ref().expect("a database");
    let mut psql = Command::new("psql")
        .args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("psql runs");
    psql.stdin.take().expect("a pipe").write_all(dump.as_bytes()).expect("it reads");
    assert!(psql.wait().expect("it ends").success(), "the dump is played in without an error");
    new.write_keyring(keyring);
    new
}

#[actix_web::test]
async fn a_dump_and_the_key_ring_bring_everything_back() {
    let rows = R15_ROWS.now();
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let mut ids = credentials(&mut conn, &vault, 0..rows / 2);
    strongroom.done(&["key", "add"]);
    strongroom.done(&["key", "activate", "2"]);
    ids.extend(credentials(&mut conn, &strongroom.vault(), rows / 2..rows));
    let mut visit = strongroom.visit("ada", Role::Administrator);
    let keyring = std::fs::read_to_string(strongroom.keyring()).unwrap();
    let dump = strongroom.dump();

    // What an operator waits for: played in, verified as a whole, the first page served.
    let start = Instant::now();
    let new = restored(&dump, &keyring);
    assert!(new.done(&["verify"]).contains("all is well"));
    let serving = new.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    assert_eq!(visit.get("/credentials").await.status, 200);
    let took = start.elapsed();
    scale::within("everything is back", took, Duration::from_secs(600));
    drop(serving);
    scale::report("R15", &[("rows", &rows), ("restored, verified, serving after", &scale::seconds(took))]);
    let (mut conn, vault) = (new.connect(), new.vault());
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(opened(&mut conn, &vault, *id), secret(number));
    }
    new.done(&["audit", "verify"]);
    let serving = new.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    let page = visit.get("/credentials?q=credential+99").await;
    let found = page.texts("tbody th a").contains(&"credential 99".to_owned());
    assert_eq!((page.status, found), (200, true), "who was logged in still is");
    let fields = [("kind", "basic"), ("name", "after"), ("username", "robot"), ("password", "a new secret")];
    assert_eq!(visit.post("/credentials", &fields).await.status, 303);
    new.done(&["audit", "verify"]);
}

#[test]
fn a_store_that_comes_back_without_one_of_its_keys_stays_shut_and_as_it_is() {
    let strongroom = Strongroom::founded();
    credentials(&mut strongroom.connect(), &strongroom.vault(), 0..3);
    strongroom.done(&["key", "add"]);
    strongroom.done(&["key", "activate", "2"]);
    let keyring = std::fs::read_to_string(strongroom.keyring()).unwrap();
    let dump = strongroom.dump();
    // The first key was thrown away before everything had moved off it.
    let kept: Vec<&str> = keyring.lines().filter(|line| !line.contains("\"id\":1")).collect();
    assert_eq!(kept.len() + 1, keyring.lines().count());

    let new = restored(&dump, &kept.join("\n"));
    let Err(ran) = new.try_serve(&[]) else { panic!("it serves without the key") };
    assert_eq!(ran.status, 78, "{ran:?}");
    assert!(ran.err.contains("lacks master key 1"), "{}", ran.err);
    assert_eq!(new.dump(), dump);
    assert_eq!(
        ask(
            &mut new.connect(),
            "SELECT count(*) FROM secrets JOIN credentials ON id = credential_id WHERE kek_id = 1 AND NOT shipped"
        ),
        "3"
    );
}
