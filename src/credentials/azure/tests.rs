use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::credentials::payload;
use crate::credentials::tests::fixtures;
use crate::form;

fn saved(pairs: &[(&str, &str)]) -> Result<(Facts, Payload), Errors> {
    let values = form::check(KIND.fields, &Values::from_iter(pairs.iter().copied()), None)?;
    Ok((examine(&values)?, payload(&values).expect("a payload")))
}

fn with_key(document: &Value) -> Result<(Facts, ServiceKey), String> {
    let text = document.to_string();
    match saved(&[("method", "service_key"), ("service_key", &text)]) {
        Ok((facts, Payload::ServiceKey(key))) => Ok((facts, key)),
        Ok(_) => panic!("another subtype"),
        Err(errors) => Err(errors.of("service_key").expect("about the key").to_owned()),
    }
}

fn refusal(document: &Value) -> String {
    with_key(document).err().expect("a refusal")
}

fn changed(name: &str, value: Value) -> Value {
    let mut document = fixtures::service_key();
    document[name] = value;
    document
}

#[test]
fn the_long_shape_of_a_service_key_is_read() {
    let (facts, key) = with_key(&fixtures::service_key()).expect("valid");
    assert_eq!(facts.identity, "bc968c1e-67a3-4ba5-8d05-f807abb54a57");
    assert_eq!(facts.key_id.as_deref(), Some("secret of bc968c1e-67a3-4ba5-8d05-f807abb54a57"));
    assert_eq!((facts.subtype, facts.warnings.len()), (Some("Service key"), 0));
    assert_eq!(key.client_secret.expose_secret(), "5ce0f4ec~5291.42f8_8be3-90bb3f42ba14");
    assert_eq!(key.subscription_id.as_deref(), Some("ae01981e-e1bf-49ec-ad81-80af157a944e"));
    assert_eq!(key.cloud.authority(), "https://login.microsoftonline.com");
}

#[test]
fn the_short_shape_of_a_service_key_is_read() {
    let document = json!({"appId": "a1", "password": "p", "tenant": "contoso.onmicrosoft.com", "displayName": "x"});
    let (facts, key) = with_key(&document).expect("valid");
    assert_eq!((key.client_id.as_str(), key.tenant_id.as_str()), ("a1", "contoso.onmicrosoft.com"));
    assert_eq!((key.subscription_id, facts.warnings.len()), (None, 2));
}

#[test]
fn ids_that_are_no_guids_as_in_the_sample_are_saved_with_a_warning_each() {
    let (facts, _) = with_key(&changed("clientId", json!("bc968c1e-67g3-4ba5-8d05-f807abb54a57"))).expect("valid");
    assert_eq!(facts.warnings, ["The client ID is not a GUID. Check that it was copied whole."]);
}

#[test]
fn a_missing_member_is_named() {
    for name in ["clientId", "clientSecret", "tenantId"] {
        let mut document = fixtures::service_key();
        document.as_object_mut().expect("an object").remove(name);
        assert!(refusal(&document).contains(name));
        assert!(refusal(&changed(name, json!(""))).contains(name));
        assert!(refusal(&changed(name, json!(7))).contains(name));
    }
    assert!(refusal(&json!({"appId": "a", "tenant": "t"})).contains("password"));
    assert!(refusal(&json!({"a": "b"})).contains("clientId"));
}

#[test]
fn an_id_that_would_leave_its_place_in_an_address_is_refused() {
    for id in ["../../x", "a/b", "a?b", "a#b", "a b", "..", "a..b", ".a", "a%2fb", "a\u{fffd}"] {
        assert!(with_key(&changed("tenantId", json!(id))).is_err(), "{id}");
    }
}

#[test]
fn only_the_addresses_of_the_four_public_clouds_are_accepted() {
    for address in [
        "https://login.microsoftonline.com.evil.tld",
        "https://login.microsoftonline.com@evil.tld",
        "https://evil@login.microsoftonline.com",
        "http://login.microsoftonline.com",
        "https://login.microsoftonline.com:8443",
        "https://login.microsoftonline.com/x",
        "https://login.microsoftonline.com?x",
        "https://login.microsoftonline.com#x",
        "https://management.azure.com",
        "not an address",
    ] {
        assert!(with_key(&changed("activeDirectoryEndpointUrl", json!(address))).is_err(), "{address}");
    }
    assert!(with_key(&changed("resourceManagerEndpointUrl", json!("https://evil.example.com/"))).is_err());
    assert!(with_key(&changed("activeDirectoryEndpointUrl", json!("https://LOGIN.microsoftonline.com/"))).is_ok());
}

#[test]
fn each_cloud_keeps_its_own_addresses_and_they_are_not_mixed() {
    for (authority, manager, label) in [
        ("https://login.chinacloudapi.cn", "https://management.chinacloudapi.cn", "Azure China"),
        ("https://login.microsoftonline.us", "https://management.usgovcloudapi.net/", "Azure US Government"),
        ("https://login.microsoftonline.de/", "https://management.microsoftazure.de", "Azure Germany"),
    ] {
        let mut document = changed("activeDirectoryEndpointUrl", json!(authority));
        assert!(with_key(&document).is_err(), "{label} mixed with Azure");
        document["resourceManagerEndpointUrl"] = json!(manager);
        let (facts, key) = with_key(&document).expect(label);
        assert_eq!((key.cloud.label(), facts.lines[0].1.as_str()), (label, label));
    }
}

#[test]
fn other_addresses_in_the_document_are_dropped() {
    let text = ServiceKey::parse(&fixtures::service_key().to_string()).expect("valid").to_json();
    for gone in ["graph.windows.net", "gallery", "management"] {
        assert!(!text.contains(gone), "{gone}");
    }
}

#[test]
fn a_principal_with_a_certificate_is_sent_to_that_subtype() {
    let document = json!({"appId": "a", "password": null, "tenant": "t", "fileWithCertAndPrivateKey": "/tmp/x.pem"});
    assert!(refusal(&document).contains("subtype Certificate"));
}

#[test]
fn a_certificate_with_its_key_shows_when_it_expires() {
    let (certificate, key) = fixtures::rsa_certificate("principal");
    let guid = "ae01981e-e1bf-49ec-ad81-80af157a944e";
    let ids = [("tenant_id", guid), ("client_id", guid), ("subscription_id", "sub")];
    let text = format!("{key}\n{certificate}");
    let posted = [&[("method", "certificate"), ("certificate", text.as_str())], &ids[..]].concat();
    let (facts, payload) = saved(&posted).expect("valid");
    assert_eq!(facts.expires_at.map(date).as_deref(), Some("2031-05-04"));
    assert_eq!((facts.subtype, facts.warnings.len()), (Some("Certificate"), 1));
    assert!(matches!(payload, Payload::Certificate { .. }));
}

#[test]
fn a_certificate_is_refused_without_its_key_and_warned_of_without_rsa() {
    let (certificate, key) = fixtures::certificate("principal");
    let ids = [("method", "certificate"), ("tenant_id", "t"), ("client_id", "c"), ("subscription_id", "s")];
    let with = |text: &str| saved(&[&ids[..], &[("certificate", text)]].concat());
    assert!(with(&certificate).is_err_and(|errors| errors.of("certificate").is_some()));
    let (facts, _) = with(&(certificate + &key)).expect("valid");
    assert!(facts.warnings.iter().any(|warning| warning.contains("RSA")));
}

#[test]
fn a_managed_identity_needs_a_subscription_and_no_secret() {
    let (facts, _) = saved(&[("method", "managed_identity"), ("subscription_id", "sub")]).expect("valid");
    assert_eq!(facts.identity, "System-assigned identity");
    let errors = saved(&[("method", "managed_identity")]).err().expect("a refusal");
    assert!(errors.of("subscription_id").is_some() && errors.of("identity_client_id").is_none());
}

#[test]
fn the_role_by_use_is_filled_in_where_the_subscription_is_known() {
    let values = Values::from_iter([("method", "managed_identity"), ("subscription_id", "sub")]);
    let policies = policies(&values);
    assert_eq!(policies.len(), 1);
    assert!(policies[0].1.contains("--role AcrPull") && policies[0].1.contains("/subscriptions/sub"));
}
