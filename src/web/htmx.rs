//! The only file that spells `HX-`: what htmx says of a request, and what a response says to it.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

/// Whether htmx asks, and so wants a fragment. A visitor who opens the address gets the whole page.
pub fn asked(request: &HttpRequest) -> bool {
    let says =
        |name: &str, value: &str| request.headers().get(name).is_some_and(|found| found.as_bytes() == value.as_bytes());
    says("hx-request", "true") && !says("sec-fetch-dest", "document")
}

/// Sends the whole page elsewhere, where a plain redirect would be swapped into the fragment.
pub fn redirect(response: &mut HttpResponse, to: &str) {
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(HeaderName::from_static("hx-redirect"), to);
    }
}

/// Puts a fragment somewhere else than it was asked for.
pub fn retarget(response: &mut HttpResponse, target: &'static str, swap: &'static str) {
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("hx-retarget"), HeaderValue::from_static(target));
    headers.insert(HeaderName::from_static("hx-reswap"), HeaderValue::from_static(swap));
}

/// Puts an error where notices are shown, whatever the request was for.
pub fn into_notices(response: &mut HttpResponse) {
    retarget(response, "#notices", "innerHTML");
}
