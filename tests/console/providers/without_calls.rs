//! Types whose test makes no call: certificates tell their dates, the others are tested by what uses them.

use super::*;

async fn dates(from: i32, until: i32) -> Finding {
    let (certificate, _) = rsa_certificate(from, until);
    let pem = format!("{certificate}{}", rsa_pem());
    test("certificate", &[("certificate", &pem)], &Endpoints::default()).await
}

#[tokio::test]
async fn a_certificate_tells_its_dates() {
    let good = dates(2024, 2040).await;
    assert_eq!((good.verdict, fact(&good, "Subject")), (Verdict::Ok, "strongroom"), "{good:?}");
    assert!(good.sentence.starts_with("The certificate is valid until 2040-01-01: "), "{good:?}");
    assert!(good.expires_at.is_some());
    let expired = dates(2020, 2021).await;
    assert_eq!(
        (expired.verdict, expired.sentence.as_str()),
        (Verdict::Expired, "The certificate expired on 2021-01-01.")
    );
    let early = dates(2039, 2040).await;
    assert_eq!(early.sentence, "The certificate is not valid before 2039-01-01.");
}

#[tokio::test]
async fn what_only_its_user_can_test_says_so() {
    let posted: [(&str, &[(&str, &str)]); 3] = [
        ("basic", &[("username", "robot"), ("password", "correct horse")]),
        ("api_token", &[("token", "hvs.CAESIJ")]),
        ("webhook", &[("url", "https://hooks.example.com/services/T0/B0/x")]),
    ];
    for (slug, posted) in posted {
        let finding = test(slug, posted, &Endpoints::default()).await;
        assert_eq!(finding.verdict, Verdict::NotHere);
        assert!(finding.sentence.contains("with an integration that uses it"));
    }
}
