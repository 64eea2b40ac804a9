//! `kill -9` of the console in the midst of writes: what was acknowledged is there, what was not is there as a whole or not
//! at all, and the trail tells exactly of what is there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use strongroom::accounts::Role;
use strongroom::models::CredentialId;

use super::{ask, opened};
use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::process::Random;
use crate::support::scale::{self, R1_CLIENTS, R1_KILLS, R1_WRITES};

/// What a client knows of one credential: its last acknowledged password, and one that was sent without an answer.
#[derive(Clone, Debug, Default)]
struct Known {
    id: Option<CredentialId>,
    password: Option<String>,
    unanswered: Option<String>,
    acknowledged: i64,
}

#[derive(Default)]
struct Ledger {
    credentials: Mutex<BTreeMap<String, Known>>,
    acknowledged: AtomicUsize,
}

impl Ledger {
    fn change(&self, name: &str, change: impl FnOnce(&mut Known)) {
        change(self.credentials.lock().expect("a lock").entry(name.to_owned()).or_default());
    }

    fn count(&self) -> usize {
        self.acknowledged.load(Ordering::SeqCst)
    }
}

/// Creates and edits in turn until the console is gone.
async fn write(client: usize, round: usize, mut visit: Visit, ledger: Arc<Ledger>) {
    for number in 0.. {
        let name = format!("client {client} round {round} number {number}");
        // One creation, two edits: the step is the row's version.
        for step in 0..3 {
            let password = format!("{name} step {step}");
            ledger.change(&name, |known| known.unanswered = Some(password.clone()));
            let version = step.to_string();
            let mut fields = vec![
                ("name", name.as_str()),
                ("description", ""),
                ("username", "robot"),
                ("password", password.as_str()),
            ];
            let path = match ledger.credentials.lock().expect("a lock")[&name].id {
                Some(id) => format!("/credentials/{id}/edit"),
                None => "/credentials".to_owned(),
            };
            fields.push(if step == 0 { ("kind", "basic") } else { ("row_version", version.as_str()) });
            let Some(page) = visit.try_post(&path, &fields).await else { return };
            assert_eq!(page.status, 303, "{path}: {page:?}");
            let id = page.location().rsplit('/').next().and_then(|id| id.parse().ok());
            ledger.change(&name, |known| {
                known.id = known.id.or(id);
                known.password = known.unanswered.take();
                known.acknowledged += 1;
            });
            assert!(id.is_some() || step > 0, "{page:?}");
            ledger.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[actix_web::test]
async fn nothing_acknowledged_is_lost_when_the_console_is_killed_at_random() {
    let seed = u64::from_be_bytes(strongroom::vault::random());
    println!("seed {seed}");
    let mut random = Random(seed);
    let strongroom = Strongroom::founded();
    let visits: Vec<Visit> =
        (0..R1_CLIENTS.now()).map(|client| strongroom.visit(&format!("client {client}"), Role::Operator)).collect();
    let ledger = Arc::new(Ledger::default());
    let (mut kills, mut slowest, start) = (0, Duration::ZERO, Instant::now());
    while kills < R1_KILLS.now() || ledger.count() < R1_WRITES.now() {
        let longest = 2 * R1_WRITES.now().saturating_sub(ledger.count()) / R1_KILLS.now().saturating_sub(kills).max(1);
        let ready = one_life(&strongroom, &visits, &ledger, (kills, longest), &mut random).await;
        scale::within("it is ready", ready, Duration::from_secs(3));
        slowest = slowest.max(ready);
        kills += 1;
    }
    let took = start.elapsed();
    assert!(strongroom.done(&["verify"]).contains("all is well"));
    strongroom.done(&["audit", "verify"]);
    let unheard = all_is_there(&strongroom, &ledger);
    scale::report(
        "R1",
        &[
            ("writes acknowledged", &ledger.count()),
            ("clients", &visits.len()),
            ("kills", &kills),
            ("lost", &0),
            ("committed without an answer", &unheard),
            ("slowest start", &scale::seconds(slowest)),
            ("took", &scale::seconds(took)),
        ],
    );
}

/// A console from its start to its kill while all clients write; returns how soon it was ready.
async fn one_life(
    strongroom: &Strongroom,
    visits: &[Visit],
    ledger: &Arc<Ledger>,
    (round, longest): (usize, usize),
    random: &mut Random,
) -> Duration {
    let start = Instant::now();
    let serving = strongroom.serve();
    serving.ready().await;
    let ready = start.elapsed();
    let clients: Vec<_> = visits
        .iter()
        .enumerate()
        .map(|(client, visit)| {
            let mut visit = visit.clone();
            visit.url.clone_from(&serving.url);
            actix_web::rt::spawn(write(client, round, visit, ledger.clone()))
        })
        .collect();
    let until = ledger.count() + random.below(longest.max(1));
    while ledger.count() < until {
        assert!(start.elapsed() < Duration::from_secs(60), "the clients stand still");
        tokio::task::yield_now().await;
    }
    // The others are at any point of a write.
    for _ in 0..random.below(2_000) {
        tokio::task::yield_now().await;
    }
    serving.kill();
    for client in clients {
        client.await.expect("a client");
    }
    ready
}

/// Compares what the clients know with what is stored; returns how many writes were committed without an answer.
fn all_is_there(strongroom: &Strongroom, ledger: &Ledger) -> i64 {
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let mut unheard = 0;
    for (name, known) in &*ledger.credentials.lock().expect("a lock") {
        let row =
            ask(&mut conn, &format!("SELECT coalesce((SELECT id::text FROM credentials WHERE name = '{name}'), '')"));
        let Ok(id) = row.parse::<CredentialId>() else {
            assert_eq!(known.acknowledged, 0, "{name} was acknowledged and is lost");
            continue;
        };
        assert_eq!(known.id.unwrap_or(id), id);
        let values: serde_json::Value = serde_json::from_str(&opened(&mut conn, &vault, id)).expect("JSON");
        let password = values["password"].as_str().map(str::to_owned);
        assert!(password == known.password || password == known.unanswered, "{name}: {known:?}, but {password:?}");
        let version: i64 = ask(&mut conn, &format!("SELECT row_version FROM credentials WHERE id = '{id}'"))
            .parse()
            .expect("a number");
        let extra = i64::from(password == known.unanswered);
        assert_eq!(version, known.acknowledged + extra, "{name}: {known:?}");
        unheard += extra;
        let events = format!(
            "SELECT string_agg(action, ' ' ORDER BY at) FROM events
             WHERE subject_id = '{id}' AND action <> 'credential.opened'"
        );
        let mut expected = vec!["credential.created"];
        expected.resize(usize::try_from(version).expect("a count"), "credential.edited");
        assert_eq!(ask(&mut conn, &events), expected.join(" "), "{name}: one event a change");
    }
    let strangers = "SELECT count(*) FROM credentials WHERE NOT shipped AND name NOT LIKE 'client %'";
    assert_eq!(ask(&mut conn, strangers), "0");
    let orphans = "SELECT count(*) FROM events WHERE subject_kind = 'credential'
                   AND subject_id NOT IN (SELECT id FROM credentials)";
    assert_eq!(ask(&mut conn, orphans), "0", "the trail tells of nothing that did not happen");
    unheard
}
