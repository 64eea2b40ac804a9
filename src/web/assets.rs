//! Style sheets, scripts and icons, embedded in the binary and served under `/static/`. No page and no
//! user's file lives here. A new style sheet in `static/css/` joins the bundle by being there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::header::{self, ContentType, EntityTag, Header, IfNoneMatch};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, route};
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "static/"]
#[exclude = "*.LICENSE"]
struct Files;

/// All of `static/css/` as one file: one request, no waterfall.
const BUNDLE: &str = "strongroom.css";
const FIRST: &str = "css/tokens.css";

/// Names carry the version in the query, so a versioned answer never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "public, no-cache";

struct Asset {
    body: Bytes,
    content_type: &'static str,
    /// First 16 hex digits of the content's SHA-256.
    version: String,
    url: String,
}

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let mut names: Vec<Cow<'static, str>> = Files::iter().collect();
    // The layers' order is declared in the tokens, which therefore come first; all else may come in any order.
    names.sort_by_key(|name| (name != FIRST, name.clone()));
    let mut sheet = Vec::new();
    let mut assets = BTreeMap::new();
    for name in names {
        let Some(file) = Files::get(&name) else { continue };
        if name.starts_with("css/") {
            sheet.extend_from_slice(&file.data);
        } else {
            assets.insert(name.to_string(), asset(&name, Bytes::from(file.data.into_owned())));
        }
    }
    assets.insert(BUNDLE.to_owned(), asset(BUNDLE, Bytes::from(sheet)));
    assets
});

fn asset(name: &str, body: Bytes) -> Asset {
    let version = hex::encode(&Sha256::digest(&body)[..8]);
    let url = format!("/static/{name}?v={version}");
    Asset { body, content_type: content_type(name), version, url }
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The versioned address of a file of `static/`, as templates link it. A name that does not exist gives its
/// plain address, which answers 404; a test looks for those in every template.
pub fn url(name: &str) -> Cow<'static, str> {
    match ASSETS.get(name) {
        Some(asset) => Cow::Borrowed(&asset.url),
        None => Cow::Owned(format!("/static/{name}")),
    }
}

/// `GET /static/{path}`: 200, 304 when the browser has it already, 404 for everything that is not embedded.
#[route("/static/{path:.*}", method = "GET", method = "HEAD")]
pub async fn show(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.get(path.as_str()) else {
        return HttpResponse::NotFound()
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type(ContentType::plaintext())
            .body("Not found");
    };
    let tag = EntityTag::new_strong(asset.version.clone());
    let versioned = request.query_string().strip_prefix("v=") == Some(asset.version.as_str());
    let fresh = has_already(&request, &tag);
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header(header::ETag(tag))
        .insert_header((header::CACHE_CONTROL, if versioned { FOREVER } else { REVALIDATE }))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if fresh { response.finish() } else { response.content_type(asset.content_type).body(asset.body.clone()) }
}

/// Whether `If-None-Match` names this version (RFC 9110, 13.1.2: weak comparison).
fn has_already(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
