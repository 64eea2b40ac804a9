//! What needs attention.

use strongroom::accounts::Role;

use crate::support::app::TestApp;
use crate::support::sql;

#[actix_web::test]
async fn an_empty_store_says_that_nothing_needs_anybody() {
    let app = TestApp::start();
    let page = app.user("otto", Role::Auditor).get("/alerts").await;
    assert_eq!((page.status, page.text(".empty h2")), (200, "Nothing needs you".to_owned()));
    assert!(page.text(".empty p").contains("older than 90 days"));
}

#[actix_web::test]
async fn old_expiring_and_altered_credentials_are_listed_with_their_links() {
    let app = TestApp::start();
    let copy = |name: &str, columns: &str| {
        format!(
            "CREATE TEMP TABLE c AS SELECT * FROM credentials WHERE shipped;
             UPDATE c SET id = gen_random_uuid(), name = '{name}', name_key = '{name}', shipped = false, {columns};
             ALTER TABLE c DROP COLUMN search;"
        )
    };
    for (name, columns) in [
        ("old", "ages = true, secret_set_at = now() - interval '91 days'"),
        ("young", "ages = true, secret_set_at = now() - interval '89 days'"),
        ("ageless", "ages = false, secret_set_at = now() - interval '500 days'"),
        ("soon", "expires_at = now() + interval '5 days 1 hour'"),
        ("late", "expires_at = now() + interval '60 days'"),
        ("altered", "integrity_failed_at = now()"),
    ] {
        use diesel::connection::SimpleConnection;
        let columns_of = "id, kind, name, name_key, note, identity, facts, ages, expires_at, shipped, kek_id, wrapped_dek,
            payload, secret_version, secret_set_at, usage_count, last_used_at, integrity_failed_at, created_at, created_by,
            edited_at, edited_by, row_version, row_mac";
        let insert = format!("INSERT INTO credentials ({columns_of}) SELECT {columns_of} FROM c; DROP TABLE c;");
        app.connect().batch_execute(&format!("{}{insert}", copy(name, columns))).expect("a credential");
    }
    let page = app.user("otto", Role::Auditor).get("/alerts").await;
    let listed = |id: &str| page.texts(&format!("section[aria-labelledby={id}] li a"));
    assert_eq!(listed("stale-title"), ["old"]);
    assert_eq!(listed("expiring-title"), ["soon"]);
    assert_eq!(listed("altered-title"), ["altered"]);
    assert_eq!(page.text("section[aria-labelledby=expiring-title] li > span:last-child"), "Expires in 5 days");
    assert!(!page.has(".empty"));
    assert_eq!(sql::count(&app, "credentials"), 7);
}
