//! A Postgres that is stopped in its tracks, and one that nobody reaches for minutes, with a pool of one connection
//! (R3): people are told to come back within five seconds, probes are told the truth, nothing piles up, and then all is
//! well.

use std::time::{Duration, Instant};

use strongroom::accounts::Role;

use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::cluster::Cluster;
use crate::support::process::{Serving, wait_for};
use crate::support::proxy::Proxy;
use crate::support::scale::{self, R3_CUT_SECONDS, R3_FROZEN_SECONDS};

const FLAGS: [&str; 1] = ["--db-pool=1"];

/// What visitors and probes were told while the database was away.
#[derive(Default)]
struct Told {
    pages: usize,
    slowest: Duration,
    live: Duration,
}

impl Told {
    /// A few visitors at once, with a probe beside them.
    async fn ask(&mut self, serving: &Serving, visit: &Visit) {
        let visitors = (0..10).map(|number| {
            let mut visit = visit.clone();
            async move {
                let start = Instant::now();
                let page = visit.get(if number == 0 { "/readyz" } else { "/credentials" }).await;
                (number == 0, page, start.elapsed())
            }
        });
        // Fifty milliseconds are measured on a connection that is there, as a probe keeps one.
        let probe = async {
            let client = Visit::to(&serving.url);
            let mut times = Vec::new();
            for _ in 0..10 {
                let start = Instant::now();
                let status = client.request(reqwest::Method::GET, "/livez").send().await.expect("it lives").status();
                assert_eq!(status, 200);
                times.push(start.elapsed());
            }
            times
        };
        let (pages, mut live) = tokio::join!(futures_util::future::join_all(visitors), probe);
        for (probe, page, took) in pages {
            assert_eq!(page.status, 503, "{page:?}");
            assert!(probe || page.header("retry-after") == "2", "{page:?}");
            scale::within("a page", took, Duration::from_millis(5_500));
            self.slowest = self.slowest.max(took);
            self.pages += 1;
        }
        self.live = self.live.max(scale::percentile(&mut live, 0.9));
    }
}

/// Asks for so long while the database is away, then how soon all is well; what came of it as figures.
async fn while_away(serving: &Serving, visit: &Visit, length: Duration, back: impl FnOnce()) -> (Told, Duration) {
    let (mut told, start) = (Told::default(), Instant::now());
    while start.elapsed() < length || told.pages == 0 {
        told.ask(serving, visit).await;
        tokio::time::sleep(length / 100).await;
    }
    back();
    let well = async || visit.clone().get("/credentials").await.status == 200;
    let took = wait_for("the console is back", Duration::from_secs(60), well).await;
    scale::within("the recovery", took, Duration::from_secs(5));
    scale::within("/livez", told.live, Duration::from_millis(50));
    (told, took)
}

async fn serve(strongroom: &Strongroom) -> (Serving, Visit) {
    let serving = strongroom.try_serve(&FLAGS).expect("the console starts");
    serving.ready().await;
    let mut visit = strongroom.visit("ada", Role::Operator);
    visit.url.clone_from(&serving.url);
    for _ in 0..20 {
        assert_eq!(visit.get("/credentials").await.status, 200);
    }
    (serving, visit)
}

fn report(what: &str, length: Duration, (told, took): &(Told, Duration), serving: &Serving, before: (f64, usize)) {
    let (grown, threads) = (serving.resident() - before.0, serving.threads() as i64 - before.1 as i64);
    scale::below("growth of memory in MiB", grown, 50.0);
    assert!(threads <= 4, "{threads} more threads than before");
    scale::report(
        "R3",
        &[
            (what, &scale::seconds(length)),
            ("pages told to come back", &told.pages),
            ("slowest", &scale::seconds(told.slowest)),
            ("/livez", &scale::millis(told.live)),
            ("back after", &scale::millis(*took)),
            ("memory", &format!("{grown:+.1} MiB")),
            ("threads", &format!("{threads:+}")),
        ],
    );
}

#[actix_web::test]
async fn a_postgres_that_is_stopped_in_its_tracks_holds_nobody_for_long() {
    let cluster = Cluster::start();
    let strongroom = cluster.strongroom();
    let (serving, visit) = serve(&strongroom).await;
    let before = (serving.resident(), serving.threads());
    cluster.freeze(true);
    let length = R3_FROZEN_SECONDS.seconds();
    let came = while_away(&serving, &visit, length, || cluster.freeze(false)).await;
    report("frozen for", length, &came, &serving, before);
    assert_eq!(serving.stop().status, 0);
}

#[actix_web::test]
async fn a_database_that_nobody_reaches_for_minutes_is_taken_up_again_at_once() {
    let mut strongroom = Strongroom::founded();
    let proxy = Proxy::before(strongroom.database.as_ref().expect("a database"));
    strongroom.url = Some(proxy.url().to_owned());
    let (serving, visit) = serve(&strongroom).await;
    let before = (serving.resident(), serving.threads());
    proxy.cut();
    let length = R3_CUT_SECONDS.seconds();
    let came = while_away(&serving, &visit, length, || proxy.mend()).await;
    report("unreachable for", length, &came, &serving, before);
    assert_eq!(serving.stop().status, 0);
}
