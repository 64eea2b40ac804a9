//! Google's IAM and Policy Analyzer: service accounts, their keys, and when the keys last signed in. Keys that Google
//! manages itself are there too, unless the call leaves them out.
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts>,
//! <https://cloud.google.com/iam/docs/reference/rest/v1/projects.serviceAccounts.keys/list>,
//! <https://cloud.google.com/policy-intelligence/docs/activity-analyzer-service-account-authentication>

use serde_json::{Value, json};

use super::google_world::{Api, Google, World, changed};
use super::receiver::{Call, Said};

pub const NO_END: &str = "9999-12-31T23:59:59Z";

impl Google {
    /// A service account with a key of Google's own.
    pub fn account(&self, project: &str, email: &str, changes: &Value) -> &Self {
        let name = format!("projects/{project}/serviceAccounts/{email}");
        let account = json!({"name": name, "projectId": project, "uniqueId": "123456789012345678901", "email": email,
            "displayName": "An account", "etag": "MDEwMjE5MjA=", "oauth2ClientId": "123456789012345678901"});
        self.entry(Api::Accounts, project, changed(account, changes));
        self.key(project, email, "9f9f9f", &json!({"keyType": "SYSTEM_MANAGED"}))
    }

    pub fn key(&self, project: &str, email: &str, id: &str, changes: &Value) -> &Self {
        let name = format!("projects/{project}/serviceAccounts/{email}/keys/{id}");
        let key = json!({"name": name, "validAfterTime": "2024-05-01T10:00:00Z", "validBeforeTime": NO_END,
            "keyAlgorithm": "KEY_ALG_RSA_2048", "keyOrigin": "GOOGLE_PROVIDED", "keyType": "USER_MANAGED"});
        self.entry(Api::Keys, project, changed(key, changes))
    }

    /// When a key last signed in: on a day, or never since Google looks.
    pub fn used(&self, project: &str, email: &str, id: &str, day: Option<&str>) -> &Self {
        let name = format!("//iam.googleapis.com/projects/{project}/serviceAccounts/{email}/keys/{id}");
        let mut activity = json!({"serviceAccountKey": {"fullResourceName": name, "projectNumber": "1"}});
        if let Some(day) = day {
            activity["lastAuthenticatedTime"] = json!(format!("{day}T07:00:00Z"));
        }
        let period = json!({"startTime": "2023-01-01T07:00:00Z", "endTime": "2026-11-26T07:00:00Z"});
        let entry = json!({"fullResourceName": name, "name": name, "activity": activity,
            "activityType": "serviceAccountKeyLastAuthentication", "observationPeriod": period});
        self.entry(Api::Activities, project, entry)
    }
}

/// `None` for a call that is not for these APIs.
pub fn answer(call: &Call, world: &mut World) -> Option<Said> {
    let parts: Vec<&str> = call.path().trim_start_matches('/').split('/').collect();
    Some(match parts[..] {
        ["v1", "projects", project, "serviceAccounts"] => {
            assert!(call.query("pageSize").is_none_or(|size| size.parse::<u32>().unwrap() <= 100));
            world.list(call, (Api::Accounts, project), "accounts", |_| true)
        }
        ["v1", "projects", project, "serviceAccounts", email, "keys"] => keys(call, world, project, email),
        ["v1", "projects", project, "locations", "global", "activityTypes", kind, "activities:query"] => {
            assert_eq!(kind, "serviceAccountKeyLastAuthentication");
            world.list(call, (Api::Activities, project), "activities", |_| true)
        }
        _ => return None,
    })
}

/// All at once: this list has no pages.
fn keys(call: &Call, world: &mut World, project: &str, email: &str) -> Said {
    let at = (Api::Keys, project);
    if let Some(said) = world.instead(at) {
        return said;
    }
    let (of, kind) = (format!("/serviceAccounts/{email}/keys/"), call.query("keyTypes"));
    let here = |key: &Value| {
        key["name"].as_str().unwrap().contains(&of) && kind.as_ref().is_none_or(|kind| key["keyType"] == kind.as_str())
    };
    let keys = world.of(at, here);
    Said::json(200, &if keys.is_empty() { json!({}) } else { json!({"keys": keys}) })
}
