//! Certificates and keys.

use super::{input, refusal, saved, says};

/// How many certificates and keys are stored.
fn sections(text: &str) -> (usize, usize) {
    (text.matches("-----BEGIN CERTIFICATE-----").count(), text.matches("PRIVATE KEY-----\nMII").count())
}

fn certificate(text: &str) -> String {
    saved("certificate", &[("certificate", text)]).get("certificate").to_owned()
}

#[test]
fn field_fa_15_certificates_joined_without_a_line_end_are_all_kept() {
    assert_eq!(sections(&certificate(input!("FA-15.pem"))), (2, 1));
}

#[test]
fn field_fa_15_a_begin_line_that_is_not_read_refuses_the_form() {
    let good = input!("FA-18.pem").trim_start_matches('\u{feff}');
    let more = input!("FA-19.pem").trim_start_matches('\u{feff}');
    let second = &more[more.rfind("-----BEGIN").expect("two")..];
    for (spoilt, word) in [
        (second.replace("-----BEGIN", "----BEGIN"), "five dashes"),
        (second.replace("-----END", "----END"), "no END line"),
        (second.replace("-----", "—"), "five dashes"),
        (second.replace("-----", ""), "five dashes"),
        (second.replace("-----BEGIN CERTIFICATE-----\n", ""), "five dashes"),
        (second.replace("END CERTIFICATE", "END X509 CRL"), "no END line"),
        (second.replace("CERTIFICATE", "X509 CRL"), "neither a certificate"),
        (second.replace("CERTIFICATE", "CERTIFICATE REQUEST"), "signing request"),
        (second.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "openssl x509"),
        (second.replace("CERTIFICATE", "PUBLIC KEY"), "public key"),
    ] {
        says(&refusal("certificate", &[("certificate", &format!("{good}{spoilt}"))]), &[word]);
        let ca = refusal("certificate", &[("ca_certificate", &format!("{second}{spoilt}")), ("certificate", good)]);
        says(&ca, &[word]);
    }
}

#[test]
fn field_fa_17_a_certificate_and_key_joined_without_a_line_end_are_taken() {
    assert_eq!(sections(&certificate(input!("FA-17.pem"))), (1, 1));
}

#[test]
fn field_fa_18_pem_with_a_byte_order_mark_is_taken() {
    assert_eq!(sections(&certificate(input!("FA-18.pem"))), (1, 1));
    // Two such files after another, as `cat` joins them.
    let twice = format!("{}{}", input!("FA-18.pem"), input!("FA-19.pem"));
    assert_eq!(sections(&certificate(&twice)), (3, 1));
}

#[test]
fn field_fa_19_a_ca_bundle_with_a_byte_order_mark_is_kept_whole() {
    let values = saved("gitlab_token", &[("ca_certificate", input!("FA-19.pem")), ("token", "glpat-0123456789")]);
    assert_eq!(sections(values.get("ca_certificate")), (2, 0));
}

#[test]
fn field_fa_19_an_integration_keeps_a_ca_bundle_whole() {
    let kept = strongroom::integrations::ca_certificate::check(input!("FA-19.pem")).expect("two authorities");
    assert_eq!(sections(&kept), (2, 0));
}

#[test]
fn field_fa_21_text_outside_of_the_armour_says_nothing() {
    assert_eq!(sections(&certificate(input!("FA-21.pem"))), (1, 1));
    let comment = format!("# ENCRYPTED traffic CA\n{}", input!("FA-19.pem").trim_start_matches('\u{feff}'));
    saved("certificate", &[("certificate", input!("FA-18.pem")), ("ca_certificate", &comment)]);
}

#[test]
fn field_fa_22_pem_whose_line_ends_are_lost_is_taken() {
    assert_eq!(sections(&certificate(input!("FA-22.pem"))), (1, 1));
    let whole = input!("FA-18.pem");
    for changed in [whole.replace('\n', ""), whole.replace('\n', "\r\n"), whole.replace('\n', "\\n")] {
        assert_eq!(certificate(&changed), certificate(whole));
    }
}

#[test]
fn field_fa_24_indented_pem_is_taken() {
    assert_eq!(sections(&certificate(input!("FA-24.pem"))), (1, 1));
}

#[test]
fn field_fa_25_pkcs_12_is_named_with_the_way_to_pem() {
    says(&refusal("certificate", &[("certificate", input!("FA-25.txt"))]), &["PKCS #12", "openssl pkcs12"]);
}

#[test]
fn field_fa_27_a_curve_that_is_not_supported_is_named() {
    says(&refusal("certificate", &[("certificate", input!("FA-27.pem"))]), &["curve", "P-256, P-384 or P-521"]);
}

#[test]
fn field_fa_50_a_private_key_in_a_token_field_is_named() {
    says(&refusal("github_token", &[("token", input!("FA-50.pem"))]), &["private key", "ghp_"]);
    says(&refusal("gitlab_token", &[("token", input!("FA-50.pem"))]), &["private key", "glpat-"]);
    says(&refusal("api_token", &[("token", input!("FA-50.pem"))]), &["private key", "access token"]);
}
