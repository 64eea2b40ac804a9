//! Keys, tokens and accounts that were switched off: each in the shape in which its vendor says so.

use super::*;

async fn one(slug: &str, posted: &[(&str, &str)], service: Service, said: Said) -> Finding {
    let peer = Receiver::start(move |_| said.clone());
    test(slug, posted, &moved(service, &peer)).await
}

#[tokio::test]
async fn a_disabled_app_of_azure_is_said_to_be_disabled() {
    let key = service_key("s3cr3t-value");
    let refusal = json!({"error": "unauthorized_client", "error_description": UPSTREAM, "error_codes": [7_000_112]});
    let finding = one("azure", &[("service_key", &key)], Service::AzureLogin, Said::json(400, &refusal)).await;
    assert_eq!((finding.verdict, finding.sentence.as_str()), (Verdict::Denied, "The app is disabled in this tenant."));
}

#[tokio::test]
async fn a_disabled_service_account_of_google_is_said_to_be_disabled() {
    let account = service_account(rsa_pem());
    for (error, text) in
        [("disabled_client", "The OAuth client was disabled."), ("invalid_grant", "Account disabled: 1")]
    {
        let refusal = json!({"error": error, "error_description": format!("{text} {UPSTREAM}")});
        let posted = [("service_account", account.as_str()), ("level", "project")];
        let finding = one("gcp", &posted, Service::GoogleToken, Said::json(401, &refusal)).await;
        assert_eq!((finding.verdict, finding.sentence.as_str()), (Verdict::Denied, "The service account is disabled."));
    }
}

#[tokio::test]
async fn a_locked_or_disabled_api_key_of_ibm_is_among_what_to_check() {
    let refusal = json!({"errorCode": "BXNIM0462E", "errorMessage": UPSTREAM});
    let posted = [("account_guid", ACCOUNT), ("api_key", API_KEY)];
    let finding = one("ibm_cloud", &posted, Service::IbmIam, Said::json(400, &refusal)).await;
    assert_eq!(finding.verdict, Verdict::BadKey);
    assert!(finding.remedy.contains("locked nor disabled"), "{finding:?}");
}

#[tokio::test]
async fn a_revoked_token_of_gitlab_and_a_suspended_account_of_github_are_not_called_good() {
    let token = json!({"name": "t", "scopes": ["read_api"], "active": false, "revoked": true, "expires_at": null,
        "created_at": "2026-01-02T03:04:05.678Z", "username": "lab"});
    let finding = one("gitlab_token", &[("token", "glpat-1")], Service::Gitlab, Said::json(200, &token)).await;
    assert_eq!(finding.verdict, Verdict::Expired, "{finding:?}");
    let suspended = json!({"message": format!("Sorry. Your account was suspended. {UPSTREAM}")});
    let finding = one("github_token", &[("token", "ghp_1")], Service::Github, Said::json(403, &suspended)).await;
    assert_eq!(finding.verdict, Verdict::Denied, "{finding:?}");
}

#[tokio::test]
async fn gitlab_tells_when_a_token_was_made_and_last_used() {
    let token = json!({"name": "t", "scopes": ["read_api"], "active": true, "expires_at": "2031-02-03",
        "created_at": "2026-01-02T03:04:05.678Z", "last_used_at": "2026-03-04T05:06:07Z", "username": "lab"});
    let finding = one("gitlab_token", &[("token", "glpat-1")], Service::Gitlab, Said::json(200, &token)).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    let days =
        [finding.made_at, finding.used_at, finding.expires_at].map(|at| at.map(|at| at.date_naive().to_string()));
    assert_eq!(days.map(Option::unwrap_or_default), ["2026-01-02", "2026-03-04", "2031-02-03"]);
}
