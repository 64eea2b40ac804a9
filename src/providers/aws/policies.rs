//! Policies of IAM, with the real ARNs, ready to copy. The two that lead into a role are here; what an integration may
//! do in there, it says itself with a [`Statement`].
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Assume;

/// One permission, in the order in which people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Statement {
    effect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Value>,
    action: Words,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Words>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

/// A lone word stands without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Several(Vec<String>),
}

impl Words {
    fn new(words: &[&str]) -> Self {
        match words {
            [word] => Self::One((*word).to_owned()),
            several => Self::Several(several.iter().map(|word| (*word).to_owned()).collect()),
        }
    }

    fn all(&self) -> Vec<&str> {
        match self {
            Self::One(word) => vec![word],
            Self::Several(words) => words.iter().map(String::as_str).collect(),
        }
    }

    /// Each word once, in the order in which they come.
    fn with(&self, other: &Self) -> Self {
        let mut words = self.all();
        words.extend(other.all());
        let mut seen = std::collections::HashSet::new();
        words.retain(|word| seen.insert(*word));
        Self::new(&words)
    }
}

impl Statement {
    /// Lets whoever has the policy do these actions on these resources.
    pub fn allow(actions: &[&str], resources: &[&str]) -> Self {
        let (action, resource) = (Words::new(actions), Some(Words::new(resources)));
        Self { effect: ALLOW.to_owned(), principal: None, action, resource, condition: None }
    }
}

const ALLOW: &str = "Allow";
const VERSION: &str = "2012-10-17";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: String,
    statement: Vec<Statement>,
}

/// One policy for two that differ in their resources alone; `None` for any others.
pub fn merged(one: &str, other: &str) -> Option<String> {
    let [mut one, other]: [Document; 2] = [serde_json::from_str(one).ok()?, serde_json::from_str(other).ok()?];
    if one.statement.len() != other.statement.len() {
        return None;
    }
    for (mine, theirs) in one.statement.iter_mut().zip(other.statement) {
        let resource = match (&mine.resource, &theirs.resource) {
            (Some(mine), Some(theirs)) => Some(mine.with(theirs)),
            (None, None) => None,
            _ => return None,
        };
        mine.resource = resource;
        if *mine != (Statement { resource: mine.resource.clone(), ..theirs }) {
            return None;
        }
    }
    Some(document(&one.statement))
}

/// A whole policy, as JSON.
pub fn document(statement: &[Statement]) -> String {
    serde_json::to_string_pretty(&Document { version: VERSION.to_owned(), statement: statement.to_vec() })
        .unwrap_or_default()
}

/// For the policy of the one who assumes; `caller` is who that is, as AWS says.
pub fn may_assume(caller: Option<&str>, roles: &[&str]) -> (String, String) {
    let whose = caller.map_or_else(|| "the key's user (or of the role it belongs to)".to_owned(), principal);
    let what = if roles.len() == 1 { "the role" } else { "the roles" };
    (format!("Policy of {whose}: may assume {what}"), document(&[Statement::allow(&["sts:AssumeRole"], roles)]))
}

/// For the trust policy of the role. An unknown caller is left to be filled in.
pub fn trusts(caller: Option<&str>, role: &Assume) -> (String, String) {
    let partition = role.role.split(':').nth(1).unwrap_or("aws");
    let caller = caller.map_or_else(|| format!("arn:{partition}:iam::ACCOUNT:user/USER"), principal);
    let external = Some(&role.external_id).filter(|id| !id.is_empty());
    let statement = Statement {
        effect: ALLOW.to_owned(),
        principal: Some(json!({ "AWS": caller })),
        action: Words::new(&["sts:AssumeRole"]),
        resource: None,
        condition: external.map(|id| json!({ "StringEquals": { "sts:ExternalId": id } })),
    };
    (format!("Trust policy of {}: who may assume it", role.role), document(&[statement]))
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
    fn policies_that_differ_in_resources_alone_become_one() {
        let read = |resources: &[&str]| document(&[Statement::allow(&["a:Get"], resources), all()]);
        fn all() -> Statement {
            Statement::allow(&["b:List"], &["*"])
        }
        assert_eq!(merged(&read(&["one"]), &read(&["two", "one"])), Some(read(&["one", "two"])));
        assert_eq!(merged(&read(&["one"]), &document(&[all()])), None);
        assert_eq!(merged(&read(&["one"]), &document(&[Statement::allow(&["a:Put"], &["one"]), all()])), None);
        assert_eq!(merged("az role assignment create", &read(&["one"])), None);
    }

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
