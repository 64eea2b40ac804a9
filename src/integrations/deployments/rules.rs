//! The rules of the agent's ClusterRole, chosen from a short list or pasted.
//! <https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/cluster-role-v1/>

use serde::Serialize;
use serde_json::json;

use crate::credentials::document::{self, Node};
use crate::form::Values;

/// One rule of a role, for either resources or non-resource URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub api_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_names: Vec<String>,
    #[serde(rename = "nonResourceURLs", skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    pub verbs: Vec<String>,
}

pub(super) const NONE: &str = "none";
pub(super) const NODES: &str = "nodes";
pub(super) const WORKLOADS: &str = "workloads";
pub(super) const OWN: &str = "own";

const READ: [&str; 3] = ["get", "list", "watch"];

/// The rules that the settings ask for; empty if the agent does not use the API.
pub fn of(settings: &Values) -> Vec<Rule> {
    match settings.get("rules") {
        NODES => vec![reading("", &["nodes", "namespaces", "pods"])],
        WORKLOADS => vec![
            reading("", &["nodes", "namespaces", "pods", "services", "serviceaccounts", "replicationcontrollers"]),
            reading("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
            reading("batch", &["cronjobs", "jobs"]),
            reading("networking.k8s.io", &["ingresses", "networkpolicies"]),
        ],
        OWN => parse(settings.get("own_rules")).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn reading(group: &str, resources: &[&str]) -> Rule {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Rule { api_groups: owned(&[group]), resources: owned(resources), verbs: owned(&READ), ..Rule::default() }
}

/// Checks the form field, and returns the rules as canonical YAML.
pub(super) fn check(text: &str) -> Result<String, String> {
    let rules = parse(text)?;
    let mut lines = Vec::new();
    for rule in &rules {
        let members = [
            ("apiGroups", &rule.api_groups),
            ("resources", &rule.resources),
            ("resourceNames", &rule.resource_names),
            ("nonResourceURLs", &rule.paths),
            ("verbs", &rule.verbs),
        ];
        let filled = members.into_iter().filter(|(_, words)| !words.is_empty());
        lines.extend(filled.enumerate().map(|(at, (name, words))| {
            let dash = if at == 0 { "- " } else { "  " };
            format!("{dash}{name}: {}", json!(words))
        }));
    }
    Ok(lines.join("\n"))
}

/// A list of rules, a map with `rules`, or a whole ClusterRole; as YAML or JSON.
fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let text = text.trim();
    let text = match text.chars().next() {
        Some('[') => format!("{{\"rules\": {text}}}"),
        Some('-') if !text.starts_with("---") => format!("rules:\n{text}"),
        _ => text.to_owned(),
    };
    let root = document::yaml(&text).map_err(|fault| fault.to_string())?;
    if root.get("kind").and_then(Node::text).is_some_and(|kind| !["ClusterRole", "Role"].contains(&kind)) {
        return Err("This is not a ClusterRole. Paste a ClusterRole or its rules.".to_owned());
    }
    let rules = root.get("rules").and_then(Node::list).ok_or("Paste rules: a list, or a ClusterRole with one.")?;
    let rules: Vec<Rule> = rules.iter().enumerate().map(|(at, node)| rule(node, at + 1)).collect::<Result<_, _>>()?;
    match rules.len() {
        0 => Err("It has no rules.".to_owned()),
        1..=100 => Ok(rules),
        _ => Err("Enter at most 100 rules.".to_owned()),
    }
}

fn rule(node: &Node, number: usize) -> Result<Rule, String> {
    const KNOWN: [&str; 5] = ["apiGroups", "resources", "resourceNames", "nonResourceURLs", "verbs"];
    if !node.is_map() || !node.names().all(|name| KNOWN.contains(&name)) {
        return Err(format!("Rule {number} may only have these members: {}.", KNOWN.join(", ")));
    }
    let words = |name: &str| words(node, name).ok_or_else(|| format!("Rule {number}: {name} must be a list of words."));
    let rule = Rule {
        api_groups: words("apiGroups")?,
        resources: words("resources")?,
        resource_names: words("resourceNames")?,
        paths: words("nonResourceURLs")?,
        verbs: words("verbs")?,
    };
    let on_resources = !rule.resources.is_empty() && !rule.api_groups.is_empty() && rule.paths.is_empty();
    let on_paths = !rule.paths.is_empty() && rule.resources.is_empty() && rule.api_groups.is_empty();
    if rule.verbs.is_empty() || !(on_resources || on_paths) {
        return Err(format!("Rule {number} needs verbs, and either apiGroups and resources or nonResourceURLs."));
    }
    Ok(rule)
}

fn words(node: &Node, name: &str) -> Option<Vec<String>> {
    let Some(member) = node.get(name) else { return Some(Vec::new()) };
    let word = |node: &Node| {
        let text = node.text()?;
        let fit = text.len() <= 253 && text.bytes().all(|b| b.is_ascii_graphic());
        fit.then(|| text.to_owned())
    };
    member.list()?.iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANONICAL: &str = "- apiGroups: [\"\"]\n  resources: [\"nodes\"]\n  verbs: [\"get\",\"list\"]";

    #[test]
    fn rules_may_be_a_list_a_role_yaml_or_json_and_get_one_form() {
        let list = "- apiGroups: ['']\n  resources:\n  - nodes\n  verbs: [get, list]\n";
        let json = r#"[{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]"#;
        let role = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: x\nrules:\n{list}"
        );
        for text in [list, json, &role, CANONICAL] {
            assert_eq!(check(text).as_deref(), Ok(CANONICAL), "{text}");
        }
        let settings = Values::from_iter([("rules", OWN), ("own_rules", CANONICAL)]);
        assert_eq!(
            json!(of(&settings)),
            json!([{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}])
        );
    }

    #[test]
    fn what_is_no_rule_is_refused_by_its_number() {
        for (text, said) in [
            ("- verbs: [get]", "Rule 1 needs verbs"),
            ("- apiGroups: ['']\n  resources: [a]\n  verbs: [get]\n  x: y", "Rule 1 may only have"),
            ("- resources: a\n  verbs: [get]", "Rule 1: resources must be"),
            ("rules: []", "no rules"),
            ("kind: Secret\ndata: x", "not a ClusterRole"),
            ("hello", "no members"),
        ] {
            let error = check(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn the_short_list_only_reads() {
        for choice in [NONE, NODES, WORKLOADS] {
            let rules = of(&Values::from_iter([("rules", choice)]));
            assert!(rules.iter().all(|rule| rule.verbs == READ), "{choice}");
            assert!(rules.iter().all(|rule| !rule.resources.iter().any(|resource| resource == "secrets")));
        }
        assert!(of(&Values::default()).is_empty());
    }
}
