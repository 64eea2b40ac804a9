//! The store of before the frame, made by that release's binary with everything in it (`make`): up to this release and
//! back. Nothing is lost on the way, also not with 200,000 images.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use strongroom::accounts::Role;
use strongroom::models::{MIGRATIONS, credentials, integrations};
use uuid::Uuid;

use super::{load, revert_to_before};
use crate::support::binary::Strongroom;
use crate::support::process::{PATIENCE, wait_for};
use crate::support::sql::count_on;

const STORE: &str = include_str!("../stores/before_the_frame.sql");
const SCANNED: &str = "01a21951-0411-7724-9260-cadd14f84e83";
/// The first migration that the store has not seen.
const FIRST: &str = "20261126190000";

fn rows(conn: &mut PgConnection, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let query = format!("SELECT t::text AS text FROM ({query}) t ORDER BY 1");
    let rows: Vec<Row> = diesel::sql_query(query).load(conn).expect("rows");
    rows.into_iter().map(|row| row.text).collect()
}

/// All that must come back as it was.
fn all_of_before(conn: &mut PgConnection) -> Vec<(&'static str, Vec<String>)> {
    let queries = [
        "SELECT * FROM images",
        "SELECT * FROM image_changes",
        "SELECT id, integration_id, state, cause, images, added, gaps, named_gaps, credential_id, secret_version, row_mac FROM runs",
        "SELECT id, kind, name, facts, kek_id, wrapped_dek, payload, secret_version, usage_count, row_version, row_mac
            FROM credentials",
        "SELECT id, family, version, name, credential_id, host, settings, row_version, row_mac FROM integrations",
        "SELECT * FROM recipients",
        "SELECT id, trigger, subject_kind, subject_id, stage, notices FROM alerts",
        "SELECT lane, seq, mac FROM events",
    ];
    queries.map(|query| (query, rows(conn, query))).to_vec()
}

fn verify(strongroom: &Strongroom) {
    let ran = strongroom.run(&["verify"]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[actix_web::test]
async fn a_store_of_before_the_frame_is_whole_after_the_upgrade() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    let whole = ["credentials", "integrations", "users", "recipients", "notices", "deliveries", "channels"];
    let counts = || whole.map(|table| count_on(&mut strongroom.connect(), table));
    let before = counts();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    assert_eq!(counts(), before);
    assert_eq!((count_on(&mut conn, "items"), count_on(&mut conn, "item_changes")), (3, 8));
    let named = |what: &str| format!("credentials WHERE (kind = 'gcp' OR ages) AND ({what})");
    assert_eq!(count_on(&mut conn, &named("key_id IS NULL")), 0, "what tells its key's id has it at once");
    let whole = "key_id = identity AND kind = 'aws' OR facts LIKE '%\"Key ID\",\"' || key_id || '\"%'";
    assert!(count_on(&mut conn, &named(whole)) >= 2);
    let vault = strongroom.vault();
    let stored = credentials::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
    for row in &stored {
        let (row, sealed) = credentials::find_sealed(&mut conn, &vault, row.shown().id).expect("a row");
        let row = row.trust().expect("a trusted row");
        assert!(vault.open(&row.context(), &sealed).is_ok(), "{}", row.name);
    }
    assert_eq!(stored.len(), 16);
    let rows = integrations::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows");
    assert!(rows.len() == 30 && rows.iter().all(|row| row.doubt().is_none()));
    let serving = strongroom.serve();
    verify(&strongroom);
    // What waited in the queue is done.
    let waiting = async || count_on(&mut strongroom.connect(), "runs WHERE state IN ('queued', 'running')") == 0;
    wait_for("the run of before is performed", PATIENCE, waiting).await;
    assert_eq!(count_on(&mut conn, "runs WHERE state = 'failed' AND error LIKE '%not what Strongroom saved%'"), 0);
    let mut visit = strongroom.visit("grace", Role::Administrator);
    visit.url.clone_from(&serving.url);
    let page = visit.get(&format!("/integrations/{SCANNED}")).await;
    assert_eq!(page.text("#inventory small"), "3 images");
    assert_eq!(page.texts("#results tbody th"), ["team/api", "team/app", "team/app"]);
    assert_eq!(page.texts("#results tbody tr:has([data-kept]) th"), ["team/api"]);
    let csv = visit.get(&format!("/integrations/{SCANNED}/items.csv")).await.body;
    assert!(csv.starts_with("repository,tag,digest,size_bytes,platforms,pushed_at,found_by\r\n"), "{csv}");
    assert!(csv.contains(",42,linux/arm64,,last scan\r\n") && csv.contains("team/api,1,sha256:6488ff16"), "{csv}");
    // Every usage of before is one.
    let robot = stored.iter().map(|row| row.shown()).find(|row| row.name == "robot").expect("a used credential");
    let page = visit.get(&format!("/credentials/{}", robot.id)).await;
    assert_eq!(page.texts("[aria-labelledby=usages] tbody tr").len() as i32, robot.usage_count);
    let refused = visit.post(&format!("/credentials/{}/delete", robot.id), &[]).await;
    assert_eq!(refused.status, 409, "{:?}", refused.texts("main"));
}

#[test]
fn a_store_of_before_the_frame_comes_back_as_it_was() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    let before = all_of_before(&mut conn);
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    revert_to_before(&mut conn, FIRST);
    assert_eq!(all_of_before(&mut conn), before);
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    verify(&strongroom);
}

#[test]
fn a_key_is_as_old_after_the_upgrade_as_its_provider_had_told() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.batch_execute("UPDATE provider_facts SET made_at = '2019-03-01'").expect("what a test was told");
    let told = count_on(&mut conn, "provider_facts JOIN credentials c ON c.id = credential_id");
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    assert!(told > 0);
    assert_eq!(count_on(&mut conn, "credentials WHERE aged_from = '2019-03-01' AND aged_from < secret_set_at"), told);
    assert_eq!(count_on(&mut conn, "credentials WHERE made_at IS NULL AND aged_from <> secret_set_at"), 0);
    verify(&strongroom);
    revert_to_before(&mut conn, FIRST);
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    verify(&strongroom);
}

#[test]
fn two_hundred_thousand_images_go_up_and_down_in_seconds() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.batch_execute(&format!(
        "INSERT INTO images (integration_id, repository, tag, digest, size_bytes, platforms, pushed_at)
             SELECT '{SCANNED}', 'team/large-' || n / 100, '1.' || n % 100, 'sha256:' || md5(n::text) || md5(n::text), n,
                 '{{linux/amd64,linux/arm64}}', now() - n * interval '1 minute'
             FROM generate_series(1, 200000) n"
    ))
    .expect("a large inventory");
    let sum = "SELECT count(*), md5(string_agg(i::text, ',' ORDER BY repository, tag)) FROM images i";
    let before = rows(&mut conn, sum);
    let start = Instant::now();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let up = start.elapsed();
    assert_eq!(count_on(&mut conn, "items"), 200_003);
    let counted = "runs WHERE found + kept = 200003 AND state = 'partly'";
    assert_eq!(count_on(&mut conn, counted), 1, "no page has to count them");
    let start = Instant::now();
    revert_to_before(&mut conn, FIRST);
    let down = start.elapsed();
    assert_eq!(rows(&mut conn, sum), before);
    println!("200,000 images: up in {up:?}, down in {down:?}");
    assert!(up < Duration::from_secs(60) && down < Duration::from_secs(60), "{up:?} up, {down:?} down");
}

#[test]
fn the_release_before_knows_no_webhooks_and_keeps_the_rest() {
    let strongroom = load(STORE);
    let mut conn = strongroom.connect();
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let runs = count_on(&mut conn, "runs");
    conn.batch_execute(&format!(
        "INSERT INTO hooks (id, integration_id, secret_hash, made_at, made_by, row_version, row_mac)
             VALUES (gen_random_uuid(), '{SCANNED}', sha256('x'), now(), 'ada', 1, sha256('y'));
         INSERT INTO runs (id, integration_id, state, cause, requested_by, action, places)
             VALUES (gen_random_uuid(), '{SCANNED}', 'succeeded', 'webhook', 'a webhook', 'scan_places', '{{team/app}}'),
             (gen_random_uuid(), '{SCANNED}', 'succeeded', 'webhook', 'a webhook', 'scan', NULL)"
    ))
    .expect("a webhook and its scan");
    revert_to_before(&mut conn, "20261127073000");
    assert_eq!(count_on(&mut conn, "runs"), runs + 1, "a scan of a part would pass for one of the whole");
    assert_eq!(count_on(&mut conn, "pg_tables WHERE tablename = 'hooks'"), 0);
    conn.run_pending_migrations(MIGRATIONS).expect("up again");
    assert_eq!(count_on(&mut conn, "hooks"), 0);
    verify(&strongroom);
}
