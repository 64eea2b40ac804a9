//! Postgres is restarted, and its postmaster killed, under a steady stream of visitors (R2): they are told to come back
//! and nothing else, and from two seconds after its return all is as before.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use strongroom::accounts::Role;

use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::cluster::Cluster;
use crate::support::process::wait_for;
use crate::support::scale::{self, R2_RATE, R2_ROUNDS, R2_SECONDS};

/// Longest that anybody waits for an answer of whatever kind.
const LONGEST: Duration = Duration::from_millis(5_500);

/// One request of the stream.
#[derive(Clone, Debug)]
struct Answer {
    sent: Instant,
    took: Duration,
    /// `None`: nobody answered.
    status: Option<u16>,
    /// The credential that was to be saved.
    saving: Option<String>,
}

type Answers = Arc<Mutex<Vec<Answer>>>;

/// Sends so many requests a second, whatever becomes of them; every fifth saves a credential.
async fn stream(visit: Visit, answers: Answers, over: Arc<std::sync::atomic::AtomicBool>) {
    let mut beat = tokio::time::interval(Duration::from_secs(1) / R2_RATE.now() as u32);
    let mut sending = Vec::new();
    for number in 0.. {
        beat.tick().await;
        if over.load(std::sync::atomic::Ordering::SeqCst) {
            break;
        }
        let (visit, answers) = (visit.clone(), answers.clone());
        let saving = (number % 5 == 0).then(|| format!("credential {number}"));
        sending.push(actix_web::rt::spawn(async move {
            let sent = Instant::now();
            let status = ask(&visit, number, saving.as_deref()).await;
            answers.lock().expect("a lock").push(Answer { sent, took: sent.elapsed(), status, saving });
        }));
    }
    for one in sending {
        one.await.expect("an answer");
    }
}

async fn ask(visit: &Visit, number: usize, saving: Option<&str>) -> Option<u16> {
    let request = match saving {
        Some(name) => visit
            .request(reqwest::Method::POST, "/credentials")
            .form(&[("kind", "basic"), ("name", name), ("username", "robot"), ("password", "first secret")])
            .header("sec-fetch-site", "same-origin"),
        None => visit.request(reqwest::Method::GET, ["/", "/credentials", "/audit", "/alerts"][number % 4]),
    };
    let request = request.header("cookie", visit.cookie.clone().unwrap_or_default()).timeout(LONGEST * 2);
    Some(request.send().await.ok()?.status().as_u16())
}

/// When the server answers again, as `pg_isready` would say.
async fn accepts(cluster: &Cluster) -> Instant {
    wait_for("Postgres accepts", Duration::from_secs(30), async || cluster.accepts()).await;
    Instant::now()
}

#[actix_web::test]
async fn a_restart_and_a_kill_of_postgres_are_503_and_nothing_worse() {
    let cluster = Arc::new(Cluster::start());
    let strongroom = cluster.strongroom();
    let serving = strongroom.serve();
    serving.ready().await;
    let mut visit = strongroom.visit("ada", Role::Operator);
    visit.url.clone_from(&serving.url);
    let (answers, over) = (Answers::default(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let streaming = actix_web::rt::spawn(stream(visit, answers.clone(), over.clone()));
    let mut outages = Vec::new();
    for round in 0..2 * R2_ROUNDS.now() {
        tokio::time::sleep(R2_SECONDS.seconds()).await;
        let from = Instant::now();
        let away = cluster.clone();
        let blocking = move || {
            if round % 2 == 0 {
                away.stop()
            } else {
                away.kill()
            }
            std::thread::sleep(R2_SECONDS.seconds() / 5);
            away.start_again();
        };
        tokio::task::spawn_blocking(blocking).await.expect("restarted");
        outages.push((from, accepts(&cluster).await));
    }
    tokio::time::sleep(R2_SECONDS.seconds()).await;
    over.store(true, std::sync::atomic::Ordering::SeqCst);
    streaming.await.expect("the stream ends");
    let answers = answers.lock().expect("a lock").clone();
    let ran = serving.stop();
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    judge(&strongroom, &answers, &outages);
    assert!(strongroom.done(&["verify"]).contains("all is well"));
}

/// What the stream saw, and how soon after each return of the server all was well.
fn judge(strongroom: &Strongroom, answers: &[Answer], outages: &[(Instant, Instant)]) {
    let grace = Duration::from_secs(if scale::full() { 2 } else { 10 });
    let (mut told, mut slowest) = (0, Duration::ZERO);
    for answer in answers {
        let end = answer.sent + answer.took;
        let excused = outages.iter().any(|(from, back)| end >= *from && answer.sent <= *back + grace);
        match answer.status {
            Some(200 | 303) => {}
            Some(503) if excused => told += 1,
            _ => panic!("{answer:?}, outages {outages:?}"),
        }
        scale::within("an answer", answer.took, LONGEST);
        slowest = slowest.max(answer.took);
    }
    let mut back = Vec::new();
    for (_, up) in outages {
        let good = answers.iter().filter(|a| matches!(a.status, Some(200 | 303))).map(|a| a.sent + a.took);
        let first = good.filter(|end| end > up).min().expect("a good answer").duration_since(*up);
        scale::within("the first good answer", first, Duration::from_secs(2));
        back.push(first);
    }
    assert!(told > 0, "nobody noticed anything");
    let stored: BTreeSet<String> = strongroom.names().into_iter().collect();
    let saved: Vec<&String> =
        answers.iter().filter(|a| a.status == Some(303)).filter_map(|a| a.saving.as_ref()).collect();
    let lost: Vec<&&String> = saved.iter().filter(|name| !stored.contains(**name)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    scale::report(
        "R2",
        &[
            ("requests a second", &R2_RATE.now()),
            ("requests", &answers.len()),
            ("restarts and kills", &outages.len()),
            ("503", &told),
            ("500", &0),
            ("saved", &saved.len()),
            ("lost", &0),
            ("slowest answer", &scale::seconds(slowest)),
            ("first good answer at most", &scale::millis(back.iter().copied().max().unwrap_or_default())),
        ],
    );
}
