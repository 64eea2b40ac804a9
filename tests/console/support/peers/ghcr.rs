//! GitHub's packages and its container registry. The API takes classic tokens; the registry takes the same as a
//! password.
//! <https://docs.github.com/en/rest/packages/packages> <https://docs.github.com/en/rest/orgs/orgs>

use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::{self, Shelf};
use super::vendor::{basic, bearer, paged, registry_error, token_for_scope, v2};

pub const USER: &str = "Octo-Scanner";
/// With the scope read:packages alone.
pub const TOKEN: &str = "ghp_0123456789abcdefghijklmnopqrstuvwx";
/// With read:org, too.
pub const ORG_TOKEN: &str = "ghp_ORG3456789abcdefghijklmnopqrstuvwx";

/// Owners with their path in the API, and packages: `Acme` is an organisation, `friend` another user.
const PACKAGES: [(&str, &str, &str); 4] = [
    ("user", "octo-scanner", "mine"),
    ("orgs/Acme", "acme", "app"),
    ("orgs/Acme", "acme", "deep/er/app"),
    ("users/friend", "friend", "tool"),
];
/// The higher version is the older one; the last has no tag.
const VERSIONS: [(&[&str], &str); 3] =
    [(&["9.9"], "2026-01-01T10:00:00Z"), (&["1.0", "latest"], "2026-11-01T10:00:00Z"), (&[], "2026-11-02T10:00:00Z")];

pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for (_, owner, package) in PACKAGES {
        for (architecture, tags) in ["amd64", "arm64"].iter().zip(VERSIONS.map(|(tags, _)| tags)) {
            let image = shelf.image(architecture);
            for tag in tags {
                shelf.put(&format!("{owner}/{package}"), tag, shelf::IMAGE, &image);
            }
        }
    }
    shelf
}

fn refused(status: u16, message: &str) -> Said {
    Said::json(status, &json!({"message": format!("{message} {UPSTREAM}"), "status": status.to_string()}))
}

pub fn answer(call: &Call) -> Said {
    rules(call).unwrap_or_else(|refusal| refusal)
}

fn rules(call: &Call) -> Result<Said, Said> {
    if call.method != "GET" {
        return Err(refused(405, "Method Not Allowed"));
    }
    if call.path() == "/token" {
        let known =
            basic(call).is_some_and(|(name, password)| name == USER && [TOKEN, ORG_TOKEN].contains(&&*password));
        return if known { Ok(token_for_scope(call)) } else { Err(registry_error(403, "DENIED")) };
    }
    if call.path().starts_with("/v2/") {
        return v2(call, "/token", &shelf());
    }
    let json = call.header("accept") == Some("application/vnd.github+json");
    if call.header("user-agent").is_none() || !json || call.header("x-github-api-version").is_none() {
        return Err(Said::html(403));
    }
    let token = bearer(call).filter(|token| [TOKEN, ORG_TOKEN].contains(token));
    api(call, token.ok_or_else(|| refused(401, "Bad credentials"))?)
}

fn api(call: &Call, token: &str) -> Result<Said, Said> {
    match call.path() {
        "/user" => return Ok(Said::json(200, &json!({"login": USER, "id": 1, "type": "User"}))),
        "/user/orgs" if token == ORG_TOKEN => return Ok(paged(call, &[json!({"login": "Acme", "id": 2})])),
        "/user/orgs" => return Err(refused(403, "You need at least read:org scope")),
        _ => {}
    }
    let missing = || refused(404, "Package not found.");
    let (owner, rest) = call.path().trim_start_matches('/').split_once("/packages").ok_or_else(missing)?;
    let of_owner = |(known, ..): &&(&str, &str, &str)| known.eq_ignore_ascii_case(owner);
    let mut packages = PACKAGES.iter().filter(of_owner);
    if rest.is_empty() {
        let packages: Vec<Value> = packages
            .map(|(_, owner, name)| {
                json!({"id": 7, "name": name, "package_type": "container",
                "owner": {"login": owner}})
            })
            .collect();
        let asked = call.query("package_type").as_deref() == Some("container");
        return if packages.is_empty() || !asked { Err(missing()) } else { Ok(paged(call, &packages)) };
    }
    let name = rest.strip_prefix("/container/").and_then(|rest| rest.strip_suffix("/versions")).ok_or_else(missing)?;
    let (_, owner, package) = packages.find(|(.., known)| known.replace('/', "%2F") == name).ok_or_else(missing)?;
    Ok(paged(call, &versions(&format!("{owner}/{package}"))))
}

fn versions(repository: &str) -> Vec<Value> {
    let untagged = format!("sha256:{}", "5".repeat(64));
    let version = |(tags, date): (&[&str], &str)| {
        let digest = tags.first().and_then(|tag| digest(repository, tag)).unwrap_or_else(|| untagged.clone());
        json!({"id": 1, "name": digest, "created_at": "2026-01-01T09:00:00Z", "updated_at": date,
            "metadata": {"package_type": "container", "container": {"tags": tags}}})
    };
    VERSIONS.map(version).to_vec()
}

pub fn digest(repository: &str, tag: &str) -> Option<String> {
    shelf().digest(repository, tag)
}
