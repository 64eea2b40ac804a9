//! A rotation of the master key under fire: two replicas take edits while values move, and replicas and the worker are
//! killed at random. It completes, every value opens, and no acknowledged edit is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use reqwest::Method;
use strongroom::accounts::Role;
use strongroom::models::CredentialId;

use super::{ask, credentials, opened, secret};
use crate::support::app::{Page, Visit};
use crate::support::binary::Strongroom;
use crate::support::process::{Random, Serving, Spawn, wait_for};
use crate::support::scale::{self, R4_KILLS, R4_ROWS};

const CLIENTS: usize = 4;

#[derive(Default)]
struct Replicas {
    doors: Mutex<Vec<String>>,
    over: AtomicBool,
    acknowledged: AtomicUsize,
}

/// What a client knows of its credential.
struct Known {
    id: CredentialId,
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

async fn go_on(replicas: &Replicas, edits: usize) {
    let until = replicas.acknowledged.load(Ordering::SeqCst) + edits;
    let reached = async || replicas.acknowledged.load(Ordering::SeqCst) >= until;
    wait_for("edits go on", Duration::from_secs(60), reached).await;
}

/// Kills a random replica and the two workers that move values, again and again; returns how many workers were at it.
async fn kill_at_random(
    strongroom: &Strongroom,
    serving: &mut [Serving; 2],
    replicas: &Replicas,
    random: &mut Random,
) -> usize {
    let (mut conn, mut interrupted) = (strongroom.connect(), 0);
    for _ in 0..R4_KILLS.now() {
        let workers = [0; 2].map(|_| strongroom.command(&["key", "rewrap"]).spawn_quiet());
        go_on(replicas, random.below(6)).await;
        let which = random.below(2);
        let started = strongroom.serve();
        replicas.doors.lock().expect("a lock")[which].clone_from(&started.url);
        std::mem::replace(&mut serving[which], started).kill();
        for mut worker in workers {
            interrupted += usize::from(worker.is_running());
            worker.kill();
        }
        let strays = "SELECT count(*) FROM secrets WHERE kek_id NOT IN (1, 2)";
        assert_eq!(ask(&mut conn, strays), "0");
    }
    interrupted
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
    let ids = credentials(&mut conn, &vault, 0..R4_ROWS.now());
    conn.batch_execute("COMMIT").expect("saved");
    let mut serving = [strongroom.serve(), strongroom.serve()];
    let replicas = Arc::new(Replicas::default());
    *replicas.doors.lock().expect("a lock") = serving.iter().map(|one| one.url.clone()).collect();
    for one in &serving {
        one.ready().await;
    }
    add_key(&strongroom, 2).await;
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| actix_web::rt::spawn(edit(client, visit.clone(), replicas.clone()))).collect();
    go_on(&replicas, 8).await;
    strongroom.done(&["key", "activate", "2"]);
    let start = Instant::now();
    let interrupted = kill_at_random(&strongroom, &mut serving, &replicas, &mut random).await;
    go_on(&replicas, 8).await;
    let said = strongroom.done(&["key", "rewrap"]);
    assert!(said.contains("all is well"), "{said}");
    let took = start.elapsed();
    go_on(&replicas, 4).await;
    replicas.over.store(true, Ordering::SeqCst);
    // With the keys that are in the ring by now.
    let vault = strongroom.vault();
    for client in clients {
        nothing_is_lost(&strongroom, &client.await.expect("a client"));
    }
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM secrets WHERE kek_id <> 2"), "0");
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(opened(&mut conn, &vault, *id), secret(number));
    }
    strongroom.done(&["key", "retire", "1"]);
    strongroom.done(&["verify"]);
    // The replicas that were killed have to be forgotten first, for which the suite has no time.
    let rate = if scale::full() { rate(&strongroom).await } else { f64::NAN };
    assert!(!scale::full() || rate >= 1_000.0, "{rate} rows a second");
    scale::report(
        "R4",
        &[
            ("rows", &ids.len()),
            ("kills of a replica", &R4_KILLS.now()),
            ("workers killed at work", &interrupted),
            ("edits meanwhile", &replicas.acknowledged.load(Ordering::SeqCst)),
            ("lost", &0),
            ("took", &scale::seconds(took)),
            ("rows a second by one worker", &format!("{rate:.0}")),
        ],
    );
}

fn nothing_is_lost(strongroom: &Strongroom, known: &Known) {
    let opened = opened(&mut strongroom.connect(), &strongroom.vault(), known.id);
    let values: serde_json::Value = serde_json::from_str(&opened).expect("JSON");
    let stored = values["password"].as_str().expect("a password").to_owned();
    let expected = stored == known.password || known.unanswered.contains(&stored);
    assert!(expected, "{stored} is neither {} nor {:?}", known.password, known.unanswered);
}

/// Rows a second that one worker moves when nobody kills it.
async fn rate(strongroom: &Strongroom) -> f64 {
    add_key(strongroom, 3).await;
    strongroom.done(&["key", "activate", "3"]);
    let said = strongroom.done(&["key", "rewrap"]);
    let words: Vec<&str> = said.split_whitespace().collect();
    let number = |at: usize| words[at].parse::<f64>().unwrap_or_else(|_| panic!("{said}"));
    number(0) / number(4).max(0.05)
}

/// Makes a master key and waits until both replicas have it.
async fn add_key(strongroom: &Strongroom, id: u32) {
    strongroom.done(&["key", "add"]);
    // Those that were killed count for half a minute yet.
    let living = "last_seen_at > now() - interval '30 seconds'";
    let without = format!("SELECT count(*) FROM replicas WHERE {living} AND NOT {id} = ANY(kek_ids)");
    let known = async || ask(&mut strongroom.connect(), &without) == "0";
    wait_for("both replicas have the new key", Duration::from_secs(60), known).await;
}
