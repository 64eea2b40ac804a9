//! What a kubeconfig may not ask for, each with its cause and remedy: programs to run, files of this machine, weaker
//! TLS, detours, other people's identity. A newly found danger is a new line here.

use crate::credentials::document::Node;

/// Members of a user that are known, and refused.
pub const USER: [&str; 9] = [
    "exec",
    "auth-provider",
    "tokenFile",
    "client-certificate",
    "client-key",
    "as",
    "as-uid",
    "as-groups",
    "as-user-extra",
];

const FLATTEN: &str = "kubectl config view --minify --flatten --raw writes its contents into the kubeconfig.";

/// Refuses what the cluster asks for beyond its address and its authority.
pub fn cluster(cluster: &Node) -> Result<(), String> {
    if filled(cluster, "certificate-authority") {
        return Err(format!("The cluster's certificate-authority is the path of a file, which is not read: {FLATTEN}"));
    }
    match cluster.get("insecure-skip-tls-verify") {
        None | Some(Node::Bool(false)) => {}
        Some(_) => {
            return Err(
                "The cluster's insecure-skip-tls-verify would send the login to any server. Remove it and add \
                        certificate-authority-data."
                    .to_owned(),
            );
        }
    }
    if filled(cluster, "proxy-url") {
        return Err(
            "The cluster's proxy-url is not followed: remove it. Which proxy is used is the operator's setting."
                .to_owned(),
        );
    }
    if filled(cluster, "tls-server-name") {
        return Err("The cluster's tls-server-name is not supported: remove it and use an address in server that the \
                    certificate names."
            .to_owned());
    }
    Ok(())
}

/// Whether the user needs a program to get a token.
pub fn runs(user: &Node) -> bool {
    ["exec", "auth-provider"].iter().any(|name| user.get(name).is_some())
}

/// Refuses every way to log in that is not inline.
pub fn user(user: &Node) -> Result<(), String> {
    if let Some(exec) = user.get("exec") {
        return Err(binary("exec", by_command(exec)));
    }
    if let Some(provider) = user.get("auth-provider") {
        return Err(binary("auth-provider", by_provider(provider)));
    }
    for name in ["tokenFile", "client-certificate", "client-key"] {
        if filled(user, name) {
            return Err(format!("The user's {name} is the path of a file, which is not read: {FLATTEN}"));
        }
    }
    if USER.iter().any(|name| name.starts_with("as") && filled(user, name)) {
        return Err(
            "The user acts as somebody else (as, as-uid, as-groups, as-user-extra), which is not supported: use \
                    the login of a service account with its own role."
                .to_owned(),
        );
    }
    Ok(())
}

fn filled(node: &Node, name: &str) -> bool {
    node.get(name).is_some_and(|member| member.text() != Some(""))
}

/// Why a login through a program is refused, and the alternatives: a cloud's own clusters need no kubeconfig.
fn binary(member: &str, (needs, service): (&str, &str)) -> String {
    let token = "the token of a service account: see how to create one on this page.";
    let ways = match service {
        "" => format!("Use {token}"),
        _ => format!(
            "To deploy there without a kubeconfig, choose Add integration → Defender DaemonSet → {service}. For a \
             kubeconfig, use {token}"
        ),
    };
    format!("The user logs in through {member}: {needs}, and Strongroom runs no binaries. {ways}")
}

/// The cloud behind a login command, by the command's own name and its arguments.
fn by_command(exec: &Node) -> Cloud {
    let command = exec.get("command").and_then(Node::text).unwrap_or_default();
    let program = command.rsplit(['/', '\\']).next().unwrap_or_default().trim_end_matches(".exe");
    match program {
        "gke-gcloud-auth-plugin" | "gcloud" => GKE,
        "aws" | "aws-iam-authenticator" | "heptio-authenticator-aws" => EKS,
        "kubelogin" | "az" => AKS,
        _ => ("it needs an external binary", ""),
    }
}

fn by_provider(provider: &Node) -> Cloud {
    match provider.get("name").and_then(Node::text) {
        Some("gcp") => GKE,
        Some("azure") => AKS,
        _ => ("it needs an external login provider", ""),
    }
}

/// Which program the kubeconfig needs, and the label of the provider that works without one; blank if there is none.
type Cloud = (&'static str, &'static str);

const GKE: Cloud = (
    "Google Kubernetes Engine (GKE) needs a binary of the Google Cloud SDK (gke-gcloud-auth-plugin)",
    "Google Kubernetes Engine",
);
const EKS: Cloud = ("Amazon EKS needs the binary aws-iam-authenticator or the AWS CLI", "Amazon EKS");
const AKS: Cloud =
    ("Azure Kubernetes Service (AKS) needs the binary kubelogin or the Azure CLI", "Azure Kubernetes Service");
