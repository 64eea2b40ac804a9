use super::*;
use crate::form;

fn saved(pairs: &[(&str, &str)]) -> Result<Facts, Errors> {
    let values = form::check(KIND.fields, &Values::from_iter(pairs.iter().copied()), None)?;
    examine(&values)
}

fn with_key(id: &str, secret: &str) -> Result<Facts, Errors> {
    saved(&[("method", "access_key"), ("access_key_id", id), ("secret_access_key", secret)])
}

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

#[test]
fn an_access_key_is_known_by_its_id() {
    let facts = with_key("AKIAIOSFODNN7EXAMPLE", SECRET).expect("valid");
    assert_eq!((facts.identity.as_str(), facts.subtype), ("AKIAIOSFODNN7EXAMPLE", Some("Access key")));
    assert!(facts.warnings.is_empty() && facts.expires_at.is_none());
}

#[test]
fn a_temporary_key_is_refused_and_the_reason_given() {
    let errors = with_key("ASIAIOSFODNN7EXAMPLE", SECRET).expect_err("temporary");
    assert!(errors.of("access_key_id").is_some_and(|message| message.contains("temporary")));
}

#[test]
fn an_access_key_id_of_another_shape_is_refused() {
    let long = format!("AKIA{}", "A".repeat(125));
    for id in ["akiaiosfodnn7example", "AKIA", "AKIA12345678901", "AKIAIOSFODNN7EXAMPL!", "AIDAIOSFODNN7EXAMPLE", &long]
    {
        assert!(with_key(id, SECRET).is_err(), "{id}");
    }
    assert!(with_key("AKIA123456789012", SECRET).is_ok());
    assert!(with_key(&format!("AKIA{}", "A".repeat(124)), SECRET).is_ok());
}

#[test]
fn a_secret_of_another_length_than_40_is_saved_with_a_warning() {
    assert_eq!(with_key("AKIAIOSFODNN7EXAMPLE", &SECRET[1..]).expect("valid").warnings.len(), 1);
}

#[test]
fn an_access_key_needs_both_parts() {
    let errors = saved(&[]).expect_err("blank");
    assert_eq!(errors.of("access_key_id"), Some("Enter the access key ID."));
    assert_eq!(errors.of("secret_access_key"), Some("Enter the secret access key."));
}

#[test]
fn the_shipped_role_is_valid_and_holds_no_secret() {
    let (name, values) = shipped_iam_role();
    assert_eq!(name, "IAM Role");
    let checked = form::check(KIND.fields, &values, None).expect("valid");
    assert!(checked == values && (KIND.parses)(&values) && !(KIND.ages)(&values));
    let facts = examine(&values).expect("facts");
    assert_eq!((facts.identity.as_str(), facts.subtype), ("Role of the environment", Some("IAM role")));
    assert!(matches!(crate::credentials::payload(&values), Some(Payload::IamRole { role_arn: None })));
}

#[test]
fn a_role_to_chain_into_is_a_whole_arn() {
    for arn in [
        "arn:aws:iam::123456789123:role/stsIAMrole",
        "arn:aws-cn:iam::123456789123:role/path/to/role",
        "arn:aws-us-gov:iam::123456789123:role/a+b=c,d.e@f_g-h",
    ] {
        assert_eq!(saved(&[("method", "iam_role"), ("role_arn", arn)]).expect(arn).identity, arn);
    }
    for arn in [
        "stsIAMrole",
        "arn:aws:iam::12345678912:role/x",
        "arn:aws:iam::12345678912a:role/x",
        "arn:aws:iam::123456789123:role/",
        "arn:aws:iam::123456789123:role/x/",
        "arn:aws:iam::123456789123:user/x",
        "arn:aws:sts::123456789123:role/x",
        "arn:evil:iam::123456789123:role/x",
        "arn:aws:iam:eu-west-1:123456789123:role/x",
        "arn:aws:iam::123456789123:role/x y",
        "arn:aws:iam::123456789123:role/x\r\nX-Evil: 1",
    ] {
        assert!(saved(&[("method", "iam_role"), ("role_arn", arn)]).is_err(), "{arn:?}");
    }
}

#[test]
fn both_policies_are_filled_in_where_the_role_is_known() {
    let arn = "arn:aws-cn:iam::123456789123:role/stsIAMrole";
    let policies = policies(&Values::from_iter([("method", "iam_role"), ("role_arn", arn)]));
    assert_eq!(policies.len(), 2);
    for (caption, policy) in &policies {
        let policy: serde_json::Value = serde_json::from_str(policy).expect(caption);
        assert_eq!(policy["Statement"][0]["Action"], "sts:AssumeRole");
    }
    assert!(policies[0].1.contains(arn) && policies[1].1.contains("arn:aws-cn:iam::ACCOUNT:role/"));
}

#[test]
fn every_policy_of_the_guide_is_valid_json() {
    for (caption, text) in KIND.guide.snippets.iter().filter(|(_, text)| text.starts_with('{')) {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{caption}");
    }
}
