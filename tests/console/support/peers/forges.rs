//! GitHub and GitLab, as far as a token asks who it is.
//! <https://docs.github.com/en/rest/users/users#get-the-authenticated-user>
//! <https://docs.gitlab.com/api/personal_access_tokens/#self-inform> <https://docs.gitlab.com/api/users/>

use serde_json::json;

use super::certificates::Authority;
use super::receiver::{Call, Receiver, Said, UPSTREAM};

/// github.com's API, or an enterprise server's below `/api/v3` when there is an authority.
pub fn github(token: &'static str, enterprise: Option<&Authority>) -> Receiver {
    let path = if enterprise.is_some() { "/api/v3/user" } else { "/user" };
    let rules = move |call: &Call| {
        // GitHub refuses whoever does not name itself.
        if call.header("user-agent").is_none() || call.header("accept") != Some("application/vnd.github+json") {
            return Said::html(403);
        }
        if call.path() != path || call.method != "GET" {
            return Said::json(404, &json!({"message": UPSTREAM}));
        }
        if call.header("authorization") != Some(&format!("Bearer {token}")) {
            return Said::json(401, &json!({"message": UPSTREAM, "status": "401"}));
        }
        let user = json!({"login": "octo-scanner", "id": 1, "type": "User"});
        Said::json(200, &user)
            .with("X-OAuth-Scopes", "read:packages, read:org")
            .with("github-authentication-token-expiration", "2031-05-04 08:00:00 UTC")
            .with("X-RateLimit-Remaining", "4999")
    };
    match enterprise {
        Some(authority) => Receiver::start_tls(authority, rules),
        None => Receiver::start(rules),
    }
}

/// A server before 15.5 has no page for the token itself: `modern` is `false`.
pub fn gitlab(token: &'static str, modern: bool) -> Receiver {
    Receiver::start(move |call| {
        if call.header("private-token") != Some(token) {
            return Said::json(401, &json!({"message": UPSTREAM}));
        }
        match (call.method.as_str(), call.path()) {
            ("GET", "/api/v4/personal_access_tokens/self") if modern => Said::json(
                200,
                &json!({"id": 4, "name": "strongroom", "revoked": false, "scopes": ["read_api", "read_registry"],
                    "user_id": 3, "active": true, "expires_at": "2031-05-04"}),
            ),
            ("GET", "/api/v4/user") => Said::json(200, &json!({"id": 3, "username": "group_bot", "bot": true})),
            _ => Said::json(404, &json!({"error": UPSTREAM})),
        }
    })
}
