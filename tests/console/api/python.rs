//! The vendor's own client for Python, unmodified, over TLS.

use serde_json::json;
use strongroom::accounts::Role;
use strongroom::models::api_tokens::Scope;

use super::{Tls, basic, events, token};
use crate::support::app::PASSWORD;

#[actix_web::test]
async fn the_vendors_client_keeps_a_credential_from_its_first_save_to_its_end() {
    let tls = Tls::start(&[]);
    let user = tls.app.add_user("olga", Role::Operator);
    let token = token(&tls.app, user, Scope::Write, 1);
    let first = tls.client(
        "olga",
        &token.text,
        &json!([
            ["credential_list_create", basic("robot of harbor", "robot", "first secret")],
            ["credential_list_read"],
            ["credential_list_usages_read", "robot of harbor"],
        ]),
    );
    assert_eq!(first[0], json!({"gave": null}));
    let listed = first[1]["gave"].as_array().expect("a list");
    let mut robot = listed.iter().find(|one| one["_id"] == "robot of harbor").expect("it is listed").clone();
    assert_eq!((&robot["accountID"], &robot["secret"]["plain"]), (&json!("robot"), &json!("")));
    assert_eq!(first[2], json!({"gave": []}));
    // Read, changed and written back whole, as its scripts do.
    robot["description"] = json!("reads images");
    let then = tls.client(
        "olga",
        &token.text,
        &json!([
            ["credential_list_create", robot],
            ["credential_list_read"],
            ["credential_list_delete", "robot of harbor"],
            ["credential_list_delete", "robot of harbor"],
            ["credential_list_delete", "IAM Role"],
        ]),
    );
    assert_eq!(then[0], json!({"gave": null}));
    let kept = then[1]["gave"].as_array().and_then(|list| list.iter().find(|one| one["_id"] == "robot of harbor"));
    let kept = kept.expect("it is listed");
    assert_eq!((&kept["description"], &kept["secret"]), (&json!("reads images"), &robot["secret"]));
    assert_eq!(then[2], json!({"gave": null}));
    assert!(then[3]["refused"].as_str().is_some_and(|text| text.contains("Status Code: 404")), "{}", then[3]);
    assert!(then[4]["refused"].as_str().is_some_and(|text| text.contains("Status Code: 400")), "{}", then[4]);
    let created = events(&tls.app, "credential.created");
    assert!(created.iter().any(|event| event.actor == "olga (API token write)"), "{created:?}");
}

#[actix_web::test]
async fn the_vendors_client_logs_in_by_a_plain_password_too() {
    let tls = Tls::start(&[]);
    tls.app.add_user("otto", Role::Auditor);
    let given = tls.client("otto", PASSWORD, &json!([["credential_list_read"], ["credential_list_delete", "x"]]));
    assert!(given[0]["gave"].as_array().is_some_and(|list| list.len() == 1), "{}", given[0]);
    assert!(given[1]["refused"].as_str().is_some_and(|text| text.contains("Status Code: 403")), "{}", given[1]);
}
