//! Clocks that are wrong (R11): one console is two hours ahead, one two hours behind, and the database's clock jumps
//! back by ten minutes. Sessions, the lockout and alerts go by the database's clock alone.

use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::users;

use crate::outbox::{Splunk, new_access_key};
use crate::support::app::{PASSWORD, Visit, quick_hash};
use crate::support::binary::Strongroom;
use crate::support::cluster::{Cluster, console_at};
use crate::support::process::Serving;
use crate::support::scale::{R11_KEYS, report};
use crate::support::sql::count_on;
use crate::support::wait::until;

/// Pages that tell how old something is.
const PAGES: [&str; 7] = ["/", "/credentials", "/credentials?sort=age", "/alerts", "/audit", "/users", "/account"];

async fn log_in(url: &str, name: &str, password: &str) -> (u16, String, Visit) {
    let mut visit = Visit::to(url);
    let page = visit.post("/login", &[("username", name), ("password", password), ("next", "/")]).await;
    let wait = page.header("retry-after").to_owned();
    (page.status, wait, visit)
}

fn add_user(strongroom: &Strongroom, name: &str) {
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    users::create(&mut conn, &vault, &Actor::command_line(), name, Role::Administrator.slug(), quick_hash())
        .expect("a user");
}

/// The same visitor at each console.
async fn statuses(consoles: &[Serving; 2], visit: &Visit) -> [u16; 2] {
    let mut found = [0; 2];
    for (found, console) in found.iter_mut().zip(consoles) {
        let mut visit = visit.clone();
        visit.url.clone_from(&console.url);
        *found = visit.get("/account").await.status;
    }
    found
}

/// No page speaks of a time to come as if it were an age.
async fn no_age_is_negative(consoles: &[Serving; 2], visit: &Visit) {
    for console in consoles {
        let mut visit = visit.clone();
        visit.url.clone_from(&console.url);
        for path in PAGES {
            let page = visit.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            let text = page.text("main");
            let words: Vec<&str> = text.split_whitespace().collect();
            let wrong = words.windows(2).find(|pair| {
                let number = pair[0].trim_start_matches(['−', '-']);
                let negative = number != pair[0] && number.parse::<f64>().is_ok();
                negative && ["second", "minute", "hour", "day"].iter().any(|unit| pair[1].starts_with(unit))
            });
            assert_eq!(wrong, None, "{path}");
        }
    }
}

async fn sessions_and_the_lockout(cluster: &Cluster, strongroom: &Strongroom, consoles: &[Serving; 2]) {
    add_user(strongroom, "ada");
    add_user(strongroom, "grace");
    let (status, _, ada) = log_in(&consoles[0].url, "ada", PASSWORD).await;
    assert_eq!(status, 303);
    assert_eq!(statuses(consoles, &ada).await, [200, 200], "a session is as old as the database says");
    for number in 0..5 {
        assert_eq!(log_in(&consoles[number % 2].url, "grace", "wrong").await.0, 422);
    }
    for console in consoles {
        let (status, wait, _) = log_in(&console.url, "grace", PASSWORD).await;
        let wait: i64 = wait.parse().expect("seconds");
        assert!(status == 429 && (800..=900).contains(&wait), "{status}, {wait} s");
    }
    cluster.move_clock("-600s").await;
    assert_eq!(statuses(consoles, &ada).await, [200, 200], "nobody is logged out by it");
    no_age_is_negative(consoles, &ada).await;
    for console in consoles {
        let (status, wait, _) = log_in(&console.url, "grace", PASSWORD).await;
        let wait: i64 = wait.parse().expect("seconds");
        assert!(status == 429 && wait <= 1_500, "{status}, {wait} s");
    }
    cluster.move_clock("+16m").await;
    for console in consoles {
        assert_eq!(log_in(&console.url, "grace", PASSWORD).await.0, 303, "a quarter of an hour has passed");
    }
    let over = async || statuses(consoles, &ada).await == [302, 302];
    crate::support::wait::wait_for("the idle session is over", std::time::Duration::from_secs(20), over).await;
    cluster.move_clock("+0s").await;
}

/// Has a turn of the alerts pass: a key that is old at once is told.
async fn a_turn_passes(cluster: &Cluster, strongroom: &Strongroom, splunk: &Splunk, name: &str, now: &str) {
    cluster.move_clock("-91d").await;
    new_access_key(&mut strongroom.connect(), &strongroom.vault(), name);
    cluster.move_clock(now).await;
    let title = format!("“{name}” is 9");
    until("a turn has passed", || splunk.titles().keys().any(|told| told.contains(&title)).then_some(())).await;
}

#[actix_web::test]
async fn sessions_lockout_and_alerts_go_by_the_clock_of_the_database() {
    let splunk = Splunk::start();
    let cluster = Cluster::with_clock("+0s");
    let strongroom = cluster.strongroom();
    strongroom.serve().ready().await;
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    splunk.add_on(&mut conn, &vault);
    let consoles = [console_at(&strongroom, "+2h"), console_at(&strongroom, "-2h")];
    for console in &consoles {
        console.ready().await;
    }
    sessions_and_the_lockout(&cluster, &strongroom, &consoles).await;

    // Keys that pass their limit five minutes ago, and after a jump have not yet.
    cluster.move_clock(&format!("-{}s", 90 * 86_400 + 300)).await;
    for number in 0..R11_KEYS.now() {
        new_access_key(&mut conn, &vault, &format!("key {number:04}"));
    }
    cluster.move_clock("+0s").await;
    let keys = |splunk: &Splunk| -> Vec<usize> {
        let titles = splunk.titles();
        titles.iter().filter(|(title, _)| title.contains("“key ")).map(|(_, times)| *times).collect()
    };
    until("all are told", || (keys(&splunk).len() >= R11_KEYS.now()).then_some(())).await;
    a_turn_passes(&cluster, &strongroom, &splunk, "first", "-600s").await;
    a_turn_passes(&cluster, &strongroom, &splunk, "second", "+0s").await;
    let told = keys(&splunk);
    assert_eq!(told, vec![1; R11_KEYS.now()], "{:?}", splunk.titles());
    assert_eq!(count_on(&mut conn, "alerts WHERE trigger = 'stale' AND closed_at IS NOT NULL"), 0);
    assert!(strongroom.done(&["verify"]).contains("all is well"));
    report(
        "R11",
        &[
            ("consoles at", &"+2 h and −2 h"),
            ("jump of the database", &"−10 min"),
            ("keys", &told.len()),
            ("missed", &0),
            ("told twice", &0),
        ],
    );
    for console in consoles {
        assert_eq!(console.stop().status, 0);
    }
}
