//! F5: states of master keys, and the row of the deployment.

use strongroom::models::deployment::{self, BootError};
use strongroom::models::events::Actor;
use strongroom::models::{self, keks};

use super::{alerts, findings, keep, look, put_back};
use crate::support::app::TestApp;
use crate::support::binary::Strongroom;
use crate::support::sql;
use crate::support::wait::until;

#[actix_web::test]
async fn a_retired_master_key_is_not_made_active_by_sql() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    keep(&app, "keks");
    let vault = &app.services.vault;
    app.transaction(|conn| {
        let ids = vault.kek_ids();
        assert_eq!(ids.len(), 1);
        keks::clear_verified(conn, vault, &Actor::command_line())?;
        keks::set_verified(conn, vault, &Actor::command_line(), "by the test")
    });
    put_back(&app, "keks", "id");
    let fields = [("kind", "api_token"), ("name", "token"), ("token", "TOKEN-1234567890")];
    assert_eq!(ada.post("/credentials", &fields).await.status, 503);
    assert_eq!(sql::count(&app, "credentials WHERE name = 'token'"), 0);
    look(&app);
    assert_eq!(alerts(&app), ["the master keys"]);
    assert!(findings(&app).iter().any(|finding| finding.starts_with("keks ")));
    let refused = deployment::check_rows(&mut app.connect(), vault);
    assert_eq!(refused, Err(BootError::Tampered("master key 1".to_owned())));
}

#[actix_web::test]
async fn every_column_of_a_master_key_that_decides_is_signed() {
    let app = TestApp::start();
    for set in ["state = 'pending'", "activated_at = NULL", "verified_at = now()", "row_version = 7"] {
        keep(&app, "keks");
        sql::run(&app, &format!("UPDATE keks SET {set}"));
        let sealed = models::transaction(&mut app.connect(), &|conn: &mut _| keks::active(conn, &app.services.vault));
        assert!(sealed.is_err(), "{set}");
        assert!(!findings(&app).is_empty(), "{set}");
        put_back(&app, "keks", "id");
        assert_eq!(findings(&app), [""; 0]);
    }
}

#[actix_web::test]
async fn a_deployment_row_that_was_changed_or_taken_out_is_alerted_about() {
    let app = TestApp::start();
    for attack in [
        "UPDATE deployment SET created_at = '2099-01-01'",
        "UPDATE deployment SET id = gen_random_uuid()",
        "UPDATE deployment SET row_mac = ''",
        "DELETE FROM deployment",
    ] {
        keep(&app, "deployment");
        sql::run(&app, attack);
        look(&app);
        assert!(alerts(&app).contains(&"the deployment".to_owned()), "{attack}");
        assert!(findings(&app).iter().any(|finding| finding.starts_with("deployment")), "{attack}");
        assert!(deployment::check_rows(&mut app.connect(), &app.services.vault).is_err(), "{attack}");
        sql::run(&app, "DELETE FROM deployment; INSERT INTO deployment SELECT * FROM kept_deployment");
        // The console's own look may have begun before.
        let settled = || {
            look(&app);
            alerts(&app).is_empty().then_some(())
        };
        until("the alert closes", settled).await;
    }
}

/// A signature that is taken away makes no store of this release one of the release before.
#[actix_web::test]
async fn a_store_of_this_release_is_not_signed_anew_at_a_start() {
    let strongroom = Strongroom::founded();
    strongroom.sql("UPDATE deployment SET row_mac = ''");
    for hide in ["SELECT 1", "UPDATE events SET subject_version = NULL", "DELETE FROM events"] {
        strongroom.sql(hide);
        let refused = strongroom.try_serve(&[]).err().expect("it was signed already");
        assert!(refused.status == 78 && refused.err.contains("signed before"), "{hide}: {refused:?}");
    }
}

#[actix_web::test]
async fn signing_anew_takes_no_key_that_the_trail_knows_otherwise() {
    let strongroom = Strongroom::founded();
    strongroom.done(&["key", "add"]);
    strongroom.done(&["key", "activate", "2"]);
    strongroom.sql("UPDATE deployment SET row_mac = ''");
    strongroom.sql("UPDATE keks SET state = 'decrypt_only' WHERE id = 2");
    strongroom.sql("UPDATE keks SET state = 'active' WHERE id = 1");
    let refused = strongroom.run(&["key", "sign"]);
    assert!(refused.status != 0 && refused.err.contains("master key 1"), "{refused:?}");
    strongroom.sql("UPDATE keks SET state = 'decrypt_only' WHERE id = 1");
    strongroom.sql("UPDATE keks SET state = 'active' WHERE id = 2");
    strongroom.done(&["key", "sign"]);
}
