//! Somebody who keeps a running console from reading the audit trail, or lets the database answer it otherwise.

use std::time::Duration;

use super::{alerts, look};
use crate::support::app::{TestApp, Visit};
use crate::support::sql;
use crate::support::wait::{until, wait_for};

/// The status of saving a new credential.
async fn save(visit: &mut Visit, name: &str) -> u16 {
    let fields = [("kind", "api_token"), ("name", name), ("token", "TOKEN-1234567890")];
    visit.post("/credentials", &fields).await.status
}

#[actix_web::test]
async fn a_table_that_was_replaced_by_a_view_holds_the_store() {
    for (attack, mend, table) in [
        (
            "ALTER TABLE events RENAME TO kept; CREATE VIEW events AS SELECT * FROM kept",
            "DROP VIEW events; ALTER TABLE kept RENAME TO events",
            "events",
        ),
        (
            "CREATE RULE swallow AS ON UPDATE TO keks WHERE false DO INSTEAD NOTHING",
            "DROP RULE swallow ON keks",
            "keks",
        ),
        ("CREATE TABLE more () INHERITS (events)", "DROP TABLE more", "events"),
        (
            "CREATE TABLE above (theme text NOT NULL); ALTER TABLE users INHERIT above",
            "ALTER TABLE users NO INHERIT above; DROP TABLE above",
            "users",
        ),
        (
            "CREATE FUNCTION public.gen_random_uuid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
             CREATE FUNCTION public.hashtextextended(text, int) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
            "DROP FUNCTION public.hashtextextended(text, int)",
            "functions: the function hashtextextended. What",
        ),
        (
            "CREATE FUNCTION public.same(varchar, varchar) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
             CREATE OPERATOR public.= (leftarg = varchar, rightarg = varchar, function = public.same)",
            "DROP FUNCTION public.same CASCADE",
            "the operator =",
        ),
    ] {
        let app = TestApp::start_with(&["--trail-patience-seconds=4"]);
        let mut ada = app.administrator();
        assert_eq!(save(&mut ada, "before").await, 303);
        sql::run(&app, attack);
        until("the store is held", || app.services.trail.is_held().then_some(())).await;
        let said = ada.get("/credentials").await.text("[data-store-trouble]");
        assert!(said.contains("replaced tables") && said.contains(table), "{said}");
        assert_eq!(save(&mut ada, "meanwhile").await, 503, "{attack}");
        look(&app);
        assert_eq!(alerts(&app), ["the audit trail"]);
        sql::run(&app, mend);
        until("the store goes on", || (!app.services.trail.is_held()).then_some(())).await;
        assert_eq!(save(&mut ada, "after").await, 303, "{attack}");
    }
}

#[actix_web::test]
async fn a_console_that_cannot_read_the_trail_is_not_ready() {
    let app = TestApp::start_with(&["--trail-patience-seconds=2"]);
    let mut ada = app.administrator();
    assert_eq!(ada.get("/readyz").await.status, 200);
    sql::run(&app, "ALTER TABLE audit_lanes RENAME head_mac TO kept");
    let patience = Duration::from_secs(90);
    wait_for("the console is not ready", patience, async || ada.get("/readyz").await.status == 503).await;
    assert!(ada.get("/readyz").await.body.contains("audit trail cannot be read"));
    assert!(app.services.trail.is_held());
    let said = ada.get("/credentials").await.text("[data-store-trouble]");
    assert!(said.contains("audit trail could not be read"), "{said}");
    look(&app);
    assert_eq!(alerts(&app), ["the audit trail"]);
    sql::run(&app, "ALTER TABLE audit_lanes RENAME kept TO head_mac");
    let patience = Duration::from_secs(20);
    wait_for("the console goes on", patience, async || ada.get("/readyz").await.status == 200).await;
    assert!(!app.services.trail.is_held() && !ada.get("/credentials").await.has("[data-store-trouble]"));
    assert_eq!(save(&mut ada, "after").await, 303);
}
