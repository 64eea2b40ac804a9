//! `pg_trgm` where an administrator or a managed service keeps it: in a schema of its own.

use diesel::connection::SimpleConnection;
use strongroom::accounts::Role;

use crate::commands::credentials;
use crate::support::binary::Strongroom;

const ELSEWHERE: &str = "CREATE SCHEMA \"my extensions\";";

async fn finds(strongroom: &Strongroom) {
    let serving = strongroom.serve();
    credentials(&mut strongroom.connect(), &strongroom.vault(), 0..3);
    let mut visit = strongroom.visit("ada", Role::Administrator);
    visit.url.clone_from(&serving.url);
    let page = visit.get("/credentials?q=dential+2").await;
    assert!(page.status == 200 && page.body.contains("credential 2"), "{page:?}");
    assert_eq!(serving.stop().status, 0);
    strongroom.done(&["verify"]);
}

#[actix_web::test]
async fn field_d04_pg_trgm_may_be_in_a_schema_of_its_own() {
    let strongroom = Strongroom::empty();
    let made = format!("{ELSEWHERE} CREATE EXTENSION pg_trgm SCHEMA \"my extensions\"");
    strongroom.connect().batch_execute(&made).expect("the extension is there");
    finds(&strongroom).await;
}

#[actix_web::test]
async fn field_d04_pg_trgm_may_be_moved_under_a_store() {
    let strongroom = Strongroom::founded();
    let moved = format!("{ELSEWHERE} ALTER EXTENSION pg_trgm SET SCHEMA \"my extensions\"");
    strongroom.connect().batch_execute(&moved).expect("the extension is moved");
    finds(&strongroom).await;
}

#[test]
fn field_d04_the_way_back_leaves_an_extension_of_others() {
    use diesel_migrations::MigrationHarness;
    let strongroom = Strongroom::empty();
    let mut conn = strongroom.connect();
    let made = format!("{ELSEWHERE} CREATE EXTENSION pg_trgm SCHEMA \"my extensions\"");
    conn.batch_execute(&made).expect("the extension is there");
    conn.run_pending_migrations(strongroom::models::MIGRATIONS).expect("up");
    conn.revert_all_migrations(strongroom::models::MIGRATIONS).expect("down");
    assert_eq!(super::ask(&mut conn, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"), "1");
}
