use super::fields::{issuer, jwks};
use super::*;
use crate::form::{Errors, Values, check};

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().copied().collect()
}

fn oidc(pairs: &[(&str, &str)]) -> Result<Oidc, Errors> {
    Oidc::read(&check(&oidc::FIELDS, &values(&[&[("audience", "strongroom")], pairs].concat()), None)?)
}

#[test]
fn an_identity_survives_the_store() {
    let pod = [("audience", "strongroom"), ("accounts", "billing/api\n shop / * ")];
    let checked = check(&kubernetes::FIELDS, &values(&[&pod[..], &[("credential", "x")]].concat()), None).unwrap();
    let identity = Identity::Kubernetes(Kubernetes::read(&checked).unwrap());
    assert_eq!(Identity::from_json(&identity.to_json()), Some(identity.clone()));
    assert_eq!(identity.lines()[0].1, "billing/api, shop/*");
    assert_eq!(Identity::from_json(r#"{"kind":"passport"}"#), None);
}

#[test]
fn a_service_account_belongs_to_its_namespace() {
    let account = |text: &str| {
        let fields = [("audience", "a"), ("credential", "x"), ("accounts", text)];
        check(&kubernetes::FIELDS, &values(&fields), None).and_then(|values| Kubernetes::read(&values))
    };
    for wrong in ["api", "*/api", "billing/", "Billing/api", "billing/a b", ",", "/api"] {
        assert!(account(wrong).is_err(), "{wrong}");
    }
    let accounts = account("billing/api, shop/*").unwrap().accounts;
    assert!(accounts[0].matches("billing", "api") && !accounts[0].matches("shop", "api"));
    assert!(accounts[1].matches("shop", "any") && !accounts[1].matches("billing", "any"));
}

#[test]
fn github_and_gitlab_are_bound_by_ids() {
    let github = [("issuer_kind", "github"), ("github_issuer", "https://token.actions.githubusercontent.com")];
    assert!(oidc(&github).unwrap_err().of("repository_id").is_some());
    let named = [&github[..], &[("repository_id", "octo/app"), ("repository_owner_id", "1")]].concat();
    assert!(oidc(&named).unwrap_err().of("repository_id").is_some());
    let bound =
        [&github[..], &[("repository_id", "12"), ("repository_owner_id", "7"), ("github_ref", "refs/heads/main")]];
    let conditions = oidc(&bound.concat()).unwrap().conditions;
    assert_eq!(conditions.get("repository_id").map(String::as_str), Some("12"));
    assert_eq!(conditions.get("ref").map(String::as_str), Some("refs/heads/main"));
    let gitlab = [
        ("issuer_kind", "gitlab"),
        ("gitlab_issuer", "https://gitlab.com"),
        ("project_id", "5"),
        ("ref_protected", "on"),
    ];
    assert_eq!(oidc(&gitlab).unwrap().conditions.get("ref_protected").map(String::as_str), Some("true"));
}

#[test]
fn conditions_are_exact_and_name_no_claim_that_is_checked_anyway() {
    let other =
        |text: &str| oidc(&[("issuer_kind", "other"), ("issuer", "https://id.example.com"), ("conditions", text)]);
    for wrong in ["", "sub", "sub=", "=x", "aud = strongroom", "sub = a\nsub = b", "sub = repo:octo/*"] {
        assert!(other(wrong).is_err(), "{wrong}");
    }
    assert_eq!(other("sub = repo:octo/app:ref=x\ngroup=ops").unwrap().conditions["sub"], "repo:octo/app:ref=x");
}

#[test]
fn an_issuer_is_an_address() {
    for wrong in ["https://a@id.example.com", "https://id.example.com/?x=1", "id.example.com"] {
        assert!(issuer(wrong).is_err(), "{wrong}");
    }
    for good in ["https://id.example.com/realm", "http://gitlab.internal"] {
        assert_eq!(issuer(good), Ok(good.to_owned()));
    }
}

#[test]
fn keys_are_public_and_can_be_told_apart() {
    assert!(jwks(r#"{"keys":[{"kty":"RSA","kid":"a","n":"x","e":"AQAB"}]}"#).is_ok());
    for wrong in [
        "x",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","kid":"a","k":"x"}]}"#,
        r#"{"keys":[{"kty":"RSA","n":"x"}]}"#,
        r#"{"keys":[{"kty":"RSA","kid":"a","d":"x"}]}"#,
    ] {
        assert!(jwks(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_aws_identity_is_a_role_or_a_user() {
    let arn = |text: &str| check(&aws::FIELDS, &values(&[("arn", text), ("server_id", "room.example.com")]), None);
    for right in ["arn:aws:iam::123456789012:role/app", "arn:aws-cn:iam::123456789012:user/ops/ada"] {
        assert!(arn(right).is_ok(), "{right}");
    }
    for wrong in [
        "arn:aws:sts::123456789012:assumed-role/app/session",
        "arn:aws:iam::123456789012:root",
        "arn:aws:iam::1234:role/app",
        "arn:aws:iam::123456789012:role/*",
        "app",
    ] {
        assert!(arn(wrong).unwrap_err().of("arn").is_some(), "{wrong}");
    }
}
