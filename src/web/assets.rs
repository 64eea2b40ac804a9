//! Style sheets, scripts and icons, embedded in the binary and served under `/static/`. No page and no
//! user's file lives here. A new style sheet in `static/css/` or script in `static/js/` joins its bundle by being there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header::{self, ContentType, EntityTag, Header, IfNoneMatch};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, route};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "static/"]
#[exclude = "*.LICENSE"]
#[exclude = "screenshots/*"]
struct Files;

/// All of `static/css/` as one file: one request, no waterfall.
const BUNDLE: &str = "strongroom.css";
const FIRST: &str = "css/tokens.css";
/// All of `static/js/`.
const SCRIPTS: &str = "app.js";
/// Inter, Latin, variable in weight (npm @fontsource-variable/inter 5.3.0, SIL Open Font License). Other alphabets come
/// in the system's typeface.
const TYPEFACE: &str = "inter-latin.woff2";

/// Names carry the version in the query, so a versioned answer never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
const REVALIDATE: &str = "public, no-cache";

struct Asset {
    body: Bytes,
    /// The same by gzip, made when first asked for. These files hold no secret, so their compressed sizes tell none.
    packed: OnceLock<Bytes>,
    content_type: &'static str,
    /// First 8 hex digits of the content's SHA-256.
    version: String,
    url: String,
}

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    let mut names: Vec<Cow<'static, str>> = Files::iter().collect();
    // The layers' order is declared in the tokens, which therefore come first; all else may come in any order.
    names.sort_by_key(|name| (name != FIRST, name.clone()));
    let (mut sheet, mut scripts) = (Vec::new(), Vec::new());
    let mut assets = BTreeMap::new();
    for name in names {
        let Some(file) = Files::get(&name) else { continue };
        match name.split_once('/') {
            Some(("css", _)) => sheet.extend_from_slice(&file.data),
            Some(("js", _)) => scripts.extend_from_slice(&file.data),
            _ => {
                assets.insert(name.to_string(), asset(&name, Bytes::from(file.data.into_owned())));
            }
        }
    }
    sheet.extend_from_slice(typeface(&assets).as_bytes());
    for (name, bytes) in [(BUNDLE, sheet), (SCRIPTS, scripts)] {
        assets.insert(name.to_owned(), asset(name, Bytes::from(bytes)));
    }
    assets
});

fn asset(name: &str, body: Bytes) -> Asset {
    let version = hex::encode(&Sha256::digest(&body)[..4]);
    let url = format!("/static/{name}?v={version}");
    Asset { body, packed: OnceLock::new(), content_type: content_type(name), version, url }
}

impl Asset {
    /// Typefaces and pictures are compressed already.
    fn packs(&self) -> bool {
        self.content_type.starts_with("text/") || self.content_type == "image/svg+xml"
    }

    fn packed(&self) -> Bytes {
        let pack = || {
            let mut packer = GzEncoder::new(Vec::new(), Compression::best());
            packer.write_all(&self.body).and_then(|()| packer.finish()).map_or_else(|_| self.body.clone(), Bytes::from)
        };
        self.packed.get_or_init(pack).clone()
    }
}

/// The rule that loads the typeface, by its versioned address.
fn typeface(assets: &BTreeMap<String, Asset>) -> String {
    assets.get(TYPEFACE).map_or_else(String::new, |file| {
        format!(
            "@font-face {{ font-family: Inter; src: url(\"{}\") format(\"woff2\"); font-weight: 100 900; \
             font-display: swap; unicode-range: U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, \
             U+2000-206F, U+20AC, U+2122, U+2190-2193, U+2212; }}\n",
            file.url
        )
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
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
    let packed = asset.packs() && takes_gzip(&request);
    let tag = EntityTag::new_strong(format!("{}{}", asset.version, if packed { "-gzip" } else { "" }));
    let versioned = request.query_string().strip_prefix("v=") == Some(asset.version.as_str());
    let fresh = has_already(&request, &tag);
    let mut response = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header(header::ETag(tag))
        .insert_header((header::CACHE_CONTROL, if versioned { FOREVER } else { REVALIDATE }))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    match (fresh, packed) {
        (true, _) => response.finish(),
        (false, true) => response
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .content_type(asset.content_type)
            .body(asset.packed()),
        (false, false) => response.content_type(asset.content_type).body(asset.body.clone()),
    }
}

/// Whether `Accept-Encoding` names gzip and does not refuse it (RFC 9110, 12.5.3).
fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let refused = |weight: &str| weight.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip")) && !parts.any(refused)
    })
}

/// Whether `If-None-Match` names this version (RFC 9110, 13.1.2: weak comparison).
fn has_already(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(header::IF_NONE_MATCH),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::{App, body, test};

    use super::*;

    /// `dist/htmx.min.js` of the npm package htmx.org 4.0.1.
    const HTMX: &str = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130";

    async fn get(uri: &str, known: Option<&str>) -> HttpResponse {
        let app = test::init_service(App::new().service(show)).await;
        let mut request = test::TestRequest::get().uri(uri);
        if let Some(tag) = known {
            request = request.insert_header((header::IF_NONE_MATCH, tag));
        }
        test::call_service(&app, request.to_request()).await.into_parts().1.map_into_boxed_body()
    }

    fn header_of(response: &HttpResponse, name: header::HeaderName) -> &str {
        response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[actix_web::test]
    async fn htmx_is_the_published_file_byte_for_byte() {
        let response = get("/static/htmx-4.0.1.min.js", None).await;
        let bytes = body::to_bytes(response.into_body()).await.expect("an embedded body has no way to fail");
        assert_eq!(hex::encode(Sha256::digest(&bytes)), HTMX);
    }

    #[actix_web::test]
    async fn a_versioned_address_is_kept_for_ever_and_a_plain_one_is_asked_for_again() {
        let versioned = get(&url(BUNDLE), None).await;
        assert_eq!(versioned.status(), StatusCode::OK);
        assert_eq!(header_of(&versioned, header::CACHE_CONTROL), FOREVER);
        assert_eq!(header_of(&versioned, header::CONTENT_TYPE), "text/css; charset=utf-8");
        assert_eq!(header_of(&versioned, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        for plain in ["/static/strongroom.css", "/static/strongroom.css?v=0000000000000000"] {
            assert_eq!(header_of(&get(plain, None).await, header::CACHE_CONTROL), REVALIDATE);
        }
    }

    #[actix_web::test]
    async fn a_browser_that_has_the_file_is_told_so() {
        let first = get("/static/app.js", None).await;
        let tag = header_of(&first, header::ETAG).to_owned();
        assert!(tag.starts_with('"'), "{tag} is not a strong tag");
        for known in [tag.as_str(), "*", &format!("\"other\", W/{tag}")] {
            let again = get("/static/app.js", Some(known)).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert_eq!(header_of(&again, header::ETAG), tag);
        }
        assert_eq!(get("/static/app.js", Some("\"other\"")).await.status(), StatusCode::OK);
    }

    #[actix_web::test]
    async fn text_is_compressed_for_those_who_take_it() {
        let app = test::init_service(App::new().service(show)).await;
        for (name, accepts, coding) in [
            ("app.js", "gzip, deflate, br", "gzip"),
            (BUNDLE, "br;q=1, GZIP;q=0.5", "gzip"),
            (BUNDLE, "gzip;q=0", ""),
            (BUNDLE, "identity", ""),
            (TYPEFACE, "gzip", ""),
        ] {
            let request = test::TestRequest::get().uri(&url(name)).insert_header((header::ACCEPT_ENCODING, accepts));
            let response = test::call_service(&app, request.to_request()).await.into_parts().1.map_into_boxed_body();
            assert_eq!(header_of(&response, header::CONTENT_ENCODING), coding, "{name} {accepts}");
            assert_eq!(header_of(&response, header::VARY), "Accept-Encoding");
            assert_eq!(header_of(&response, header::ETAG).contains("gzip"), coding == "gzip");
            let body = body::to_bytes(response.into_body()).await.expect("an embedded body has no way to fail");
            let whole = &ASSETS[name].body;
            if coding.is_empty() {
                assert_eq!(&body, whole);
            } else {
                let mut text = Vec::new();
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut text).expect("gzip");
                assert!(text == whole[..] && body.len() < whole.len() / 2, "{name}");
            }
        }
    }

    #[actix_web::test]
    async fn what_is_not_embedded_is_not_found() {
        for uri in [
            "/static/",
            "/static/missing.js",
            "/static/../Cargo.toml",
            "/static/%2e%2e/Cargo.toml",
            "/static/css/tokens.css",
        ] {
            assert_eq!(get(uri, None).await.status(), StatusCode::NOT_FOUND, "{uri}");
        }
    }

    #[::core::prelude::v1::test]
    fn the_style_sheets_obey_the_content_security_policy() {
        for name in Files::iter().filter(|name| name.ends_with(".css")) {
            let file =
                Files::get(&name).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
            assert!(!file.contains("url(") && !file.contains("@import"), "{name} loads something");
            assert!(file.contains("@layer"), "{name} stands outside the layers");
        }
    }

    fn templates(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("the templates folder is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                templates(&path, found);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push(text);
            }
        }
    }

    /// What stands between `before` and the next quote, wherever a template says it.
    fn quoted(before: &str) -> Vec<String> {
        let mut found = Vec::new();
        templates(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")), &mut found);
        let ends = |text: &str| {
            text.split(before).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect::<Vec<_>>()
        };
        found.iter().flat_map(|text| ends(text)).collect()
    }

    #[::core::prelude::v1::test]
    fn every_file_and_icon_that_a_template_names_exists() {
        for name in quoted("assets::url(\"") {
            assert!(ASSETS.contains_key(&name), "no file {name}");
        }
        let sprite = String::from_utf8_lossy(&ASSETS["icons.svg"].body).into_owned();
        for name in quoted("icon(\"") {
            assert!(sprite.contains(&format!("id=\"{name}\"")), "no icon {name}");
        }
    }

    #[::core::prelude::v1::test]
    fn every_mark_that_is_named_is_drawn() {
        let sprite = String::from_utf8_lossy(&ASSETS["marks.svg"].body).into_owned();
        for name in super::super::marks::drawn() {
            assert!(sprite.contains(&format!("<symbol id=\"{name}\"")), "no mark {name}");
        }
    }

    #[::core::prelude::v1::test]
    fn the_order_of_the_layers_comes_first_in_the_bundle() {
        let sheet = String::from_utf8_lossy(&ASSETS[BUNDLE].body).into_owned();
        let order = sheet.find("@layer reset, tokens, base, layout, components, utilities;");
        assert!(order.is_some_and(|at| !sheet[..at].contains('{')));
    }
}
