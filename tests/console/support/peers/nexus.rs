//! Sonatype Nexus: its own interface, whose pages go by tokens, and a v2 interface below each repository.
//! <https://help.sonatype.com/en/components-api.html> <https://help.sonatype.com/en/repositories-api.html>

use serde_json::{Value, json};

use super::receiver::{Call, Said};
use super::shelf::{self, Shelf};
use super::vendor::basic;

pub const USER: (&str, &str) = ("scanner", "nexus-password");

/// The higher version is the older one.
const TAGS: [(&str, &str); 2] = [("9.9", "2026-01-01T10:00:00.123+00:00"), ("1.0", "2026-11-01T10:00:00.123+00:00")];

pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for (architecture, (tag, _)) in ["amd64", "arm64"].iter().zip(TAGS) {
        let image = shelf.image(architecture);
        shelf.put("team/app", tag, shelf::IMAGE, &image);
    }
    shelf
}

pub fn answer(call: &Call) -> Said {
    // Nexus answers strangers without a body.
    let refused = || Said::html(401).with("Www-Authenticate", "BASIC realm=\"Sonatype Nexus Repository Manager\"");
    if basic(call).is_none_or(|(name, password)| (name.as_str(), password.as_str()) != USER) {
        return refused();
    }
    match call.path() {
        "/service/rest/v1/repositories" => {
            let place = |name: &str, format: &str, sort: &str| json!({"name": name, "format": format, "type": sort});
            let all = [
                place("docker-hosted", "docker", "hosted"),
                place("docker-all", "docker", "group"),
                place("maven-central", "maven2", "proxy"),
            ];
            Said::json(200, &json!(all))
        }
        "/service/rest/v1/components" => match call.query("repository").as_deref() {
            Some("docker-hosted") => page(call),
            _ => Said::html(404),
        },
        path => match path.strip_prefix("/repository/docker-hosted/v2/") {
            Some(rest) => shelf().answer(&Call { target: format!("/v2/{rest}"), ..call.clone() }),
            None => Said::html(404),
        },
    }
}

/// One entry a page.
fn page(call: &Call) -> Said {
    let at: usize =
        call.query("continuationToken").map_or(0, |token| token.trim_start_matches("gAAAA=").parse().unwrap());
    let mut all: Vec<Value> = TAGS.iter().map(|(tag, date)| component(tag, date)).collect();
    // A manifest of an index, which is there by its digest.
    all.insert(1, component(&format!("sha256:{}", "6".repeat(64)), "2026-11-02T10:00:00.123+00:00"));
    let token = (at + 1 < all.len()).then(|| format!("gAAAA={}", at + 1));
    Said::json(200, &json!({"items": [all[at]], "continuationToken": token}))
}

fn component(version: &str, date: &str) -> Value {
    let digest = shelf().digest("team/app", version).unwrap_or_else(|| version.to_owned());
    json!({"id": "ZG9ja2Vy", "repository": "docker-hosted", "format": "docker", "group": null, "name": "team/app",
        "version": version, "assets": [{"path": format!("v2/team/app/manifests/{version}"),
            "repository": "docker-hosted", "checksum": {"sha1": "0", "sha256": digest[7..]},
            "lastModified": date, "fileSize": 528,
            "contentType": shelf::IMAGE}]})
}
