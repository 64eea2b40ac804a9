//! What holds for every kind. Each kind's own rules are tested beside it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{KINDS, find};
use crate::form::{self, Control, Values};

pub mod fixtures;
mod hostile;

#[test]
fn slugs_and_labels_are_those_of_the_product_and_unique() {
    let list: Vec<(&str, &str)> = KINDS.iter().map(|kind| (kind.slug, kind.label)).collect();
    let product = [
        ("aws", "AWS"),
        ("azure", "Azure"),
        ("gcp", "Google Cloud"),
        ("ibm_cloud", "IBM Cloud"),
        ("kubeconfig", "Kubeconfig"),
        ("basic", "Basic authentication"),
        ("api_token", "API token"),
        ("webhook", "Webhook URL"),
        ("certificate", "Certificate"),
        ("oci", "Oracle Cloud"),
        ("github_token", "GitHub"),
        ("gitlab_token", "GitLab"),
    ];
    assert_eq!(list, product);
    assert!(find("no-such-kind").is_none());
}

#[test]
fn every_kind_has_distinct_field_names_and_conditions_that_name_real_choices() {
    for kind in KINDS {
        let names: BTreeSet<&str> = kind.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), kind.fields.len(), "{}", kind.slug);
        for field in kind.fields {
            let Some((other, wanted)) = field.when else { continue };
            let other = kind.fields.iter().find(|field| field.name == other).expect("a field");
            let Control::Choice(options) = other.control else { panic!("{}: not a choice", kind.slug) };
            assert!(wanted.iter().all(|value| options.iter().any(|(option, _)| option == value)), "{}", kind.slug);
        }
    }
}

#[test]
fn every_kind_says_what_it_opens_and_how_to_make_one() {
    for kind in KINDS {
        assert!(kind.summary.ends_with('.'), "{}", kind.slug);
        assert!(!kind.guide.steps.is_empty(), "{}", kind.slug);
        assert!(kind.guide.source.starts_with("https://"), "{}", kind.slug);
    }
}

#[test]
fn valid_values_of_every_kind_are_accepted_and_their_payload_parses() {
    let samples = fixtures::samples();
    for kind in KINDS {
        assert!(samples.iter().any(|(sample, _)| sample.slug == kind.slug), "no sample of {}", kind.slug);
    }
    for (kind, posted) in samples {
        let values =
            form::check(kind.fields, &posted, None).unwrap_or_else(|errors| panic!("{}: {errors:?}", kind.slug));
        (kind.examine)(&values).unwrap_or_else(|errors| panic!("{}: {errors:?}", kind.slug));
        assert!((kind.parses)(&values), "{}", kind.slug);
        let stored = Values::from_json(&values.to_json()).expect("values");
        assert!(stored == values, "{} changes when it is stored", kind.slug);
    }
}

#[test]
fn the_canonical_form_of_every_kind_stays_as_it_is_when_checked_again() {
    for (kind, posted) in fixtures::samples() {
        let once = form::check(kind.fields, &posted, None).expect("valid");
        let twice = form::check(kind.fields, &once, None).expect("still valid");
        assert!(once == twice, "{}", kind.slug);
    }
}

#[test]
fn a_payload_with_a_value_that_no_field_has_is_refused() {
    for (kind, posted) in fixtures::samples() {
        let mut values = form::check(kind.fields, &posted, None).expect("valid");
        values.set("endpoint", "https://elsewhere.example.com");
        assert!(!(kind.parses)(&values), "{}", kind.slug);
    }
}

#[test]
fn a_payload_without_one_of_its_required_values_is_refused() {
    for (kind, posted) in fixtures::samples() {
        let values = form::check(kind.fields, &posted, None).expect("valid");
        // Certificates of earlier releases have no cloud: they were of the global one.
        let later = |name: &str| (kind.slug, name) == ("azure", "cloud");
        for field in
            kind.fields.iter().filter(|field| field.required && values.contains(field.name) && !later(field.name))
        {
            let rest = values.names().filter(|name| *name != field.name).map(|name| (name, values.get(name)));
            assert!(!(kind.parses)(&Values::from_iter(rest)), "{} without {}", kind.slug, field.name);
        }
    }
}

#[test]
fn nothing_secret_is_among_the_facts_of_any_kind() {
    for (kind, posted) in fixtures::samples() {
        let values = form::check(kind.fields, &posted, None).expect("valid");
        let facts = format!("{:?}", (kind.examine)(&values).expect("facts"));
        for field in kind.fields.iter().filter(|field| field.control == Control::Secret) {
            let secret = values.get(field.name);
            assert!(secret.is_empty() || !facts.contains(secret), "{}: {}", kind.slug, field.name);
        }
        for secret in ["PRIVATE KEY", "s3cr3t", "5ce0f4ec", "abc.def.ghi", "p: ", "services"] {
            assert!(!facts.contains(secret), "{}: {secret}", kind.slug);
        }
    }
}

#[test]
fn only_an_aws_access_key_grows_stale() {
    for (kind, values) in fixtures::samples() {
        let access_key = kind.slug == "aws" && values.get("method") == "access_key";
        assert_eq!((kind.ages)(&values), access_key, "{}", kind.slug);
    }
}

#[test]
fn a_new_address_or_identity_asks_for_the_secret_again() {
    for (slug, field, value) in [
        ("aws", "access_key_id", "AKIAIOSFODNN7EXAMPLF"),
        ("ibm_cloud", "account_guid", "00000000000000000000000000000000"),
        ("basic", "username", "somebody-else"),
        ("oci", "tenancy_ocid", "ocid1.tenancy.oc1..b"),
        ("gitlab_token", "server_url", "https://elsewhere.example.com"),
    ] {
        let (kind, posted) = fixtures::samples().into_iter().find(|(kind, _)| kind.slug == slug).expect("a sample");
        let stored = form::check(kind.fields, &posted, None).expect("valid");
        let secret = |name: &str| kind.fields.iter().any(|f| f.name == name && f.control.is_secret());
        let mut edit = Values::from_iter(posted.names().filter(|n| !secret(n)).map(|n| (n, posted.get(n))));
        assert!(form::check(kind.fields, &edit, Some(&stored)).expect("kept") == stored, "{slug}");
        edit.set(field, value);
        let errors = form::check(kind.fields, &edit, Some(&stored)).expect_err("asked again");
        assert!(errors.iter().all(|(name, message)| secret(name) && message.contains("has changed")), "{slug}");
    }
}

#[test]
fn an_rsa_key_of_1024_bits_is_refused_wherever_one_is_pasted() {
    let (certificate, key) = fixtures::short_rsa_certificate();
    let mut account = fixtures::service_account();
    account["private_key"] = key.as_str().into();
    let data = [&certificate, &key].map(|text| STANDARD.encode(text));
    let user = format!("{{client-certificate-data: {}, client-key-data: {}}}", data[0], data[1]);
    for (slug, field, text) in [
        ("gcp", "service_account", account.to_string()),
        ("azure", "certificate", format!("{certificate}{key}")),
        ("certificate", "certificate", format!("{key}{certificate}")),
        ("kubeconfig", "kubeconfig", fixtures::kubeconfig(&user)),
        ("oci", "private_key", key.clone()),
    ] {
        let sample = fixtures::samples().into_iter().find(|(kind, values)| kind.slug == slug && values.contains(field));
        let (kind, mut values) = sample.expect("a sample");
        values.set(field, text.as_str());
        let errors = form::check(kind.fields, &values, None).expect_err("a refusal");
        let message = errors.of(field).unwrap_or_default();
        assert!(message.contains("2048 bits or more"), "{slug}: {message}");
        assert!(!message.contains(&key[40..80]), "{slug} shows the key");
    }
}
