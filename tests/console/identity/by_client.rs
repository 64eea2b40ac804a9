//! `strongroom-client` logs in by itself with the identity of its workload.

use strongroom::integrations::identities::{Aws, Identity};

use super::kubernetes::{identity, kubeconfig, token};
use super::{client, login, why};
use crate::machines::tool;
use crate::support::app::TestApp;
use crate::support::kubernetes::{Lab, rule};
use crate::support::peers::moto::Moto;

/// Lists the rules of a client, which has none yet.
async fn rules(app: &TestApp, client: &str, environment: &[(&str, &str)]) -> Result<String, String> {
    let own = [("STRONGROOM_URL", app.url.as_str()), ("STRONGROOM_CLIENT", client), ("HOME", "/nonexistent")];
    let program = env!("CARGO_BIN_EXE_strongroom-client");
    tool(program, &["--no-agent", "rules"], &[&own, environment].concat()).await
}

const NONE: &str = "This client has no rules yet.";

#[actix_web::test]
async fn the_client_logs_in_with_the_token_of_its_pod() {
    let (lab, app) = (Lab::open("pod").await, TestApp::start());
    let namespace = lab.namespace("shop").await;
    let reviewer = lab.login_with(&[rule("authentication.k8s.io", &["tokenreviews"], &["create"])]).await;
    let credential = kubeconfig(&app, &lab.kubeconfig(&reviewer)).await;
    login(&app, client(&app, "web"), &identity(&namespace, "web", None), Some(credential));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token").display().to_string();
    let environment = [("STRONGROOM_IDENTITY_FILE", file.as_str())];
    std::fs::write(&file, token(&lab, &namespace, "web", "strongroom").await).expect("written");
    for _ in 0..2 {
        assert_eq!(rules(&app, "web", &environment).await.unwrap(), NONE);
    }
    std::fs::write(&file, token(&lab, &namespace, "worker", "strongroom").await).expect("written");
    let refused = rules(&app, "web", &environment).await.unwrap_err();
    assert!(refused.contains("does not accept this login"), "{refused}");
}

#[actix_web::test]
async fn the_client_logs_in_with_aws_credentials_as_often_as_it_wants() {
    let moto = Moto::start().await;
    let (billing, other) = (moto.user("billing").await, moto.user("other").await);
    for user in ["billing", "other"] {
        moto.allow(user, "sts:GetCallerIdentity", "*").await;
    }
    moto.enforce().await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    // The host of the console, as the client has it by default.
    let server_id = "127.0.0.1".to_owned();
    let arn = "arn:aws:iam::123456789012:user/billing".to_owned();
    login(&app, client(&app, "billing"), &Identity::Aws(Aws { arn, server_id }), None);
    let with = |pair: &(String, String)| {
        let (id, secret) = pair.clone();
        let app = &app;
        async move {
            let keys = [("AWS_ACCESS_KEY_ID", id.as_str()), ("AWS_SECRET_ACCESS_KEY", secret.as_str())];
            rules(app, "billing", &keys).await
        }
    };
    for _ in 0..3 {
        assert_eq!(with(&billing).await.as_deref(), Ok(NONE), "{}", why(&app));
    }
    let refused = with(&other).await.unwrap_err();
    assert!(refused.contains("does not accept this login"), "{refused}");
}
