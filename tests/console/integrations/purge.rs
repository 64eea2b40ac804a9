//! Old runs and what they changed are forgotten: all but the last hundred and those of the last 90 days.

use std::sync::Arc;
use std::time::Duration;

use strongroom::models::IntegrationId;

use super::{Form, all_runs, ended};
use crate::support::app::TestApp;
use crate::support::process::wait_for;
use crate::support::sql;

const CLOSED: &str = "http://127.0.0.1:1";

/// Runs that ended so many days ago, `count` of them within one day, each with a change.
fn had_run(app: &TestApp, id: IntegrationId, count: usize, days: usize) {
    sql::run(
        app,
        &format!(
            "INSERT INTO runs (id, integration_id, state, cause, requested_by, queued_at, ended_at)
             SELECT gen_random_uuid(), '{id}', 'succeeded', 'asked', 'ada', at, at FROM generate_series(1, {count}) n,
                 LATERAL (SELECT now() - interval '{days} days' - n * interval '1 minute' AS at) t;
             INSERT INTO item_changes (run_id, place, name, change) SELECT id, 'app', '1', 'added' FROM runs
             ON CONFLICT DO NOTHING"
        ),
    );
}

#[actix_web::test]
async fn runs_are_kept_by_number_and_by_age_and_older_ones_deleted() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let mut ids = Vec::new();
    for name in ["many old", "few old", "many recent", "only old"] {
        let id = Form::new(name, CLOSED).add(&mut visit).await;
        ended(&app, id).await;
        ids.push(id);
    }
    // Each has one run of today.
    had_run(&app, ids[0], 250, 91);
    had_run(&app, ids[1], 50, 400);
    had_run(&app, ids[2], 120, 89);
    had_run(&app, ids[2], 30, 91);
    sql::run(&app, &format!("DELETE FROM runs WHERE integration_id = '{}'", ids[3]));
    had_run(&app, ids[3], 1, 1_000);
    // One of the old runs changed more than one call deletes.
    sql::run(
        &app,
        &format!(
            "INSERT INTO item_changes (run_id, place, name, change) SELECT id, 'app', n::text, 'removed'
             FROM (SELECT id FROM runs WHERE integration_id = '{}' ORDER BY queued_at LIMIT 1) r,
                 generate_series(2, 25000) n",
            ids[0]
        ),
    );
    let expected = [100, 51, 121, 1];
    // A console that starts does this first.
    let other = TestApp::replica(Arc::clone(&app.database), &[]);
    let purged = async || ids.iter().zip(expected).all(|(id, count)| all_runs(&app, *id).len() == count);
    wait_for("old runs are gone", Duration::from_secs(30), purged).await;
    drop(other);
    assert_eq!(ids.iter().map(|id| all_runs(&app, *id).len()).collect::<Vec<_>>(), expected);
    let newest = all_runs(&app, ids[0]).remove(0);
    assert_eq!(newest.cause, "added", "the latest stays");
    assert_eq!(sql::count(&app, "item_changes WHERE run_id NOT IN (SELECT id FROM runs)"), 0);
    assert_eq!(sql::count(&app, "item_changes"), sql::count(&app, "runs"));
}
