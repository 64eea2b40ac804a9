//! Docker's `config.json`: a login for each registry (docs.docker.com, `docker login`, "Credential stores").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::contents::{Candidate, Contents};
use crate::credentials::document::Node;
use crate::credentials::{Kind, api_token, basic, document};

pub fn config(text: &str) -> Option<Result<Contents, String>> {
    let names_logins = ["\"auths\"", "\"credHelpers\"", "\"credsStore\""].iter().any(|name| text.contains(name));
    (text.starts_with('{') && names_logins)
        .then(|| document::json(text).map_err(|fault| fault.to_string()).map(|root| logins(&root)))
}

fn logins(root: &Node) -> Contents {
    let mut contents = Contents::new("Docker config.json");
    let auths = root.get("auths");
    for registry in auths.iter().flat_map(|auths| auths.names()) {
        let Some(login) = auths.and_then(|auths| auths.get(registry)) else { continue };
        match candidate(registry, login) {
            Ok(candidate) => contents.candidates.push(candidate),
            Err(reason) => contents.skip(registry, reason),
        }
    }
    if let Some(helpers) = root.get("credHelpers") {
        for registry in helpers.names() {
            contents.skip(registry, "A credential helper keeps this login, so it isn't in the file.");
        }
    }
    contents
}

fn candidate(registry: &str, login: &Node) -> Result<Candidate, &'static str> {
    let member = |name: &str| login.get(name).and_then(Node::text).unwrap_or_default();
    let host = registry.trim_start_matches("https://").trim_end_matches("/v1/").trim_end_matches('/');
    let new = |kind: &'static Kind, name: String, pairs: &[(&str, &str)]| Candidate {
        kind,
        name,
        place: registry.to_owned(),
        values: pairs.iter().copied().chain([("description", format!("Registry {host}").as_str())]).collect(),
    };
    if !member("identitytoken").is_empty() {
        return Ok(new(&api_token::KIND, format!("{host} token"), &[("token", member("identitytoken"))]));
    }
    let decoded =
        STANDARD.decode(member("auth").as_bytes()).map(Zeroizing::new).map_err(|_| "Its auth isn't base64.")?;
    let decoded = std::str::from_utf8(&decoded).map_err(|_| "Its auth isn't text.")?;
    let (user, password) = match decoded.split_once(':') {
        Some(pair) => pair,
        None if member("username").is_empty() => {
            return Err("The computer's credential store keeps this login, so it isn't in the file.");
        }
        None => (member("username"), member("password")),
    };
    Ok(new(&basic::KIND, format!("{user} at {host}"), &[("username", user), ("password", password)]))
}
