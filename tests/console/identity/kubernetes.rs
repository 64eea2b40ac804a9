//! Service accounts, judged by the real API server and by its public keys.

use reqwest::{Method, StatusCode};
use serde_json::json;
use strongroom::integrations::identities::kubernetes::Keys;
use strongroom::integrations::identities::{Identity, Kubernetes, ServiceAccount};
use strongroom::models::CredentialId;

use super::{client, log_in, login, post, why, works};
use crate::support::app::TestApp;
use crate::support::kubernetes::{Lab, rule};

/// The token of a service account, which is made if it is not there.
async fn token(lab: &Lab, namespace: &str, name: &str, audience: &str) -> String {
    let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    let body = Some(("application/json", &account));
    assert!([201, 409].contains(&lab.administrator.send(Method::POST, &accounts, body).await.0));
    let asked = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": [audience], "expirationSeconds": 600}});
    let made = lab.administrator.create(&format!("{accounts}/{name}/token"), &asked).await;
    made["status"]["token"].as_str().expect("a token").to_owned()
}

async fn kubeconfig(app: &TestApp, text: &str) -> CredentialId {
    let fields = [("kind", "kubeconfig"), ("name", "cluster"), ("kubeconfig", text)];
    let page = app.administrator().post("/credentials", &fields).await;
    page.location().rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

fn identity(namespace: &str, name: &str, keys: Option<Keys>) -> Identity {
    let accounts = vec![ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() }];
    Identity::Kubernetes(Kubernetes { audience: "strongroom".to_owned(), keys, accounts })
}

#[actix_web::test]
async fn a_service_account_logs_in_when_the_cluster_confirms_its_token() {
    let (lab, app) = (Lab::open("identity").await, TestApp::start());
    let namespace = lab.namespace("shop").await;
    let reviewer = lab.login_with(&[rule("authentication.k8s.io", &["tokenreviews"], &["create"])]).await;
    let credential = kubeconfig(&app, &lab.kubeconfig(&reviewer)).await;
    login(&app, client(&app, "web"), &identity(&namespace, "web", None), Some(credential));
    let good = token(&lab, &namespace, "web", "strongroom").await;
    let session = log_in(&app, "web", "kubernetes", &good).await.expect("a session");
    assert!(session.starts_with("sst_") && works(&app, &session).await);
    assert!(log_in(&app, "web", "kubernetes", &good).await.is_ok(), "a pod shows the same token again");
    // As clients of Vault say it.
    let (status, answer) = post(&app, "/v1/auth/kubernetes/login", &json!({"role": "web", "jwt": good})).await;
    assert!(status == StatusCode::OK && answer["auth"]["client_token"].is_string(), "{answer}");
    let other = token(&lab, &namespace, "worker", "strongroom").await;
    let for_others = token(&lab, &namespace, "web", "https://vault.example").await;
    for (name, token, reason) in [
        ("web", &other, "service account"),
        ("web", &for_others, "another audience"),
        ("web", &good[..good.len() - 8].to_owned(), "signature"),
        ("unknown", &good, "unknown"),
    ] {
        assert_eq!(log_in(&app, name, "kubernetes", token).await, Err(StatusCode::UNAUTHORIZED), "{reason}");
        assert!(why(&app).contains(reason), "{reason}: {}", why(&app));
    }
}

#[actix_web::test]
async fn a_kubeconfig_without_the_right_to_review_is_told_to_the_audit_alone() {
    let (lab, app) = (Lab::open("norights").await, TestApp::start());
    let namespace = lab.namespace("shop").await;
    let credential = kubeconfig(&app, &lab.kubeconfig(&lab.login())).await;
    login(&app, client(&app, "web"), &identity(&namespace, "*", None), Some(credential));
    let good = token(&lab, &namespace, "web", "strongroom").await;
    assert_eq!(log_in(&app, "web", "kubernetes", &good).await, Err(StatusCode::UNAUTHORIZED));
    assert!(why(&app).contains("system:auth-delegator"), "{}", why(&app));
}

#[actix_web::test]
async fn a_service_account_logs_in_by_the_clusters_public_keys() {
    let (lab, app) = (Lab::open("jwks").await, TestApp::start());
    let namespace = lab.namespace("shop").await;
    let found = lab.administrator.get("/.well-known/openid-configuration").await.expect("a document");
    let jwks = lab.administrator.get("/openid/v1/jwks").await.expect("keys").to_string();
    let issuer = found["issuer"].as_str().expect("an issuer").to_owned();
    login(&app, client(&app, "web"), &identity(&namespace, "*", Some(Keys { issuer, jwks })), None);
    let good = token(&lab, &namespace, "web", "strongroom").await;
    assert!(log_in(&app, "web", "kubernetes", &good).await.is_ok());
    let elsewhere = lab.namespace("bank").await;
    for (namespace, audience) in [(&elsewhere, "strongroom"), (&namespace, "api")] {
        let token = token(&lab, namespace, "web", audience).await;
        assert_eq!(log_in(&app, "web", "kubernetes", &token).await, Err(StatusCode::UNAUTHORIZED), "{audience}");
    }
}
