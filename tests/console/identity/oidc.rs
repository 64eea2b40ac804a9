//! Identity tokens of an OpenID Connect issuer that serves its discovery document and keys.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use reqwest::StatusCode;
use serde_json::{Value, json};
use strongroom::integrations::identities::{Identity, Oidc};

use super::{client, log_in, login, post, why, works};
use crate::support::app::TestApp;
use crate::support::peers::receiver::{Receiver, Said};

/// An issuer; where its discovery document says that the keys are can be changed.
struct Issuer {
    peer: Receiver,
    key: EcdsaKeyPair,
    keys_at: Arc<Mutex<Option<String>>>,
}

impl Issuer {
    fn start() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let point = key.public_key().as_ref();
        let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let jwk = json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1",
            "x": part(1..33), "y": part(33..65)});
        let keys_at: Arc<Mutex<Option<String>>> = Arc::default();
        let elsewhere = keys_at.clone();
        let peer = Receiver::start(move |call| {
            let own = format!("http://{}", call.header("host").unwrap_or_default());
            match call.path() {
                "/.well-known/openid-configuration" => {
                    let keys = elsewhere.lock().unwrap().clone().unwrap_or_else(|| format!("{own}/keys"));
                    Said::json(200, &json!({"issuer": own, "jwks_uri": keys}))
                }
                "/keys" => Said::json(200, &json!({"keys": [jwk]})),
                _ => Said::json(404, &json!({})),
            }
        });
        Self { peer, key, keys_at }
    }

    /// A token of a job, with some claims changed.
    fn token(&self, changes: &[(&str, Value)]) -> String {
        let now = Utc::now().timestamp();
        let mut claims = json!({"iss": self.peer.url(), "aud": "strongroom", "iat": now, "exp": now + 300,
            "jti": uuid::Uuid::new_v4().to_string(), "sub": "repo:octo/shop:ref:refs/heads/main",
            "repository_id": "42", "repository_owner_id": "7", "repository": "octo/shop"});
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({"alg": "ES256", "typ": "JWT", "kid": "k1"})), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn identity(&self) -> Identity {
        let conditions = [("repository_id", "42"), ("repository_owner_id", "7")];
        let conditions: BTreeMap<_, _> = conditions.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let (issuer, audience) = (self.peer.url(), "strongroom".to_owned());
        Identity::Oidc(Oidc { issuer, audience, jwks: None, conditions })
    }
}

#[actix_web::test]
async fn a_job_logs_in_once_with_its_identity_token() {
    let (app, issuer) = (TestApp::start(), Issuer::start());
    login(&app, client(&app, "deploy"), &issuer.identity(), None);
    let token = issuer.token(&[]);
    let session = log_in(&app, "deploy", "oidc", &token).await.expect("a session");
    assert!(works(&app, &session).await);
    assert_eq!(log_in(&app, "deploy", "oidc", &token).await, Err(StatusCode::UNAUTHORIZED), "once");
    assert!(why(&app).contains("used before"), "{}", why(&app));
    let body = json!({"role": "deploy", "jwt": issuer.token(&[])});
    assert_eq!(post(&app, "/v1/auth/jwt/login", &body).await.0, StatusCode::OK, "another token of the same job");
    let asked = issuer.peer.calls().iter().filter(|call| call.path() == "/keys").count();
    assert_eq!(asked, 1, "the keys are kept");
}

#[actix_web::test]
async fn a_token_of_another_repository_audience_or_issuer_is_refused() {
    let (app, issuer, other) = (TestApp::start(), Issuer::start(), Issuer::start());
    login(&app, client(&app, "deploy"), &issuer.identity(), None);
    for (changes, reason) in [
        (vec![("repository_id", json!("43"))], "repository_id"),
        (vec![("repository_owner_id", json!(null))], "repository_owner_id"),
        (vec![("aud", json!("https://github.com/octo"))], "another audience"),
        (vec![("exp", json!(Utc::now().timestamp() - 300))], "expired"),
        (vec![("iss", json!("https://token.actions.githubusercontent.com"))], "no login"),
    ] {
        let refused = log_in(&app, "deploy", "oidc", &issuer.token(&changes)).await;
        assert_eq!(refused, Err(StatusCode::UNAUTHORIZED), "{reason}");
        assert!(why(&app).contains(reason), "{reason}: {}", why(&app));
        assert!(log_in(&app, "deploy", "oidc", &issuer.token(&[])).await.is_ok(), "a right one is never throttled");
    }
    let app = TestApp::start();
    login(&app, client(&app, "deploy"), &issuer.identity(), None);
    let forged = other.token(&[("iss", json!(issuer.peer.url()))]);
    assert_eq!(log_in(&app, "deploy", "oidc", &forged).await, Err(StatusCode::UNAUTHORIZED));
    assert!(why(&app).contains("signature"), "{}", why(&app));
    assert!(other.peer.calls().is_empty(), "nobody else is asked for keys");
}

#[actix_web::test]
async fn keys_at_another_host_are_not_fetched() {
    let (app, issuer, victim) = (TestApp::start(), Issuer::start(), Issuer::start());
    login(&app, client(&app, "deploy"), &issuer.identity(), None);
    *issuer.keys_at.lock().unwrap() = Some(format!("{}/keys", victim.peer.url()));
    assert_eq!(log_in(&app, "deploy", "oidc", &issuer.token(&[])).await, Err(StatusCode::UNAUTHORIZED));
    assert!(why(&app).contains("another host"), "{}", why(&app));
    assert!(victim.peer.calls().is_empty());
}

#[actix_web::test]
async fn wrong_tokens_are_throttled_and_other_clients_are_not() {
    let (app, issuer) = (TestApp::start(), Issuer::start());
    login(&app, client(&app, "deploy"), &issuer.identity(), None);
    login(&app, client(&app, "other"), &issuer.identity(), None);
    let mut last = StatusCode::UNAUTHORIZED;
    for _ in 0..40 {
        let token = issuer.token(&[("repository_id", json!("1"))]);
        last = log_in(&app, "deploy", "oidc", &token).await.expect_err("a wrong token");
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert!(log_in(&app, "other", "oidc", &issuer.token(&[])).await.is_ok());
}
