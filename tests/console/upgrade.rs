//! A store that the release before wrote, with all types, usages, runs, alerts and users in it, brought up to this
//! release and back. `stores/` holds it as `pg_dump` wrote it; the keys of its ring follow from phrases, so that no key
//! lies here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel_migrations::MigrationHarness;
use sha2::{Digest, Sha256};
use strongroom::models::schema::credentials as columns;
use strongroom::models::{CredentialId, credentials, integrations, recipients, users};
use strongroom::vault::Vault;
use uuid::Uuid;

use crate::login::{log_in, two_step};
use crate::support::app::{PASSWORD, Visit};
use crate::support::binary::Strongroom;
use crate::support::sql::count_on;

mod account_letters;
mod clients;
mod discovery;
mod frame;
mod labels;
mod make;
mod snoozed;

const STORE: &str = include_str!("stores/release_0_1_0.sql");
/// Refused by the release before: its payload was changed by SQL.
const ALTERED: &str = "01a21812-7962-77f9-a7d2-a46049db4d9e";
const USED_CODES: [&str; 2] = ["bqfsq-ymtbw", "c4w5t-zfjds"];
/// Of ada's authenticator.
const AUTHENTICATOR: &str = "YPAY5ULROBDEAL7DFVSAHD777RSMVIHS";

/// The key ring of a test's store: its keys follow from phrases, so that no key lies in the repository.
fn write_ring(strongroom: &Strongroom) {
    let key = |phrase: &str| STANDARD.encode(Sha256::digest(format!("strongroom test store, {phrase}")));
    strongroom.write_keyring(&format!(
        "{{\"use\":\"wrap\",\"id\":1,\"created\":\"2026-11-01T00:00:00Z\",\"key\":\"{}\"}}\n\
         {{\"use\":\"mac\",\"created\":\"2026-11-01T00:00:00Z\",\"key\":\"{}\"}}\n",
        key("master key 1"),
        key("mac key")
    ));
}

fn store() -> Strongroom {
    load(STORE)
}

fn load(dump: &str) -> Strongroom {
    let strongroom = Strongroom::empty();
    write_ring(&strongroom);
    strongroom.connect().batch_execute(dump).expect("the store of an earlier release");
    strongroom
}

/// Every credential but the altered one opens; how many there are.
fn opened(conn: &mut PgConnection, vault: &Vault) -> usize {
    let rows = credentials::page(conn, vault, Uuid::nil(), 1_000).expect("rows");
    for row in &rows {
        let id = row.shown().id;
        let (row, sealed) = credentials::find_sealed(conn, vault, id).expect("a row");
        let opens = row.trust().ok().is_some_and(|row| vault.open(&row.context(), &sealed).is_ok());
        assert_eq!(opens, id.to_string() != ALTERED, "{id}");
    }
    rows.len()
}

/// The altered credential and nothing else is named.
fn verify(strongroom: &Strongroom) {
    let ran = strongroom.run(&["verify"]);
    let named: Vec<&str> = ran.out.lines().filter(|line| !line.contains("opened, ")).collect();
    assert!(ran.status == 1 && !named.is_empty(), "{ran:?}");
    assert!(named.iter().all(|line| line.starts_with(&format!("credentials {ALTERED}"))), "{ran:?}");
}

#[actix_web::test]
async fn a_store_of_the_release_before_is_whole_after_the_upgrade() {
    let strongroom = store();
    let before = |table: &str| count_on(&mut strongroom.connect(), table);
    let tables = ["credentials", "integrations", "recipients", "users", "runs", "channels"];
    let counts: Vec<i64> = tables.iter().map(|table| before(table)).collect();
    let alerts = before("alerts");
    let serving = strongroom.serve();
    assert_eq!(tables.iter().map(|table| before(table)).collect::<Vec<_>>(), counts);
    // What the clock has brought about since is added.
    assert!(before("alerts") >= alerts);
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    assert_eq!(opened(&mut conn, &vault), 14);
    for row in integrations::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows") {
        assert_eq!(row.doubt(), None, "{}", row.shown().name);
    }
    assert!(recipients::page(&mut conn, &vault, Uuid::nil(), 100).expect("rows").iter().all(|r| r.doubt().is_none()));
    verify(&strongroom);
    // People come in as before, and a used code stays used.
    let mut otto = Visit::to(&serving.url);
    assert_eq!(log_in(&mut otto, "otto", &format!("{PASSWORD}1")).await.status, 303);
    let mut ada = Visit::to(&serving.url);
    log_in(&mut ada, "ada", PASSWORD).await;
    for code in USED_CODES {
        assert_eq!(two_step::post_code(&mut ada, code).await.status, 422);
    }
    let code = two_step::code_at(&mut conn, AUTHENTICATOR, 0);
    assert_eq!(two_step::post_code(&mut ada, &code).await.status, 303);
    let page = ada.get("/alerts/settings").await;
    assert_eq!(page.attributes("input[name=days_azure]", "value"), ["45"]);
    assert!(!page.has("[data-settings-doubt]"));
    assert_eq!(ada.get(&format!("/credentials/{ALTERED}")).await.attributes("[data-doubt]", "data-doubt").len(), 1);
    // Signed once: a row with a former check is not signed again at the next start.
    drop(serving);
    let former = "UPDATE users SET row_mac = substring(row_mac FROM octet_length(row_mac) - 31), name = 'mallory'
                  WHERE name = 'olga'";
    strongroom.sql(former);
    let serving = strongroom.serve();
    let seen = users::find_by_key(&mut conn, &vault, "olga").expect("read").expect("a user");
    assert!(seen.doubt().is_some());
    drop(serving);
    strongroom.sql("UPDATE deployment SET row_mac = ''");
    for hidden in ["SELECT 1", "DELETE FROM events WHERE action = 'store.signed'"] {
        strongroom.sql(hidden);
        let refused = strongroom.try_serve(&[]).err().expect("the trail knows that the store was signed");
        assert!(refused.status == 78 && refused.err.contains("key sign"), "{refused:?}");
    }
}

/// The check of the release before, over the columns of a credential, as it computed it.
fn former_check(vault: &Vault, row: &credentials::Credential) -> Vec<u8> {
    let parts: [&[u8]; 11] = [
        row.id.0.as_bytes(),
        row.kind.as_bytes(),
        row.name.as_bytes(),
        row.note.as_bytes(),
        row.identity.as_bytes(),
        row.facts.as_bytes(),
        &[u8::from(row.ages), u8::from(row.shipped)],
        &row.expires_at.map_or(i64::MIN, |at| at.timestamp_micros()).to_be_bytes(),
        &row.secret_version.to_be_bytes(),
        &row.secret_set_at.timestamp_micros().to_be_bytes(),
        &row.row_version.to_be_bytes(),
    ];
    vault.mac("credentials", &parts)
}

/// Goes back over the migration of that version and all later ones.
fn revert_to_before(conn: &mut PgConnection, version: &str) {
    while conn.applied_migrations().expect("versions").iter().any(|applied| applied.to_string() == version) {
        conn.revert_last_migration(strongroom::models::MIGRATIONS).expect("down");
    }
}

#[actix_web::test]
async fn runs_with_gaps_go_back_to_what_the_release_before_called_them() {
    let strongroom = store();
    let mut conn = strongroom.connect();
    conn.batch_execute(
        "INSERT INTO runs (id, integration_id, state, cause, requested_by, images)
             SELECT gen_random_uuid(), id, 'succeeded', 'asked', 'ada', 1 FROM integrations LIMIT 1;
         INSERT INTO images (integration_id, repository, tag, digest, size_bytes, platforms)
             SELECT id, 'team/app', '1', 'sha256:0', 1, '{}' FROM integrations LIMIT 1",
    )
    .expect("a scan of the release before");
    conn.run_pending_migrations(strongroom::models::MIGRATIONS).expect("up");
    let runs = count_on(&mut conn, "runs");
    assert!(runs > 0 && count_on(&mut conn, "runs WHERE gaps = 0 AND named_gaps = '[]'") == runs);
    let images = count_on(&mut conn, "items WHERE NOT kept");
    assert!(images > 0 && images == count_on(&mut conn, "items"));
    conn.batch_execute(
        "UPDATE runs SET state = 'partly', gaps = 1, error = 'Listing the tags of a failed.' WHERE state = 'succeeded';
         UPDATE items SET kept = true",
    )
    .expect("a run with gaps");
    let partly = count_on(&mut conn, "runs WHERE state = 'partly'");
    revert_to_before(&mut conn, "20261126140000");
    let failed = "runs WHERE state = 'failed' AND error = 'Listing the tags of a failed.' AND failed_step IS NOT NULL";
    assert!(partly > 0 && count_on(&mut conn, failed) == partly);
    assert_eq!((count_on(&mut conn, "runs"), count_on(&mut conn, "images")), (runs, images));
    conn.run_pending_migrations(strongroom::models::MIGRATIONS).expect("up again");
    assert_eq!(count_on(&mut conn, "items WHERE NOT kept"), images);
}

#[actix_web::test]
async fn the_way_back_leaves_what_the_release_before_can_read() {
    let strongroom = store();
    let serving = strongroom.serve();
    let mut ada = strongroom.visit("grace", strongroom::accounts::Role::Administrator);
    ada.url = serving.url.clone();
    let fields = [("kind", "api_token"), ("name", "made since"), ("token", "TOKEN-1234567890")];
    assert_eq!(ada.post("/credentials", &fields).await.status, 303);
    drop(serving);
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let rows: Vec<credentials::Credential> =
        columns::table.select(credentials::Credential::as_select()).load(&mut conn).expect("rows");
    revert_to_before(&mut conn, "20261126120000");
    let checks: Vec<(CredentialId, Vec<u8>)> =
        columns::table.select((columns::id, columns::row_mac)).load(&mut conn).expect("rows");
    for row in &rows {
        let (_, check) = checks.iter().find(|(id, _)| *id == row.id).expect("the same rows");
        assert_eq!(*check, former_check(&vault, row), "{}", row.name);
    }
    assert_eq!(count_on(&mut conn, "recovery_codes"), 8);
    // And up again, which the operator must say.
    assert_eq!(strongroom.try_serve(&[]).err().expect("it may be an attack").status, 78);
    strongroom.done(&["key", "sign"]);
    verify(&strongroom);
    assert_eq!(opened(&mut conn, &vault), 15);
    drop(strongroom.serve());
}

#[actix_web::test]
async fn what_strongroom_never_writes_is_mended_by_the_upgrade() {
    let strongroom = store();
    let mut conn = strongroom.connect();
    conn.batch_execute(
        "UPDATE alerts SET opened_at = 'infinity', notices = 2147483647;
         UPDATE deliveries SET attempts = 2147483647, created_at = '-infinity'",
    )
    .expect("a store that somebody altered");
    let (alerts, deliveries) = (count_on(&mut conn, "alerts"), count_on(&mut conn, "deliveries"));
    for _ in 0..2 {
        conn.run_pending_migrations(strongroom::models::MIGRATIONS).expect("up");
        let mended = "alerts WHERE isfinite(opened_at) AND notices <= 1000000 AND row_mac = ''";
        assert!(alerts > 0 && count_on(&mut conn, mended) == alerts);
        assert_eq!(count_on(&mut conn, "deliveries WHERE isfinite(created_at) AND attempts <= 1000000"), deliveries);
        revert_to_before(&mut conn, "20261126180000");
        conn.batch_execute("UPDATE alerts SET opened_at = 'infinity', notices = 2147483647").expect("no checks");
    }
}
