//! What the clock brings about among a million credentials: deciding which secrets are old and queueing the digest, beside
//! one statement that writes the same rows, and a turn in which nothing is new.

use std::time::Instant;

use diesel::PgConnection;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Uuid as SqlUuid;
use strongroom::models::digests::{self, Target};
use strongroom::models::due_alerts::{self, Limit, Rules, Turn};
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{self, DbError, IntegrationId, RecipientId, recipients};
use strongroom::vault::Vault;
use uuid::Uuid;

use crate::Line;
use crate::pages::median;
use crate::store::{Server, Store};

const ROWS: usize = 1_000_000;
const OLD: usize = 10_000;
const ROUNDS: usize = 5;

/// A profile of that channel; nothing is sent through it here.
pub fn profile(store: &Store, version: &str, host: &str, settings: &str) -> IntegrationId {
    let new = NewIntegration {
        family: "alert_profile",
        version,
        name: version,
        credential_id: None,
        host,
        further: &[],
        settings,
        every_hours: None,
    };
    let create = |conn: &mut PgConnection| integrations::create(conn, &store.vault, &Actor::command_line(), &new);
    models::transaction::<_, DbError>(&mut store.connect(), &create).expect("a profile")
}

/// People who have followed the link.
pub fn confirmed(store: &Store, profile: IntegrationId, count: usize) -> Vec<RecipientId> {
    let actor = Actor::command_line();
    let add = |conn: &mut PgConnection| {
        let mut people = Vec::with_capacity(count);
        for n in 0..count {
            let address = format!("person-{n}@example.com");
            let id = recipients::create(conn, &store.vault, &actor, profile, &address, "stale,expiring,lockout")?;
            recipients::confirm(conn, &store.vault, &actor, (id, 1))?;
            people.push(id);
        }
        Ok::<_, DbError>(people)
    };
    models::transaction(&mut store.connect(), &add).expect("people")
}

pub fn deciding(server: &Server) -> Vec<Line> {
    eprintln!("filling 1,000,000 rows …");
    let store = server.store("aging");
    // One in a hundred has passed 90 days; the others have more than two weeks left.
    store.fill_aged(ROWS, "CASE WHEN n % 100 = 0 THEN 91 + n / 100 % 100 ELSE n % 60 END");
    let (mail, hook) = (profile(&store, "email", "mail", "{}"), profile(&store, "webhook", "hook", "{}"));
    let person = confirmed(&store, mail, 1)[0];
    let target = |integration, recipient, at_once| Target {
        integration,
        recipient,
        triggers: vec!["stale".to_owned(), "expiring".to_owned()],
        tags: Vec::new(),
        at_once,
        most: 1_000,
    };
    let targets = [target(mail, Some(person), 1_000), target(hook, None, 100)];
    let mut conn = store.connect();
    let (mut ours, mut theirs, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    // The first round only warms up.
    for round in 0..=ROUNDS {
        let bare = timed(&mut conn, |conn| bare(conn, mail, person, hook));
        let written = written(&mut conn);
        let decided = timed(&mut conn, |conn| {
            let turn = turn(conn);
            assert_eq!(turn.raised, OLD, "{turn:?}");
            give(conn, &store.vault, &targets);
        });
        assert_eq!(self::written(&mut conn), written, "both write the same");
        let start = Instant::now();
        assert_eq!(turn(&mut conn), Turn::default());
        assert!(!digests::waiting(&mut conn).expect("an answer"));
        let quiet = start.elapsed().as_secs_f64();
        if round > 0 {
            ours.push(decided);
            theirs.push(bare);
            idle.push(quiet);
        }
    }
    drop(conn);
    server.drop_store(store);
    let (ours, theirs) = (median(ours), median(theirs));
    let line = |what: &str, ours: f64, theirs: String, ratio: String, bar| Line {
        what: what.to_owned(),
        ours: format!("{:.0} ms", 1000.0 * ours),
        theirs,
        ratio,
        bar,
    };
    vec![
        line(
            "10,000 of 1,000,000 credentials found too old, their alerts, notices and two digests queued, beside one statement",
            ours,
            format!("{:.0} ms", 1000.0 * theirs),
            format!("{:.2}", ours / theirs),
            "≤ 2",
        ),
        line("The next look, with nothing new and 10,000 alerts open", median(idle), String::new(), String::new(), ""),
    ]
}

/// Seconds, on tables that are empty before.
fn timed(conn: &mut PgConnection, work: impl FnOnce(&mut PgConnection)) -> f64 {
    conn.batch_execute("TRUNCATE alerts, notices, deliveries, delivery_lines; CHECKPOINT").expect("empty tables");
    let started = Instant::now();
    work(conn);
    started.elapsed().as_secs_f64()
}

fn turn(conn: &mut PgConnection) -> Turn {
    let limits = vec![Limit { kind: "aws".to_owned(), days: 90, by_nature: true }];
    let rules = Rules { limits, ahead: true, remind: true };
    let turn = |conn: &mut PgConnection| due_alerts::turn(conn, &rules);
    models::transaction::<_, DbError>(conn, &turn).expect("a turn").expect("nobody else has it")
}

fn give(conn: &mut PgConnection, vault: &Vault, targets: &[Target]) {
    let give = |conn: &mut PgConnection| {
        assert!(digests::lock(conn)?);
        digests::give(conn, vault, targets)
    };
    assert_eq!(models::transaction::<_, DbError>(conn, &give).expect("a digest"), OLD);
}

/// The same rows for somebody who knows all rules beforehand: one limit, one trigger, one mail, ten calls of a webhook.
fn bare(conn: &mut PgConnection, mail: IntegrationId, person: RecipientId, hook: IntegrationId) {
    diesel::sql_query(
        "WITH stale AS (
            SELECT id, name, gen_random_uuid() AS alert, extract(day FROM now() - secret_set_at)::int AS days
            FROM credentials WHERE kind = 'aws' AND ages AND secret_set_at < now() - interval '90 days'),
         raised AS (
            INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
            SELECT alert, 'stale', 'credential', id, name, 3 FROM stale),
         told AS (
            INSERT INTO notices (id, alert_id, number, event, days, of_days, digest_id)
            SELECT gen_random_uuid(), alert, 1, 'raised', days, 90, $4 FROM stale RETURNING id, days),
         listed AS (SELECT id, row_number() OVER (ORDER BY days DESC, id) - 1 AS at FROM told),
         mail AS (
            INSERT INTO deliveries (id, kind, integration_id, recipient_id, digest_id, more)
            VALUES (gen_random_uuid(), 'digest', $1, $2, $4, 9000) RETURNING id),
         calls AS (
            INSERT INTO deliveries (id, kind, integration_id, digest_id, part)
            SELECT gen_random_uuid(), 'digest', $3, $4, part FROM generate_series(0, 9) part RETURNING id, part)
         INSERT INTO delivery_lines (delivery_id, position, notice_id)
         SELECT mail.id, at, listed.id FROM listed CROSS JOIN mail WHERE at < 1000
         UNION ALL
         SELECT calls.id, at % 100, listed.id FROM listed JOIN calls ON calls.part = at / 100 WHERE at < 1000",
    )
    .bind::<SqlUuid, _>(mail)
    .bind::<SqlUuid, _>(person)
    .bind::<SqlUuid, _>(hook)
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .execute(conn)
    .expect("the same rows");
}

/// Alerts, notices that were given, deliveries, lines.
fn written(conn: &mut PgConnection) -> [i64; 4] {
    ["alerts", "notices WHERE digest_id IS NOT NULL", "deliveries", "delivery_lines"]
        .map(|table| count(conn, &format!("SELECT count(*) AS count FROM {table}")))
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

pub fn count(conn: &mut PgConnection, query: &str) -> i64 {
    diesel::sql_query(query).get_result::<Count>(conn).expect("a count").count
}
