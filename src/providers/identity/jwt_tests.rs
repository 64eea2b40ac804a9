use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

const ISSUER: &str = "https://token.actions.example.com";

/// An issuer with one key for ES256.
struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        Self(pair)
    }

    fn keys(&self) -> Keys {
        let point = self.0.public_key().as_ref();
        let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
        let key = json!({"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig", "x": part(1..33), "y": part(33..65)});
        let odd = json!({"kty": "unheard-of", "kid": "two"});
        Keys::parse(json!({ "keys": [odd, key, {"kid": 3}] }).to_string().as_bytes()).expect("keys")
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).expect("a signature");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn token(&self, changes: &[(&str, Value)]) -> String {
        let now = clock::now().timestamp();
        let mut claims = json!({
            "iss": ISSUER, "aud": "strongroom", "iat": now, "nbf": now, "exp": now + 300, "jti": "a",
            "repository_id": "42", "run_attempt": 1, "kubernetes.io": {"namespace": "shop"},
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        self.sign(&json!({"alg": "ES256", "kid": "one"}), &claims)
    }
}

fn verified(signer: &Signer, token: &str) -> Result<Verified, Refused> {
    verify(token, &signer.keys(), ISSUER, "strongroom")
}

#[test]
fn a_token_passes_with_its_claims() {
    let signer = Signer::new();
    let token = verified(&signer, &signer.token(&[])).expect("a good token");
    assert_eq!(token.claim("repository_id").as_deref(), Some("42"));
    assert_eq!(token.claim("run_attempt").as_deref(), Some("1"));
    assert_eq!(token.claim("/kubernetes.io/namespace").as_deref(), Some("shop"));
    assert_eq!((token.claim("/kubernetes.io/pod"), token.claim("kubernetes.io")), (None, None));
    assert!(token.require([("repository_id", "42"), ("run_attempt", "1")]).is_ok());
    assert_eq!(token.require([("repository_id", "4")]), Err(Refused::Claim("repository_id".to_owned())));
    assert_eq!(token.require([("environment", "")]), Err(Refused::Claim("environment".to_owned())));
    let listed = signer.token(&[("aud", json!(["other", "strongroom"]))]);
    assert!(verified(&signer, &listed).is_ok());
}

#[test]
fn a_token_of_somebody_else_or_for_somebody_else_is_refused() {
    let (signer, now) = (Signer::new(), clock::now().timestamp());
    for (claim, value, why) in [
        ("iss", json!("https://token.actions.example.com/"), Refused::Issuer),
        ("aud", json!("Strongroom"), Refused::Audience),
        ("aud", json!(["other"]), Refused::Audience),
        ("aud", json!(null), Refused::Claim("aud".to_owned())),
        ("exp", json!(now - 120), Refused::Expired),
        ("nbf", json!(now + 120), Refused::Early),
        ("iat", json!(now + 120), Refused::Early),
        ("exp", json!(now + 30 * 3600), Refused::LivesTooLong),
        ("iat", json!(now - 30 * 3600), Refused::LivesTooLong),
    ] {
        let refused = verified(&signer, &signer.token(&[(claim, value.clone())])).err();
        assert_eq!(refused, Some(why), "{claim} {value}");
    }
    let other = Signer::new();
    assert_eq!(verified(&signer, &other.token(&[])).err(), Some(Refused::Signature));
}

#[test]
fn other_algorithms_and_odd_headers_are_refused() {
    let signer = Signer::new();
    let good = signer.token(&[]);
    let claims = crate::providers::jwt::claims(&good);
    let with = |header: Value| verified(&signer, &signer.sign(&header, &claims)).err();
    assert_eq!(with(json!({"alg": "ES256", "kid": "other"})), Some(Refused::UnknownKey));
    assert_eq!(with(json!({"alg": "ES256"})), Some(Refused::UnknownKey));
    for algorithm in ["RS256", "HS256", "ES384", "PS256"] {
        assert_eq!(with(json!({"alg": algorithm, "kid": "one"})), Some(Refused::Algorithm), "{algorithm}");
    }
    let none = with(json!({"alg": "none", "kid": "one"}));
    assert!(none.is_some(), "a token without a signature");
    for text in ["", "a.b", "a.b.c", &good[..good.len() - 4], &"x".repeat(20_000)] {
        assert!(verified(&signer, text).is_err(), "{text:.20}");
    }
    let secret = json!({"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}]});
    assert!(Keys::parse(secret.to_string().as_bytes()).is_none(), "a shared secret is no public key");
}

#[test]
fn one_token_has_one_replay_key_however_it_is_spelled() {
    let signer = Signer::new();
    let key = |changes: &[(&str, Value)]| verified(&signer, &signer.token(changes)).expect("good").replay_key;
    assert_eq!(key(&[]), key(&[("repository_id", json!("43"))]), "the ID of the token is the same");
    assert_ne!(key(&[]), key(&[("jti", json!("b"))]));
    assert_ne!(key(&[("jti", json!(null))]), key(&[]));
}
