//! The exec plugin of kubectl and client-go.
//! <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::environment::variable;
use super::super::source::Source;
use super::super::trouble::{Result, Trouble};
use super::super::wire::form;

const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

pub async fn run(source: &Source, rule: &str) -> Result<ExitCode> {
    let asked: Value = serde_json::from_str(&variable("KUBERNETES_EXEC_INFO").unwrap_or_default()).unwrap_or_default();
    let version = asked["apiVersion"].as_str().unwrap_or(VERSIONS[0]);
    if !VERSIONS.contains(&version) {
        return Err(Trouble::Local(format!("kubectl asks in an unknown version: {version}")));
    }
    let fetched = source.get(rule).await?;
    fetched.must_be(rule, form::CLUSTER, "a cluster token")?;
    let end = fetched.expires_at.map(|end| end.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let answer = json!({
        "apiVersion": version,
        "kind": "ExecCredential",
        "status": { "token": fetched.needed(rule, "token")?, "expirationTimestamp": end },
    });
    println!("{answer}");
    Ok(ExitCode::SUCCESS)
}
