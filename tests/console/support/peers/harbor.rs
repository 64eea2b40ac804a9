//! Harbor: sign-in of robot accounts, and its own interface with paging and its kind of errors.
//! <https://github.com/goharbor/harbor/blob/main/api/v2.0/swagger.yaml>

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::receiver::{Call, Receiver, Said, UPSTREAM};

pub const ROBOT: &str = "robot$scanner";
pub const SECRET: &str = "Harbor12345-robot";
pub const INDEX: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
pub const IMAGE: &str = "sha256:3333333333333333333333333333333333333333333333333333333333333333";

/// A Harbor with the projects `closed`, which nobody here may read, `public` and `team`; a page has one entry.
pub fn start() -> Receiver {
    Receiver::start(|call| answer(call).unwrap_or_else(|refusal| refusal))
}

fn refused(status: u16, code: &str) -> Said {
    Said::json(status, &json!({"errors": [{"code": code, "message": UPSTREAM}]}))
}

/// Whether the robot signed in; `None` without a login.
fn signed_in(call: &Call) -> Result<bool, Said> {
    let Some(header) = call.header("authorization") else { return Ok(false) };
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{ROBOT}:{SECRET}")));
    if header == expected { Ok(true) } else { Err(refused(401, "UNAUTHORIZED")) }
}

fn answer(call: &Call) -> Result<Said, Said> {
    if call.method != "GET" {
        return Err(refused(405, "METHOD_NOT_ALLOWED"));
    }
    let host = call.header("host").unwrap();
    match call.path() {
        "/v2/" if call.header("authorization").is_some_and(|header| header.starts_with("Bearer ")) => {
            Ok(Said::json(200, &json!({})))
        }
        "/v2/" => {
            let asked = format!("Bearer realm=\"http://{host}/service/token\",service=\"harbor-registry\"");
            Err(refused(401, "UNAUTHORIZED").with("Www-Authenticate", asked))
        }
        "/service/token" => {
            signed_in(call)?;
            Ok(Said::json(200, &json!({"token": "t", "access_token": "", "expires_in": 1800})))
        }
        path => {
            let (robot, rest) = (signed_in(call)?, path.strip_prefix("/api/v2.0/projects").unwrap_or("/unknown"));
            let size: usize = call.query("page_size").and_then(|size| size.parse().ok()).unwrap_or(10);
            if size > 100 {
                return Err(refused(422, "UNPROCESSABLE_ENTITY"));
            }
            page(call, entries(call, rest, robot)?)
        }
    }
}

fn entries(call: &Call, rest: &str, robot: bool) -> Result<Vec<Value>, Said> {
    let named = |names: &[&str]| names.iter().map(|name| json!({"name": name, "artifact_count": 2})).collect();
    match rest {
        "" if robot => Ok(named(&["closed", "public", "team"])),
        "" => Ok(named(&["public"])),
        "/closed/repositories" => Err(refused(403, "FORBIDDEN")),
        "/public/repositories" => Ok(named(&["public/tool"])),
        "/team/repositories" if robot => Ok(named(&["team/app", "team/deep/er/app"])),
        // Encoded twice, as the document says: a/b -> a%2Fb -> a%252Fb.
        "/team/repositories/app/artifacts" | "/team/repositories/deep%252Fer%252Fapp/artifacts" if robot => {
            tagged(call)?;
            Ok(vec![image(&["1.0", "1.1"], "2026-11-01"), of_index()])
        }
        "/public/repositories/tool/artifacts" => {
            tagged(call)?;
            Ok(vec![image(&["1.0"], "2026-11-01")])
        }
        _ => Err(refused(404, "NOT_FOUND")),
    }
}

/// Only artifacts with tags are asked for, and with their tags.
fn tagged(call: &Call) -> Result<(), Said> {
    let good = call.query("q").as_deref() == Some("tags=*") && call.query("with_tag").as_deref() == Some("true");
    if good { Ok(()) } else { Err(refused(400, "BAD_REQUEST")) }
}

fn image(names: &[&str], day: &str) -> Value {
    let tags: Vec<Value> =
        names.iter().map(|name| json!({"name": name, "push_time": format!("{day}T10:00:00.000Z")})).collect();
    json!({"type": "IMAGE", "digest": IMAGE, "size": 5000, "push_time": format!("{day}T09:00:00.000Z"),
        "extra_attrs": {"architecture": "amd64", "os": "linux", "created": "2026-10-01T00:00:00Z"},
        "references": null, "tags": tags})
}

fn of_index() -> Value {
    let reference = |architecture: &str, variant: &str| json!({"child_digest": IMAGE, "platform": {"os": "linux", "architecture": architecture, "variant": variant}});
    json!({"type": "IMAGE", "digest": INDEX, "size": 9000, "push_time": "2026-11-05T09:00:00.000Z",
        "extra_attrs": null, "references": [reference("amd64", ""), reference("arm64", "v8")],
        "tags": [{"name": "latest", "push_time": "2026-11-05T10:00:00.000Z"}]})
}

fn page(call: &Call, entries: Vec<Value>) -> Result<Said, Said> {
    let number: usize = call.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let entry = entries.get(number - 1).cloned();
    let link = |page: usize, rel: &str| format!("<{}?page={page}&{}>; rel=\"{rel}\"", call.path(), kept(call));
    let mut links = Vec::new();
    if number > 1 {
        links.push(link(number - 1, "prev"));
    }
    if number < entries.len() {
        links.push(link(number + 1, "next"));
    }
    let said = Said::json(200, &json!(entry.into_iter().collect::<Vec<_>>()));
    Ok(said.with("X-Total-Count", entries.len().to_string()).with("Link", links.join(" , ")))
}

/// The query without its page.
fn kept(call: &Call) -> String {
    let query = call.target.split_once('?').unwrap_or_default().1;
    query.split('&').filter(|pair| !pair.starts_with("page=")).collect::<Vec<_>>().join("&")
}
