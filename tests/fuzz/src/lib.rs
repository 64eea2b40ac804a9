//! What the fuzz targets do with bytes: everything that people paste and that other machines send is read as the
//! product reads it. None of it may panic, hang, quote a secret, or be read as something else the second time.
//! `script/endurance` runs each target; its seeds are what the tests' forms are filled with.

use libfuzzer_sys::Corpus;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use strongroom::credentials;
use strongroom::draft::Draft;
use strongroom::form::{self, Errors, Field, Values};
use strongroom::integrations::patterns::{Names, check_patterns};
use strongroom::integrations::registries::selection::{Selection, newest_first};
use strongroom::integrations::{Family, Spec, alerts};
use strongroom::providers::egress::Answer;
use strongroom::providers::oci_registry::{Challenge, Manifest, is_digest, next_page, retry_after};
use url::Url;

/// Separates the fields of a form in the input.
pub const BETWEEN: char = '\u{1f}';
/// In the secrets of the seeds: no sentence may hold it.
const CANARY: &str = "CANARY-5f2c";
const LONGEST_SENTENCE: usize = 1_000;

/// The form of a credential's type, filled field by field.
pub fn credential(kind: &str, data: &[u8]) -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let kind = credentials::find(kind).expect("a type");
    let posted = filled(kind.fields, text);
    let values = match form::check(kind.fields, &posted, None) {
        Ok(values) => values,
        Err(errors) => return sentences(&errors),
    };
    assert_eq!(form::check(kind.fields, &values, None).ok().as_ref(), Some(&values), "read otherwise when read again");
    assert_eq!(Values::from_json(&values.to_json()).as_ref(), Some(&values), "another value comes back");
    match Draft::new(kind, "name".to_owned(), String::new(), &values) {
        Ok(draft) => {
            let row = draft.row();
            assert!(!row.facts.contains(CANARY) && !row.identity.contains(CANARY), "a secret would be shown");
            Corpus::Keep
        }
        Err(errors) => sentences(&errors),
    }
}

/// The settings of a provider, which the first byte chooses: registry and webhook addresses, patterns, names.
pub fn settings(data: &[u8]) -> Corpus {
    let Some((first, rest)) = data.split_first() else { return Corpus::Reject };
    let Ok(text) = std::str::from_utf8(rest) else { return Corpus::Reject };
    let providers: Vec<&Spec> = Family::ALL.iter().flat_map(|family| family.providers()).copied().collect();
    let spec = providers[usize::from(*first) % providers.len()];
    let posted = filled(spec.fields, text);
    let values = match form::check(spec.fields, &posted, None) {
        Ok(values) => values,
        Err(errors) => return sentences(&errors),
    };
    assert_eq!(form::check(spec.fields, &values, None).ok().as_ref(), Some(&values), "read otherwise when read again");
    let (address, host) = (spec.address(&values), spec.host(&values));
    assert!(address.is_none() || host.is_some(), "an address without a host would be bound to nothing");
    let _ = (spec.role(&values), spec.assumes(&values, "name"), spec.needs(&values), Selection::of(&values));
    for kind in spec.credential_kinds() {
        let _ = spec.suits(&values, kind, &values);
    }
    Corpus::Keep
}

/// The manifest or index of an image.
pub fn manifest(data: &[u8]) -> Corpus {
    match Manifest::parse(data) {
        Ok(Manifest::Index(children)) => assert!(children.iter().all(|child| is_digest(&child.digest))),
        Ok(Manifest::Image { config, .. }) => assert!(config.is_none_or(|digest| is_digest(&digest))),
        Ok(Manifest::Other { platform, .. }) => assert!(platform.len() <= 98),
        Err(_) => {}
    }
    Corpus::Keep
}

/// The headers that steer us, one a line in this order: WWW-Authenticate, Link, Retry-After, Date.
pub fn headers(data: &[u8]) -> Corpus {
    let mut headers = HeaderMap::new();
    for (name, line) in
        ["www-authenticate", "link", "retry-after", "date"].iter().zip(data.split(|byte| *byte == b'\n'))
    {
        let Ok(value) = HeaderValue::from_bytes(line) else { return Corpus::Reject };
        headers.append(HeaderName::from_static(name), value);
    }
    let challenge = Challenge::of(&headers);
    let answer = Answer { status: 200, headers, body: Vec::new() };
    let current = Url::parse("https://registry.example.com/v2/_catalog").expect("an address");
    if let Ok(Some(next)) = next_page(&answer, &current) {
        assert_eq!(next.origin(), current.origin(), "a list leads elsewhere");
    }
    let _ = (challenge, retry_after(&answer), alerts::pause(&answer));
    Corpus::Keep
}

/// Patterns, names that are left out, and tags, in three lines.
pub fn patterns(data: &[u8]) -> Corpus {
    let Ok(text) = std::str::from_utf8(data) else { return Corpus::Reject };
    let mut parts = text.splitn(3, BETWEEN);
    let (wanted, excluded, tags) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    if check_patterns(wanted).is_err() || check_patterns(excluded).is_err() {
        return Corpus::Keep;
    }
    let names = Names::new(wanted, excluded);
    let mut tags: Vec<String> = tags.split(',').map(str::to_owned).collect();
    for exact in names.exact().into_iter().flatten() {
        assert!(names.take(&exact), "a name that is asked for is not taken");
    }
    let _ = tags.iter().filter(|tag| names.take(tag)).count();
    newest_first(&mut tags);
    let once = tags.clone();
    newest_first(&mut tags);
    assert_eq!(once, tags, "the order depends on the order");
    Corpus::Keep
}

/// Trimmed, since a choice with a space beside it is taken as made, and the fields that depend on it as not asked for.
fn filled(fields: &[Field], text: &str) -> Values {
    fields.iter().zip(text.split(BETWEEN)).map(|(field, value)| (field.name, value)).collect()
}

/// What people are told never repeats a secret, and is short enough to be read.
fn sentences(errors: &Errors) -> Corpus {
    for (field, sentence) in errors.iter() {
        assert!(!sentence.contains(CANARY), "the sentence about {field} repeats a secret");
        assert!(sentence.len() <= LONGEST_SENTENCE, "the sentence about {field} is {} bytes long", sentence.len());
    }
    Corpus::Keep
}
