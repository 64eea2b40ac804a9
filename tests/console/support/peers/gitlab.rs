//! GitLab with its container registry on the same host: the API of groups and projects, the token server `/jwt/auth`,
//! the registry's own list of tags, and its v2 interface.
//! <https://docs.gitlab.com/api/container_registry/> <https://docs.gitlab.com/api/rest/#pagination>
//! <https://gitlab.com/gitlab-org/container-registry/-/blob/master/docs/spec/gitlab/api.md>

use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::shelf::{self, Shelf};
use super::vendor::{basic, bearer, host, paged, registry_error, scoped, token_for_scope, v2, with};

pub const TOKEN: &str = "glpat-0123456789abcdefghij";
/// Of the project `team/app`.
pub const DEPLOY: (&str, &str) = ("gitlab+deploy-token-1", "gldt-0123456789abcdefghij");

/// Repositories by id and path, in projects; the last is being deleted.
const REPOSITORIES: [(u32, &str, &str); 5] = [
    (1, "team/app", "team/app"),
    (2, "team/app", "team/app/worker"),
    (3, "team/sub/tool", "team/sub/tool"),
    (4, "ada/lab", "ada/lab"),
    (5, "team/app", "team/app/old"),
];
/// Groups by id.
const GROUPS: [(u32, &str); 2] = [(10, "team"), (11, "team/sub")];
/// Projects by id.
const PROJECTS: [(u32, &str); 3] = [(20, "team/app"), (21, "team/sub/tool"), (22, "ada/lab")];
/// Of each repository but the last: the higher version is the older one.
const TAGS: [(&str, &str); 2] = [("9.9", "2026-01-01T10:00:00.123Z"), ("1.0", "2026-11-01T10:00:00.123Z")];

/// The content of the registry: an index at 1.0, an image at 9.9.
pub fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for (_, _, path) in REPOSITORIES {
        let image = shelf.image("amd64");
        shelf.put(path, "9.9", shelf::IMAGE, &image);
        let mut child = shelf.keep(path, shelf::IMAGE, &image);
        child["platform"] = json!({"os": "linux", "architecture": "arm64"});
        shelf.put(path, "1.0", shelf::INDEX, &json!({"schemaVersion": 2, "manifests": [child]}));
    }
    shelf
}

fn refused(status: u16, message: &str) -> Said {
    Said::json(status, &json!({"message": format!("{status} {message} {UPSTREAM}")}))
}

pub fn answer(call: &Call) -> Said {
    rules(call, true).unwrap_or_else(|refusal| refusal)
}

/// A registry without a metadata database lacks its own API.
pub fn answer_without_database(call: &Call) -> Said {
    rules(call, false).unwrap_or_else(|refusal| refusal)
}

fn rules(call: &Call, database: bool) -> Result<Said, Said> {
    if call.method != "GET" {
        return Err(refused(405, "Method Not Allowed"));
    }
    if let Some(path) = call.path().strip_prefix("/api/v4/") {
        if call.header("private-token").or(bearer(call)) != Some(TOKEN) {
            return Err(refused(401, "Unauthorized"));
        }
        return api(call, path);
    }
    if call.path() == "/jwt/auth" {
        let known = basic(call).is_some_and(|(name, password)| {
            (!name.is_empty() && password == TOKEN) || (name.as_str(), password.as_str()) == DEPLOY
        });
        let denied = || Said::json(401, &json!({"errors": [{"code": "UNAUTHORIZED", "message": UPSTREAM}]}));
        return if known { Ok(token_for_scope(call)) } else { Err(denied()) };
    }
    match call.path().strip_prefix("/gitlab/v1/repositories/") {
        Some(rest) if database => own_list(call, rest),
        Some(_) => Err(Said::html(404)),
        None => v2(call, "/jwt/auth", &shelf()),
    }
}

fn api(call: &Call, path: &str) -> Result<Said, Said> {
    let per_page: u32 = call.query("per_page").and_then(|size| size.parse().ok()).unwrap_or(20);
    assert!(per_page <= 100, "GitLab gives no more, and says nothing");
    let member = call.query("min_access_level").as_deref() == Some("20");
    match path {
        "groups" if member => {
            return Ok(paged(call, &GROUPS.map(|(id, path)| json!({"id": id, "full_path": path}))));
        }
        "projects" if member && call.query("membership").as_deref() == Some("true") => return Ok(projects(call)),
        _ => {}
    }
    let mut parts = path.split('/');
    let (sort, place) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    // By its id or its path, which is one part of the address.
    let known = if sort == "groups" { &GROUPS[..] } else { &PROJECTS[..] };
    let by_id = known.iter().find(|(id, _)| id.to_string() == place);
    let place = by_id.map_or_else(|| place.replace("%2F", "/"), |(_, path)| (*path).to_owned());
    if (parts.next(), parts.next()) != (Some("registry"), Some("repositories")) {
        return Err(refused(404, "Not Found"));
    }
    let of_group = |project: &str| project.starts_with(&format!("{place}/"));
    let inside: Vec<_> = match (sort, place.as_str()) {
        ("groups", "team" | "team/sub") => REPOSITORIES.iter().filter(|(_, project, _)| of_group(project)).collect(),
        ("projects", _) => REPOSITORIES.iter().filter(|(_, project, _)| *project == place).collect(),
        _ => Vec::new(),
    };
    if inside.is_empty() {
        return Err(refused(404, if sort == "groups" { "Group Not Found" } else { "Project Not Found" }));
    }
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => Ok(paged(call, &inside.iter().map(|repository| described(**repository)).collect::<Vec<_>>())),
        (Some(id), Some("tags"), tag) => {
            let found = inside.iter().find(|(known, ..)| known.to_string() == id);
            tags(call, found.ok_or_else(|| refused(404, "Repository Not Found"))?.2, tag)
        }
        _ => Err(refused(404, "Not Found")),
    }
}

/// By keyset: the next page begins behind an id.
fn projects(call: &Call) -> Said {
    assert_eq!(call.query("pagination").as_deref(), Some("keyset"), "offsets end at 50,000");
    let after: u32 = call.query("id_after").and_then(|id| id.parse().ok()).unwrap_or(0);
    let all = PROJECTS.map(|(id, path)| json!({"id": id, "path_with_namespace": path}));
    let next = all.iter().find(|project| project["id"].as_u64() > Some(after.into()));
    let said = Said::json(200, &json!(next.into_iter().collect::<Vec<_>>()));
    match next {
        Some(project) => {
            said.with("Link", format!("<{}{}>; rel=\"next\"", host(call), with(call, "id_after", &project["id"])))
        }
        None => said,
    }
}

fn described((id, project, path): (u32, &str, &str)) -> Value {
    let name = path.strip_prefix(project).unwrap_or_default().trim_start_matches('/');
    let status = if name == "old" { json!("delete_scheduled") } else { Value::Null };
    let number = PROJECTS.iter().find(|(_, known)| *known == project).map(|(id, _)| id);
    json!({"id": id, "name": name, "path": path, "project_id": number,
        "location": format!("registry.example.com/{path}"),
        "created_at": "2026-01-10T13:38:57.391Z", "cleanup_policy_started_at": null, "status": status})
}

/// The tags of a repository as GitLab's API has them: dates only one by one.
fn tags(call: &Call, path: &str, tag: Option<&str>) -> Result<Said, Said> {
    let place = |name: &str| {
        let path = format!("{path}:{name}");
        json!({"name": name, "path": path, "location": format!("registry.example.com/{path}")})
    };
    let Some(tag) = tag else { return Ok(paged(call, &TAGS.map(|(name, _)| place(name)))) };
    let (name, created) = TAGS.iter().find(|(name, _)| *name == tag).ok_or_else(|| refused(404, "Tag Not Found"))?;
    let mut found = place(name);
    found["digest"] = json!(digest(path, name));
    found["created_at"] = json!(created);
    found["total_size"] = json!(5);
    Ok(Said::json(200, &found))
}

/// Of what a tag names.
pub fn digest(path: &str, tag: &str) -> String {
    shelf().digest(path, tag).expect("it is on the shelf")
}

/// `GET /gitlab/v1/repositories/<path>/tags/list/`
fn own_list(call: &Call, rest: &str) -> Result<Said, Said> {
    let path = rest.strip_suffix("/tags/list/").ok_or_else(|| registry_error(404, "NOT_FOUND"))?;
    scoped(call, "/jwt/auth", &format!("repository:{path}:pull"))?;
    if !REPOSITORIES.iter().any(|(_, _, known)| *known == path) {
        return Err(registry_error(404, "NAME_UNKNOWN"));
    }
    let size: u32 = call.query("n").and_then(|size| size.parse().ok()).unwrap_or(100);
    if !(1..=1000).contains(&size) {
        return Err(registry_error(400, "INVALID_QUERY_PARAMETER_VALUE"));
    }
    let last = call.query("last");
    let at = last.map_or(0, |last| TAGS.iter().position(|(name, _)| *name == last).map_or(TAGS.len(), |at| at + 1));
    let Some((name, published)) = TAGS.get(at) else { return Ok(Said::json(200, &json!([]))) };
    let entry = json!({"name": name, "digest": digest(path, name), "media_type": shelf::INDEX, "size_bytes": 5,
        "created_at": "2026-01-01T10:00:00.123Z", "published_at": published});
    let said = Said::json(200, &json!([entry]));
    let next = format!("<{}{}>; rel=\"next\"", host(call), with(call, "last", name));
    Ok(if at + 1 < TAGS.len() { said.with("Link", next) } else { said })
}
