use std::time::Instant;

use serde_json::{Value, json};

use super::*;
use crate::credentials::tests::fixtures;

fn changed(name: &str, value: Value) -> String {
    let mut document = fixtures::service_account();
    document[name] = value;
    document.to_string()
}

fn refusal(text: &str) -> String {
    ServiceAccount::parse(text).err().expect("a refusal")
}

#[test]
fn of_a_service_account_only_five_members_and_its_type_are_kept() {
    let account = ServiceAccount::parse(&fixtures::service_account().to_string()).expect("valid");
    let kept: Value = serde_json::from_str(&account.to_json()).expect("JSON");
    let names: Vec<&str> = kept.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names, ["client_email", "client_id", "private_key", "private_key_id", "project_id", "type"]);
}

#[test]
fn a_hostile_address_in_the_document_is_dropped() {
    let account = ServiceAccount::parse(&changed("token_uri", json!("http://127.0.0.1:9/"))).expect("valid");
    assert!(!account.to_json().contains("127.0.0.1"));
}

#[test]
fn other_types_of_credential_are_refused_by_name() {
    for (kind, word) in [
        ("external_account", "federation"),
        ("impersonated_service_account", "federation"),
        ("authorized_user", "person"),
        ("something", "service_account"),
    ] {
        assert!(refusal(&changed("type", json!(kind))).contains(word), "{kind}");
    }
}

#[test]
fn a_missing_member_is_named_and_so_is_one_of_the_wrong_type() {
    for name in ["type", "private_key_id", "private_key", "client_email"] {
        assert!(refusal(&changed(name, Value::Null)).contains(name));
    }
    for name in ["type", "project_id", "private_key_id", "private_key", "client_email"] {
        assert!(refusal(&changed(name, json!({"a": 1}))).contains(name));
    }
    assert!(ServiceAccount::parse(&changed("client_id", Value::Null)).is_ok());
}

#[test]
fn a_private_key_that_does_not_parse_is_refused() {
    let (_, elliptic) = fixtures::certificate("x");
    for key in
        ["(sample key left out; it does not parse)", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
    {
        assert!(refusal(&changed("private_key", json!(key))).contains("private_key"));
    }
    assert!(refusal(&changed("private_key", json!(elliptic))).contains("RSA"));
}

#[test]
fn members_that_steer_requests_have_the_characters_that_google_uses() {
    for (name, value) in [
        ("project_id", "a/../b"),
        ("project_id", ""),
        ("client_email", "no-at-sign"),
        ("client_email", "a@b@c"),
        ("private_key_id", "x\ny"),
        ("client_id", "1/2"),
    ] {
        assert!(refusal(&changed(name, json!(value))).contains(name), "{name}");
    }
}

#[test]
fn a_key_of_another_universe_is_refused() {
    assert!(refusal(&changed("universe_domain", json!("evil.example.com"))).contains("universe_domain"));
}

#[test]
fn a_member_given_twice_is_refused() {
    let text = fixtures::service_account().to_string();
    assert!(refusal(&text.replacen('{', "{\"type\":\"service_account\",", 1)).contains("second time"));
}

#[test]
fn the_level_is_project_unless_chosen_and_is_shown() {
    let posted = Values::from_iter([("service_account", fixtures::service_account().to_string())]);
    let values = crate::form::check(KIND.fields, &posted, None).expect("valid");
    let facts = examine(&values).expect("facts");
    assert_eq!(facts.identity, "mycompany-service-svc@mycompany-project.iam.gserviceaccount.com");
    assert_eq!(
        facts.key_id.as_deref(),
        facts.lines.iter().find(|(label, _)| *label == "Key ID").map(|(_, id)| id.as_str())
    );
    assert!(facts.lines.contains(&("Level", "Project".to_owned())));
    let payload: Payload = crate::credentials::payload(&values).expect("a payload");
    assert_eq!((payload.level, payload.api_token.is_none()), (Level::Project, true));
}

#[test]
fn a_long_broken_document_is_refused_at_once() {
    let start = Instant::now();
    refusal(&"{\"type\":".repeat(30_000));
    assert!(start.elapsed().as_secs() < 2);
}
