//! The daily test, which nobody presses.

use strongroom::checkup;

use super::{add_certificate, last};
use crate::credentials::{actions, add, execute, row};
use crate::support::app::TestApp;
use crate::support::sql;

#[actix_web::test]
async fn two_replicas_test_each_due_credential_once_and_tell_of_the_failures() {
    let app = TestApp::start();
    let other = TestApp::replica(app.database.clone(), &[]);
    let mut visit = app.administrator();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(add_certificate(&mut visit, &format!("pair {number}")).await);
    }
    let robot = add(&mut visit, "robot").await;
    let altered = add_certificate(&mut visit, "altered").await;
    execute(&app, &format!("UPDATE credentials SET identity = 'mallory' WHERE id = '{altered}'"));
    execute(&app, "UPDATE credentials SET next_test_at = now() - interval '50 hours'");
    let (ours, theirs) = futures_util::join!(checkup::test_due(&app.services), checkup::test_due(&other.services));
    // The consoles' own clocks may have been first with some.
    assert!(ours.expect("tested") + theirs.expect("tested") <= 13);
    for id in &ids {
        let tested = actions(&app, *id).iter().filter(|action| *action == "credential.tested").count();
        assert_eq!(tested, 1);
        assert_eq!(last(&app, *id).expect("a record").by, "Strongroom");
    }
    assert_eq!(actions(&app, robot), ["credential.created"]);
    assert!(row(&app, altered).integrity_failed_at.is_some() && last(&app, altered).is_none());
    let soon = "credentials WHERE kind = 'certificate' AND next_test_at BETWEEN now() AND now() + interval '1 day'";
    assert_eq!(sql::count(&app, soon), 13, "each is due again at its own moment");
    assert_eq!(checkup::test_due(&app.services).await.expect("nothing due"), 0);
}

#[actix_web::test]
async fn the_daily_tests_can_be_switched_off() {
    use strongroom::config::Tests;
    assert_eq!(TestApp::start_with(&["--test-credentials=off"]).services.settings.test_credentials, Tests::Off);
    assert_eq!(TestApp::start().services.settings.test_credentials, Tests::Daily);
}
