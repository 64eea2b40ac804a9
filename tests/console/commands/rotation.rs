//! A rotation of the master key under fire: two replicas take edits while values move, and replicas and the worker are killed
//! at random. It completes, every value opens, and no acknowledged edit is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use reqwest::Method;
use strongroom::accounts::Role;
use uuid::Uuid;

use super::{ask, credentials, opened, secret};
use crate::support::app::{Page, Visit};
use crate::support::binary::Strongroom;
use crate::support::process::{Random, Spawn, wait_for};

const ROWS: usize = 2_000;
const CLIENTS: usize = 4;
const KILLS: usize = 6;

#[derive(Default)]
struct Replicas {
    doors: Mutex<Vec<String>>,
    over: AtomicBool,
    acknowledged: AtomicUsize,
}

/// What a client knows of its credential.
struct Known {
    id: Uuid,
    password: String,
    /// Sent, and never answered: there or not.
    unanswered: Vec<String>,
}

/// Asks one replica, and `None` when it was killed before it answered.
async fn try_get(visit: &Visit, path: &str) -> Option<Page> {
    let request = visit.request(Method::GET, path).header("cookie", visit.cookie.clone().unwrap_or_default());
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Some(Page { status, headers, body: response.text().await.ok()? })
}

/// Edits one credential until it is over.
async fn edit(client: usize, mut visit: Visit, replicas: Arc<Replicas>) -> Known {
    let name = format!("client {client}");
    let first = format!("{name} first");
    let fields = [("kind", "basic"), ("name", &name), ("username", "robot"), ("password", &first)];
    visit.url.clone_from(&replicas.doors.lock().expect("a lock")[0]);
    let page = visit.post("/credentials", &fields).await;
    let id = page.location().rsplit('/').next().and_then(|id| id.parse().ok()).expect("saved before the first kill");
    let path = format!("/credentials/{id}/edit");
    let mut known = Known { id, password: first, unanswered: Vec::new() };
    for number in 0.. {
        if replicas.over.load(Ordering::SeqCst) {
            break;
        }
        visit.url.clone_from(&replicas.doors.lock().expect("a lock")[(client + number) % 2]);
        let Some(page) = try_get(&visit, &path).await else { continue };
        assert_eq!(page.status, 200, "{}", page.body);
        let version = page.attributes("input[name=row_version]", "value").remove(0);
        let password = format!("{name} number {number}");
        let fields =
            [("row_version", version.as_str()), ("name", &name), ("username", "robot"), ("password", &password)];
        match visit.try_post(&path, &fields).await.map(|page| page.status) {
            Some(303) => {
                known.password = password;
                known.unanswered.clear();
                replicas.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            // What a killed replica had sent may arrive after the version was read.
            Some(409) => {}
            Some(status) => panic!("{password}: {status}"),
            None => known.unanswered.push(password),
        }
    }
    known
}

#[actix_web::test]
async fn a_rotation_with_edits_and_kills_completes_and_loses_nothing() {
    let seed = u64::from_be_bytes(strongroom::vault::random());
    println!("seed {seed}");
    let mut random = Random(seed);
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let visit = strongroom.visit("ada", Role::Operator);
    conn.batch_execute("BEGIN").expect("begun");
    let ids = credentials(&mut conn, &vault, 0..ROWS);
    conn.batch_execute("COMMIT").expect("saved");
    let mut serving = [strongroom.serve(), strongroom.serve()];
    let replicas = Arc::new(Replicas::default());
    *replicas.doors.lock().expect("a lock") = serving.iter().map(|one| one.url.clone()).collect();
    for one in &serving {
        one.ready().await;
    }
    strongroom.done(&["key", "add"]);
    let without = "SELECT count(*) FROM replicas WHERE NOT 2 = ANY(kek_ids)";
    let known = async || ask(&mut strongroom.connect(), without) == "0";
    wait_for("both replicas have the new key", Duration::from_secs(20), known).await;
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| actix_web::rt::spawn(edit(client, visit.clone(), replicas.clone()))).collect();
    let go_on = async |edits: usize| {
        let until = replicas.acknowledged.load(Ordering::SeqCst) + edits;
        let reached = async || replicas.acknowledged.load(Ordering::SeqCst) >= until;
        wait_for("edits go on", Duration::from_secs(20), reached).await;
    };
    go_on(8).await;
    strongroom.done(&["key", "activate", "2"]);
    for _ in 0..KILLS {
        let mut worker = strongroom.command(&["key", "rewrap"]).spawn_quiet();
        go_on(random.below(6)).await;
        let which = random.below(2);
        let started = strongroom.serve();
        replicas.doors.lock().expect("a lock")[which].clone_from(&started.url);
        std::mem::replace(&mut serving[which], started).kill();
        println!("replica {which} killed, the worker {}", if worker.is_running() { "too" } else { "had ended" });
        worker.kill();
        let strays = "SELECT count(*) FROM credentials WHERE kek_id NOT IN (1, 2)";
        assert_eq!(ask(&mut conn, strays), "0");
    }
    go_on(8).await;
    let said = strongroom.done(&["key", "rewrap"]);
    assert!(said.contains("all is well"), "{said}");
    go_on(4).await;
    replicas.over.store(true, Ordering::SeqCst);
    // With the keys that are in the ring by now.
    let vault = strongroom.vault();
    for client in clients {
        let Known { id, password, unanswered } = client.await.expect("a client");
        let values: serde_json::Value = serde_json::from_str(&opened(&mut conn, &vault, id)).expect("JSON");
        let stored = values["password"].as_str().expect("a password").to_owned();
        assert!(
            stored == password || unanswered.contains(&stored),
            "{stored} is neither {password} nor {unanswered:?}"
        );
    }
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM credentials WHERE kek_id <> 2"), "0");
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(opened(&mut conn, &vault, *id), secret(number));
    }
    println!("{} edits", replicas.acknowledged.load(Ordering::SeqCst));
    strongroom.done(&["key", "retire", "1"]);
    strongroom.done(&["verify"]);
}
