//! Which requests come in at all: by the host that they ask for, and a write by the page that it comes from. A request
//! that is refused is logged with what came and what was expected, and the page says the same.

use actix_web::HttpMessage;
use actix_web::dev::{RequestHead, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap};
use url::Url;

use super::error::Error;
use super::machines::Shape;
use super::{hooks, recipients};
use crate::models::recipients::Link;
use crate::services::Services;

/// What load balancers ask, by whatever host name and method they like.
pub fn is_probe(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz")
}

/// A request of a program that was let in as one: handlers for programs answer no other.
#[derive(Clone, Copy)]
pub struct Admitted;

/// Lets a request in, or says why not: [`Error::WrongHost`] or [`Error::CrossSite`].
pub fn admit(request: &ServiceRequest, services: &Services) -> Result<(), Error> {
    if Shape::of(request.path()).is_some() {
        return admit_machine(request, services);
    }
    let (asked, method) = (asked_host(request.head()), request.method());
    // Browsers always name a host, so a check without one is no page's trick (`option httpchk` of HAProxy sends none).
    let is_check = is_probe(request.path()) || (*method == Method::OPTIONS && asked.is_none());
    if !is_check && !asked.is_some_and(|host| is_our_host(host, &services.public_url)) {
        let came = shown(asked.unwrap_or_default());
        tracing::warn!(came, expected = %services.public_url, "a request for another host was refused");
        return Err(Error::WrongHost(wrong_host(&came, &services.public_url)));
    }
    // Safe methods change nothing (RFC 9110, 9.2.1).
    let writes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if writes && !is_same_site(request.headers(), asked, &services.public_url) && !is_one_click(request) {
        let said = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(shown);
        let (site, origin) = (said("sec-fetch-site"), said("origin"));
        tracing::warn!(site, origin, expected = %services.public_url, "a write from another site was refused");
        return Err(cross_site(site.is_some(), origin, &services.public_url));
    }
    Ok(())
}

/// A program sends neither cookies nor where it comes from, and may know the console by names of its own. A browser that
/// is made to call here sends its cookies along: nobody looks at them.
fn admit_machine(request: &ServiceRequest, services: &Services) -> Result<(), Error> {
    let asked = asked_host(request.head());
    let is_ours = |host: &str| is_our_host(host, &services.public_url) || is_machine_host(host, services);
    if !asked.is_some_and(is_ours) {
        let came = shown(asked.unwrap_or_default());
        tracing::warn!(came, expected = %services.public_url, "a program's request for another host was refused");
        let listed = "An administrator lists further names with STRONGROOM_MACHINE_HOSTS.";
        return Err(Error::WrongHost(format!("This console is at {}. {listed}", address(&services.public_url))));
    }
    if request.headers().contains_key(header::COOKIE) {
        return Err(Error::Unread("Programs send no cookies.".to_owned()));
    }
    request.extensions_mut().insert(Admitted);
    Ok(())
}

fn is_machine_host(host: &str, services: &Services) -> bool {
    services.settings.machine_hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// The host that a request asks for, with its port, as the client or a proxy wrote it.
pub fn asked_host(head: &RequestHead) -> Option<&str> {
    let uri = head.uri.authority().map(|authority| authority.as_str());
    uri.or_else(|| head.headers().get(header::HOST).and_then(|host| host.to_str().ok()))
}

/// The address that is asked for, if it came as the console is opened: over https or not.
fn asked_url(host: &str, public: &Url) -> Option<Url> {
    Url::parse(&format!("{}://{host}/", public.scheme())).ok()
}

/// The public address, a literal address (which cannot be rebound by DNS) or this machine's own name for itself.
fn is_our_host(host: &str, public: &Url) -> bool {
    let Some(url) = asked_url(host, public) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => {
            name == "localhost"
                || (Some(name) == public.host_str() && url.port_or_known_default() == public.port_or_known_default())
        }
        Some(_) => true,
        None => false,
    }
}

/// Browsers say where a request comes from; one that says nothing is not one of ours (Fetch Metadata; RFC 6454). Over
/// plain http to another machine they send the origin alone. It must be ours: the public one, or the one that was
/// asked for, which has been admitted already.
fn is_same_site(headers: &HeaderMap, asked: Option<&str>, public: &Url) -> bool {
    let (mut sites, mut origins) = (headers.get_all("sec-fetch-site"), headers.get_all(header::ORIGIN));
    match (sites.next(), origins.next()) {
        // No browser says it twice, and a proxy in between may have believed the other one.
        _ if sites.next().is_some() || origins.next().is_some() => false,
        (Some(site), _) => matches!(site.as_bytes(), b"same-origin" | b"none"),
        (None, origin) => {
            let own = [Some(public.clone()), asked.and_then(|host| asked_url(host, public))];
            let is_own = |origin: &str| own.iter().flatten().any(|url| url.origin().ascii_serialization() == origin);
            origin.and_then(|origin| origin.to_str().ok()).is_some_and(is_own)
        }
    }
}

/// The POST by which a mail program unsubscribes for its reader (RFC 8058), or a registry tells what changed: no browser,
/// no cookie, and the address itself is the proof. A browser that says it comes from elsewhere is not meant.
fn is_one_click(request: &ServiceRequest) -> bool {
    let says = |name: &str| request.headers().contains_key(name);
    (recipients::is_link(request.path(), Link::Unsubscribe) || hooks::is_call(request.path()))
        && request.method() == Method::POST
        && !says("sec-fetch-site")
        && !says("origin")
        && !says("cookie")
}

/// What came, fit for a page and a log line: at most 100 visible characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

fn address(public: &Url) -> &str {
    public.as_str().trim_end_matches('/')
}

fn wrong_host(came: &str, public: &Url) -> String {
    let came = if came.is_empty() { "no host".to_owned() } else { format!("“{came}”") };
    format!(
        "The request asked for {came}, and this console is at {}. Open it there. If your browser shows that address \
         already, a proxy in between changes the Host header and must pass on the browser's, with its port (in nginx: \
         proxy_set_header Host $http_host; the command “strongroom proxy” prints whole configurations). If the console \
         has another address, an administrator sets it with STRONGROOM_PUBLIC_URL.",
        address(public)
    )
}

fn cross_site(by_site: bool, origin: Option<String>, public: &Url) -> Error {
    const ELSEWHERE: &str = "Refused: the request came from another site";
    const UNKNOWN: &str = "Refused: the request doesn't say where it comes from";
    let here = address(public);
    let (title, text) = match origin.as_deref().filter(|origin| !origin.is_empty()) {
        _ if by_site => (ELSEWHERE, "Open the page here in the console and try again.".to_owned()),
        Some("null") => (
            UNKNOWN,
            format!(
                "The browser keeps it back, as some extensions and privacy settings make it do. Switch them off for this \
                 console, or open it at {here} in another browser."
            ),
        ),
        Some(origin) => (
            ELSEWHERE,
            format!(
                "It came from {origin}, and this console is at {here}. Open it there and try again. If {origin} is what \
                 your browser shows for this console, an administrator sets STRONGROOM_PUBLIC_URL to it."
            ),
        ),
        None => (UNKNOWN, format!("Every browser does. A program sends it in the header Origin: {here}.")),
    };
    Error::CrossSite { title, text }
}
