//! The two statements that one assumed role needs, with the real ARNs, ready to copy.

use serde_json::{Value, json};

use super::Assume;

/// For the policy of the one who assumes; `caller` is who that is, as AWS says.
pub fn may_assume(caller: Option<&str>, roles: &[&str]) -> (String, String) {
    let resource = match roles {
        [role] => json!(role),
        several => json!(several),
    };
    let whose = caller.map_or_else(|| "the key's user (or of the role it belongs to)".to_owned(), principal);
    let what = if roles.len() == 1 { "the role" } else { "the roles" };
    let statement = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource });
    (format!("Policy of {whose}: may assume {what}"), document(&[statement]))
}

/// For the trust policy of the role. An unknown caller is left to be filled in.
pub fn trusts(caller: Option<&str>, role: &Assume) -> (String, String) {
    let partition = role.role.split(':').nth(1).unwrap_or("aws");
    let caller = caller.map_or_else(|| format!("arn:{partition}:iam::ACCOUNT:user/USER"), principal);
    let principal = json!({ "AWS": caller });
    let mut statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
    if !role.external_id.is_empty() {
        statement["Condition"] = json!({ "StringEquals": { "sts:ExternalId": role.external_id } });
    }
    (format!("Trust policy of {}: who may assume it", role.role), document(&[statement]))
}

/// A whole policy.
pub fn document(statements: &[Value]) -> String {
    let whole = json!({ "Version": "2012-10-17", "Statement": statements });
    serde_json::to_string_pretty(&whole).unwrap_or_default()
}

/// A trust policy names the role, not the session of it: `arn:aws:sts::1:assumed-role/name/session`.
fn principal(caller: &str) -> String {
    let parts: Vec<&str> = caller.splitn(6, ':').collect();
    let [arn, partition, "sts", _, account, resource] = parts[..] else { return caller.to_owned() };
    match resource.strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next()) {
        Some(role) => format!("{arn}:{partition}:iam::{account}:role/{role}"),
        None => caller.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_names_the_role_behind_a_session_and_the_external_id() {
        let role = Assume {
            role: "arn:aws:iam::222222222222:role/scan".into(),
            external_id: "tenant-7".into(),
            session_name: "strongroom-x".into(),
            minutes: 60,
        };
        let (_, text) = trusts(Some("arn:aws:sts::111111111111:assumed-role/console/i-1"), &role);
        let policy: Value = serde_json::from_str(&text).unwrap();
        let statement = &policy["Statement"][0];
        assert_eq!(statement["Principal"]["AWS"], "arn:aws:iam::111111111111:role/console");
        assert_eq!(statement["Condition"]["StringEquals"]["sts:ExternalId"], "tenant-7");
        let session = "arn:aws:sts::111111111111:assumed-role/console/i-1";
        let (caption, text) = may_assume(Some(session), &[&role.role]);
        assert_eq!(caption, "Policy of arn:aws:iam::111111111111:role/console: may assume the role");
        let policy: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(policy["Statement"][0]["Resource"], role.role);
        let (_, text) = may_assume(None, &["arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"]);
        let policy: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(policy["Statement"][0]["Resource"][1], "arn:aws:iam::1:role/b");
    }
}
