//! Docker Hub's API: sign-in by JSON, lists that name their next page by its whole address, and limits in headers of
//! its own. There is no v2 interface here: whoever asks for one would spend pulls.
//! <https://docs.docker.com/reference/api/hub/latest/>

use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::tokens;
use super::vendor::{bearer, host, with};

pub const USER: &str = "Acme";
pub const TOKEN: &str = "dckr_pat_0123456789abcdefghijklmnop";
pub const INDEX: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
pub const IMAGE: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";

fn refused(status: u16, message: &str) -> Said {
    Said::json(status, &json!({"message": format!("{message} {UPSTREAM}"), "errinfo": {}}))
}

pub fn answer(call: &Call) -> Said {
    if call.path() == "/v2/auth/token" {
        assert_eq!((call.method.as_str(), call.header("content-type")), ("POST", Some("application/json")));
        let known = call.json() == json!({"identifier": USER, "secret": TOKEN});
        let token = || json!({"access_token": tokens::issued(&json!({"username": USER}))});
        return if known { Said::json(200, &token()) } else { refused(401, "unauthorized") };
    }
    let known = match bearer(call) {
        None => false,
        Some(token) if tokens::claims(token).is_some_and(|claims| claims["username"] == USER) => true,
        Some(_) => return refused(401, "unauthorized"),
    };
    let Some(rest) = call.path().strip_prefix("/v2/namespaces/") else { return refused(404, "object not found") };
    if call.query("page_size").as_deref() != Some("100") {
        return refused(400, "a hundred is the most");
    }
    let repository = |name: &str| json!({"name": name, "repository_type": "image", "is_private": name == "private"});
    match rest {
        "acme/repositories" if known => page(call, &[repository("app"), repository("private")]),
        "acme/repositories" => page(call, &[repository("app")]),
        "library/repositories/nginx/tags" | "acme/repositories/app/tags" => page(call, &tags()),
        "acme/repositories/private/tags" if known => page(call, &tags()[..1]),
        _ => refused(404, "object not found"),
    }
}

/// One entry a page.
fn page(call: &Call, entries: &[Value]) -> Said {
    let number: usize = call.query("page").map_or(1, |page| page.parse().unwrap());
    let next = (number < entries.len()).then(|| format!("{}{}", host(call), with(call, "page", number + 1)));
    Said::json(200, &json!({"count": entries.len(), "next": next, "previous": null, "results": [entries[number - 1]]}))
}

fn tags() -> Vec<Value> {
    let image = |architecture: &str, variant: Option<&str>| {
        json!({"architecture": architecture, "features": "", "variant": variant, "digest": IMAGE, "os": "linux",
            "os_features": "", "os_version": null, "size": 5000, "status": "active",
            "last_pushed": "2026-11-01T10:00:00.5Z"})
    };
    let tag = |name: &str, digest: Option<&str>, images: Value, day: &str| {
        json!({"name": name, "digest": digest, "images": images, "full_size": 5000, "v2": true, "tag_status": "active",
            "last_updated": format!("{day}T11:00:00.5Z"), "tag_last_pushed": format!("{day}T10:00:00.5Z")})
    };
    vec![
        tag("1.0", Some(INDEX), json!([image("amd64", None), image("arm64", Some("v8"))]), "2026-11-01"),
        // Of a time before tags had digests.
        tag("9.9", None, json!([image("amd64", None)]), "2026-01-01"),
    ]
}
