//! Providers that are busy, broken or somebody else: each ends in one sentence, in time, with nothing of theirs in it.

use super::*;
use crate::support::peers::receiver::Said;

/// Every type that makes a call, with every one of its services moved to one peer.
async fn everyone(said: Said) -> Vec<(&'static str, Finding)> {
    let peer = Receiver::start(move |_| said.clone());
    let endpoints = Service::ALL
        .iter()
        .copied()
        .fold(Endpoints::default(), |endpoints, service| endpoints.with(service, peer.url().parse().unwrap()));
    let (key, account, fingerprint) = (service_key("s3cr3t-value"), service_account(rsa_pem()), fingerprint(rsa_pem()));
    let (certificate, _) = rsa_certificate(2024, 2031);
    let pem = format!("{certificate}{}", rsa_pem());
    let id = entra::CLIENT;
    let all: [(&'static str, Vec<(&str, &str)>); 7] = [
        ("azure", vec![("method", "service_key"), ("service_key", &key)]),
        (
            "azure",
            vec![
                ("method", "certificate"),
                ("certificate", &pem),
                ("tenant_id", id),
                ("client_id", id),
                ("subscription_id", id),
            ],
        ),
        ("gcp", vec![("service_account", &account), ("level", "project")]),
        ("ibm_cloud", vec![("account_guid", ACCOUNT), ("api_key", API_KEY)]),
        (
            "oci",
            vec![
                ("user_ocid", USER),
                ("tenancy_ocid", TENANCY),
                ("fingerprint", &fingerprint),
                ("private_key", rsa_pem()),
            ],
        ),
        ("github_token", vec![("token", "ghp_0123456789")]),
        ("gitlab_token", vec![("token", "glpat-0123456789")]),
    ];
    let tests = all.iter().map(|(slug, posted)| async { (*slug, test(slug, posted, &endpoints).await) });
    futures_util::future::join_all(tests).await
}

#[tokio::test]
async fn a_page_instead_of_json_is_not_understood() {
    for (slug, finding) in everyone(Said::html(200)).await {
        assert_eq!(finding.verdict, Verdict::Unreachable, "{slug}: {finding:?}");
        assert!(finding.sentence.ends_with("gave an answer that is not understood."), "{slug}: {finding:?}");
    }
}

#[tokio::test]
async fn half_an_answer_and_an_endless_one_are_no_answers() {
    for said in [Said::Half, Said::Endless] {
        for (slug, finding) in everyone(said).await {
            assert_eq!(finding.verdict, Verdict::Unreachable, "{slug}: {finding:?}");
        }
    }
}

#[tokio::test]
async fn silence_ends_in_time() {
    let start = std::time::Instant::now();
    for (slug, finding) in everyone(Said::Silent).await {
        assert_eq!(finding.verdict, Verdict::Unreachable, "{slug}: {finding:?}");
        assert!(finding.sentence.contains("did not answer in time"), "{slug}: {finding:?}");
    }
    assert!(start.elapsed() < providers::probe::LIMIT);
}

#[tokio::test]
async fn a_throttling_provider_is_asked_three_times_and_then_named() {
    for (slug, finding) in everyone(Said::html(429)).await {
        assert_eq!(finding.verdict, Verdict::Throttled, "{slug}: {finding:?}");
    }
    let peer = Receiver::start(|_| Said::html(429));
    test("github_token", &[("token", "ghp_0123456789")], &moved(Service::Github, &peer)).await;
    assert_eq!(peer.calls().len(), 3);
    peer.say(Said::html(429).with("Retry-After", "3600"));
    let finding = test("github_token", &[("token", "ghp_0123456789")], &moved(Service::Github, &peer)).await;
    assert_eq!(peer.calls().len(), 4, "whoever asks for an hour is not asked again");
    assert!(finding.sentence.contains("3600 seconds"), "{finding:?}");
}

#[tokio::test]
async fn a_throttled_call_goes_through_when_the_provider_recovers() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let peer = Receiver::start(move |_| match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 | 1 => Said::html(503).with("Retry-After", "0"),
        _ => Said::json(200, &json!({"login": "octo-scanner"})),
    });
    let finding = test("github_token", &[("token", "ghp_0123456789")], &moved(Service::Github, &peer)).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
}

#[tokio::test]
async fn refusals_in_a_strange_form_are_not_passed_on() {
    for status in [400, 401, 403, 404, 418, 500, 503] {
        for (slug, finding) in everyone(Said::html(status)).await {
            assert_ne!(finding.verdict, Verdict::Ok, "{slug} {status}: {finding:?}");
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start(|_| Said::html(200));
    let target = elsewhere.url();
    for status in [302, 307] {
        for (slug, finding) in everyone(Said::html(status).with("Location", &target)).await {
            assert_eq!(finding.verdict, Verdict::Unreachable, "{slug}: {finding:?}");
        }
    }
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn a_token_that_cannot_be_read_still_is_a_token() {
    for token in ["opaque", "a.b.c", "e30.bm90IGpzb24.x"] {
        let said = Said::json(200, &json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer"}));
        for (slug, finding) in everyone(said).await.into_iter().take(4) {
            assert_eq!(finding.verdict, Verdict::Ok, "{slug}: {finding:?}");
        }
    }
}
