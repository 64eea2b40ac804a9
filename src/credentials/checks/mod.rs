//! Checks of single fields that several kinds share: tokens, GUIDs, addresses. Each returns the canonical value or a
//! sentence without the value. Whole documents belong to [`super::document`], certificates and keys to [`super::pem`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// A token or key that travels in a header: visible ASCII, no spaces.
pub fn token(value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() {
        return Err("This is blank. Copy the value whole.".to_owned());
    }
    if value.chars().all(|c| c.is_ascii_graphic()) {
        Ok(value.to_owned())
    } else {
        Err("This has spaces or characters outside of ASCII. Copy the value whole, without what stands around it."
            .to_owned())
    }
}

/// A user name for Basic authentication, which ends it at the first colon (RFC 7617).
pub fn username(value: &str) -> Result<String, String> {
    if value.contains(':') { Err("A user name cannot contain a colon.".to_owned()) } else { Ok(value.to_owned()) }
}

/// Whether this is a GUID as its owners print it: 8-4-4-4-12 hex digits.
pub fn is_guid(value: &str) -> bool {
    value.len() == 36 && uuid::Uuid::try_parse(value).is_ok()
}

/// 32 hex digits, with or without the dashes of a GUID; canonical without, in lower case.
pub fn guid(value: &str) -> Result<String, String> {
    match (value.len(), uuid::Uuid::try_parse(value)) {
        (32 | 36, Ok(guid)) => Ok(guid.simple().to_string()),
        _ => Err("A GUID has 32 digits from 0-9 and a-f, with or without dashes.".to_owned()),
    }
}

/// An identifier that becomes part of a URL path: letters, digits, dots and dashes, at most 128, a letter or digit first.
pub fn is_identifier(value: &str) -> bool {
    value.len() <= 128
        && value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        && !value.contains("..")
}

/// An https address without user, password and fragment, whose host is no cloud's metadata service. What an
/// integration may reach is the egress policy's decision, at the time of use.
pub fn https_url(value: &str) -> Result<Url, String> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    let scheme = value.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    if !scheme || value.contains(odd) {
        return Err("Enter an address that starts with https://, without spaces.".to_owned());
    }
    let url = Url::parse(value).map_err(|_| "This is no valid address.".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("The address must not contain a user name or password.".to_owned());
    }
    if url.fragment().is_some() {
        return Err("The address must not contain a # part.".to_owned());
    }
    match url.host() {
        Some(host) if !is_metadata(&host) => Ok(url),
        _ => Err("No server of yours has this host: it is reserved, or a cloud's metadata service.".to_owned()),
    }
}

/// The address of a server: https, no query, no slash at the end.
pub fn server_url(value: &str) -> Result<String, String> {
    let url = https_url(value)?;
    if url.query().is_some() {
        return Err("The address must not contain a ? part.".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// The host of an address, with its port where it is not the usual one; blank when there is none.
pub fn host(address: &str) -> String {
    Url::parse(address).map_or_else(|_| String::new(), |url| authority(&url))
}

/// Host and unusual port of a parsed address.
pub fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Addresses that are never a customer's server, whatever the operator allows: link-local and metadata services.
fn is_metadata(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name.is_empty() || matches!(name, "metadata" | "metadata.google.internal" | "metadata.amazonaws.com")
        }
        Host::Ipv4(address) => is_reserved(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_reserved(IpAddr::V6(*address)),
    }
}

fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.octets()[0] == 0
                || v4.is_link_local()
                || v4.octets()[0] >= 224
                || v4 == Ipv4Addr::new(168, 63, 129, 16)
                || v4 == Ipv4Addr::new(100, 100, 100, 200)
        }
        IpAddr::V6(v6) if v6 == Ipv6Addr::LOCALHOST => false,
        IpAddr::V6(v6) => match (v6.to_ipv4(), v6.segments()) {
            (Some(v4), _) => is_reserved(IpAddr::V4(v4)),
            (_, [0x0064, 0xff9b, ..] | [0x2001, 0, ..] | [0x2002, ..] | [0xfd00, 0x0ec2, ..]) => true,
            _ => v6.is_unicast_link_local() || v6.is_multicast(),
        },
    }
}

#[cfg(test)]
mod tests;
