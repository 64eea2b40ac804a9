//! The form fields that all deployments share. Only the image has to be entered; every other default gives the agent
//! no access to the node.

use super::deployment::{AGENT_SECRET, PULL_SECRET};
use super::image::{self, Image};
use super::{lines, names, rules};
use crate::form::{Field, Values};
use crate::pasted::Wanted;

/// The default namespace.
pub const NAMESPACE: &str = "defender";

/// The choices for how the agent receives its secret.
pub(super) const ENVIRONMENT: &str = "environment";
pub(super) const FILES: &str = "files";

const IMAGE: Field = Field::text("image", "Image")
    .placeholder("registry.example.com/team/agent:1.0")
    .help("The image that the nodes pull, with a tag or digest.")
    .max(512)
    .check(image::check);
const NAMESPACE_FIELD: Field = Field::text("namespace", "Namespace")
    .default(NAMESPACE)
    .help("Created if it doesn't exist. An existing one is used unchanged and never deleted.")
    .max(50)
    .check(names::label);
const DAEMON_SET: Field = Field::text("daemon_set", "DaemonSet name")
    .default("defender")
    .help("The other objects are named after it.")
    .max(50)
    .check(names::label);

/// An optional field that most users leave unchanged.
const fn more(field: Field) -> Field {
    field.optional().wants(Wanted::Visible).after_credential().advanced()
}

const fn lines(name: &'static str, label: &'static str) -> Field {
    more(Field::document(name, label)).wants(Wanted::Lines).max(16_384)
}

/// The shared fields, in the order of the form.
pub(super) const COMMON: [Field; 24] = [
    IMAGE,
    NAMESPACE_FIELD,
    DAEMON_SET,
    more(Field::choice(
        "rules",
        "Access to the Kubernetes API",
        &[
            (rules::NONE, "None"),
            (rules::NODES, "Read nodes, namespaces and pods"),
            (rules::WORKLOADS, "Read all workloads"),
            (rules::OWN, "Custom rules"),
        ],
    ))
    .help("What the agent's service account may do in the whole cluster."),
    more(Field::document("own_rules", "ClusterRole rules"))
        .when("rules", &[rules::OWN])
        .placeholder("- apiGroups: [\"\"]\n  resources: [\"nodes\"]\n  verbs: [\"get\", \"list\"]")
        .help("As YAML or JSON: a list of rules, or a whole ClusterRole.")
        .max(32_768)
        .check(rules::check),
    more(Field::text("service_account", "Service account"))
        .help("Leave blank to name it after the DaemonSet. An existing one is used unchanged and never deleted.")
        .max(253)
        .check(account),
    lines("environment", "Environment")
        .placeholder("LOG_LEVEL=info")
        .help(
            "One NAME=value per line, readable by everyone who can see the DaemonSet. Secrets belong in the agent \
               secret. NODE_NAME is set to the node's name.",
        )
        .check(lines::variables),
    lines("arguments", "Arguments").help("One per line, passed to the image's entrypoint.").check(lines::arguments),
    more(Field::choice("secret_as", "Agent secret as", &[(ENVIRONMENT, "Environment variables"), (FILES, "Files")]))
        .help("How the agent receives its secret. Files don't leak into crash dumps or child processes as easily."),
    more(Field::text("secret_prefix", "Variable prefix"))
        .when("secret_as", &[ENVIRONMENT])
        .placeholder("AGENT_")
        .help("Prepended to TOKEN, USERNAME, PASSWORD, TLS_CRT and TLS_KEY.")
        .max(64)
        .check(prefix),
    more(Field::text("secret_path", "Folder of the files"))
        .when("secret_as", &[FILES])
        .default("/etc/agent-secret")
        .help("Where the files token; username and password; or tls.crt and tls.key are mounted.")
        .max(512)
        .check(names::path),
    lines("node_selector", "Node selector")
        .placeholder("kubernetes.io/os=linux")
        .help("One label=value per line. Leave blank for all nodes.")
        .check(lines::selector),
    lines("tolerations", "Tolerations")
        .placeholder("node-role.kubernetes.io/control-plane:NoSchedule")
        .help(
            "One taint per line, as kubectl writes them. * also runs on every tainted node. Leave blank to run on \
               nodes without taints.",
        )
        .check(lines::tolerations),
    more(Field::text("priority_class", "Priority class"))
        .placeholder("system-node-critical")
        .help("Must exist in the cluster. On a full node, pods with a higher priority evict others.")
        .max(253)
        .check(names::subdomain),
    more(Field::text("cpu", "CPU request")).default("50m").help("Reserved on each node.").max(16).check(names::cpu),
    more(Field::text("cpu_limit", "CPU limit"))
        .help("The agent is throttled above this. Leave blank for no limit.")
        .max(16)
        .check(names::cpu),
    more(Field::text("memory", "Memory request"))
        .default("64Mi")
        .help("Reserved on each node.")
        .max(16)
        .check(names::memory),
    more(Field::text("memory_limit", "Memory limit"))
        .default("512Mi")
        .help("The agent is killed and restarted above this. Leave blank for no limit.")
        .max(16)
        .check(names::memory),
    more(Field::checkbox("host_network", "Use the host's network"))
        .help("The agent sees all traffic of the node and can reach services that listen on localhost only."),
    more(Field::checkbox("host_pid", "See the host's processes"))
        .help("The agent sees every process of the node, with its arguments and environment, and can signal them."),
    more(Field::checkbox("privileged", "Run privileged"))
        .help("The agent is root on the node: it can load kernel modules and reach every device and container."),
    lines("host_paths", "Host folders")
        .placeholder("/var/run:/host/var/run")
        .help(
            "One folder of the node per line, mounted below /host unless a path follows. Read-only unless :rw ends \
               the line. Writing to / or /etc, or any access to a container socket, gives full control of the node.",
        )
        .check(lines::host_paths),
    more(Field::text("max_unavailable", "Nodes updated at once"))
        .default("1")
        .help("A number or a percentage. The rollout pauses while this many nodes have no available agent.")
        .max(5)
        .check(names::max_unavailable),
    lines("labels", "Labels").help("One label=value per line, put on every object and pod.").check(lines::labels),
];

/// Refuses `default`: the cluster creates that service account in every namespace, and again if it is deleted.
fn account(text: &str) -> Result<String, String> {
    if text == "default" {
        return Err("Choose another name: every pod in the namespace can use the default service account.".to_owned());
    }
    names::subdomain(text)
}

fn prefix(text: &str) -> Result<String, String> {
    const WRONG: &str = "Use letters, digits and underscores, and start with a letter.";
    if lines::is_variable(text) { Ok(text.to_owned()) } else { Err(WRONG.to_owned()) }
}

/// A provider's own fields, followed by the shared ones. `M` must be the number of both together.
pub(super) const fn join<const N: usize, const M: usize>(own: [Field; N]) -> [Field; M] {
    assert!(M == N + COMMON.len());
    let mut all = [COMMON[0]; M];
    let mut at = 0;
    while at < M {
        all[at] = if at < N { own[at] } else { COMMON[at - N] };
        at += 1;
    }
    all
}

/// Where a credential of another role ends up: cluster and namespace, and who gets it there. The pull secret goes to the
/// registry of the image, the agent secret to images of one repository, so another image name is another destination.
/// `main` is the cluster that the main credential signs in to.
pub fn end(role: &str, settings: &Values, main: &str) -> String {
    let place = format!("{main}/{}", settings.get("namespace"));
    match (role, Image::parse(settings.get("image"))) {
        (PULL_SECRET, Some(image)) => format!("{place} for {}", image.host),
        (AGENT_SECRET, Some(image)) => format!("{place} for {}/{}", image.host, image.repository),
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;

    #[test]
    fn an_image_alone_is_enough_and_gives_no_access_to_the_node() {
        let shown = form::view(&COMMON, None, None, &form::Errors::default(), &|_| Vec::new());
        let mut posted: Values = shown.iter().map(|field| (field.name, field.value.clone())).collect();
        posted.set("image", "r.example/agent:1");
        let values = form::check(&COMMON, &posted, None).unwrap();
        for host in ["host_network", "host_pid", "privileged", "host_paths"] {
            assert_eq!(values.get(host), "", "{host}");
        }
        assert_eq!((values.get("namespace"), values.get("rules")), (NAMESPACE, rules::NONE));
        let end = |role: &str| end(role, &values, "10.0.0.1:6443");
        assert_eq!(end(PULL_SECRET), "10.0.0.1:6443/defender for r.example");
        assert_eq!(end(AGENT_SECRET), "10.0.0.1:6443/defender for r.example/agent");
    }

    #[test]
    fn a_variable_is_a_line_of_the_environment_and_no_mistake() {
        let posted: Values = [("image", "r.example/agent:1"), ("environment", "LOG_LEVEL=info")].into_iter().collect();
        let errors = form::check(&COMMON, &posted, None).err().unwrap_or_default();
        assert_eq!(errors.of("environment"), None);
    }

    #[test]
    fn required_fields_come_first_and_the_rest_is_folded_away() {
        let folded = COMMON.iter().position(|field| field.advanced).unwrap();
        assert!(COMMON[..folded].iter().all(|field| field.required));
        assert!(COMMON[folded..].iter().all(|field| field.advanced && !field.required));
    }
}
