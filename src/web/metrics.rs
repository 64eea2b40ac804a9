//! Prometheus metrics on a listener of their own, which is not for the public.

use std::io;
use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{HttpResponse, HttpServer, web};

use crate::app::App;
use crate::models::backlog::{self, Backlog};
use crate::telemetry;

/// What waits is read from the database at each scrape; without it the other numbers are told all the same.
async fn show(app: Data<App>) -> HttpResponse {
    let backlog = app.db.run(backlog::look).await;
    metrics::gauge!("strongroom_database_up").set(f64::from(u8::from(backlog.is_ok())));
    publish(backlog.ok());
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(telemetry::render_metrics())
}

fn publish(backlog: Option<Backlog>) {
    // An old number would look like a true one.
    let count = |of: fn(&Backlog) -> i64| backlog.as_ref().map_or(f64::NAN, |backlog| of(backlog) as f64);
    let oldest = backlog.map_or(f64::NAN, |backlog| backlog.oldest_message_seconds);
    metrics::gauge!("strongroom_messages_waiting").set(count(|backlog| backlog.messages_waiting));
    metrics::gauge!("strongroom_message_oldest_seconds").set(oldest);
    metrics::gauge!("strongroom_messages_parked").set(count(|backlog| backlog.messages_parked));
    metrics::gauge!("strongroom_runs_unfinished", "state" => "queued").set(count(|backlog| backlog.runs_queued));
    metrics::gauge!("strongroom_runs_unfinished", "state" => "running").set(count(|backlog| backlog.runs_running));
    metrics::gauge!("strongroom_alerts_open").set(count(|backlog| backlog.alerts_open));
}

/// Serves `GET /metrics` at an address.
pub fn server(app: Data<App>, at: SocketAddr) -> io::Result<Server> {
    let routes = move || actix_web::App::new().app_data(app.clone()).route("/metrics", web::get().to(show));
    Ok(HttpServer::new(routes).workers(1).disable_signals().bind(at)?.run())
}
