use super::*;
use crate::credentials;
use crate::form::{Errors, Values};

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().copied().collect()
}

fn checked(form: &str, kind: &str, posted: &[(&str, &str)], credential: &[(&str, &str)]) -> Result<Values, Errors> {
    let (form, kind) = (Form::find(form).unwrap(), credentials::find(kind).unwrap());
    form.check(kind, &values(posted), &values(credential))
}

#[test]
fn every_form_has_its_own_slug_and_known_kinds() {
    for (number, form) in FORMS.iter().enumerate() {
        assert!(FORMS[..number].iter().all(|other| other.slug != form.slug), "{}", form.slug);
        assert!(form.kinds.iter().all(|kind| credentials::find(kind).is_some()), "{}", form.slug);
        assert!(form.fields.iter().all(|field| !field.control.is_secret()), "{}", form.slug);
    }
    let of_basic: Vec<&str> = Form::of_kind("basic").map(|form| form.slug).collect();
    assert_eq!(of_basic, [VALUE]);
    assert!(Form::of_kind("aws").any(|form| form.slug == "aws_session"));
}

#[test]
fn a_form_takes_only_credentials_of_its_kinds() {
    let errors = checked("azure_token", "aws", &[], &[]).unwrap_err();
    assert!(errors.of("form").unwrap().contains("can't be issued"));
}

#[test]
fn the_servers_own_role_is_handed_out_only_as_another_role() {
    let own = [("method", "iam_role")];
    assert!(checked("aws_session", "aws", &[], &own).unwrap_err().of("role").is_some());
    assert!(checked("value", "aws", &[], &own).unwrap_err().of("form").is_some());
    let role = ("role", "arn:aws:iam::123456789012:role/reader");
    assert!(checked("aws_session", "aws", &[role], &own).is_ok());
    assert!(checked("aws_session", "aws", &[], &[("method", "access_key")]).is_ok());
}

#[test]
fn an_aws_session_says_what_does_not_go_together() {
    let key = [("method", "access_key")];
    let of = |posted: &[(&str, &str)]| checked("aws_session", "aws", posted, &key).unwrap_err();
    assert!(of(&[("external_id", "shared")]).of("role").is_some());
    assert!(of(&[("role", "reader")]).of("role").is_some(), "an account is needed");
    assert!(of(&[("session_minutes", "5")]).of("session_minutes").is_some());
    let china = [("role", "arn:aws-cn:iam::123456789012:role/reader"), ("region", "eu-central-1")];
    assert!(of(&china).of("role").unwrap().contains("partitions"));
}
