//! Checks of single fields that several kinds share: tokens, GUIDs, addresses. Each returns the canonical value or a
//! sentence without the value. Whole documents belong to [`super::document`], certificates and keys to [`super::pem`].

use url::Url;

use crate::{hosts, pasted};

/// A token or key that travels in a header: visible ASCII, no spaces.
pub fn token(value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() {
        return Err("This is blank. Copy the value whole.".to_owned());
    }
    if pasted::is_hidden(value) {
        return Err("A tool has hidden the secret and printed this in its place. Copy the secret itself.".to_owned());
    }
    if let Some(sentence) = pasted::invisible(value) {
        return Err(sentence);
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

/// An identifier that becomes part of a URL path: letters, digits, dots and dashes, at most 128, a letter or digit
/// first.
pub fn is_identifier(value: &str) -> bool {
    value.len() <= 128
        && value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        && !value.contains("..")
}

/// An https address without user, password and fragment, whose host is no cloud's metadata service. What the operator
/// allows is checked where the form is read, see [`super::Kind::address`], and at every use.
pub fn https_url(value: &str) -> Result<Url, String> {
    let scheme = value.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    // A wrong spelling is named as what it is, also where it hides the scheme.
    let parsed = hosts::parse(value);
    if !scheme && !value.contains('\\') {
        return Err("Enter an address that starts with https://.".to_owned());
    }
    let url = parsed?;
    if url.fragment().is_some() {
        return Err("The address must not contain a # part.".to_owned());
    }
    match url.host() {
        Some(host) if !hosts::is_reserved(&host) => Ok(url),
        _ => Err("This host isn't allowed: it is reserved or a cloud metadata service.".to_owned()),
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

#[cfg(test)]
mod tests;
