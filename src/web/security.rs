//! What holds for every request and every answer: the headers, one log line, one page for each error. Which requests
//! come in at all is in [`super::admission`]. Handlers need not think of any of it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, ContentType, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpResponse, ResponseError};
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use super::admission::{admit, is_probe};
use super::error::{Error, Problem, Trail};
use super::machines::Shape;
use super::{Route, escapes, hooks, htmx, page, password, problem, recipients};
use crate::models::{self, recipients::Link};
use crate::services::Services;

/// Built from nothing upwards: what is not named is not allowed.
const CSP: &str = concat!(
    "default-src 'none'; ",
    "script-src 'self'; ",      // htmx and our own; nothing inline, no eval
    "style-src 'self'; ",       // the one bundle
    "img-src 'self'; ",         // icons
    "font-src 'self'; ",        // the one typeface
    "connect-src 'self'; ",     // htmx
    "form-action 'self'; ",     // forms post here only
    "frame-ancestors 'none'; ", // no page is framed
    "base-uri 'none'; ",        // no <base> redirects our links
    "object-src 'none'"
);

const ALWAYS: &[(&str, &str)] = &[
    ("content-security-policy", CSP),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Longest that a request waits for a console that has just started.
const START: Duration = Duration::from_secs(2);

/// Around everything.
pub async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let id = Uuid::now_v7().simple().to_string();
    let method = request.method().clone();
    if method == Method::HEAD || (method == Method::OPTIONS && is_probe(request.path())) {
        // Answered as GET (RFC 9110, 9.3.2); the server sends no body to HEAD, since it has read the method already.
        request.head_mut().method = Method::GET;
    }
    let span = tracing::info_span!("request", id = %id, %method, path = loggable(request.path()));
    let response = guarded(request, next).instrument(span.clone()).await;
    let mut response = match response {
        Ok(response) => response,
        Err(panicked) => return Err(panicked.into()),
    };
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    if let Some(problem) = problem {
        response = problem::shown(response, &problem, &id).await;
    }
    let services = response.request().app_data::<Data<Services>>();
    let secure = services.is_some_and(|services| services.secure());
    let is_write = method == Method::POST && Shape::of(response.request().path()).is_none();
    if let Some(services) = services.filter(|_| is_write && response.status().as_u16() < 400) {
        services.wake.totals.notify_one();
    }
    let dynamic = !response.request().path().starts_with("/static/");
    if dynamic
        && response.status() == StatusCode::OK
        && Shape::of(response.request().path()).is_none()
        && let Some(cookie) = page::forget_notice(response.request())
        && !htmx::asked(response.request())
    {
        // A cookie that cannot be written is shown once more, no harm.
        let _ = response.response_mut().add_cookie(&cookie);
    }
    let policy = referrer_policy(response.request().path());
    set_headers(response.headers_mut(), secure, dynamic, policy);
    span.in_scope(|| log(&response, &method, started));
    Ok(response)
}

fn is_mailed_link(path: &str) -> bool {
    [Link::Confirm, Link::Unsubscribe].into_iter().any(|what| recipients::is_link(path, what))
}

/// Keeps our addresses from other sites, and still lets browsers name the true origin of a write: with `no-referrer`
/// they would send `Origin: null`, which is all that they send over plain http (Fetch, "append a request Origin
/// header"). Where the address itself is a proof, not even our own pages get to know more than the origin.
fn referrer_policy(path: &str) -> &'static str {
    if matches!(path, "/setup" | password::PATH) || is_mailed_link(path) || hooks::is_call(path) {
        "strict-origin"
    } else {
        "same-origin"
    }
}

/// The path without the proof that a link from a mail, or the address of a webhook, ends with.
fn loggable(path: &str) -> &str {
    if is_mailed_link(path) {
        return path.rsplit_once('/').map_or(path, |(named, _)| named);
    }
    // Written in escapes it leads there too.
    if path.contains('%') && is_mailed_link(&escapes::decoded(path)) {
        return "/recipients";
    }
    hooks::without_proof(path)
}

async fn guarded(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Panicked> {
    let services = request.app_data::<Data<Services>>().cloned();
    let shape = Shape::of(request.path());
    if let Some(services) = services {
        let admitted = admit(&request, &services);
        if let Err(error) = admitted.and(started(&request, &services).await) {
            let answer = match shape {
                Some(shape) => shape.of_error(&error),
                None => error.error_response(),
            };
            return Ok(request.into_response(answer));
        }
    }
    if request.method() == Method::OPTIONS {
        let methods = HttpResponse::NoContent().insert_header((header::ALLOW, "GET, HEAD, POST, OPTIONS")).finish();
        return Ok(request.into_response(methods));
    }
    // A panic ends its request, not the console.
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => Ok(response.map_into_boxed_body()),
        Ok(Err(_)) => Err(Panicked(shape)),
        Err(_) => {
            tracing::error!("a handler panicked");
            Err(Panicked(shape))
        }
    }
}

/// Waits a little for the audit trail to be read for the first time: before that, no page knows what to rely on.
async fn started(request: &ServiceRequest, services: &Services) -> Result<(), Error> {
    if services.trail.is_followed() || is_probe(request.path()) || request.path().starts_with("/static/") {
        return Ok(());
    }
    if tokio::time::timeout(START, services.trail.followed()).await.is_ok() {
        return Ok(());
    }
    // Perhaps it is the database that does not answer.
    services.db.run(models::clock).await?;
    Err(Error::Trail(Trail::Reading))
}

fn set_headers(headers: &mut HeaderMap, secure: bool, dynamic: bool, referrer: &'static str) {
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static(referrer));
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if dynamic {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("HX-Request"));
    }
    if secure {
        secure_cookies(headers);
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}

/// Every cookie is for https alone, also one that holds no more than a word.
fn secure_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<HeaderValue> = headers.remove(header::SET_COOKIE).collect();
    for cookie in cookies {
        let text = cookie.to_str().unwrap_or_default();
        let marked = match text.contains("; Secure") {
            true => Ok(cookie),
            false => HeaderValue::from_str(&format!("{text}; Secure")),
        };
        // What was a header value is one with a word more.
        if let Ok(marked) = marked {
            headers.append(header::SET_COOKIE, marked);
        }
    }
}

fn log(response: &ServiceResponse<BoxBody>, method: &Method, started: Instant) {
    let status = response.status().as_u16();
    let route = response.request().app_data::<Route>().map_or("other", |route| route.0);
    let seconds = started.elapsed().as_secs_f64();
    metrics::histogram!("strongroom_request_seconds", "method" => method_label(method), "route" => route)
        .record(seconds);
    metrics::counter!("strongroom_requests_total", "status" => status.to_string()).increment(1);
    // Orchestrators ask until the console has started, and see that it stops: neither is a fault.
    let services = response.request().app_data::<Data<Services>>();
    let starts = services.is_some_and(|services| !services.trail.is_followed());
    let stops = services.is_some_and(|services| services.stopping.is_cancelled());
    match status {
        503 if starts || (stops && is_probe(response.request().path())) => tracing::info!(status, seconds, "answered"),
        500.. => tracing::error!(status, seconds, "answered"),
        _ => tracing::debug!(status, seconds, "answered"),
    }
}

/// A closed set, since a visitor may invent methods.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The last resort: says nothing of what happened.
#[derive(Debug)]
struct Panicked(Option<Shape>);

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("internal error")
    }
}

impl ResponseError for Panicked {
    fn error_response(&self) -> HttpResponse {
        let mut response = match self.0 {
            Some(shape) => shape.of_error(&Error::Internal),
            None => HttpResponse::InternalServerError().content_type(ContentType::html()).body(problem::last_resort()),
        };
        set_headers(response.headers_mut(), false, true, "same-origin");
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proof_in_a_path_is_logged_however_it_is_written() {
        assert_eq!(loggable("/recipients/0190/unsubscribe/abcd"), "/recipients/0190/unsubscribe");
        assert_eq!(loggable("/recipients/0190/un%73ubscribe/abcd"), "/recipients");
        assert_eq!(loggable("/%68ooks/0190/abcd"), "/hooks");
        assert_eq!(loggable("/credentials/a%20b"), "/credentials/a%20b");
    }
}
