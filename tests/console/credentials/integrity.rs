//! Rows that somebody changed beside Strongroom: put aside, while everything else works.

use super::{actions, add, doubt, edit, execute, row, stored};
use crate::support::app::TestApp;

const FIELDS: [(&str, &str); 3] = [("name", "robot"), ("username", "robot"), ("password", "another secret")];

#[actix_web::test]
async fn an_altered_payload_is_quarantined_and_a_new_secret_heals_it() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let other = add(&mut visit, "other").await;
    execute(
        &app,
        &format!(
            "UPDATE secrets SET payload = set_byte(payload, 40, get_byte(payload, 40) # 1) WHERE credential_id = '{id}'"
        ),
    );
    let page = edit(&mut visit, id, &FIELDS).await;
    assert_eq!(page.status, 409);
    assert_eq!(page.text("h1"), "Integrity error");
    assert!(!page.body.contains("another secret") && !page.body.contains("first secret"));
    assert!(row(&app, id).integrity_failed_at.is_some());
    assert!(actions(&app, id).contains(&"credential.integrity_failure".to_owned()));
    assert!(visit.get("/credentials").await.texts(".state").contains(&"Tampered".to_owned()));
    assert!(visit.get(&format!("/credentials/{id}")).await.has("main .notice.is-bad"));
    // All else works.
    let fields = [("name", "other"), ("username", "robot"), ("password", "fresh")];
    assert_eq!(edit(&mut visit, other, &fields).await.status, 303);
    // Blank keeps nothing here; a whole new secret makes it usable again.
    let page = edit(&mut visit, id, &[("name", "robot"), ("username", "robot"), ("password", "")]).await;
    assert_eq!(page.status, 422);
    assert_eq!(edit(&mut visit, id, &FIELDS).await.status, 303);
    assert!(row(&app, id).integrity_failed_at.is_none());
    assert_eq!(stored(&app, id).get("password"), "another secret");
}

#[actix_web::test]
async fn values_swapped_between_two_rows_open_in_neither() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (a, b) = (add(&mut visit, "a").await, add(&mut visit, "b").await);
    execute(
        &app,
        &format!(
            "UPDATE secrets s SET payload = o.payload, wrapped_dek = o.wrapped_dek, kek_id = o.kek_id FROM secrets o
             WHERE (s.credential_id, o.credential_id) IN (('{a}', '{b}'), ('{b}', '{a}'))"
        ),
    );
    for (id, name) in [(a, "a"), (b, "b")] {
        let fields = [("name", name), ("username", "robot"), ("password", "another secret")];
        assert_eq!(edit(&mut visit, id, &fields).await.status, 409, "{name}");
        assert!(row(&app, id).integrity_failed_at.is_some(), "{name}");
    }
}

#[actix_web::test]
async fn a_column_that_was_altered_beside_strongroom_refuses_every_edit() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (number, change) in
        ["identity = 'mallory'", "facts = '{}'", "note = 'x'", "secret_version = 2", "ages = true"].iter().enumerate()
    {
        let name = format!("robot {number}");
        let id = add(&mut visit, &name).await;
        execute(&app, &format!("UPDATE credentials SET {change} WHERE id = '{id}'"));
        let page = visit.get(&format!("/credentials/{id}")).await;
        assert_eq!(page.status, 200, "{change}");
        assert!(page.texts("h1 .badge").contains(&"Integrity error".to_owned()), "{change}");
        assert!(row(&app, id).integrity_failed_at.is_none(), "reading writes nothing");
        for password in ["", "another secret"] {
            let fields = [("name", "x"), ("username", "robot"), ("password", password)];
            let page = edit(&mut visit, id, &fields).await;
            // Once quarantined, a blank secret is the form's business.
            assert!(matches!(page.status, 409 | 422), "{change} {password}: {}", page.status);
        }
        let after = row(&app, id);
        assert!(after.integrity_failed_at.is_some() && after.name == name, "{change}");
        assert!(doubt(&app, id).is_some(), "{change}");
    }
    assert_eq!(visit.get("/credentials").await.status, 200);
}
