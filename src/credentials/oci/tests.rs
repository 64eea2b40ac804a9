use super::*;
use crate::credentials::tests::fixtures;
use crate::form;

const USER: &str = "ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq";
const TENANCY: &str = "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f44n2b2m2yt2j6rx32uzr4h25vqstifsfdsq";

fn saved(fingerprint: &str, key: &str) -> Result<Facts, Errors> {
    let posted = Values::from_iter([
        ("user_ocid", USER),
        ("tenancy_ocid", TENANCY),
        ("fingerprint", fingerprint),
        ("private_key", key),
    ]);
    examine(&form::check(KIND.fields, &posted, None)?)
}

#[test]
fn a_key_with_its_fingerprint_is_accepted() {
    let key = fixtures::rsa_pem();
    let facts = saved(&fixtures::fingerprint(key), key).expect("valid");
    assert_eq!((facts.identity.as_str(), facts.lines[0].1.as_str()), (USER, TENANCY));
}

#[test]
fn the_fingerprint_of_another_key_is_refused() {
    let other = fixtures::fingerprint(&fixtures::new_rsa_pem());
    let errors = saved(&other, fixtures::rsa_pem()).expect_err("another key");
    assert!(errors.of("fingerprint").is_some_and(|message| message.contains("not the fingerprint")));
}

#[test]
fn a_fingerprint_of_another_shape_is_refused() {
    for value in ["", "aa:bb", "aabbccddeeff00112233445566778899", &"zz:".repeat(16), &"aa:".repeat(16)] {
        assert!(fingerprint(value).is_err(), "{value}");
    }
}

#[test]
fn a_key_that_is_no_rsa_key_is_refused() {
    let (_, elliptic) = fixtures::certificate("x");
    for key in [elliptic.as_str(), "no key"] {
        assert!(saved(&fixtures::fingerprint(fixtures::rsa_pem()), key).expect_err(key).of("private_key").is_some());
    }
}

#[test]
fn a_region_is_one_word_of_a_host_name_and_no_more() {
    for good in ["eu-frankfurt-1", "us-gov-ashburn-1", "ap-chiyoda-1", "AP-Sydney-1"] {
        assert_eq!(region(good), Ok(good.to_lowercase()));
    }
    for bad in
        ["", "frankfurt", "eu-frankfurt", "eu-frankfurt-1.evil.com", "eu--1", "a.b-c-1", "eu-frankfurt-1/x", "-a-1"]
    {
        assert!(region(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_ocid_says_what_it_names() {
    assert!(ocid("user", USER).is_ok() && ocid("tenancy", TENANCY).is_ok());
    assert!(ocid("user", "ocid1.user.oc2.us-gov-phoenix-1.aaaa").is_ok());
    for value in [
        TENANCY,
        "ocid1.user.oc1..",
        "ocid1.user.oc1",
        "ocid2.user.oc1..aaaa",
        "ocid1.user.evil..aaaa",
        "ocid1.user.oc1..aaaa/../x",
        "ocid1.user.oc1..AAAA",
        "ocid1.user.oc1.a.b.c.d",
    ] {
        assert!(ocid("user", value).is_err(), "{value}");
    }
}
