//! Two replicas behind a load balancer that asks them whether they are ready: one after the other is stopped in order
//! and started again, and no visitor notices.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strongroom::accounts::Role;

use super::ask;
use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::process::wait_for;

const CLIENTS: usize = 6;

/// Where the replicas are, and what came of the requests.
#[derive(Default)]
struct Load {
    doors: Mutex<Vec<String>>,
    /// Those of them that said they are ready when last asked.
    ready: Mutex<Vec<String>>,
    over: AtomicBool,
    answered: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

/// Asks every replica again and again whether it is ready.
async fn balance(load: Arc<Load>) {
    while !load.over.load(Ordering::SeqCst) {
        let doors = load.doors.lock().expect("a lock").clone();
        let mut ready = Vec::new();
        for door in doors {
            let asked = Visit::to(&door).request(reqwest::Method::GET, "/readyz").send().await;
            if asked.is_ok_and(|answer| answer.status() == 200) {
                ready.push(door);
            }
        }
        *load.ready.lock().expect("a lock") = ready;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Reads and saves in turn until it is over, as a proxy does: another replica when nobody opens the door.
async fn visit_in_turn(client: usize, mut visit: Visit, load: Arc<Load>) -> usize {
    let mut saved = 0;
    for number in 0.. {
        if load.over.load(Ordering::SeqCst) {
            break;
        }
        let name = format!("client {client} number {number}");
        let fields = [("kind", "basic"), ("name", name.as_str()), ("username", "robot"), ("password", "first secret")];
        let doors = load.ready.lock().expect("a lock").clone();
        let mut status = None;
        for attempt in 0..doors.len() {
            visit.url.clone_from(&doors[(client + number + attempt) % doors.len()]);
            let request = match number % 3 {
                0 => visit
                    .request(reqwest::Method::POST, "/credentials")
                    .form(&fields)
                    .header("sec-fetch-site", "same-origin"),
                _ => visit.request(reqwest::Method::GET, "/credentials"),
            };
            // One request a connection, as most proxies speak to those behind them.
            let request =
                request.header("connection", "close").header("cookie", visit.cookie.clone().unwrap_or_default());
            match request.send().await {
                Ok(response) => status = Some(response.status().as_u16()),
                Err(error) if error.is_connect() => continue,
                Err(error) => load.failed.lock().expect("a lock").push(format!("{name}: {error:?}")),
            }
            break;
        }
        match status {
            Some(303) => saved += 1,
            Some(200) => {}
            other => load.failed.lock().expect("a lock").push(format!("{name}: {other:?}")),
        }
        load.answered.fetch_add(1, Ordering::SeqCst);
    }
    saved
}

#[actix_web::test]
async fn no_request_fails_while_two_replicas_are_stopped_and_started_in_turn() {
    let strongroom = Strongroom::founded();
    let visit = strongroom.visit("ada", Role::Operator);
    let start = || strongroom.try_serve(&["--drain-seconds=1"]).expect("it starts");
    let mut replicas = vec![start(), start()];
    for replica in &replicas {
        replica.ready().await;
    }
    let load = Arc::new(Load::default());
    *load.doors.lock().expect("a lock") = replicas.iter().map(|replica| replica.url.clone()).collect();
    *load.ready.lock().expect("a lock") = load.doors.lock().expect("a lock").clone();
    let balancer = actix_web::rt::spawn(balance(load.clone()));
    let clients: Vec<_> =
        (0..CLIENTS).map(|client| actix_web::rt::spawn(visit_in_turn(client, visit.clone(), load.clone()))).collect();
    let go_on = async |count: usize| {
        let until = load.answered.load(Ordering::SeqCst) + count;
        let reached = async || load.answered.load(Ordering::SeqCst) >= until;
        wait_for("the clients go on", Duration::from_secs(20), reached).await;
    };
    for turn in 0..2 {
        go_on(60).await;
        let stopping = replicas.remove(0);
        let ran = tokio::task::spawn_blocking(move || stopping.stop()).await.expect("stopped");
        assert_eq!(ran.status, 0, "{ran:?}");
        assert!(ran.took < Duration::from_secs(10), "turn {turn}: {:?}", ran.took);
        go_on(60).await;
        let started = start();
        started.ready().await;
        replicas.push(started);
        *load.doors.lock().expect("a lock") = replicas.iter().map(|replica| replica.url.clone()).collect();
    }
    go_on(60).await;
    load.over.store(true, Ordering::SeqCst);
    balancer.await.expect("the load balancer");
    let mut saved = 0;
    for client in clients {
        saved += client.await.expect("a client");
    }
    println!("{} requests, {saved} saved", load.answered.load(Ordering::SeqCst));
    assert_eq!(*load.failed.lock().expect("a lock"), Vec::<String>::new());
    let stored = ask(&mut strongroom.connect(), "SELECT count(*) FROM credentials WHERE NOT shipped");
    assert_eq!(stored, saved.to_string());
}
