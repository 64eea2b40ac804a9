//! The API servers of clusters that clouds run, as far as who is let in: each verifies its cloud's tokens, and tells
//! its version to whoever is known.
//! <https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go>

use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDateTime;
use serde_json::json;
use url::Url;

use super::certificates::Authority;
use super::receiver::{Call, Receiver, Said, UPSTREAM};
use super::vendor::bearer;
use super::{entra, tokens};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/support/peers/eks_token.py");

/// The application of Microsoft's that tokens for clusters are for.
pub const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// An API server that lets in whom `knows` accepts.
fn server(authority: &Authority, knows: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Receiver {
    Receiver::start_tls(authority, move |call| {
        let status = |code: u16, reason: &str| {
            let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": UPSTREAM,
                "reason": reason, "code": code});
            Said::json(code, &body)
        };
        match (call.method.as_str(), call.path()) {
            _ if !knows(call) => status(401, "Unauthorized"),
            ("GET", "/version") => Said::json(200, &json!({"major": "1", "minor": "33", "gitVersion": "v1.33.1"})),
            ("POST", path) if path.ends_with("/selfsubjectaccessreviews") => {
                Said::json(201, &json!({"status": {"allowed": true}}))
            }
            ("GET", "/api/v1/nodes") => Said::json(200, &json!({"items": [{"metadata": {"name": "node-1"}}]})),
            _ => status(404, "NotFound"),
        }
    })
}

/// Access key, secret and session token, which may be blank.
pub type Keys = (&'static str, &'static str, &'static str);

/// A cluster of EKS that knows the identity of these keys.
pub fn eks(authority: &Authority, region: &'static str, cluster: &'static str, keys: Keys) -> Receiver {
    // botocore takes its time: a token is verified once.
    let seen = Mutex::new(None::<(String, bool)>);
    server(authority, move |call| {
        let Some(token) = bearer(call) else { return false };
        let mut seen = seen.lock().unwrap();
        match &*seen {
            Some((known, good)) if known == token => *good,
            _ => {
                let good = is_by(token, region, cluster, keys, call.now);
                *seen = Some((token.to_owned(), good));
                good
            }
        }
    })
}

/// Whether a token is for that cluster, made lately, and signed with those keys.
pub fn is_by(token: &str, region: &str, cluster: &str, keys: Keys, now: i64) -> bool {
    let Some(url) = presigned(token) else { return false };
    let Some(moment) = parameter(&url, "X-Amz-Date") else { return false };
    let Ok(at) = NaiveDateTime::parse_from_str(&moment, "%Y%m%dT%H%M%SZ") else { return false };
    let age = now - at.and_utc().timestamp();
    (-300..900).contains(&age) && parts(&url) == parts(&by_botocore(region, cluster, &moment, keys))
}

/// The call that a token of EKS is.
pub fn presigned(token: &str) -> Option<Url> {
    let decoded = URL_SAFE_NO_PAD.decode(token.strip_prefix("k8s-aws-v1.")?).ok()?;
    Url::parse(std::str::from_utf8(&decoded).ok()?).ok()
}

pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}

/// All that counts in it: the order of the parameters does not.
fn parts(url: &Url) -> (String, Vec<(String, String)>) {
    let mut parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    parameters.sort();
    (url[..url::Position::AfterPath].to_owned(), parameters)
}

fn by_botocore(region: &str, cluster: &str, moment: &str, (key, secret, token): Keys) -> Url {
    let moto = PathBuf::from(std::env::var("STRONGROOM_TEST_MOTO").expect("script/test sets it"));
    let python = moto.with_file_name("python");
    let output = Command::new(python).args([SCRIPT, region, cluster, moment, key, secret, token]).output();
    let output = output.expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Url::parse(String::from_utf8_lossy(&output.stdout).trim()).expect("botocore prints an address")
}

/// A cluster of GKE, which takes access tokens of Google.
pub fn gke(authority: &Authority) -> Receiver {
    server(authority, |call| bearer(call).is_some_and(|token| token.starts_with("ya29.") && !token.contains("mail")))
}

/// A cluster of AKS, which takes tokens of a tenant for the application of all clusters.
pub fn aks(authority: &Authority, tenant: &'static str) -> Receiver {
    server(authority, move |call| {
        let claims = bearer(call).and_then(tokens::claims).unwrap_or_default();
        claims["aud"] == AKS && claims["tid"] == tenant && claims["appid"] == entra::CLIENT
    })
}

/// A cluster of AKS that lets in by the certificates of its authority.
pub fn aks_local(authority: &Authority) -> Receiver {
    server(authority, |call| call.certificate.is_some() && call.header("authorization").is_none())
}
