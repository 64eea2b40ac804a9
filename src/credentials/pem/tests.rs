use super::*;
use crate::credentials::tests::fixtures;

fn refusal(text: &str) -> String {
    Pair::parse(text).err().expect("a refusal")
}

#[test]
fn certificate_and_key_are_read_in_any_order() {
    let (certificate, key) = fixtures::certificate("client");
    for text in [format!("{certificate}{key}"), format!("{key}\r\n{certificate}").replace('\n', "\r\n")] {
        let pair = Pair::parse(&text).unwrap_or_else(|message| panic!("{message}"));
        let summary = pair.summary().expect("a summary");
        assert_eq!((summary.subject.as_str(), summary.issuer.as_str()), ("client", "client"));
        assert_eq!(summary.not_after.to_rfc3339(), "2031-05-04T00:00:00+00:00");
        assert!(!pair.is_rsa());
    }
}

#[test]
fn the_certificate_of_the_key_comes_first() {
    let (certificate, key) = fixtures::certificate("client");
    let (authority, _) = fixtures::certificate("authority");
    let pair = Pair::parse(&format!("{authority}{certificate}{key}")).unwrap_or_else(|message| panic!("{message}"));
    assert_eq!(pair.summary().expect("a summary").subject, "client");
    assert_eq!(pair.chain.len(), 2);
    assert!(Pair::parse(&pair.to_pem()).is_ok_and(|again| again.to_pem() == pair.to_pem()));
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let (certificate, key) = fixtures::certificate("client");
    assert!(refusal(&certificate).contains("private key is missing"));
    assert!(refusal(&key).contains("certificate is missing"));
    assert!(refusal("nothing").contains("no certificate"));
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (certificate, _) = fixtures::certificate("client");
    let (_, key) = fixtures::certificate("other");
    assert!(refusal(&(certificate + &key)).contains("does not belong"));
}

#[test]
fn two_keys_are_refused() {
    let (certificate, key) = fixtures::certificate("client");
    assert!(refusal(&(certificate + &key + &key)).contains("more than one"));
}

#[test]
fn a_key_with_a_passphrase_is_refused_and_the_remedy_given() {
    let (certificate, key) = fixtures::certificate("client");
    let locked = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert!(refusal(&(certificate + &locked)).contains("openssl pkey"));
}

#[test]
fn damaged_parts_are_refused() {
    let (certificate, key) = fixtures::certificate("client");
    assert!(Pair::parse(&(certificate.replace("-----END", "*-----END") + &key)).is_err());
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(refusal(&(certificate.clone() + junk + &key)).contains("X.509"));
    let bad = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(refusal(&(certificate + bad)).contains("cannot be used"));
}

#[test]
fn certificates_that_are_shown_again_hold_no_private_key() {
    let (certificate, key) = fixtures::certificate("authority");
    assert!(authorities(&(certificate.clone() + &key)).is_err_and(|message| message.contains("private key")));
    assert!(authorities("nothing").is_err());
    let canonical = authorities(&format!("Bag Attributes\n{certificate}\n{certificate}")).expect("two");
    assert_eq!(canonical.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(!canonical.contains("Bag"));
}

#[test]
fn at_most_50_certificates_fit() {
    let (certificate, _) = fixtures::certificate("authority");
    assert!(authorities(&certificate.repeat(50)).is_ok() && authorities(&certificate.repeat(51)).is_err());
}

#[test]
fn an_rsa_key_is_2048_bits_or_more() {
    let key = RsaKey::parse(fixtures::rsa_pem()).unwrap_or_else(|message| panic!("{message}"));
    assert_eq!(key.to_pem(), fixtures::rsa_pem());
    assert!(key.public_der().is_some());
    for text in [fixtures::certificate("x").1.as_str(), "", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"]
    {
        assert!(RsaKey::parse(text).is_err());
    }
    assert!(RsaKey::parse(&fixtures::rsa_pem().repeat(2)).is_err());
}

#[test]
fn names_in_a_certificate_are_shown_without_control_characters_and_excess() {
    let (certificate, _) = fixtures::certificate(&format!("a\u{1b}[31m\n{}", "b".repeat(400)));
    let subject = summary_of(&certificate).expect("a summary").subject;
    assert!(subject.starts_with("a[31mb") && subject.len() == 200);
}
