//! Text of an address with its escapes (`%2F`) taken away.

/// As a browser reads it.
pub(super) fn decoded(text: &str) -> String {
    // form_urlencoded decodes like a browser does; the key is the whole text.
    form_urlencoded::parse(text.replace(['&', '=', '+'], "_").as_bytes()).map(|(key, _)| key.into_owned()).collect()
}
