//! Every route of the API with every sort of caller, against the table below. A route that is not in it fails, so that
//! nobody adds one without deciding; and so does one that `openapi.json` does not describe.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use strongroom::accounts::Role;
use strongroom::api::vendor::ROUTES;
use strongroom::models::api_tokens::Scope;

use super::Program;
use crate::support::app::TestApp;

#[derive(Clone, Copy, PartialEq)]
enum Who {
    Everybody,
    Reader,
    Writer,
}

use Who::{Everybody, Reader, Writer};

const TABLE: &[(&str, &str, Who)] = &[
    ("get", "/_ping", Everybody),
    ("get", "/version", Reader),
    ("get", "/openapi.json", Reader),
    ("post", "/authenticate", Everybody),
    ("get", "/authenticate/renew", Reader),
    ("get", "/credentials", Reader),
    ("post", "/credentials", Writer),
    ("get", "/credentials/{name:.*}/usages", Reader),
    ("delete", "/credentials/{name:.*}", Writer),
    ("get", "/prisma-cloud-credentials", Reader),
    ("get", "/settings/registry", Reader),
    ("put", "/settings/registry", Writer),
    ("post", "/settings/registry", Writer),
    ("post", "/registry/scan", Writer),
    ("post", "/registry/scan/select", Writer),
    ("post", "/registry/stop", Writer),
    ("get", "/registry/progress", Reader),
    ("get", "/settings/serverless-scan", Reader),
    ("put", "/settings/serverless-scan", Writer),
    ("post", "/settings/serverless-scan", Writer),
    ("get", "/cloud-scan-rules", Reader),
    ("get", "/policies/cloud-platforms", Reader),
    ("get", "/cloud/discovery", Reader),
    ("get", "/cloud/discovery/entities", Reader),
    ("post", "/cloud/discovery/scan", Writer),
    ("post", "/cloud/discovery/stop", Writer),
    ("get", "/alert-profiles", Reader),
    ("get", "/alert-profiles/names", Reader),
    ("post", "/alert-profiles/test", Writer),
    ("delete", "/alert-profiles/{name:.*}", Writer),
    ("get", "/audits/mgmt", Reader),
    ("get", "/audits/mgmt/filters", Reader),
    ("get", "/audits/mgmt/download", Reader),
    ("get", "/deployment/daemonsets", Reader),
];

#[test]
fn every_route_is_in_the_table_and_described() {
    let routes: BTreeSet<(&str, &str)> = ROUTES.iter().copied().collect();
    let decided: BTreeSet<(&str, &str)> = TABLE.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(routes, decided, "decide who may call these");
    let described: Value = serde_json::from_str(include_str!("../../../src/api/vendor/openapi.json")).expect("JSON");
    let mut calls = BTreeSet::new();
    for (path, methods) in described["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys().filter(|key| *key != "parameters") {
            calls.insert((method.clone(), path.replace("{name}", "{name:.*}")));
        }
    }
    let routes = routes.into_iter().map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(calls, routes.collect(), "describe what is served, and no more");
}

#[actix_web::test]
async fn nobody_gets_further_than_their_role_and_the_scope_of_their_token() {
    let app = TestApp::start();
    let nobody = Program { app: &app, session: String::new() };
    let mut callers = vec![("nobody", None, nobody)];
    for (name, role, scope, writes) in [
        ("an auditor to read", Role::Auditor, Scope::Read, false),
        ("an auditor to write", Role::Auditor, Scope::Write, false),
        ("an auditor with new destinations", Role::Auditor, Scope::Destinations, false),
        ("an operator to read", Role::Operator, Scope::Read, false),
        ("an administrator to read", Role::Administrator, Scope::Read, false),
        ("an operator to write", Role::Operator, Scope::Write, true),
        ("an administrator to write", Role::Administrator, Scope::Write, true),
    ] {
        callers.push((name, Some(writes), Program::new(&app, role, scope).await));
    }
    let mut wrong = Vec::new();
    for (method, path, who) in TABLE {
        let path = path.replace("{name:.*}", "nothing");
        for (name, writes, program) in &callers {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let body = (method != Method::GET).then(|| json!({"nonsense": true}));
            let page = program.call(method.clone(), &path, body.as_ref()).await;
            let right = match (who, writes) {
                (Everybody, _) => page.status == 200 || path == "/authenticate" && page.status == 400,
                (_, None) => page.status == 401,
                (Writer, Some(false)) => page.status == 403,
                (Reader, Some(_)) | (Writer, Some(true)) => page.status == 200 || matches!(page.status, 400 | 404),
            };
            let is_error = page.status >= 400;
            let shaped =
                !is_error || serde_json::from_str::<Value>(&page.body).is_ok_and(|body| body["err"].is_string());
            if !right || !shaped || page.headers.get("set-cookie").is_some() {
                wrong.push(format!("{name}: {method} {path} gave {} {}", page.status, page.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[actix_web::test]
async fn a_release_of_the_vendor_in_the_address_leads_to_the_same() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Read).await;
    for (version, status) in [("v1", 200), ("v34.04", 200), ("v2", 404), ("v34.4", 404), ("", 404)] {
        let mut visitor = app.visitor();
        let request =
            visitor.request(Method::GET, &format!("/api/{version}/credentials")).bearer_auth(&program.session);
        assert_eq!(visitor.send(request).await.status, status, "{version}");
    }
}
