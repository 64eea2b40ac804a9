//! Prometheus metrics on a listener of their own, which is not for the public.

use std::io;
use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::telemetry;

async fn show() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(telemetry::render_metrics())
}

/// Serves `GET /metrics` at an address.
pub fn server(at: SocketAddr) -> io::Result<Server> {
    let server = HttpServer::new(|| App::new().route("/metrics", web::get().to(show))).workers(1).disable_signals();
    Ok(server.bind(at)?.run())
}
