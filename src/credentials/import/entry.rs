//! An entry of a secret store: the credential that its keys are by their names. What is no pair, document or certificate
//! that is known is one access token.

use zeroize::Zeroizing;

use super::contents::{Candidate, Contents};
use super::kubeconfig;
use crate::credentials::{Kind, api_token, aws, azure, basic, certificate, gcp};
use crate::form::Values;

/// Names that the members of a pair go by, in small letters and without their separators.
const ACCESS_KEYS: [&str; 3] = ["accesskeyid", "awsaccesskeyid", "accesskey"];
const SECRET_KEYS: [&str; 3] = ["secretaccesskey", "awssecretaccesskey", "secretkey"];
const USERS: [&str; 4] = ["username", "user", "login", "robot"];
const PASSWORDS: [&str; 4] = ["password", "pass", "passwd", "pwd"];
const CERTIFICATES: [&str; 4] = ["certificate", "tlscrt", "crt", "cert"];
const PRIVATE_KEYS: [&str; 4] = ["privatekey", "tlskey", "keypem", "key"];
const TOKENS: [&str; 8] = ["token", "apitoken", "accesstoken", "apikey", "authtoken", "bearertoken", "value", "secret"];

/// What an entry gives, under its own name. No sentence repeats a value.
pub fn entry(contents: &mut Contents, entry: &str, keys: &Values) {
    let name = entry.rsplit('/').next().unwrap_or(entry);
    if let Some(text) = kubeconfig_in(keys) {
        match kubeconfig::contexts(text) {
            Some(Ok(found)) => {
                let of = |candidate: Candidate| Candidate { place: entry.to_owned(), ..candidate };
                contents.candidates.extend(found.candidates.into_iter().map(of));
                contents.skipped.extend(found.skipped);
            }
            Some(Err(reason)) => contents.skip(entry, reason),
            None => contents.skip(entry, "It is no kubeconfig that can be read."),
        }
        return;
    }
    match read(keys) {
        Some((kind, values)) => {
            contents.candidates.push(Candidate { kind, name: name.to_owned(), place: entry.to_owned(), values });
        }
        None => contents.skip(entry, several(keys)),
    }
}

fn several(keys: &Values) -> String {
    let names: Vec<&str> = keys.names().take(8).collect();
    match names.is_empty() {
        true => "It holds nothing.".to_owned(),
        false => format!("No type of credential has the keys {}.", names.join(", ")),
    }
}

/// A key by one of its names; a blank one is none.
fn find<'a>(keys: &'a Values, names: &[&str]) -> Option<&'a str> {
    let plain = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let wanted = |name: &&str| keys.names().find(|key| plain(key) == **name && !keys.get(key).trim().is_empty());
    names.iter().find_map(wanted).map(|key| keys.get(key))
}

/// The only key; `None` if there are several.
fn only(keys: &Values) -> Option<&str> {
    let mut names = keys.names();
    let name = names.next()?;
    names.next().is_none().then(|| keys.get(name))
}

/// The document that the entry is: its only key, or its keys together.
fn document(keys: &Values) -> Option<Zeroizing<String>> {
    match only(keys) {
        Some(text) if text.trim_start().starts_with('{') => Some(Zeroizing::new(text.to_owned())),
        Some(_) => None,
        None => String::from_utf8(keys.to_json().to_vec()).ok().map(Zeroizing::new),
    }
}

fn kubeconfig_in(keys: &Values) -> Option<&str> {
    let text = find(keys, &["kubeconfig"]).or_else(|| only(keys))?;
    ["clusters", "contexts", "users"].iter().all(|word| text.contains(word)).then_some(text)
}

fn read(keys: &Values) -> Option<(&'static Kind, Values)> {
    let values = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Values>();
    if let (Some(id), Some(secret)) = (find(keys, &ACCESS_KEYS), find(keys, &SECRET_KEYS)) {
        let pairs = [("method", "access_key"), ("access_key_id", id), ("secret_access_key", secret)];
        return Some((&aws::KIND, values(&pairs)));
    }
    if let Some(document) = document(keys) {
        let has = |names: &[&str]| names.iter().all(|name| document.contains(&format!("\"{name}\"")));
        if has(&["private_key", "client_email"]) && document.contains("service_account") {
            return Some((&gcp::KIND, values(&[("service_account", &document), ("level", "project")])));
        }
        if has(&["clientId", "clientSecret", "tenantId"]) {
            return Some((&azure::KIND, values(&[("method", "service_key"), ("service_key", &document)])));
        }
    }
    if let Some(pair) = pair(keys) {
        return Some((&certificate::KIND, values(&[("certificate", &pair)])));
    }
    if let (Some(user), Some(password)) = (find(keys, &USERS), find(keys, &PASSWORDS)) {
        return Some((&basic::KIND, values(&[("username", user), ("password", password)])));
    }
    // One value of whatever name, or one of several that is named a token.
    let token = only(keys).or_else(|| find(keys, &TOKENS)).filter(|token| !token.trim().is_empty())?;
    Some((&api_token::KIND, values(&[("token", token.trim())])))
}

/// A certificate with its private key, in one text or in two.
fn pair(keys: &Values) -> Option<Zeroizing<String>> {
    let is = |text: &str, what: &str| text.contains("-----BEGIN") && text.contains(what);
    if let Some(text) = only(keys).filter(|text| is(text, "CERTIFICATE") && is(text, "PRIVATE KEY")) {
        return Some(Zeroizing::new(text.to_owned()));
    }
    let certificate = find(keys, &CERTIFICATES).filter(|text| is(text, "CERTIFICATE"))?;
    let key = find(keys, &PRIVATE_KEYS).filter(|text| is(text, "PRIVATE KEY"))?;
    Some(Zeroizing::new(format!("{}\n{}\n", certificate.trim(), key.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(keys: &[(&str, &str)]) -> Result<&'static str, String> {
        let mut contents = Contents::new("Entries");
        entry(&mut contents, "secret/team/db", &keys.iter().copied().collect());
        match contents.candidates.first() {
            Some(candidate) => Ok(candidate.kind.slug),
            None => Err(contents.skipped.remove(0).reason),
        }
    }

    #[test]
    fn an_entry_becomes_the_kind_that_its_keys_are() {
        assert_eq!(kind(&[("AWS_ACCESS_KEY_ID", "AKIA"), ("aws_secret_access_key", "s")]), Ok("aws"));
        assert_eq!(kind(&[("username", "ada"), ("password", "p"), ("port", "5432")]), Ok("basic"));
        let google = r#"{"type":"service_account","private_key":"k","client_email":"a@b"}"#;
        assert_eq!(kind(&[("value", google)]), Ok("gcp"));
        assert_eq!(kind(&[("type", "service_account"), ("private_key", "k"), ("client_email", "a@b")]), Ok("gcp"));
        assert_eq!(kind(&[("clientId", "c"), ("clientSecret", "s"), ("tenantId", "t")]), Ok("azure"));
        let (certificate, key) = ("-----BEGIN CERTIFICATE-----\nx", "-----BEGIN PRIVATE KEY-----\ny");
        assert_eq!(kind(&[("tls.crt", certificate), ("tls.key", key)]), Ok("certificate"));
        assert_eq!(kind(&[("anything", "token-1")]), Ok("api_token"));
        assert_eq!(kind(&[("api_key", "token-1"), ("url", "https://x.example")]), Ok("api_token"));
    }

    #[test]
    fn an_entry_of_no_known_kind_is_left_out_by_the_names_of_its_keys() {
        let reason = kind(&[("host", "h-canary"), ("port", "5432")]).unwrap_err();
        assert_eq!(reason, "No type of credential has the keys host, port.");
        assert_eq!(kind(&[]).unwrap_err(), "It holds nothing.");
        assert_eq!(kind(&[("value", "  ")]).unwrap_err(), "No type of credential has the keys value.");
    }
}
