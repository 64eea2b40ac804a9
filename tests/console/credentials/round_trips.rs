//! How often the console asks the database for one save. Each time costs a save as much as the row that it writes.

use std::collections::HashSet;

use strongroom::accounts::Role;

use super::add;
use crate::support::cluster::Cluster;

const MARK: &str = "SELECT 'a save begins'";
const SAVES: usize = 12;

/// The process that wrote a line, and whether the line is a round trip: a statement is prepared, or run.
fn round_trip(line: &str) -> Option<(&str, bool)> {
    let (before, after) = line.split_once("] LOG:  duration: ")?;
    let (_, what) = after.split_once(" ms  ")?;
    let asked = ["parse ", "execute ", "statement: "].iter().any(|kind| what.starts_with(kind));
    Some((before.rsplit_once('[')?.1, asked))
}

/// The fewest round trips between two marks: jobs of the console may add theirs to some. What follows the last mark may not
/// be written down yet.
fn fewest(log: &str) -> usize {
    let process = |line| round_trip(line).map(|(process, _)| process);
    let ours: HashSet<&str> = log.lines().filter(|line| line.contains(MARK)).filter_map(process).collect();
    let begins = format!("execute <unnamed>: {MARK}");
    let mut saves: Vec<&str> = log.split(&begins).skip(1).collect();
    saves.pop();
    let count = |save: &&str| {
        let asked = save.lines().filter_map(round_trip).filter(|(process, asked)| *asked && !ours.contains(process));
        asked.count()
    };
    saves.iter().map(count).min().expect("a save")
}

#[actix_web::test]
async fn a_new_credential_is_saved_in_five_round_trips() {
    let cluster = Cluster::start();
    let strongroom = cluster.strongroom();
    let serving = strongroom.serve();
    serving.ready().await;
    let mut visit = strongroom.visit("ada", Role::Operator);
    visit.url.clone_from(&serving.url);
    cluster.sql("ALTER SYSTEM SET log_min_duration_statement = 0");
    cluster.sql("SELECT pg_reload_conf()");
    for number in 0..2 * SAVES {
        // The first ones prepare the statements.
        if number >= SAVES {
            cluster.sql(MARK);
        }
        add(&mut visit, &format!("saved {number}")).await;
    }
    cluster.sql(MARK);
    // The session; BEGIN; a lane and the key; all that is written; COMMIT.
    assert_eq!(fewest(&cluster.log()), 5);
}
