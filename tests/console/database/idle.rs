//! A server that closes idle connections: nobody notices, and the log stays quiet.

use std::time::Duration;

use strongroom::accounts::Role;

use crate::support::binary::Strongroom;

#[actix_web::test]
async fn field_d06_closed_idle_connections_fail_no_page_and_no_job() {
    let strongroom = Strongroom::founded();
    let database = strongroom.database.as_ref().expect("a database");
    database.administer(&format!("ALTER DATABASE {} SET idle_session_timeout = '300ms'", database.name()));
    let mut visit = strongroom.visit("ada", Role::Administrator);
    let serving = strongroom.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(visit.get("/credentials").await.status, 200);
    }
    let ran = serving.stop();
    assert!(!ran.err.contains("cannot be reached"), "{ran:?}");
}
