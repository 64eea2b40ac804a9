//! Configuration files that tools know: a kubeconfig for a cluster's token, Docker's `config.json` for a registry's login.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::trouble::Result;
use super::super::wire::{Fetched, form};

/// A file that is made of a rule's fields, and the variables by which tools find it.
pub struct Configuration {
    pub name: &'static str,
    /// Set to the path of the file.
    pub files: &'static [&'static str],
    /// Set to the path of its folder.
    pub folders: &'static [&'static str],
}

static KUBECONFIG: Configuration = Configuration { name: "kubeconfig", files: &["KUBECONFIG"], folders: &[] };
static DOCKER: Configuration =
    Configuration { name: "config.json", files: &["REGISTRY_AUTH_FILE"], folders: &["DOCKER_CONFIG"] };

/// `None` for a form that no tool has a file for.
pub fn of(form: &str) -> Option<&'static Configuration> {
    match form {
        form::CLUSTER => Some(&KUBECONFIG),
        form::REGISTRY => Some(&DOCKER),
        _ => None,
    }
}

/// What stands in it. The token of a cluster stands in a file beside it, which clients read again and again.
pub fn content(rule: &str, fetched: &Fetched, token_file: &Path) -> Result<Zeroizing<String>> {
    let document = if fetched.form == form::CLUSTER {
        let mut cluster = json!({ "server": fetched.needed(rule, "server")? });
        if let Some(authority) = fetched.field("certificate_authority") {
            cluster["certificate-authority-data"] = STANDARD.encode(authority).into();
        }
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": rule,
            "contexts": [{ "name": rule, "context": { "cluster": rule, "user": rule } }],
            "clusters": [{ "name": rule, "cluster": cluster }],
            "users": [{ "name": rule, "user": { "tokenFile": token_file } }],
        })
    } else {
        let login = format!("{}:{}", fetched.needed(rule, "username")?, fetched.needed(rule, "password")?);
        let registry = match fetched.needed(rule, "registry")? {
            "docker.io" => "https://index.docker.io/v1/",
            registry => registry,
        };
        json!({ "auths": { (registry): { "auth": STANDARD.encode(login) } } })
    };
    Ok(Zeroizing::new(document.to_string()))
}
