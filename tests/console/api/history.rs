//! The audit trail, functions, clouds and deployments by the API.

use reqwest::Method;
use serde_json::json;
use strongroom::accounts::Role;
use strongroom::models::api_tokens::Scope;

use super::{Program, Tls, basic, token, value};
use crate::support::app::TestApp;

#[actix_web::test]
async fn the_vendors_client_reads_the_history_page_by_page_and_as_a_file() {
    let tls = Tls::start(&[]);
    let user = tls.app.add_user("olga", Role::Operator);
    let token = token(&tls.app, user, Scope::Write, 1);
    let given = tls.client(
        "olga",
        &token.text,
        &json!([
            ["credential_list_create", basic("robot", "harbor", "a first secret")],
            ["audits_list_read", "mgmt"],
            ["console_history_list_read", {"type": "credential", "username": "olga (API token write)"}],
            ["execute_compute", "GET", "api/v1/audits/mgmt/filters"],
            ["execute_compute", "GET", "api/v1/audits/mgmt/download"],
            ["cloud_discovery_read"],
            ["policies_cloud_platforms_read"],
            ["settings_serverless_scan_read"],
            ["execute_compute", "GET", "api/v1/alert-profiles"],
        ]),
    );
    let all = given[1]["gave"].as_array().expect("a list");
    assert!(all.len() > 3 && all.iter().any(|event| event["type"] == "login"), "{all:?}");
    let own = given[2]["gave"].as_array().expect("a list");
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!((&own[0]["type"], &own[0]["failure"]), (&json!("credential"), &json!(false)));
    assert_eq!(own[0]["diff"], "Credential added: robot (type basic)");
    assert!(
        given[3]["gave"]["username"].as_array().is_some_and(|names| names.contains(&json!("olga (API token write)")))
    );
    let file = given[4]["gave"].as_str().expect("a file");
    assert!(file.starts_with("time,type,username") && file.lines().count() > 3, "{file}");
    assert!(!file.contains("a first secret"));
    assert_eq!((&given[5], &given[7], &given[8]), (&json!({"gave": []}), &json!({"gave": []}), &json!({"gave": []})));
    assert_eq!(given[6]["gave"]["rules"], json!([]));
}

#[actix_web::test]
async fn scans_of_functions_are_one_list_and_a_credential_has_one_rule() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    let key = json!({"_id": "ci", "type": "aws", "accountID": "AKIAIOSFODNN7EXAMPLE", "useAWSRole": false,
        "secret": {"plain": "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx"}});
    assert_eq!(program.post("/credentials", &key).await.status, 200);
    let sent = json!([{"provider": "aws", "credentialID": "ci", "region": "eu-central-1", "scanAllVersions": true}]);
    let page = program.call(Method::PUT, "/settings/serverless-scan", Some(&sent)).await;
    assert_eq!((page.status, page.body.as_str()), (200, ""));
    let read = value(&program.get("/settings/serverless-scan").await);
    assert_eq!((&read[0]["region"], &read[0]["scanAllVersions"]), (&json!("eu-central-1"), &json!(true)));
    let rules = value(&program.get("/cloud-scan-rules").await);
    assert_eq!((&rules[0]["credentialId"], &rules[0]["serverlessScanSpec"]["enabled"]), (&json!("ci"), &json!(true)));
    assert_eq!(value(&program.get("/credentials/ci/usages").await)[0]["type"], "Serverless Scan");
    let page = program.call(Method::PUT, "/settings/serverless-scan", Some(&read)).await;
    assert_eq!((page.status, value(&program.get("/settings/serverless-scan").await)), (200, read));
    for (region, count) in [("eu-central-1", 1), ("us-east-1", 2), ("us-east-1", 2)] {
        let sent = json!({"provider": "aws", "credentialID": "ci", "region": region});
        assert_eq!(program.post("/settings/serverless-scan", &sent).await.status, 200);
        let list = value(&program.get("/settings/serverless-scan").await);
        assert_eq!(list.as_array().map(Vec::len), Some(count), "{region} replaces no other region: {list}");
    }
    let none = json!([]);
    assert_eq!(program.call(Method::PUT, "/settings/serverless-scan", Some(&none)).await.status, 403);
    let meant = Program::new(&app, Role::Operator, Scope::Destinations).await;
    assert_eq!(meant.call(Method::PUT, "/settings/serverless-scan", Some(&none)).await.status, 200);
    assert_eq!(program.delete("/credentials/ci").await.status, 200);
}

#[actix_web::test]
async fn a_history_of_another_time_or_order_is_asked_for_or_refused() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Auditor, Scope::Read).await;
    for (query, status) in [
        ("from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z&reverse=true&limit=2", 200),
        ("from=2099-01-01T00:00:00Z", 200),
        ("from=yesterday", 400),
        ("sort=diff", 400),
        ("limit=-1", 400),
    ] {
        let page = program.get(&format!("/audits/mgmt?{query}")).await;
        assert_eq!(page.status, status, "{query}: {}", page.body);
    }
    assert_eq!(value(&program.get("/audits/mgmt?from=2099-01-01T00:00:00Z").await), json!([]));
    assert_eq!(value(&program.get("/deployment/daemonsets").await), json!([]));
}
