//! The metadata server of Google Compute Engine, as far as Google's SDKs need it for a token.
//! <https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys>

use hyper::body::Incoming;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::json;

use super::super::net::Body;
use super::super::trouble::Result;
use super::super::wire::form;
use super::shared::{Endpoints, json as answered, plain};

const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

pub async fn answer(endpoints: &Endpoints, rule: &str, request: &Request<Incoming>) -> Response<Body> {
    let headers = request.headers();
    let path = request.uri().path();
    // A browser cannot send the one, and a proxy adds the other.
    let mut response = if headers.contains_key("x-forwarded-for") {
        plain(StatusCode::FORBIDDEN, "")
    } else if path == "/" {
        plain(StatusCode::OK, "computeMetadata/\n")
    } else if headers.get(FLAVOR).is_none_or(|flavor| flavor != "Google") {
        plain(StatusCode::FORBIDDEN, "Missing Metadata-Flavor:Google header.")
    } else {
        let recursive = request.uri().query().unwrap_or_default().split('&').any(|part| part == "recursive=true");
        value(endpoints, rule, path, recursive).await.unwrap_or_else(|trouble| {
            let status = StatusCode::from_u16(trouble.status()).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            plain(status, &trouble.to_string())
        })
    };
    response.headers_mut().insert(FLAVOR, HeaderValue::from_static("Google"));
    response
}

async fn value(endpoints: &Endpoints, rule: &str, path: &str, recursive: bool) -> Result<Response<Body>> {
    let ok = |words: &str| Ok(plain(StatusCode::OK, words));
    let missing = || Ok(plain(StatusCode::NOT_FOUND, "Not found."));
    let Some(key) = path.strip_prefix("/computeMetadata/v1") else { return missing() };
    let key = key.trim_matches('/');
    match key {
        "" => return ok("instance/\nproject/\nuniverse/\n"),
        "universe/universe-domain" | "universe/universe_domain" => return ok("googleapis.com"),
        "instance/service-accounts" if !recursive => return ok("default/\n"),
        _ => {}
    }
    let fetched = endpoints.source.get(rule).await?;
    fetched.must_be(rule, form::GOOGLE, "a Google token")?;
    let account = fetched.field("service_account").unwrap_or("default");
    let scopes = fetched.field("scopes").unwrap_or(SCOPE);
    if key == "project/project-id" {
        return fetched.field("project_id").map_or_else(missing, ok);
    }
    let described =
        json!({ "aliases": ["default"], "email": account, "scopes": scopes.split(' ').collect::<Vec<_>>() });
    if key == "instance/service-accounts" {
        return Ok(answered(200, &json!({ "default": described })));
    }
    let Some(rest) = key.strip_prefix("instance/service-accounts/") else { return missing() };
    let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
    if name != "default" && name != account {
        return missing();
    }
    match key {
        "" if recursive => Ok(answered(200, &described)),
        "" => ok("aliases\nemail\nscopes\ntoken\n"),
        "email" => ok(account),
        "scopes" => ok(&scopes.replace(' ', "\n")),
        "aliases" => ok("default"),
        "token" => Ok(answered(
            200,
            &json!({
                "access_token": fetched.needed(rule, "access_token")?,
                "expires_in": fetched.seconds_left().unwrap_or_default(),
                "token_type": "Bearer",
            }),
        )),
        _ => missing(),
    }
}
