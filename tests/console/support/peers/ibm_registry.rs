//! IBM Cloud Container Registry: the list of images by an IAM token and an account, and the v2 interface by the API
//! key. The token endpoint is in [`super::clouds`]. <https://cloud.ibm.com/apidocs/container-registry>

use serde_json::{Value, json};

use super::clouds;
use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::{self, Shelf};
use super::tokens;
use super::vendor::{basic, bearer, registry_error, token_for_scope, v2};

pub const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";
pub const API_KEY: &str = "ibm-0123456789-abcdefghijklmnopqrstuvwxyz01";

/// Repositories and tags, with the time of their build; the index is left out of the list unless it is asked for.
const IMAGES: [(&str, &str, i64); 4] = [
    ("birds/finch", "9.9", 1_767_261_600),
    ("birds/finch", "1.0", 1_793_527_200),
    ("fish/cod", "1", 0),
    ("fish/cod", "multi", 0),
];

pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for (repository, tag, _) in IMAGES {
        let image = shelf.image("amd64");
        if tag == "multi" {
            let mut child = shelf.keep(repository, shelf::IMAGE, &image);
            child["platform"] = json!({"os": "linux", "architecture": "s390x"});
            shelf.put(repository, tag, shelf::INDEX, &json!({"schemaVersion": 2, "manifests": [child]}));
        } else {
            shelf.put(repository, tag, shelf::IMAGE, &image);
        }
    }
    shelf
}

pub fn answer(call: &Call) -> Said {
    rules(call).unwrap_or_else(|refusal| refusal)
}

fn refused(status: u16, code: &str) -> Said {
    Said::json(status, &json!({"code": code, "message": UPSTREAM, "requestId": "1-2-3"}))
}

fn rules(call: &Call) -> Result<Said, Said> {
    match call.path() {
        "/identity/token" => Ok(clouds::ibm_token(call, API_KEY, ACCOUNT)),
        "/oauth/token" => {
            let known = basic(call) == Some(("iamapikey".to_owned(), API_KEY.to_owned()));
            if known { Ok(token_for_scope(call)) } else { Err(registry_error(401, "UNAUTHORIZED")) }
        }
        "/api/v1/images" => images(call),
        "/api/v1/namespaces" => account(call).map(|()| Said::json(200, &json!(["birds", "fish"]))),
        _ => v2(call, "/oauth/token", &shelf()),
    }
}

/// Whether the token is one of the account that the call names.
fn account(call: &Call) -> Result<(), Said> {
    let account = bearer(call).and_then(tokens::claims).map(|claims| claims["account"]["bss"].clone());
    let account = account.ok_or_else(|| refused(401, "CRG0009E"))?;
    if call.header("account").is_none_or(|header| account != header) {
        return Err(refused(403, "CRG0010E"));
    }
    Ok(())
}

fn images(call: &Call) -> Result<Said, Said> {
    account(call)?;
    let namespace = call.query("namespace");
    let lists = call.query("includeManifestLists").as_deref() == Some("true");
    let there = |(repository, tag, _): &&(&str, &str, i64)| {
        namespace.as_ref().is_none_or(|name| repository.starts_with(&format!("{name}/"))) && (lists || *tag != "multi")
    };
    Ok(Said::json(200, &json!(IMAGES.iter().filter(there).map(described).collect::<Vec<_>>())))
}

fn described((repository, tag, created): &(&str, &str, i64)) -> Value {
    let (digest, place) = (digest(repository, tag), format!("us.icr.io/{repository}"));
    let name = format!("{place}:{tag}");
    json!({"Id": "sha256:ffff", "ParentId": "", "RepoTags": [name], "RepoDigests": [format!("{place}@{digest}")],
        "DigestTags": {digest.clone(): [name]}, "Created": created, "Size": 5000, "VirtualSize": 5000, "Labels": {},
        "Vulnerable": "", "VulnerabilityCount": 0, "ManifestType": shelf::IMAGE})
}

pub fn digest(repository: &str, tag: &str) -> String {
    shelf().digest(repository, tag).expect("it is on the shelf")
}
