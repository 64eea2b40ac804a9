//! What sealing, auditing and re-wrapping cost beside plain statements that write the same bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::{Binary, Text, Uuid as SqlUuid};
use diesel::{PgConnection, RunQueryDsl};
use strongroom::models::credentials::{self, NewCredential};
use strongroom::models::events::Actor;
use strongroom::models::{self, DbError, keks};
use strongroom::rewrap;
use strongroom::vault::KeyRing;
use uuid::Uuid;

use crate::Line;
use crate::pages::median;
use crate::store::Server;

const SAVES: usize = 2_000;
const WRITERS: usize = 8;
type Connections = Pool<ConnectionManager<PgConnection>>;

/// Saving a credential (sealed, audited, committed) beside a bare INSERT of the same bytes by the same pool.
pub fn saving(server: &Server) -> Vec<Line> {
    let store = Arc::new(server.store("saving"));
    store.fill(10_000);
    let pool: Connections =
        Pool::builder().max_size(WRITERS as u32).build(ConnectionManager::new(&store.url)).expect("a pool");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..3 {
        let vault = store.vault.clone();
        ours.push(rate(&pool, move |conn, n| {
            let name = format!("saved {turn} {n}");
            let new = NewCredential {
                kind: "basic",
                name: &name,
                note: "",
                identity: "robot",
                facts: "{}",
                ages: false,
                expires_at: None,
                key_id: None,
                plaintext: br#"{"password":"0123456789012345678901234567890123456789","username":"robot"}"#,
            };
            let save = |conn: &mut PgConnection| credentials::create(conn, &vault, &Actor::command_line(), &new);
            models::transaction::<_, DbError>(conn, &save).expect("a saved credential");
        }));
        theirs.push(rate(&pool, move |conn, n| bare_insert(conn, &format!("bare {turn} {n}"))));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    vec![Line {
        what: "Saving a credential: sealed, audited, committed; 8 writers".to_owned(),
        ours: format!("{ours:.0} /s"),
        theirs: format!("{theirs:.0} /s"),
        ratio: format!("{:.2}", ours / theirs),
        bar: "≥ 0.5",
    }]
}

fn bare_insert(conn: &mut PgConnection, name: &str) {
    let mut payload = vec![7_u8; 157];
    payload[0] = 1;
    diesel::sql_query(
        "WITH saved AS (INSERT INTO credentials (id, kind, name, name_key, identity, facts, ages, created_by, edited_by,
             row_mac) VALUES ($1, 'basic', $2, $2, 'robot', '{}', false, 'ada', 'ada', $5) RETURNING id)
         INSERT INTO secrets SELECT id, 1, 'active', '', 1, $3, $4 FROM saved",
    )
    .bind::<SqlUuid, _>(Uuid::now_v7())
    .bind::<Text, _>(name)
    .bind::<Binary, _>(vec![1_u8; 61])
    .bind::<Binary, _>(payload)
    .bind::<Binary, _>(vec![0_u8; 32])
    .execute(conn)
    .expect("a row");
}

/// Re-wrapping 100,000 credentials under a new master key beside one plain UPDATE of the same columns.
pub fn rewrapping(server: &Server) -> Vec<Line> {
    let store = server.store("rewrapping");
    store.fill(100_000);
    let (mut conn, actor) = (store.connect(), Actor::command_line());
    KeyRing::add(&store.keyring(), 1).expect("a new key");
    keks::register(&mut conn, &store.vault, &actor, 2).expect("a known key");
    keks::activate(&mut conn, &store.vault, &actor, 2).expect("an active key");
    let started = Instant::now();
    let moved = rewrap::rewrap(&mut conn, &store.vault, |_, _| {}).expect("a re-wrap");
    let ours = started.elapsed().as_secs_f64();
    assert!(moved.count >= 100_000 && moved.failures.is_empty(), "{moved:?}");
    store.tidy();
    let started = Instant::now();
    let plain = "UPDATE secrets SET kek_id = 1, wrapped_dek = set_byte(wrapped_dek, 60, 7)";
    diesel::sql_query(plain).execute(&mut conn).expect("an update");
    let theirs = started.elapsed().as_secs_f64();
    vec![Line {
        what: "Re-wrapping 100,000 credentials beside a bare UPDATE".to_owned(),
        ours: format!("{ours:.1} s ({:.0} /s)", moved.count as f64 / ours),
        theirs: format!("{theirs:.1} s"),
        ratio: format!("{:.2}", ours / theirs),
        bar: "≤ 5",
    }]
}

/// Saves a second by 8 writers.
fn rate(pool: &Connections, save: impl Fn(&mut PgConnection, usize) + Send + Sync + 'static) -> f64 {
    let (next, save) = (Arc::new(AtomicUsize::new(0)), Arc::new(save));
    let started = Instant::now();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (pool, next, save) = (pool.clone(), next.clone(), save.clone());
            std::thread::spawn(move || {
                let mut conn = pool.get().expect("a connection");
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= SAVES {
                        return;
                    }
                    save(&mut conn, n);
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
    SAVES as f64 / started.elapsed().as_secs_f64()
}
