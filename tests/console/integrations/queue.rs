//! The queue: one unfinished run an integration, leases, schedules, several replicas, and a console that stops.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use strongroom::models::runs;
use strongroom::models::runs::Run;

use super::{Form, actions, all_runs, ended, last_run, running, scan_now, until};
use crate::support::app::{TestApp, founded};
use crate::support::db::Database;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::process::{PATIENCE, wait_for};
use crate::support::signed;
use crate::support::sql;

const CLOSED: &str = "http://127.0.0.1:1";

/// Answers nothing for as long as anybody waits.
async fn silent() -> Scripted {
    Scripted::start(|_| Reply::Silent).await
}

fn runs_of(database: &Database) -> Vec<Run> {
    runs::recent(&mut database.connect(), 1_000).expect("runs").into_iter().map(|recent| recent.run).collect()
}

#[actix_web::test]
async fn scan_now_pressed_a_hundred_times_makes_one_unfinished_run() {
    let (app, peer) = (TestApp::start(), silent().await);
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    running(&app, id).await;
    let path = format!("/integrations/{id}/runs");
    let presses = (0..100).map(|_| {
        let (mut visit, path) = (visit.clone(), path.clone());
        async move { visit.post(&path, &[]).await.status }
    });
    let statuses = join_all(presses).await;
    // The database may be too busy for some; none is a fault.
    assert!(statuses.iter().all(|status| matches!(status, 303 | 503)), "{statuses:?}");
    assert!(statuses.contains(&303));
    assert_eq!(all_runs(&app, id).len(), 1);
    visit.post(&format!("/integrations/{id}/stop"), &[]).await;
    ended(&app, id).await;
}

#[actix_web::test]
async fn a_run_that_waits_is_stopped_at_once() {
    let (app, peer) = (TestApp::start_with(&["--runs-at-once=1"]), silent().await);
    let mut visit = app.administrator();
    let first = Form::new("first", &peer.url()).add(&mut visit).await;
    running(&app, first).await;
    let second = Form::new("second", &peer.url()).add(&mut visit).await;
    let page = visit.get(&format!("/integrations/{second}")).await;
    assert_eq!(page.text("#run .progress strong"), "Waiting for a free worker");
    visit.post(&format!("/integrations/{second}/stop"), &[]).await;
    assert_eq!(last_run(&app, second).unwrap().state.word(), "stopped");
    visit.post(&format!("/integrations/{first}/stop"), &[]).await;
    assert_eq!(ended(&app, first).await.state.word(), "stopped");
}

#[actix_web::test]
async fn the_run_of_a_dead_replica_is_taken_over() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("app", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    ended(&app, id).await;
    // A claim of somebody else, first with a live lease, then with one that has ended.
    signed::run(
        &app,
        &format!(
            "INSERT INTO runs (id, integration_id, state, cause, requested_by, started_at, lease_until, replica_id, attempts)
             VALUES (gen_random_uuid(), '{id}', 'running', 'asked', 'ada', now(), now() + interval '1 hour',
                 gen_random_uuid(), 1)"
        ),
    );
    let page = visit.post(&format!("/integrations/{id}/runs"), &[]).await;
    assert_eq!(page.status, 303);
    assert_eq!(all_runs(&app, id).len(), 2, "it counts as unfinished");
    sql::run(&app, "UPDATE runs SET lease_until = now() - interval '1 second' WHERE state = 'running'");
    let run = ended(&app, id).await;
    assert_eq!((run.state.word(), run.attempts, run.requested_by.as_str()), ("succeeded", 2, "ada"));
}

#[actix_web::test]
async fn a_run_that_took_three_replicas_with_it_is_not_tried_again() {
    let (app, peer) = (TestApp::start(), silent().await);
    let mut visit = app.administrator();
    let id = Form::new("mirror", CLOSED).add(&mut visit).await;
    ended(&app, id).await;
    signed::run(
        &app,
        &format!(
            "INSERT INTO runs (id, integration_id, state, cause, requested_by, lease_until, replica_id, attempts)
             VALUES (gen_random_uuid(), '{id}', 'running', 'asked', 'ada', now() - interval '1 hour', gen_random_uuid(), 3)"
        ),
    );
    let run = ended(&app, id).await;
    assert_eq!(run.state.word(), "failed");
    assert!(run.error.unwrap().starts_with("The run was interrupted three times."));
    assert!(peer.seen().is_empty());
}

#[actix_web::test]
async fn a_replica_that_lost_its_run_keeps_nothing_of_it() {
    let peer = silent().await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    running(&app, id).await;
    sql::run(&app, "UPDATE runs SET replica_id = gen_random_uuid(), lease_until = now() + interval '1 hour'");
    until("the scan is dropped", || (peer.open() == 0).then_some(())).await;
    let run = last_run(&app, id).unwrap();
    assert_eq!(run.state.word(), "running");
    assert!(!actions(&app, Some(id.0)).iter().any(|action| action.starts_with("scan.")));
    sql::run(&app, "UPDATE runs SET state = 'stopped'");
}

#[actix_web::test]
async fn two_replicas_queue_what_is_due_exactly_once() {
    let database = Arc::new(founded());
    let (app, other) = (TestApp::replica(database.clone(), &[]), TestApp::replica(database.clone(), &[]));
    let mut visit = app.administrator();
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(Form::new(&format!("mirror {number}"), CLOSED).with("schedule", "6").add(&mut visit).await);
    }
    let off = Form::new("off", CLOSED).with("schedule", "6").add(&mut visit).await;
    for id in ids.iter().chain([&off]) {
        ended(&app, *id).await;
    }
    visit.post(&format!("/integrations/{off}/activation"), &[("active", "")]).await;
    sql::run(&app, "UPDATE integrations SET next_run_at = now() - interval '1 second'");
    for id in &ids {
        until("it is queued", || all_runs(&app, *id).iter().any(|run| run.cause == "schedule").then_some(())).await;
        ended(&app, *id).await;
    }
    for id in &ids {
        let scheduled: Vec<Run> = all_runs(&app, *id).into_iter().filter(|run| run.cause == "schedule").collect();
        assert_eq!(scheduled.len(), 1);
        assert_eq!(scheduled[0].requested_by, "Strongroom");
        assert!(super::row(&app, *id).next_run_at.unwrap() > scheduled[0].queued_at);
    }
    assert_eq!(all_runs(&app, off).len(), 1, "one that is off is not due");
    drop(other);
}

#[actix_web::test]
async fn two_hundred_waiting_runs_do_not_keep_pages_waiting() {
    let (app, peer) = (TestApp::start(), silent().await);
    let mut visit = app.administrator();
    let first = Form::new("first", &peer.url()).add(&mut visit).await;
    let row = super::row(&app, first);
    let mut connection = app.connect();
    let actor = strongroom::models::events::Actor::command_line();
    for number in 0..200 {
        let name = format!("mirror {number}");
        let new = strongroom::models::integrations::NewIntegration {
            family: &row.family,
            version: &row.version,
            name: &name,
            credential_id: None,
            host: &row.host,
            further: &[],
            settings: &row.settings,
            every_hours: None,
        };
        let id =
            app.transaction(|conn| strongroom::models::integrations::create(conn, &app.services.vault, &actor, &new));
        runs::queue(&mut connection, &app.services.vault, id, "asked", "ada").unwrap();
    }
    app.services.wake.runs.notify_one();
    // The first may have been given up by now: its server says nothing.
    let one_runs = async || sql::count(&app, "runs WHERE state = 'running'") > 0;
    wait_for("a run is under way", PATIENCE, one_runs).await;
    let started = Instant::now();
    for _ in 0..20 {
        assert_eq!(visit.get("/integrations").await.status, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?} for 20 pages", started.elapsed());
    sql::run(&app, "UPDATE runs SET state = 'stopped', ended_at = now() WHERE state = 'queued'");
    sql::run(&app, "UPDATE runs SET stop_requested = true WHERE state = 'running'");
}

#[actix_web::test]
async fn a_console_that_stops_gives_its_run_back_and_another_takes_it() {
    let peer = silent().await;
    let database = Arc::new(founded());
    let app = TestApp::replica(database.clone(), &[]);
    let id = Form::new("mirror", &peer.url()).add(&mut app.administrator()).await;
    running(&app, id).await;
    let started = Instant::now();
    tokio::task::spawn_blocking(move || drop(app)).await.expect("the console stops");
    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    let run = runs_of(&database).remove(0);
    assert_eq!((run.state.word(), run.attempts), ("queued", 0));
    let next = TestApp::replica(database, &[]);
    running(&next, id).await;
    let mut visit = next.user("grace", strongroom::accounts::Role::Administrator);
    visit.post(&format!("/integrations/{id}/stop"), &[]).await;
    assert_eq!(ended(&next, id).await.id, run.id);
}

#[actix_web::test]
async fn a_scan_of_a_server_that_is_not_there_names_the_host() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", CLOSED).add(&mut visit).await;
    ended(&app, id).await;
    let run = scan_now(&app, &mut visit, id).await;
    assert!(run.error.unwrap().starts_with("Signing in failed: 127.0.0.1:1 could not be reached."));
    assert_eq!(visit.get("/integrations").await.text("tbody .state"), "Failed");
}
