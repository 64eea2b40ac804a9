//! What a trusted proxy says about a request that it passes on: whose it is, and whether it came over https. Anybody
//! may send these headers, so they count only from STRONGROOM_TRUSTED_PROXIES, and only the one header that the proxy
//! is known to set.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::web::Data;
use url::{Host, Url};

use super::admission::asked_host;
use crate::config::ForwardedHeader;
use crate::services::Services;

/// The visitor's address as text: see [`client_ip`].
pub fn client_address(request: &HttpRequest, services: &Services) -> String {
    client_ip(request, services).to_string()
}

/// The visitor's address: the peer, or behind a trusted proxy the last hop that is no trusted proxy.
pub fn client_ip(request: &HttpRequest, services: &Services) -> IpAddr {
    let peer = peer(request);
    let proxies = &services.settings.trusted_proxies;
    if !proxies.contains(peer) {
        return peer;
    }
    let hops = match services.settings.forwarded_header {
        ForwardedHeader::XForwardedFor => x_forwarded_for(request),
        ForwardedHeader::Forwarded => forwarded(request, "for"),
    };
    // From the right, since a visitor may write what they like on the left.
    for hop in hops.iter().rev() {
        match address(hop) {
            Some(address) if proxies.contains(address) => {}
            Some(address) => return address,
            None => return peer,
        }
    }
    peer
}

/// Whether the proxy says that the visitor came to it over https.
pub fn came_by_https(request: &HttpRequest, services: &Services) -> bool {
    if !services.settings.trusted_proxies.contains(peer(request)) {
        return false;
    }
    let said = match services.settings.forwarded_header {
        ForwardedHeader::XForwardedFor => listed(request, "x-forwarded-proto"),
        ForwardedHeader::Forwarded => forwarded(request, "proto"),
    };
    said.last().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

fn peer(request: &HttpRequest) -> IpAddr {
    request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical())
}

fn x_forwarded_for(request: &HttpRequest) -> Vec<String> {
    listed(request, "x-forwarded-for")
}

/// The items of a header that is a list with commas, in all its lines.
fn listed(request: &HttpRequest, name: &str) -> Vec<String> {
    let lines = request.headers().get_all(name).filter_map(|value| value.to_str().ok());
    lines.flat_map(|value| value.split(',')).map(|item| item.trim().to_owned()).collect()
}

/// One parameter of every element of `Forwarded` (RFC 7239, section 4); blank where an element lacks it.
fn forwarded(request: &HttpRequest, parameter: &str) -> Vec<String> {
    let lines = request.headers().get_all("forwarded").filter_map(|value| value.to_str().ok());
    let elements = lines.flat_map(|line| split(line, ','));
    let value = |element: &str| {
        let pairs = split(element, ';');
        let mut pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(parameter));
        found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    elements.map(|element| value(&element)).collect()
}

/// Splits where the mark stands outside of quotes; quotes stay.
fn split(text: &str, mark: char) -> Vec<String> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in text.chars() {
        if c == mark && !quoted {
            parts.push(String::new());
            continue;
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

/// A hop as proxies write it: bare, with a port, in brackets, in quotes. `None` for what hides or is no address.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let hop = hop.strip_prefix('"').and_then(|hop| hop.strip_suffix('"')).unwrap_or(hop);
    let bare = || hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop).parse::<IpAddr>().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    bare().or_else(with_port).map(|address| address.to_canonical())
}

/// Whether what a visitor types crosses a network in clear: plain http, and not on one machine.
pub fn in_clear(request: &HttpRequest) -> bool {
    let services = request.app_data::<Data<Services>>().filter(|services| !services.secure());
    services.is_some_and(|services| !is_on_this_machine(request) && !came_by_https(request, services))
}

/// Whether the browser runs here, by the host that it asks for.
fn is_on_this_machine(request: &HttpRequest) -> bool {
    let host = asked_host(request.head()).unwrap_or_default();
    Url::parse(&format!("http://{host}/")).is_ok_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn field_p02_a_hop_may_have_a_port_brackets_and_quotes() {
        for (hop, found) in [
            ("198.51.100.9", Some("198.51.100.9")),
            ("198.51.100.9:50001", Some("198.51.100.9")),
            ("\"198.51.100.9:50001\"", Some("198.51.100.9")),
            ("2001:db8::7", Some("2001:db8::7")),
            ("[2001:db8::7]", Some("2001:db8::7")),
            ("\"[2001:db8::7]:443\"", Some("2001:db8::7")),
            ("::ffff:198.51.100.9", Some("198.51.100.9")),
            ("unknown", None),
            ("_hidden", None),
            ("", None),
            ("198.51.100.9:99999", None),
            ("198.51.100.9, 1.2.3.4", None),
        ] {
            assert_eq!(address(hop), found.map(|found| found.parse().unwrap()), "{hop}");
        }
    }

    #[test]
    fn field_p02_forwarded_is_read_with_its_quotes() {
        let request = TestRequest::default()
            .append_header(("forwarded", "for=192.0.2.60;proto=http;by=\"a,b;c\", For=\"[2001:db8:cafe::17]:4711\""))
            .append_header(("forwarded", "proto=https; for=_x, host=\"a\\\"b,c\""))
            .to_http_request();
        assert_eq!(forwarded(&request, "for"), ["192.0.2.60", "\"[2001:db8:cafe::17]:4711\"", "_x", ""]);
        assert_eq!(forwarded(&request, "proto"), ["http", "", "https", ""]);
    }
}
