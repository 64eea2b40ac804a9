//! The two halves of a console, pages and jobs, in processes of their own on one database.

use std::time::{Duration, Instant};

use strongroom::accounts::Role;

use super::ask;
use crate::support::binary::Strongroom;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::process::wait_for;

const EGRESS: &str = "--egress-allow=127.0.0.0/8";

/// Longest until a run that the pages have queued is done by the jobs.
const SECONDS: Duration = Duration::from_secs(10);

#[actix_web::test]
async fn a_scan_that_pages_queue_runs_in_a_process_of_jobs() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("app", &["1.0"]).await;
    let strongroom = Strongroom::founded();
    let mut visit = strongroom.visit("ada", Role::Administrator);
    let web = strongroom.try_serve(&["--only=web", EGRESS]).expect("pages start");
    web.ready().await;
    visit.url.clone_from(&web.url);
    let (registry, authority) = (peer.url(), peer.ca_certificate());
    let form = [("name", "mirror"), ("version", "docker_v2"), ("registry", &*registry), ("schedule", "off")];
    let added = visit.post("/integrations", &[&form[..], &[("ca_certificate", authority)]].concat()).await;
    assert_eq!(added.status, 303, "{:?}", added.texts("[role=alert]"));
    let scanned = |count: &str| {
        let done = ask(&mut strongroom.connect(), "SELECT count(*) FROM runs WHERE state = 'succeeded'");
        done == count
    };
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(ask(&mut strongroom.connect(), "SELECT min(state) FROM runs"), "queued", "pages run nothing");

    let public = format!("--public-url={}", web.url);
    let jobs = strongroom.try_serve(&["--only=jobs", &public, EGRESS]).expect("jobs start");
    jobs.ready().await;
    wait_for("the queued scan runs", SECONDS, async || scanned("1")).await;

    let again = visit.post(&format!("{}/runs", added.location()), &[]).await;
    assert_eq!(again.status, 303);
    let queued = Instant::now();
    wait_for("the next scan runs", SECONDS, async || scanned("2")).await;
    println!("done {:?} after it was queued", queued.elapsed());
    let page = visit.get(added.location()).await;
    assert_eq!(page.texts("#results tbody tr th"), ["app"]);
}

#[actix_web::test]
async fn a_process_of_jobs_answers_probes_and_shows_no_page() {
    let strongroom = Strongroom::founded();
    let jobs = strongroom.try_serve(&["--only=jobs", "--public-url=https://strongroom.example.com"]);
    let jobs = jobs.expect("jobs start");
    jobs.ready().await;
    assert_eq!(jobs.status("/livez").await, Some(200));
    for path in ["/", "/login", "/setup", "/credentials", "/static/app.js"] {
        assert_eq!(jobs.status(path).await, Some(404), "{path}");
    }
    let ran = jobs.stop();
    assert_eq!((ran.status, ran.out.as_str()), (0, ""), "it prints no link to a page: {ran:?}");
}

#[test]
fn half_a_console_needs_a_shared_database_and_the_address_of_its_pages() {
    let ran = Strongroom::private().run(&["serve", "--only=web"]);
    assert_eq!(ran.status, 78, "{ran:?}");
    assert!(ran.err.contains("DATABASE_URL"), "{ran:?}");
    let ran = Strongroom::founded().run(&["serve", "--only=jobs"]);
    assert_eq!(ran.status, 78, "{ran:?}");
    assert!(ran.err.contains("STRONGROOM_PUBLIC_URL"), "{ran:?}");
}

/// How often the threads of a process have waited and were woken.
fn wakeups(pid: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten();
    let statuses = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("status")).ok());
    let count = |status: String| {
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<u64>().ok()
    };
    statuses.filter_map(count).sum()
}

#[actix_web::test]
async fn a_session_that_is_remembered_wakes_no_thread() {
    let strongroom = Strongroom::founded();
    let serving = strongroom.serve();
    serving.ready().await;
    let mut visit = strongroom.visit("ada", Role::Administrator);
    visit.url.clone_from(&serving.url);
    assert_eq!(visit.get("/").await.status, 200);
    let before = wakeups(serving.pid());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let woken = wakeups(serving.pid()) - before;
    println!("{woken} wake-ups in two seconds after a page");
    assert!(woken < 400, "{woken} wake-ups in two seconds");
}
