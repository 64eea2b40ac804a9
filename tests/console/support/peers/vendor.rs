//! What the vendors' registries share: how a call signs in, pages with a `Link`, and a v2 interface whose tokens are
//! good for one scope each. A page has one entry, so that every list has several.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::Shelf;
use super::tokens;

/// User name and password of a call.
pub fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let pair = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    pair.split_once(':').map(|(name, password)| (name.to_owned(), password.to_owned()))
}

pub fn bearer(call: &Call) -> Option<&str> {
    call.header("authorization")?.strip_prefix("Bearer ")
}

pub fn host(call: &Call) -> String {
    format!("http://{}", call.header("host").expect("HTTP/1.1 has one"))
}

/// One entry of the list, by the parameter `page`, with the links that most vendors give.
pub fn paged(call: &Call, entries: &[Value]) -> Said {
    let number: usize = call.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let link = |page: usize, rel: &str| format!("<{}{}>; rel=\"{rel}\"", host(call), with(call, "page", page));
    let mut links = vec![link(1, "first"), link(entries.len().max(1), "last")];
    if number < entries.len() {
        links.push(link(number + 1, "next"));
    }
    let page: Vec<&Value> = entries.get(number - 1).into_iter().collect();
    Said::json(200, &json!(page)).with("Link", links.join(", "))
}

/// The target of a call with another value of a parameter.
pub fn with(call: &Call, name: &str, value: impl ToString) -> String {
    let query = call.target.split_once('?').unwrap_or_default().1;
    let others = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let mut pairs: Vec<String> = others.map(str::to_owned).collect();
    pairs.push(format!("{name}={}", value.to_string()));
    format!("{}?{}", call.path(), pairs.join("&"))
}

/// The answer of a token server that knows the caller.
pub fn token_for_scope(call: &Call) -> Said {
    let scope = call.query("scope").unwrap_or_default();
    Said::json(200, &json!({"token": tokens::issued(&json!({"scope": scope})), "expires_in": 300}))
}

/// Of a registry's own error format.
pub fn registry_error(status: u16, code: &str) -> Said {
    Said::json(status, &json!({"errors": [{"code": code, "message": UPSTREAM}]}))
}

/// Refuses a call whose token is not one of the token server at `realm` for that scope.
pub fn scoped(call: &Call, realm: &str, scope: &str) -> Result<(), Said> {
    let claims = bearer(call).and_then(tokens::claims);
    if claims.is_some_and(|claims| scope.is_empty() || claims["scope"] == scope) {
        return Ok(());
    }
    let asked = format!("Bearer realm=\"{}{realm}\",service=\"registry\",scope=\"{scope}\"", host(call));
    Err(registry_error(401, "UNAUTHORIZED").with("Www-Authenticate", asked))
}

/// The v2 interface of a registry with the token server at `realm`.
pub fn v2(call: &Call, realm: &str, shelf: &Shelf) -> Result<Said, Said> {
    let rest = call.path().strip_prefix("/v2/").unwrap_or_default();
    let repository = ["/manifests/", "/blobs/", "/tags/list"].iter().find_map(|part| Some(rest.split_once(part)?.0));
    let scope = repository.map(|name| format!("repository:{name}:pull")).unwrap_or_default();
    scoped(call, realm, &scope)?;
    Ok(shelf.answer(call))
}
