//! A thousand programs that each fetch once a second: how long they wait, the first read of each minute and its event in
//! the audit trail included.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Line;
use crate::load::Asker;
use crate::process::Running;
use crate::store::Server;

const CLIENTS: usize = 1_000;
const THREADS: usize = 10;
/// In which each client fetches for the first time, so that their minutes begin one after the other.
const WARM_UP: Duration = Duration::from_secs(30);
/// In which every client's minute ends once.
const MEASURED: usize = 60;
const BAR_MS: f64 = 20.0;

pub fn fetching(server: &Server) -> Vec<Line> {
    let store = server.store("many_clients");
    let tokens: Vec<String> =
        (0..CLIENTS).map(|number| store.client(&format!("client-{number}"), "robot", "x")).collect();
    let running = Running::with(&store, &["--log=error", "--release-values=on"]);
    let at = running.address();
    let start = Instant::now() + Duration::from_millis(200);
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let mine: Vec<(usize, String)> = tokens
                .iter()
                .enumerate()
                .skip(thread)
                .step_by(THREADS)
                .map(|(number, token)| (number, token.clone()))
                .collect();
            std::thread::spawn(move || {
                let request = |(number, token): &(usize, String)| {
                    let path = format!("/machine/v1/values/client-{number}");
                    format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {token}\r\n\r\n")
                };
                work(at, &mine.iter().map(request).collect::<Vec<_>>(), start)
            })
        })
        .collect();
    let mut waits: Vec<f64> = threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect();
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize] * 1_000.0;
    vec![Line {
        what: format!("{CLIENTS} clients that each fetch a value once a second, for {MEASURED} s: p99 and median"),
        ours: format!("{:.1} ms", at(0.99)),
        theirs: format!("{:.1} ms", at(0.5)),
        ratio: format!("{:.2} of {BAR_MS} ms", at(0.99) / BAR_MS),
        bar: "≤ 1",
    }]
}

/// Seconds that each fetch took after the warm-up, from when it was due: one that waits for its turn waits, too.
fn work(at: SocketAddr, requests: &[String], start: Instant) -> Vec<f64> {
    for (number, request) in requests.iter().enumerate() {
        wait_until(start + WARM_UP / 100 * u32::try_from(number).unwrap_or_default());
        Asker::new(at, request).ask();
    }
    let (begin, step) = (start + WARM_UP, Duration::from_secs(1) / u32::try_from(requests.len()).unwrap_or(1));
    wait_until(begin - Duration::from_millis(500));
    let mut askers: Vec<Asker> = requests.iter().map(|request| Asker::new(at, request)).collect();
    let mut waits = Vec::with_capacity(MEASURED * askers.len());
    for turn in 0..MEASURED * askers.len() {
        let due = begin + step * u32::try_from(turn).unwrap_or_default();
        wait_until(due);
        let count = askers.len();
        askers[turn % count].ask();
        waits.push(due.elapsed().as_secs_f64());
    }
    waits
}

fn wait_until(due: Instant) {
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}
