//! Prometheus metrics on a listener of their own, which is not for the public: it answers only to names that no
//! stranger can register.

use std::io;
use std::net::SocketAddr;

use actix_web::dev::Server;
use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use url::{Host, Url};

use crate::hosts;
use crate::models::backlog::{self, Backlog};
use crate::services::Services;
use crate::telemetry;

/// What waits is read from the database at each scrape; without it the other numbers are told all the same.
async fn show(services: Data<Services>, request: HttpRequest) -> HttpResponse {
    if !is_known_host(&request, &services) {
        let text = "Ask by address, or list this host name in STRONGROOM_METRICS_HOSTS.\n";
        return HttpResponse::build(StatusCode::MISDIRECTED_REQUEST).body(text);
    }
    let backlog = services.db.run(backlog::look).await;
    metrics::gauge!("strongroom_database_up").set(f64::from(u8::from(backlog.is_ok())));
    publish(backlog.ok());
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(telemetry::render_metrics())
}

fn is_known_host(request: &HttpRequest, services: &Services) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).filter_map(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or_else(|| hosts.next());
    host.is_some_and(|host| may_ask(host, &services.public_url, &services.settings.metrics_hosts))
}

/// A web page can have its own name resolve to this machine and read what answers (DNS rebinding), but only a name that
/// can be registered. So addresses, names without a dot and names of local networks pass, as Prometheus uses them in
/// Kubernetes and Compose; of others the public address's and those that the operator lists.
fn may_ask(host: &str, public: &Url, listed: &[String]) -> bool {
    const LOCAL: [&str; 4] = [".localhost", ".local", ".internal", ".svc"];
    let Ok(url) = hosts::parse(&format!("http://{host}/")) else { return false };
    let Some(Host::Domain(name)) = url.host() else { return true };
    let name = hosts::canonical_name(name);
    !name.contains('.')
        || LOCAL.iter().any(|end| name.ends_with(end))
        || public.host_str() == Some(&*name)
        || listed.iter().any(|other| hosts::canonical_name(other.trim()) == name)
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
pub fn server(services: Data<Services>, at: SocketAddr) -> io::Result<Server> {
    let routes = move || actix_web::App::new().app_data(services.clone()).route("/metrics", web::get().to(show));
    Ok(HttpServer::new(routes).workers(1).disable_signals().bind(at)?.run())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_stranger_could_register_gets_no_metrics() {
        let public = Url::parse("https://strongroom.example.com/").unwrap();
        let listed = ["scrape.corp.example".to_owned()];
        for host in [
            "127.0.0.1:9464",
            "10.42.0.7:9464",
            "[::1]:9464",
            "[fd00::7]",
            "localhost:9464",
            "strongroom:9464",
            "strongroom.vault.svc:9464",
            "strongroom.vault.svc.cluster.local:9464",
            "Strongroom.example.com:9464",
            "scrape.corp.example.:9464",
        ] {
            assert!(may_ask(host, &public, &listed), "{host}");
        }
        for host in
            ["", "evil.example:9464", "strongroom.example.com.evil.example", "a@evil.example", "127.0.0.1.evil.example"]
        {
            assert!(!may_ask(host, &public, &listed), "{host}");
        }
    }
}
