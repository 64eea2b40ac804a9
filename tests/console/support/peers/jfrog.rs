//! Artifactory: the repositories of its platform, the files of each, and a v2 interface for each below one address.
//! <https://jfrog.com/help/r/jfrog-rest-apis/get-repositories> <https://jfrog.com/help/r/jfrog-rest-apis/file-list>
//! <https://jfrog.com/help/r/jfrog-rest-apis/docker-repositories>

use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::{self, Shelf};
use super::vendor::{basic, bearer, host, with};

pub const USER: (&str, &str) = ("scanner", "cmVmdGtuOjAxOjAwMDAwMDAwMDA6");
pub const TOKEN: &str = "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJqZmZlIn0.c2ln";

/// The higher version is the older one.
const TAGS: [(&str, &str); 2] = [("9.9", "2026-01-01T10:00:00.123+02:00"), ("1.0", "2026-11-01T10:00:00.123Z")];

/// The content of each repository.
pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for repository in ["app", "team/deep"] {
        for (architecture, (tag, _)) in ["amd64", "arm64"].iter().zip(TAGS) {
            let image = shelf.image(architecture);
            shelf.put(repository, tag, shelf::IMAGE, &image);
        }
    }
    shelf
}

fn refused(status: u16) -> Said {
    Said::json(status, &json!({"errors": [{"status": status, "message": UPSTREAM}]}))
}

pub fn answer(call: &Call) -> Said {
    rules(call, true).unwrap_or_else(|refusal| refusal)
}

/// Of an edition that lists no files.
pub fn answer_without_files(call: &Call) -> Said {
    rules(call, false).unwrap_or_else(|refusal| refusal)
}

fn rules(call: &Call, files: bool) -> Result<Said, Said> {
    let known = bearer(call) == Some(TOKEN) || basic(call).is_some_and(|(name, password)| (&*name, &*password) == USER);
    if !known {
        return Err(refused(401).with("Www-Authenticate", "Basic realm=\"Artifactory Realm\""));
    }
    let path = call.path().strip_prefix("/artifactory/api/").ok_or_else(|| refused(404))?;
    if path == "repositories" {
        assert_eq!(call.query("packageType").as_deref(), Some("docker"));
        let place = |key: &str, sort: &str| json!({"key": key, "type": sort, "packageType": "Docker", "url": UPSTREAM});
        let all = [place("docker-local", "LOCAL"), place("docker-remote", "REMOTE"), place("docker", "VIRTUAL")];
        return Ok(Said::json(200, &json!(all)));
    }
    if let Some(image) = path.strip_prefix("storage/docker-local/") {
        return if files { list_of_files(call, image) } else { Err(refused(400)) };
    }
    match path.strip_prefix("docker/").and_then(|rest| rest.split_once("/v2/")) {
        Some(("docker-local", "_catalog")) => Ok(catalog(call)),
        // Nothing was cached yet.
        Some(("docker-remote", "_catalog")) => Ok(Said::json(200, &json!({"repositories": []}))),
        Some(("docker-local" | "docker-remote", rest)) => {
            Ok(shelf().answer(&Call { target: format!("/v2/{rest}"), ..call.clone() }))
        }
        _ => Err(refused(404)),
    }
}

/// One entry a page; the link does not know that the registry is below a path.
fn catalog(call: &Call) -> Said {
    match call.query("last").as_deref() {
        None => {
            let target = with(call, "last", "app").replace("/artifactory/api/docker/docker-local", "");
            let link = format!("<{}{target}>; rel=\"next\"", host(call));
            Said::json(200, &json!({"repositories": ["app"]})).with("Link", link)
        }
        Some(_) => Said::json(200, &json!({"repositories": ["team/deep"]})),
    }
}

fn list_of_files(call: &Call, image: &str) -> Result<Said, Said> {
    if call.query("list").is_none() || call.query("deep").as_deref() != Some("1") {
        return Err(refused(400));
    }
    let file = |uri: String, date: &str, digest: &str| json!({"uri": uri, "size": 528, "lastModified": date, "folder": false, "sha1": "0", "sha2": digest});
    let of_tag = |(tag, date): (&str, &str)| {
        let digest = shelf().digest(image, tag).unwrap();
        let layer = format!("sha256__{}", "7".repeat(64));
        [
            file(format!("/{tag}/manifest.json"), date, &digest[7..]),
            file(format!("/{tag}/{layer}"), date, &"7".repeat(64)),
        ]
    };
    let files: Vec<Value> = TAGS.into_iter().flat_map(of_tag).collect();
    Ok(Said::json(200, &json!({"uri": UPSTREAM, "created": "2026-11-01T10:00:00.123Z", "files": files})))
}
