//! Inventories that take long to save: the page shows how far it is, the lease is kept alive, and a run that is
//! stopped or lost meanwhile leaves nothing behind. With STRONGROOM_TEST_FULL=1 at the size that a scan may have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::json;
use strongroom::models::IntegrationId;

use super::{Form, actions, last_run, scan_now};
use crate::support::app::{TestApp, Visit};
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::process::wait_for;
use crate::support::sql;

const TAGS: usize = 1_000;

/// Tags of so many repositories, a thousand each; more than one statement saves.
fn repositories() -> usize {
    if std::env::var_os("STRONGROOM_TEST_FULL").is_some_and(|full| full == "1") { 200 } else { 5 }
}

fn patience() -> Duration {
    Duration::from_secs(60 * repositories() as u64)
}

/// A registry that changes one tag, drops one and adds one when `later` is set.
async fn registry(later: Arc<AtomicBool>) -> Scripted {
    let names: Vec<String> = (0..repositories()).map(|number| format!("team/app-{number}")).collect();
    Scripted::start(move |path| {
        let later = later.load(Ordering::SeqCst);
        match path {
            "/v2/" => Reply::json(json!({})),
            path if path.starts_with("/v2/_catalog") => Reply::json(json!({"repositories": names})),
            path if path.contains("/tags/list") => {
                let first = usize::from(later && path.contains("/app-0/"));
                Reply::json(json!({"tags": (first..TAGS + first).map(|tag| format!("1.{tag}")).collect::<Vec<_>>()}))
            }
            path => {
                let changed = later && path.ends_with("/app-0/manifests/1.7");
                Reply::json(
                    json!({"schemaVersion": 2, "manifests": [], "annotations": {"changed": changed.to_string()}}),
                )
            }
        }
    })
    .await
}

/// Holds the second batch of images back until the table `gate` has a row.
const GATE: &str = "CREATE TABLE gate (open bool); CREATE SEQUENCE batches;
    CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('batches') > 1 THEN
            WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER pass AFTER INSERT ON items EXECUTE FUNCTION pass()";

/// An integration whose first inventory is half saved.
async fn half_saved(app: &TestApp, visit: &mut Visit, peer: &Scripted) -> IntegrationId {
    sql::run(app, GATE);
    let id = Form::new("mirror", &peer.url()).with("cap", "0").add(visit).await;
    let path = format!("/integrations/{id}");
    let shown = format!("2,000 of {},000 images", repositories());
    wait_for("the page shows how far the saving is", patience(), async || {
        let page = visit.get(&path).await;
        page.texts("#run .progress strong") == ["Saving"] && page.texts("#run .progress small") == [shown.as_str()]
    })
    .await;
    id
}

fn lease(app: &TestApp) -> DateTime<Utc> {
    #[derive(diesel::QueryableByName)]
    struct Lease {
        #[diesel(sql_type = diesel::sql_types::Timestamptz)]
        lease_until: DateTime<Utc>,
    }
    let query = diesel::sql_query("SELECT lease_until FROM runs WHERE state = 'running'");
    diesel::RunQueryDsl::get_result::<Lease>(query, &mut app.connect()).expect("a lease").lease_until
}

async fn finished(app: &TestApp, id: IntegrationId) -> strongroom::models::runs::Run {
    let ended = async || last_run(app, id).is_some_and(|run| !run.unfinished());
    wait_for("the run ends", patience(), ended).await;
    last_run(app, id).expect("a run")
}

/// Until no transaction of the console writes images.
async fn settled(app: &TestApp) {
    let writing =
        "pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'items' AND mode = 'RowExclusiveLock'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    wait_for("nobody saves", patience(), async || sql::count(app, writing) == 0).await;
}

#[actix_web::test]
async fn a_large_inventory_is_saved_under_a_lease_and_with_progress() {
    let later = Arc::new(AtomicBool::new(false));
    let peer = registry(Arc::clone(&later)).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = half_saved(&app, &mut visit, &peer).await;
    let (first, begun) = (lease(&app), Instant::now());
    // Longer than a page waits for its transaction, and than its statements may take.
    let renewed = async || lease(&app) - first > chrono::TimeDelta::seconds(6);
    wait_for("the lease is renewed again and again", Duration::from_secs(30), renewed).await;
    assert!(begun.elapsed() > Duration::from_secs(5));
    assert_eq!(sql::count(&app, "items"), 0, "nobody sees half an inventory");
    sql::run(&app, "INSERT INTO gate VALUES (true)");
    let run = finished(&app, id).await;
    let all = i32::try_from(repositories() * TAGS).expect("a number");
    assert_eq!((run.state.word(), run.error, run.attempts), ("succeeded", None, 1));
    assert_eq!((run.found, run.added, run.changed, run.removed), (all, all, 0, 0));
    assert_eq!(sql::count(&app, "items"), i64::from(all));
    assert_eq!(sql::count(&app, "item_changes"), 0, "all of the first inventory is new");

    later.store(true, Ordering::SeqCst);
    visit.post(&format!("/integrations/{id}/runs"), &[]).await;
    let run = finished(&app, id).await;
    assert_eq!((run.found, run.added, run.changed, run.removed), (all, 1, 1, 1));
    assert_eq!(sql::count(&app, "items"), i64::from(all));
    assert_eq!(sql::count(&app, "items WHERE place = 'team/app-0' AND name = '1.1000'"), 1);
}

#[actix_web::test]
async fn a_run_that_is_lost_while_it_is_saved_saves_nothing() {
    let peer = registry(Arc::default()).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = half_saved(&app, &mut visit, &peer).await;
    sql::run(&app, "UPDATE runs SET replica_id = gen_random_uuid(), lease_until = now() + interval '1 hour'");
    sql::run(&app, "INSERT INTO gate VALUES (true)");
    settled(&app).await;
    assert_eq!(last_run(&app, id).map(|run| run.state.word()), Some("running"), "it is the other replica's");
    assert_eq!((sql::count(&app, "items"), sql::count(&app, "item_changes")), (0, 0));
    assert!(!actions(&app, Some(id.0)).iter().any(|action| action.starts_with("scan.")));
    sql::run(&app, "UPDATE runs SET state = 'stopped'");
}

#[actix_web::test]
async fn a_run_that_is_stopped_while_it_is_saved_saves_nothing() {
    let peer = registry(Arc::default()).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = half_saved(&app, &mut visit, &peer).await;
    visit.post(&format!("/integrations/{id}/stop"), &[]).await;
    // The lease is renewed once more, and so the worker knows.
    let first = lease(&app);
    wait_for("the worker has seen it", patience(), async || lease(&app) - first > chrono::TimeDelta::seconds(2)).await;
    sql::run(&app, "INSERT INTO gate VALUES (true)");
    assert_eq!(finished(&app, id).await.state.word(), "stopped");
    assert_eq!((sql::count(&app, "items"), sql::count(&app, "item_changes")), (0, 0));
    let run = scan_now(&app, &mut visit, id).await;
    assert_eq!(run.state.word(), "succeeded", "the next one does");
}
