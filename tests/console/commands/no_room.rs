//! A Postgres whose disk is full, and one that takes no more connections (R12; the one that takes no writes is in
//! `outage`): what is there is read, who saves is told, nothing is saved by halves, and when there is room again all is
//! as before.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use diesel::pg::PgConnection;
use strongroom::accounts::Role;

use super::ask;
use crate::support::app::{Page, Visit};
use crate::support::binary::Strongroom;
use crate::support::cluster::Cluster;
use crate::support::db::Scratch;
use crate::support::process::{Serving, wait_for};
use crate::support::scale;

/// A file system in memory that is taken away with the test.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    /// `None` where only root could mount one.
    fn over(directory: &std::path::Path) -> Option<Self> {
        let place = directory.to_str().expect("a path");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=120m,mode=755", "tmpfs", place]).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| Self(directory.to_owned()))
    }

    /// Leaves so many bytes free.
    fn fill(&self, left: u64) {
        let free = rustix::fs::statvfs(&self.0).expect("its size");
        let bytes = (free.f_bavail * free.f_bsize).saturating_sub(left);
        fs::write(self.0.join("ballast"), vec![1; usize::try_from(bytes).expect("it fits")]).expect("written");
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("ballast")).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

async fn serve(strongroom: &Strongroom) -> (Serving, Visit) {
    let serving = strongroom.serve();
    serving.ready().await;
    let mut visit = strongroom.visit("ada", Role::Operator);
    visit.url.clone_from(&serving.url);
    assert_eq!(save(&visit, "first", 10).await.status, 303);
    (serving, visit)
}

/// A document of some KiB that does not shrink when it is stored.
async fn save(visit: &Visit, name: &str, kib: usize) -> Page {
    let password = hex::encode((0..kib * 16).flat_map(|_| strongroom::vault::random::<32>()).collect::<Vec<u8>>());
    let password = &password[..(kib * 1_024).min(1_000)];
    let fields = [("kind", "basic"), ("name", name), ("username", "robot"), ("password", password)];
    visit.clone().post("/credentials", &fields).await
}

#[actix_web::test]
async fn a_full_disk_is_said_to_who_saves_and_harms_nobody_who_reads() {
    let directory = Scratch::new();
    let Some(disk) = SmallDisk::over(&directory.path) else {
        println!("skipped: a small disk needs root, to mount it");
        scale::report("R12", &[("full disk: skipped, since mounting one needs", &"root")]);
        return;
    };
    let cluster = Cluster::in_directory(directory);
    let strongroom = cluster.strongroom();
    let (serving, visit) = serve(&strongroom).await;
    // The log of transactions has no spare files, so that the next one has to be made.
    cluster.sql("CHECKPOINT");
    disk.fill(64 * 1024);
    let (mut saved, mut refused) = (vec!["first".to_owned()], 0);
    for number in 0.. {
        let name = format!("credential {number}");
        let page = save(&visit, &name, 1).await;
        match page.status {
            303 => saved.push(name),
            503 => {
                assert_eq!(page.header("retry-after"), "2");
                refused += 1;
            }
            status => panic!("{status}: {}", page.body),
        }
        assert!(number < 20_000, "the disk is never full");
        if refused == 3 {
            println!("{}", page.text("h1"));
            break;
        }
        // Quicker than by saving alone.
        if refused == 0 {
            let fill =
                "CREATE TABLE IF NOT EXISTS filler AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 100)";
            let more = "INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 100)";
            let mut conn = strongroom.connect();
            for statement in [fill, more] {
                // That it is full at some time is the point.
                let _ = diesel::RunQueryDsl::execute(diesel::sql_query(statement), &mut conn);
            }
        }
    }
    for path in ["/", "/credentials", "/audit", "/alerts"] {
        assert_eq!(visit.clone().get(path).await.status, 200, "{path}");
    }
    disk.make_room();
    let start = Instant::now();
    let well = async || save(&visit, "afterwards", 1).await.status == 303;
    wait_for("it is saved", Duration::from_secs(60), well).await;
    let back = start.elapsed();
    scale::within("it is saved again", back, Duration::from_secs(5));
    saved.push("afterwards".to_owned());
    same(&strongroom, saved);
    assert!(strongroom.done(&["verify"]).contains("all is well"));
    scale::report("R12", &[("full disk: refused", &refused), ("saved again after", &scale::millis(back))]);
    drop(serving);
    drop(cluster);
}

/// What was acknowledged, and nothing else.
fn same(strongroom: &Strongroom, mut saved: Vec<String>) {
    let mut stored = strongroom.names();
    stored.sort();
    saved.sort();
    assert_eq!(stored, saved);
}

/// Connections in every place that there is, the console's among them.
fn take_all(cluster: &Cluster) -> Vec<PgConnection> {
    let url = format!("{}&application_name=others", cluster.url());
    let mut others: Vec<PgConnection> = Vec::new();
    let end_the_console = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name <> 'others' AND backend_type = 'client backend'";
    for _ in 0..10 {
        while let Ok(one) = <PgConnection as diesel::Connection>::establish(&url) {
            others.push(one);
        }
        if ask(&mut others[0], end_the_console) == "0" {
            break;
        }
    }
    others
}

#[actix_web::test]
async fn a_server_that_takes_no_more_connections_is_503_until_it_does() {
    let cluster = Cluster::start();
    cluster.sql("ALTER SYSTEM SET max_connections = 30");
    cluster.stop();
    cluster.start_again();
    let strongroom = cluster.strongroom();
    let (serving, visit) = serve(&strongroom).await;
    // Others take every place there is; the console is left with none.
    let others = take_all(&cluster);
    let (mut saved, mut told, mut slowest) = (vec!["first".to_owned()], 0, Duration::ZERO);
    for number in 0..12 {
        let (start, name) = (Instant::now(), format!("credential {number}"));
        let page = match number % 2 {
            0 => save(&visit, &name, 1).await,
            _ => visit.clone().get("/credentials").await,
        };
        slowest = slowest.max(start.elapsed());
        match page.status {
            503 => told += 1,
            // It may have got a place back.
            200 => {}
            303 => saved.push(name),
            status => panic!("{status}: {}", page.body),
        }
    }
    assert!(told > 0);
    scale::within("an answer", slowest, Duration::from_millis(5_500));
    drop(others);
    let start = Instant::now();
    let well = async || save(&visit, "afterwards", 1).await.status == 303;
    wait_for("it is saved", Duration::from_secs(60), well).await;
    let back = start.elapsed();
    scale::within("it is saved again", back, Duration::from_secs(5));
    saved.push("afterwards".to_owned());
    same(&strongroom, saved);
    scale::report(
        "R12",
        &[
            ("no connections left: told to come back", &told),
            ("slowest", &scale::seconds(slowest)),
            ("saved again after", &scale::millis(back)),
        ],
    );
    assert_eq!(serving.stop().status, 0);
}
