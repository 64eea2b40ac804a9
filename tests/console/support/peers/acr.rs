//! Azure Container Registry: the exchange of tokens and its own interface, as Microsoft's client for Python speaks to it.
//! <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>
//! <https://learn.microsoft.com/en-us/rest/api/containerregistry/>

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::tokens;

pub const HOST: &str = "example.azurecr.io";
/// Digest of the single image; the index has another.
pub const IMAGE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
pub const REGISTRIES: &str = "https://containerregistry.azure.net";
pub const RESOURCE_MANAGER: &str = "https://management.azure.com";

/// The index of `team/app:2.0`: its bytes decide its digest.
pub fn index() -> String {
    json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": child(), "size": child_body().len(),
         "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}]})
    .to_string()
}

fn child_body() -> String {
    json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": IMAGE, "size": 700}]})
    .to_string()
}

pub fn digest(body: &str) -> String {
    use sha2::{Digest, Sha256};
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}

fn child() -> String {
    digest(&child_body())
}

/// A registry that takes tokens of these audiences, in whose catalogue are `team/app` and `web`; a page has one entry.
pub fn start(audiences: &'static [&'static str]) -> Receiver {
    Receiver::start(move |call| answer(call, audiences).unwrap_or_else(|refusal| refusal))
}

fn refused(status: u16, code: &str) -> Said {
    Said::json(status, &json!({"errors": [{"code": code, "message": UPSTREAM}]}))
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
    serde_json::from_slice(&part).unwrap_or_default()
}

fn answer(call: &Call, audiences: &[&str]) -> Result<Said, Said> {
    let field = |name: &str| call.field(name).unwrap_or_default();
    match (call.method.as_str(), call.path()) {
        ("POST", "/oauth2/exchange") => {
            if field("grant_type") != "access_token" || field("service") != HOST {
                return Err(refused(400, "BAD_REQUEST"));
            }
            let audience = claims(&field("access_token"))["aud"].clone();
            if !audiences.iter().any(|known| audience == *known) {
                return Err(refused(401, "UNAUTHORIZED"));
            }
            Ok(Said::json(200, &json!({"refresh_token": tokens::issued(&json!({"grant_type": "refresh_token"}))})))
        }
        ("POST", "/oauth2/token") => {
            let known = claims(&field("refresh_token"))["grant_type"] == "refresh_token";
            if field("grant_type") != "refresh_token" || field("service") != HOST || !known {
                return Err(refused(401, "UNAUTHORIZED"));
            }
            Ok(Said::json(200, &json!({"access_token": tokens::issued(&json!({"scope": field("scope")}))})))
        }
        ("GET", path) => read(call, path),
        _ => Err(refused(405, "UNSUPPORTED")),
    }
}

fn read(call: &Call, path: &str) -> Result<Said, Said> {
    let path = path.replace("%2F", "/");
    let scope = scope(&path);
    let bearer = call.header("authorization").and_then(|header| header.strip_prefix("Bearer ")).map(claims);
    if bearer.is_none_or(|claims| claims["scope"] != scope) {
        let realm = format!("http://{}/oauth2/token", call.header("host").unwrap());
        let asked = format!("Bearer realm=\"{realm}\",service=\"{HOST}\",scope=\"{scope}\"");
        return Err(refused(401, "UNAUTHORIZED").with("Www-Authenticate", asked));
    }
    let last = call.query("last").unwrap_or_default();
    let page = |entries: &[&'static str]| entries.iter().find(|entry| **entry > last.as_str()).copied();
    let paged = |body: Value, entry: &str, more: bool| {
        let link = format!("<{path}?last={entry}&n=1&orderby=>; rel=\"next\"");
        let said = Said::json(200, &body);
        if more { said.with("Link", link) } else { said }
    };
    match path.as_str() {
        "/acr/v1/_catalog" => {
            let name = page(&["team/app", "web"]).unwrap_or_default();
            Ok(paged(json!({"repositories": [name]}), name, name != "web"))
        }
        "/acr/v1/team/app/_tags" => {
            let name = page(&["1.0", "2.0"]).unwrap_or_default();
            let (digest, day) = if name == "1.0" { (IMAGE.to_owned(), 1) } else { (digest(&index()), 2) };
            let time = format!("2026-11-0{day}T10:00:00.1234567Z");
            let tag = json!({"name": name, "digest": digest, "createdTime": time, "lastUpdateTime": time,
                "signed": false, "changeableAttributes": {"listEnabled": true}});
            let body = json!({"registry": HOST, "imageName": "team/app", "tags": [tag]});
            Ok(paged(body, name, name != "2.0"))
        }
        "/acr/v1/web/_tags" => Ok(Said::json(200, &json!({"registry": HOST, "imageName": "web", "tags": null}))),
        path if path.starts_with("/acr/v1/team/app/_manifests/") => {
            let single = path.ends_with(IMAGE);
            let mut manifest = json!({"digest": path.rsplit('/').next(), "imageSize": 0,
                "mediaType": "application/vnd.oci.image.index.v1+json"});
            if single {
                manifest = json!({"digest": IMAGE, "imageSize": 5000, "architecture": "amd64", "os": "linux",
                    "mediaType": "application/vnd.docker.distribution.manifest.v2+json"});
            }
            Ok(Said::json(200, &json!({"registry": HOST, "imageName": "team/app", "manifest": manifest})))
        }
        "/v2/team/app/manifests/2.0" => Ok(body(&index())),
        path if path == format!("/v2/team/app/manifests/{}", child()) => Ok(body(&child_body())),
        _ => Err(refused(404, "NAME_UNKNOWN")),
    }
}

fn body(text: &str) -> Said {
    let headers = vec![("Docker-Content-Digest", digest(text))];
    Said::Answer { status: 200, headers, body: text.as_bytes().to_vec() }
}

fn scope(path: &str) -> String {
    let repository = |rest: &str, at: &str| rest.split(at).next().unwrap_or_default().to_owned();
    match (path.strip_prefix("/acr/v1/"), path.strip_prefix("/v2/")) {
        (Some("_catalog"), _) => "registry:catalog:*".to_owned(),
        (Some(rest), _) => format!("repository:{}:metadata_read", repository(rest, "/_")),
        (_, Some(rest)) => format!("repository:{}:pull", repository(rest, "/manifests")),
        _ => String::new(),
    }
}
