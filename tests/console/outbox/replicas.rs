//! Several consoles, each a process, share one outbox (R6, R7): a thousand keys pass their limit at one moment of the
//! database's clock, consoles are killed, mail servers hang up and refuse. Each line is told, and once.

use std::time::{Duration, Instant};

use super::mail::{confirmed, hurry, profile};
use super::*;
use crate::support::binary::Strongroom;
use crate::support::cluster::Cluster;
use crate::support::peers::smtp::MailServer;
use crate::support::process::{Random, Serving};
use crate::support::scale::{self, R6_KEYS, R7_KEYS, R7_KILLS, R7_RECIPIENTS};
use crate::support::sql::count_on;

/// The keys are nobody's: their daily test would ask AWS.
const FLAGS: [&str; 2] = ["--egress-allow=127.0.0.0/8", "--test-credentials=off"];

/// An installation of 91 days ago, with so many keys of that day, where today is some weeks before they are old.
async fn before_they_are_old(keys: usize) -> (Cluster, Strongroom) {
    let cluster = Cluster::with_clock("-91d");
    let strongroom = cluster.strongroom();
    strongroom.serve().ready().await;
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    for number in 0..keys {
        new_access_key(&mut conn, &vault, &format!("key {number:04}"));
    }
    cluster.move_clock("-20d").await;
    (cluster, strongroom)
}

fn waiting(strongroom: &Strongroom) -> i64 {
    let mut conn = strongroom.connect();
    count_on(&mut conn, "notices WHERE digest_id IS NULL")
        + count_on(&mut conn, "deliveries WHERE state IN ('ready', 'sending')")
}

#[actix_web::test]
async fn keys_that_grow_old_at_once_are_told_once_by_two_consoles() {
    each_line_once(2).await;
}

#[actix_web::test]
async fn keys_that_grow_old_at_once_are_told_once_by_five_consoles() {
    each_line_once(5).await;
}

async fn each_line_once(replicas: usize) {
    let (splunk, server) = (Splunk::start(), MailServer::open(json!({})));
    let keys = R6_KEYS.now();
    let (cluster, strongroom) = before_they_are_old(keys).await;
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    splunk.add_on(&mut conn, &vault);
    let mail = profile(&mut conn, &vault, &server);
    for name in ["ada", "grace", "olga"] {
        confirmed(&mut conn, &vault, mail, &format!("{name}@example.com"));
    }
    let consoles: Vec<Serving> = (0..replicas).map(|_| strongroom.try_serve(&FLAGS).expect("it starts")).collect();
    for console in &consoles {
        console.ready().await;
    }
    assert_eq!((splunk.events().len(), server.steps("mail").len()), (0, 0), "nothing is old yet");
    let start = Instant::now();
    cluster.move_clock("+0d").await;
    let old = |titles: BTreeMap<String, usize>| titles.keys().filter(|title| title.contains("days old")).count();
    let patience = Instant::now() + Duration::from_secs(240);
    while old(splunk.titles()) < keys || server.steps("mail").len() < 3 || waiting(&strongroom) > 0 {
        assert!(Instant::now() < patience, "{} of {keys} are told", old(splunk.titles()));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = start.elapsed();
    scale::within("all are told", took, Duration::from_secs(120));
    let titles = splunk.titles();
    assert_eq!((titles.len(), old(titles.clone())), (keys, keys), "none is missing, nothing else is told");
    assert!(titles.values().all(|times| *times == 1), "none twice");
    let mails = server.mails();
    assert_eq!(mails.len(), 3, "one for each recipient");
    for mail in &mails {
        let text = mail.body("text/plain");
        let told = (0..keys).filter(|number| text.matches(&format!("“key {number:04}”")).count() == 1).count();
        assert_eq!(told, keys);
    }
    scale::report(
        "R6",
        &[
            ("consoles", &replicas),
            ("keys", &keys),
            ("missed", &0),
            ("told twice", &0),
            ("all told after", &scale::seconds(took)),
        ],
    );
}

#[actix_web::test]
async fn consoles_that_are_killed_and_a_faulty_mail_server_lose_no_mail() {
    let seed = u64::from_be_bytes(strongroom::vault::random());
    println!("seed {seed}");
    let mut random = Random(seed);
    let server = MailServer::open(json!({"seed": seed}));
    let (keys, recipients, kills) = (R7_KEYS.now(), R7_RECIPIENTS.now(), R7_KILLS.now());
    let (cluster, strongroom) = before_they_are_old(keys).await;
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let id = profile(&mut conn, &vault, &server);
    for number in 0..recipients {
        confirmed(&mut conn, &vault, id, &format!("person-{number}@example.com"));
    }
    // 30 % of the connections are hung up on, 20 % of the recipients put off.
    server.faults(&json!({
        "drop": {"EHLO": 0.3, "MAIL": 0.02, "DATA": 0.01, "taken": 0.01},
        "put_off": {"RCPT": 0.2},
    }));
    let serve = || strongroom.try_serve(&FLAGS).expect("the console starts");
    let mut consoles: Vec<Serving> = (0..2).map(|_| serve()).collect();
    for console in &consoles {
        console.ready().await;
    }
    cluster.move_clock("+0d").await;
    let patience = Instant::now() + Duration::from_secs(600);
    for kill in 0..kills {
        let least = (kill + 1) * recipients / (kills + 2);
        while server.steps("mail").len() < least {
            assert!(Instant::now() < patience, "{} mails", server.steps("mail").len());
            hurry(&strongroom);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for _ in 0..random.below(500) {
            tokio::task::yield_now().await;
        }
        let victim = random.below(consoles.len());
        std::mem::replace(&mut consoles[victim], serve()).kill();
    }
    server.faults(&json!({}));
    let late = "deliveries WHERE state = 'ready' AND not_before > now() + interval '10 minutes'";
    assert_eq!(count_on(&mut conn, late), 0, "the queue would be empty ten minutes after the faults");
    let start = Instant::now();
    while waiting(&strongroom) > 0 {
        assert!(start.elapsed() < Duration::from_secs(300), "{} wait", waiting(&strongroom));
        hurry(&strongroom);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let twice = judge(&server, keys, recipients, kills);
    let dropped = server.steps("drop").len();
    scale::report(
        "R7",
        &[
            ("recipients", &recipients),
            ("keys in each mail", &keys),
            ("kills", &kills),
            ("connections dropped", &dropped),
            ("put off", &server.steps("put_off").len()),
            ("missed", &0),
            ("repeated, with the same Message-ID", &twice),
            ("queue empty after", &scale::seconds(start.elapsed())),
        ],
    );
}

/// Every recipient has one mail that tells of every key; how many got it again.
fn judge(server: &MailServer, keys: usize, recipients: usize, kills: usize) -> usize {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in server.mails() {
        let text = mail.body("text/plain");
        let missing = (0..keys).find(|number| !text.contains(&format!("“key {number:04}”")));
        assert_eq!(missing, None, "a line is missing to {}", mail.header("To"));
        ids.entry(mail.header("To").to_owned()).or_default().push(mail.header("Message-ID").to_owned());
    }
    assert_eq!(ids.len(), recipients, "none was missed");
    for (recipient, ids) in &ids {
        assert!(ids.iter().all(|id| *id == ids[0]), "{recipient} can tell the repetition: {ids:?}");
    }
    let twice: usize = ids.values().map(|ids| ids.len() - 1).sum();
    // What the server took and hung up over, without a word, it gets once more.
    let unanswered = server.steps("drop").iter().filter(|step| step["at"] == "taken").count();
    assert!(twice <= kills + unanswered, "{twice} repeated after {kills} kills, {unanswered} without an answer");
    twice
}
