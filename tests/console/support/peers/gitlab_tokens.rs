//! GitLab, as far as it lists access tokens: those of users, groups and projects, by the roles of who asks.
//! <https://docs.gitlab.com/api/personal_access_tokens/> <https://docs.gitlab.com/api/project_access_tokens/>
//! <https://docs.gitlab.com/api/group_access_tokens/>

use serde_json::{Value, json};

use super::receiver::{Call, Said, UPSTREAM};
use super::vendor::{bearer, host, paged, with};

/// Of ada: Owner of the group `team`, Developer of the project `ada/lab`.
pub const ADA: &str = "glpat-ada456789abcdefghij";
/// Of the administrator, who is a member of nothing.
pub const ROOT: &str = "glpat-root56789abcdefghij";
/// Of ada too, with the scope read_registry alone.
pub const UNSCOPED: &str = "glpat-lame56789abcdefghij";

const USERS: [(u32, &str); 4] = [(1, "root"), (3, "ada"), (31, "project_20_bot_1a2b"), (32, "group_10_bot_3c4d")];
/// Groups and projects by id; ada may list the tokens of all but the last.
const GROUPS: [(u32, &str); 2] = [(10, "team"), (11, "team/sub")];
const PROJECTS: [(u32, &str); 2] = [(20, "team/app"), (22, "ada/lab")];

/// The number of ada's own token.
pub const OLD: u32 = 101;

struct Token(u32, u32, &'static str, &'static str, Option<&'static str>, Option<&'static str>, bool);

/// Number, user, name, day it was made, last use, day it ends, whether it was revoked.
const TOKENS: [Token; 5] = [
    Token(OLD, 3, "laptop", "2019-03-01", Some("2026-11-20T10:00:00.123Z"), None, false),
    Token(102, 3, "gone", "2020-03-01", None, Some("2021-03-01"), true),
    Token(103, 1, "backup", "2026-10-01", None, Some("2031-05-04"), false),
    Token(201, 31, "deploy", "2020-01-01", None, Some("2031-05-04"), false),
    Token(301, 32, "mirror", "2026-11-01", Some("2026-11-21T10:00:00.123Z"), None, false),
];

fn described(token: &Token) -> Value {
    let Token(id, user, name, made, used, ends, revoked) = token;
    json!({"id": id, "name": name, "description": UPSTREAM, "revoked": revoked, "active": !revoked,
        "created_at": format!("{made}T10:00:00.123Z"), "last_used_at": used, "expires_at": ends, "user_id": user,
        "scopes": ["read_api", "read_registry"]})
}

fn refused(status: u16, message: &str) -> Said {
    Said::json(status, &json!({"message": format!("{status} {message} {UPSTREAM}")}))
}

pub fn answer(call: &Call) -> Said {
    rules(call).unwrap_or_else(|refusal| refusal)
}

fn rules(call: &Call) -> Result<Said, Said> {
    if call.method != "GET" {
        return Err(refused(405, "Method Not Allowed"));
    }
    let caller = match call.header("private-token").or(bearer(call)) {
        Some(ADA) => 3,
        Some(ROOT) => 1,
        Some(UNSCOPED) => {
            let refusal =
                json!({"error": "insufficient_scope", "error_description": UPSTREAM, "scope": "api read_api"});
            return Err(Said::json(403, &refusal));
        }
        _ => return Err(refused(401, "Unauthorized")),
    };
    let per_page: u32 = call.query("per_page").and_then(|size| size.parse().ok()).unwrap_or(20);
    assert!(per_page <= 100, "GitLab gives no more, and says nothing");
    let path = call.path().strip_prefix("/api/v4/").ok_or_else(|| refused(404, "Not Found"))?;
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["user"] => Ok(Said::json(200, &user(caller))),
        ["users"] => Ok(paged(call, &USERS.map(|(id, _)| user(id)))),
        ["personal_access_tokens"] => Ok(paged(call, &tokens(|token| caller == 1 || token.1 == caller))),
        ["personal_access_tokens", "self"] => {
            let own = if caller == 1 { 103 } else { OLD };
            Ok(Said::json(200, &tokens(|token| token.0 == own)[0]))
        }
        ["groups"] => {
            assert!(call.query("min_access_level").is_some(), "else all public groups of the server");
            let known = if caller == 3 { &GROUPS[..] } else { &[] };
            Ok(paged(call, &known.iter().map(|(id, path)| json!({"id": id, "full_path": path})).collect::<Vec<_>>()))
        }
        ["projects"] => Ok(projects(call, caller)),
        [sort @ ("groups" | "projects"), place] => {
            let (id, path) = known(sort, place, caller)?;
            let name = if sort == "groups" { "full_path" } else { "path_with_namespace" };
            Ok(Said::json(200, &json!({"id": id, name: path})))
        }
        [sort @ ("groups" | "projects"), place, "access_tokens"] => {
            let (id, _) = known(sort, place, caller)?;
            // What GitLab says of a missing role.
            if id == 22 {
                return Err(refused(401, "Unauthorized"));
            }
            let bot = match id {
                20 => 31,
                10 => 32,
                _ => 0,
            };
            Ok(paged(call, &tokens(|token| token.1 == bot)))
        }
        _ => Err(refused(404, "Not Found")),
    }
}

fn user(id: u32) -> Value {
    let name = USERS.iter().find(|(known, _)| *known == id).expect("a user").1;
    json!({"id": id, "username": name, "state": "active", "bot": name.contains("_bot_")})
}

fn tokens(wanted: impl Fn(&Token) -> bool) -> Vec<Value> {
    TOKENS.iter().filter(|token| wanted(token)).map(described).collect()
}

/// A group or project by its id or its path, which is one part of the address.
fn known(sort: &str, place: &str, caller: u32) -> Result<(u32, &'static str), Said> {
    let all = if sort == "groups" { &GROUPS } else { &PROJECTS };
    let place = place.replace("%2F", "/");
    let found = all.iter().find(|(id, path)| id.to_string() == place || *path == place);
    let message = if sort == "groups" { "Group Not Found" } else { "Project Not Found" };
    found.filter(|_| caller == 3).copied().ok_or_else(|| refused(404, message))
}

/// By keyset: the next page begins behind an id.
fn projects(call: &Call, caller: u32) -> Said {
    let after: u32 = call.query("id_after").and_then(|id| id.parse().ok()).unwrap_or(0);
    let mine = PROJECTS.iter().filter(|(id, _)| caller == 3 && *id > after);
    let Some((id, path)) = mine.clone().next() else { return Said::json(200, &json!([])) };
    let said = Said::json(200, &json!([{"id": id, "path_with_namespace": path}]));
    said.with("Link", format!("<{}{}>; rel=\"next\"", host(call), with(call, "id_after", id)))
}
