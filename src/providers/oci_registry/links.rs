//! Where a registry points: the next page of a list, and the realm of its tokens. Behind a proxy a registry often does
//! not know that people reach it by https, and writes http and a port of its own. What is on its own host is asked for
//! where it was reached, so that nothing is ever sent in the clear that was not before.

use reqwest::header::LINK;
use url::Url;

use crate::providers::ProviderError;
use crate::providers::addresses::shown;
use crate::providers::egress::Answer;

/// The next page of a list by its `Link` (RFC 8288), always on the origin of `current`; an error where it is on another
/// host.
pub fn next_page(answer: &Answer, current: &Url) -> Result<Option<Url>, ProviderError> {
    let links = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|links| links.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|p| matches!(p.trim(), r#"rel="next""# | "rel=next"));
        is_next.then_some(target)
    });
    next.map(|target| on_host(target, current)).transpose()
}

/// An address that a page names, always on the origin of `current`; an error where it is on another host.
pub(super) fn on_host(target: &str, current: &Url) -> Result<Url, ProviderError> {
    let url = current.join(target).map_err(|_| ProviderError::BadAnswer)?;
    let plain = url.username().is_empty() && url.password().is_none();
    match moved_home(&url, current) {
        Some(mut url) if plain => {
            // A registry below a path may not know it: Artifactory, or any behind a proxy.
            if current.path().ends_with(url.path()) {
                url.set_path(current.path());
            }
            Ok(url)
        }
        _ => Err(ProviderError::Redirected { host: shown(&url) }),
    }
}

/// Where the password is exchanged for a token. On the registry's own host plain http is its own https, behind a proxy
/// that it does not know of. Over plain http the credential goes to a plain registry's own host and port and nowhere
/// else. Another https host is fine, as with Docker Hub and Harbor: the registry that names it could have asked for the
/// password itself.
pub(super) fn realm(announced: &Url, registry: &Url) -> Result<Url, ProviderError> {
    let refused = || {
        let scheme: String = announced.scheme().chars().take(20).collect();
        Err(ProviderError::RealmRefused { realm: format!("{scheme}://{}", shown(announced)) })
    };
    match (announced.scheme(), registry.scheme()) {
        ("https", _) => Ok(announced.clone()),
        ("http", "https") => moved_home(announced, registry).map_or_else(refused, Ok),
        ("http", _) if announced.origin() == registry.origin() => Ok(announced.clone()),
        _ => refused(),
    }
}

/// Where a registry keeps a blob, by its redirect from `current`: any host, and never less encrypted than the registry.
/// `None` when it names no such address.
pub(super) fn store(lead: &Answer, current: &Url) -> Option<Url> {
    let url = lead.location(current)?;
    let encrypted = match url.scheme() {
        "https" => true,
        "http" => current.scheme() == "http",
        _ => false,
    };
    (encrypted && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// The same path and query at the origin of `home`; `None` when the host is another one.
fn moved_home(url: &Url, home: &Url) -> Option<Url> {
    let web = matches!(url.scheme(), "http" | "https");
    if !web || url.host()? != home.host()? {
        return None;
    }
    let mut moved = home.clone();
    moved.set_path(url.path());
    moved.set_query(url.query());
    moved.set_fragment(None);
    Some(moved)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn next(link: &str) -> Result<Option<String>, ProviderError> {
        let mut headers = HeaderMap::new();
        headers.insert(LINK, HeaderValue::from_str(link).unwrap());
        let answer = Answer { status: 200, headers, body: Vec::new() };
        next_page(&answer, &url("https://r.example:8443/v2/_catalog?n=2")).map(|next| next.map(|url| url.to_string()))
    }

    #[test]
    fn the_next_page_is_asked_for_where_the_first_one_was() {
        let expected = Ok(Some("https://r.example:8443/v2/_catalog?last=b".to_owned()));
        for link in
            ["/v2/_catalog?last=b", "http://r.example/v2/_catalog?last=b", "http://r.example:5000/v2/_catalog?last=b"]
        {
            assert_eq!(next(&format!("<{link}>; rel=\"next\"")), expected, "{link}");
        }
        for link in ["http://other.example/v2/", "https://u@r.example:8443/v2/", "ftp://r.example/v2/"] {
            assert!(matches!(next(&format!("<{link}>; rel=next")), Err(ProviderError::Redirected { .. })), "{link}");
        }
        assert_eq!(next("</first>; rel=\"first\""), Ok(None));
    }

    #[test]
    fn the_next_page_of_a_registry_below_a_path_is_below_it_too() {
        let current = url("https://r.example/artifactory/api/docker/local/v2/_catalog?n=2");
        let next = |target: &str| on_host(target, &current).map(|url| url.to_string());
        let expected = Ok("https://r.example/artifactory/api/docker/local/v2/_catalog?last=b".to_owned());
        assert_eq!(next("/v2/_catalog?last=b"), expected);
        assert_eq!(next("/artifactory/api/docker/local/v2/_catalog?last=b"), expected);
        assert_eq!(next("/other?last=b"), Ok("https://r.example/other?last=b".to_owned()));
    }

    #[test]
    fn a_realm_is_never_less_encrypted_than_its_registry() {
        let realm = |announced: &str, registry: &str| realm(&url(announced), &url(registry)).map(|url| url.to_string());
        let https = "https://r.example:8443/";
        assert_eq!(realm("http://r.example/token?a=b", https), Ok("https://r.example:8443/token?a=b".to_owned()));
        assert_eq!(realm("https://auth.example/token", https), Ok("https://auth.example/token".to_owned()));
        assert_eq!(
            realm("http://r.example:5000/t", "http://r.example:5000/"),
            Ok("http://r.example:5000/t".to_owned())
        );
        for (announced, registry) in [
            ("http://auth.example/token", https),
            ("ftp://r.example/token", https),
            ("http://r.example:81/token", "http://r.example/"),
        ] {
            assert!(matches!(realm(announced, registry), Err(ProviderError::RealmRefused { .. })), "{announced}");
        }
    }
}
