//! `WWW-Authenticate` (RFC 9110, section 11.6.1) as registries use it: which way to sign in, and for a token where
//! to get it. Only the reading lives here; [`super::tokens`] acts on it.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use url::Url;

/// What a registry asks for. `Bearer` wins where both are offered, as with Docker's own client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    Basic,
    /// <https://distribution.github.io/distribution/spec/auth/token/>
    Bearer {
        realm: Url,
        service: String,
        scope: String,
    },
}

impl Challenge {
    /// `None` when nothing is asked for that a registry client knows.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let offers: Vec<Offer> = values.flat_map(offers).collect();
        let bearer = offers.iter().filter(|offer| offer.scheme.eq_ignore_ascii_case("bearer")).find_map(|offer| {
            let realm = Url::parse(offer.parameter("realm")?).ok()?;
            let text = |name| offer.parameter(name).unwrap_or_default().to_owned();
            Some(Self::Bearer { realm, service: text("service"), scope: text("scope") })
        });
        let basic = || offers.iter().any(|offer| offer.scheme.eq_ignore_ascii_case("basic")).then_some(Self::Basic);
        bearer.or_else(basic)
    }
}

struct Offer {
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Offer {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Splits one header value. Both offers and their parameters are separated by commas, so a word followed by `=` is
/// a parameter and any other word begins an offer.
fn offers(mut rest: &str) -> Vec<Offer> {
    let mut found: Vec<Offer> = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        rest = after.trim_start();
        match rest.strip_prefix('=') {
            None => found.push(Offer { scheme: word.to_owned(), parameters: Vec::new() }),
            Some(value) => {
                let (value, after) = parameter_value(value.trim_start());
                rest = after;
                if let Some(offer) = found.last_mut() {
                    offer.parameters.push((word.to_owned(), value));
                }
            }
        }
    }
}

/// A token, or a quoted string with its escapes undone; and what follows it.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn of(values: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        Challenge::of(&headers)
    }

    #[test]
    fn a_token_challenge_keeps_commas_inside_its_quoted_scope() {
        let challenge = of(&[
            r#"Bearer realm="https://auth.example.com/token",service="registry",scope="repository:team/app:pull,push""#,
        ]);
        let realm = Url::parse("https://auth.example.com/token").unwrap();
        let (service, scope) = ("registry".to_owned(), "repository:team/app:pull,push".to_owned());
        assert_eq!(challenge, Some(Challenge::Bearer { realm, service, scope }));
    }

    #[test]
    fn basic_is_understood_in_any_case_and_beside_schemes_nobody_knows() {
        assert_eq!(of(&[r#"basic realm="x""#]), Some(Challenge::Basic));
        assert_eq!(of(&[r#"Negotiate, Basic realm="x, y", charset="UTF-8""#]), Some(Challenge::Basic));
        assert_eq!(of(&["Negotiate"]), None);
    }

    #[test]
    fn a_token_is_preferred_where_a_password_is_accepted_too() {
        let both = of(&[r#"Basic realm="x""#, r#"Bearer realm="https://a.example/t",service=plain"#]);
        assert!(matches!(both, Some(Challenge::Bearer { service, .. }) if service == "plain"));
        let one_line = of(&[r#"Basic realm="x", Bearer realm="https://a.example/t""#]);
        assert!(matches!(one_line, Some(Challenge::Bearer { .. })));
    }

    proptest::proptest! {
        #[test]
        fn no_text_upsets_the_reading(text in "[ -~]{0,80}") {
            let mut headers = HeaderMap::new();
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(&text).unwrap());
            let _ = Challenge::of(&headers);
        }
    }

    #[test]
    fn broken_challenges_are_no_challenge() {
        for text in ["", ",,,", "Bearer", r#"Bearer realm="/token""#, r#"="x""#, r#"Bearer realm="unclosed"#] {
            let mut headers = HeaderMap::new();
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(text).unwrap());
            assert_eq!(Challenge::of(&headers), None, "{text}");
        }
    }
}
