//! Quay: its API by tokens of OAuth applications, and the v2 interface by robot accounts and by the same tokens.
//! <https://docs.redhat.com/en/documentation/red_hat_quay/3/html/red_hat_quay_api_reference/>

use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::{self, Shelf};
use super::vendor::{basic, bearer, scoped, token_for_scope, v2};

pub const ROBOT: (&str, &str) = ("acme+scanner", "ROBOT0123456789ABCDEF");
pub const TOKEN: &str = "oauth0123456789abcdefghijklmnopqrstuvwxyz";

const REPOSITORIES: [&str; 3] = ["acme/app", "acme/deep/er", "ada/lab"];
/// The higher version is the older one.
const TAGS: [(&str, i64); 2] = [("9.9", 1_767_261_600), ("1.0", 1_793_527_200)];

pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for repository in REPOSITORIES {
        for (architecture, (tag, _)) in ["amd64", "arm64"].iter().zip(TAGS) {
            let image = shelf.image(architecture);
            shelf.put(repository, tag, shelf::IMAGE, &image);
        }
    }
    shelf
}

pub fn answer(call: &Call) -> Said {
    rules(call).unwrap_or_else(|refusal| refusal)
}

fn refused(status: u16, sort: &str) -> Said {
    Said::json(
        status,
        &json!({"status": status, "error_type": sort, "title": sort, "error_message": UPSTREAM,
        "detail": UPSTREAM}),
    )
}

fn rules(call: &Call) -> Result<Said, Said> {
    match call.path() {
        "/v2/auth" => match basic(call) {
            None => Ok(token_for_scope(call)),
            Some((name, password)) if (name.as_str(), password.as_str()) == ROBOT => Ok(token_for_scope(call)),
            Some((name, password)) if name == "$oauthtoken" && password == TOKEN => Ok(token_for_scope(call)),
            Some(_) => Err(Said::json(401, &json!({"error": UPSTREAM}))),
        },
        // What the robot's organisation has; without a token that would be an empty list.
        "/v2/_catalog" => {
            scoped(call, "/v2/auth", "registry:catalog:*")?;
            Ok(Said::json(200, &json!({"repositories": ["acme/app", "acme/deep/er"]})))
        }
        path => match path.strip_prefix("/api/v1/") {
            Some(path) => api(call, path),
            None => v2(call, "/v2/auth", &shelf()),
        },
    }
}

fn api(call: &Call, path: &str) -> Result<Said, Said> {
    let known = match bearer(call) {
        None => false,
        Some(TOKEN) => true,
        Some(_) => return Err(refused(401, "invalid_token")),
    };
    if path == "user/" {
        let user = || json!({"anonymous": false, "username": "ada", "organizations": [{"name": "acme"}]});
        return if known { Ok(Said::json(200, &user())) } else { Err(refused(401, "invalid_token")) };
    }
    if path == "repository" {
        let namespace = call.query("namespace").ok_or_else(|| refused(400, "invalid_request"))?;
        let all = REPOSITORIES.iter().filter(|name| name.starts_with(&format!("{namespace}/"))).filter(|_| known);
        return Ok(page_of_repositories(call, &namespace, &all.copied().collect::<Vec<_>>()));
    }
    let repository = path.strip_prefix("repository/").and_then(|rest| rest.strip_suffix("/tag/"));
    let repository = repository.filter(|name| REPOSITORIES.contains(name)).ok_or_else(|| refused(404, "not_found"))?;
    if !known {
        return Err(refused(401, "insufficient_scope"));
    }
    let size: u32 = call.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50);
    if size > 100 || call.query("onlyActiveTags").as_deref() != Some("true") {
        return Err(refused(400, "invalid_request"));
    }
    let number: usize = call.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let (name, since) = TAGS[number - 1];
    let tag = json!({"name": name, "reversion": false, "start_ts": since, "manifest_digest": digest(repository, name),
        "is_manifest_list": false, "size": 5, "last_modified": "Thu, 06 Jun 2024 13:33:00 -0000"});
    Ok(Said::json(200, &json!({"tags": [tag], "page": number, "has_additional": number < TAGS.len()})))
}

/// One entry a page; the next by a token.
fn page_of_repositories(call: &Call, namespace: &str, all: &[&str]) -> Said {
    let at: usize = call.query("next_page").map_or(0, |token| token.trim_start_matches("gAAAA=").parse().unwrap());
    let entry = |name: &&str| {
        json!({"namespace": namespace, "name": name.split_once('/').unwrap().1, "is_public": false, "kind": "image",
            "state": "NORMAL", "description": null})
    };
    let page: Vec<Value> = all.get(at).map(entry).into_iter().collect();
    let mut body = json!({"repositories": page});
    if at + 1 < all.len() {
        body["next_page"] = json!(format!("gAAAA={}", at + 1));
    }
    Said::json(200, &body)
}

pub fn digest(repository: &str, tag: &str) -> String {
    shelf().digest(repository, tag).expect("it is on the shelf")
}
