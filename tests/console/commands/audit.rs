//! `strongroom audit verify`.

use strongroom::models::events::{self, Action, Actor, NewEvent};

use super::{ask, credentials};
use crate::support::binary::Strongroom;

#[test]
fn a_whole_trail_is_counted_and_its_heads_are_printed() {
    let strongroom = Strongroom::founded();
    credentials(&mut strongroom.connect(), &strongroom.vault(), 0..20);
    let said = strongroom.done(&["audit", "verify"]);
    assert!(said.ends_with("22 events, all as they were written\n"), "{said}");
    let head = ask(&mut strongroom.connect(), "SELECT encode(mac, 'hex') FROM audit_lanes WHERE lane = 0");
    let written = ask(&mut strongroom.connect(), "SELECT count(*) FROM audit_lanes WHERE seq > 0");
    assert_eq!((said.lines().count() - 1).to_string(), written);
    assert!(said.lines().next().is_some_and(|line| line.starts_with("lane  0") && line.ends_with(&head)), "{said}");
}

/// Six events in one lane, after whatever is there; returns the lane and the seq before the first of them.
fn six_events(strongroom: &Strongroom) -> (i16, i64) {
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    diesel::Connection::transaction(&mut conn, |conn| {
        let mut ledger = events::open(conn)?;
        for number in 1..=6 {
            let detail = number.to_string();
            let event = NewEvent {
                action: Action::StoreVerified,
                subject_kind: "",
                subject_id: None,
                subject_name: "six",
                detail,
            };
            ledger.record(conn, &vault, &Actor::command_line(), &event)?;
        }
        Ok::<_, strongroom::models::DbError>(())
    })
    .expect("recorded");
    let lane = ask(&mut conn, "SELECT DISTINCT lane FROM events WHERE subject_name = 'six'").parse().expect("a lane");
    let before = ask(&mut conn, "SELECT min(seq) - 1 FROM events WHERE subject_name = 'six'").parse().expect("a seq");
    (lane, before)
}

/// LANE is where the six events are, #n the seq of the nth.
const FALSIFIED: &[(&str, i64)] = &[
    ("UPDATE events SET actor = 'somebody else' WHERE lane = LANE AND seq = #3", 3),
    ("UPDATE events SET at = at + interval '1 hour' WHERE lane = LANE AND seq = #3", 3),
    ("UPDATE events SET subject_id = gen_random_uuid() WHERE lane = LANE AND seq = #1", 1),
    ("UPDATE events SET subject_version = 7 WHERE lane = LANE AND seq = #2", 2),
    ("DELETE FROM events WHERE lane = LANE AND seq = #3", 3),
    ("DELETE FROM events WHERE lane = LANE AND seq >= #4", 4),
    (
        "UPDATE audit_lanes SET seq = #5, mac = (SELECT mac FROM events WHERE lane = LANE AND seq = #5) WHERE lane = LANE",
        6,
    ),
    (
        "WITH gone AS (DELETE FROM events WHERE lane = LANE AND seq > #5)
         UPDATE audit_lanes SET seq = #5, mac = decode(repeat('00', 32), 'hex') WHERE lane = LANE",
        6,
    ),
    // A head rewound to the links that are left: only the key could have made its check.
    (
        "WITH gone AS (DELETE FROM events WHERE lane = LANE AND seq > #5)
         UPDATE audit_lanes SET seq = #5, mac = (SELECT mac FROM events WHERE lane = LANE AND seq = #5) WHERE lane = LANE",
        6,
    ),
    ("UPDATE events SET seq = 1000 + seq WHERE lane = LANE AND seq = #3", 3),
    (
        "INSERT INTO events SELECT lane, #7, at, actor, action, subject_kind, subject_id, subject_name, detail, address, mac
         FROM events WHERE lane = LANE AND seq = #1",
        7,
    ),
];

#[test]
fn each_way_to_falsify_the_trail_is_found_where_it_begins() {
    for (statement, broken) in FALSIFIED {
        let strongroom = Strongroom::founded();
        let (lane, before) = six_events(&strongroom);
        let mut statement = statement.replace("LANE", &lane.to_string());
        for number in 1..=7 {
            statement = statement.replace(&format!("#{number}"), &(before + number).to_string());
        }
        strongroom.sql(&statement);
        let ran = strongroom.run(&["audit", "verify"]);
        let said = format!("lane {lane} breaks at event {},", before + broken);
        assert!(ran.status == 1 && ran.err.contains(&said), "{statement}: {said} in {ran:?}");
    }
}

#[test]
fn a_lane_that_is_gone_is_found() {
    let strongroom = Strongroom::founded();
    let (lane, _) = six_events(&strongroom);
    strongroom.sql(&format!("DELETE FROM events WHERE lane = {lane}"));
    strongroom.sql(&format!("DELETE FROM audit_lanes WHERE lane = {lane}"));
    let ran = strongroom.run(&["audit", "verify"]);
    assert!(ran.status == 1 && ran.err.contains(&format!("lane {lane} breaks at event 0,")), "{ran:?}");
}

/// What the log says every hour.
fn heads(strongroom: &Strongroom) -> String {
    let heads = strongroom::models::chain::heads(&mut strongroom.connect()).expect("heads");
    let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
    format!("{{\"level\":\"INFO\",\"message\":\"the heads of the audit trail\",\"heads\":\"{}\"}}\n", heads.join(" "))
}

#[test]
fn anchors_of_a_log_show_that_the_trail_was_rolled_back() {
    let strongroom = Strongroom::founded();
    let vault = strongroom.vault();
    credentials(&mut strongroom.connect(), &vault, 0..5);
    strongroom.sql("CREATE TABLE kept_lanes AS SELECT * FROM audit_lanes");
    strongroom.sql("CREATE TABLE kept_credentials AS SELECT id FROM credentials");
    credentials(&mut strongroom.connect(), &vault, 5..40);
    let log = strongroom.keyring().with_file_name("console.log");
    std::fs::write(&log, heads(&strongroom)).expect("a log");
    let compare = ["audit", "verify", "--anchor", "console.log"];
    let said = strongroom.done(&compare);
    assert!(said.contains("anchors are in the trail"), "{said}");
    // Cut, with the heads of then: nothing in the database tells.
    strongroom.sql("DELETE FROM credentials c WHERE NOT EXISTS (SELECT FROM kept_credentials k WHERE k.id = c.id)");
    strongroom.sql("DELETE FROM events e USING kept_lanes l WHERE e.lane = l.lane AND e.seq > l.seq");
    strongroom.sql(
        "UPDATE audit_lanes a SET seq = l.seq, mac = l.mac, head_mac = l.head_mac FROM kept_lanes l WHERE a.lane = l.lane",
    );
    strongroom.done(&["audit", "verify"]);
    let ran = strongroom.run(&compare);
    assert!(ran.status == 1 && ran.err.contains("was rolled back: it ends at event"), "{ran:?}");
    // And written on, so that the numbers are there again.
    credentials(&mut strongroom.connect(), &vault, 40..120);
    let ran = strongroom.run(&compare);
    assert!(ran.status == 1 && ran.err.contains("is not the one of the anchor"), "{ran:?}");
    std::fs::write(&log, "nothing of the kind").expect("a log");
    assert_eq!(strongroom.run(&compare).status, 78);
}
