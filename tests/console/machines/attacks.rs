//! Programs that may not, and what they are told; and browsers where programs belong.

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::json;
use strongroom::accounts::Role;
use strongroom::api;
use strongroom::models::client_logins;
use strongroom::models::clients::NewClient;
use strongroom::web;

use super::{events, program};
use crate::support::app::{Page, TestApp};
use crate::support::clients::{Client, Login, releasing};
use crate::support::sql;

const VALUE: &str = "/machine/v1/values/db";

/// Everything that could tell one refusal from another.
fn told(page: &Page) -> (u16, String, String) {
    (page.status, page.body.clone(), page.header("content-type").to_owned())
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_token_has_the_same_answer() {
    let app = releasing();
    let (client, other) = (Client::new(&app, "shop"), Client::new(&app, "other"));
    client.value("db", "password");
    let method = client_logins::Method::Token;
    let (login, others) = (client.login(method, None), other.login(method, None));
    let over = client.login(method, Some(Utc::now() - TimeDelta::hours(1)));
    let away = Client::with(
        &app,
        NewClient { name: "away", token_minutes: 15, networks: vec!["10.0.0.0/8".into()], ..NewClient::default() },
    );
    away.value("db", "password");
    let disabled = Client::new(&app, "disabled");
    let of_disabled = disabled.token();
    disabled.set_active(false);
    let mixed = Login { id: login.id, secret: others.secret.clone() };
    let nobody = Login { id: strongroom::models::ClientLoginId::fresh(), secret: login.secret.clone() };
    let mut answers = Vec::new();
    for token in [
        String::new(),
        "srt_".to_owned(),
        "x".repeat(5000),
        "sst_AAAA.AAAA".to_owned(),
        mixed.token(),
        nobody.token(),
        login.token().to_uppercase(),
        over.token(),
        away.token(),
        of_disabled,
    ] {
        let page = program(&app, &token, VALUE).await;
        assert_eq!(page.status, 401, "{token}");
        answers.push(told(&page));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(answers[0].2, "application/problem+json");
    assert_eq!(program(&app, &login.token(), VALUE).await.status, 200);
    let details: Vec<String> = events(&app, "client.login_failed").into_iter().map(|event| event.detail).collect();
    for why in ["not from this address", "the client is disabled", "the login or token has ended"] {
        assert!(details.iter().any(|detail| detail == why), "{why} in {details:?}");
    }
}

#[actix_web::test]
async fn anothers_rule_looks_like_one_that_is_not_there() {
    let app = releasing();
    let (client, other) = (Client::new(&app, "shop"), Client::new(&app, "other"));
    other.value("db", "password");
    client.value("mine", "password");
    let token = client.token();
    for (taken, absent) in [
        (VALUE, "/machine/v1/values/nothing"),
        ("/machine/v1/sessions/db", "/machine/v1/sessions/nothing"),
        ("/machine/v1/aws/db", "/machine/v1/aws/nothing"),
        ("/v1/secret/data/db", "/v1/secret/data/nothing"),
        ("/v1/secret/metadata/db", "/v1/secret/metadata/nothing"),
    ] {
        let (one, none) = (program(&app, &token, taken).await, program(&app, &token, absent).await);
        assert_eq!((one.status, told(&one)), (404, told(&none)), "{taken}");
    }
    assert!(events(&app, "client.fetched").is_empty());
}

#[actix_web::test]
async fn no_route_of_programs_answers_without_a_token_and_none_with_a_page() {
    let app = releasing();
    let open = ["/v1/sys/health", "/v1/sys/seal-status"];
    for (method, pattern) in api::ROUTES {
        let path = pattern.replace("{rule}", "db").replace("{field}", "x").replace("{mount}", "approle");
        let path = path.replace("{path:.*}", "secret/db");
        let send = async |token: Option<&str>, cookie: Option<&str>| {
            let mut visitor = app.visitor();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut request = visitor.request(method, &path).json(&json!({"method": "app_role", "id": "x",
                "secret": "y", "role_id": "x", "secret_id": "y"}));
            request = token.iter().fold(request, |request, token| request.bearer_auth(token));
            request = cookie.iter().fold(request, |request, cookie| request.header("cookie", *cookie));
            visitor.send(request).await
        };
        for token in [None, Some("srt_wrong"), Some("sst_wrong.wrong")] {
            let page = send(token, None).await;
            let denied = if path.ends_with("approle/login") { &[400, 429][..] } else { &[401, 403, 429] };
            let expected = if open.contains(pattern) { &[200][..] } else { denied };
            assert!(expected.contains(&page.status), "{method} {path}: {} {}", page.status, page.body);
            assert!(page.header("content-type").contains("json") && !page.body.contains('<'), "{path}: {}", page.body);
            assert!(page.headers.get("set-cookie").is_none());
        }
        let page = send(None, Some("session=x")).await;
        assert_eq!(page.status, 400, "{method} {path} with a cookie");
        assert!(page.header("content-type").contains("json"), "{path}");
    }
}

#[actix_web::test]
async fn a_browser_session_is_no_client_and_a_clients_token_no_session() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    client.value("db", "password");
    let token = client.token();
    let mut ada = app.administrator();
    for path in [VALUE, "/v1/secret/data/db"] {
        assert_eq!(ada.get(path).await.status, 400, "a cookie is refused");
        let request = ada.request(Method::GET, path).bearer_auth(&token).header("sec-fetch-site", "same-origin");
        assert_eq!(ada.send(request).await.status, 400, "also beside a token");
        let cookie = ada.cookie.clone().unwrap();
        let session = cookie.split_once('=').unwrap().1.to_owned();
        assert!(matches!(program(&app, &session, path).await.status, 401 | 403));
    }
    for (method, pattern) in web::ROUTES {
        let path = pattern.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let send = async |token: Option<&str>| {
            let mut visitor = app.visitor();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut request = visitor.request(method, &path).header("sec-fetch-site", "same-origin");
            for token in token.iter() {
                request = request.bearer_auth(token).header("x-vault-token", *token);
            }
            let page = visitor.send(request).await;
            (page.status, page.location().to_owned())
        };
        assert_eq!(send(Some(&token)).await, send(None).await, "{method} {path}");
    }
}

#[actix_web::test]
async fn a_path_in_escapes_is_no_way_around_the_rules_for_programs() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    client.value("db", "password");
    let token = client.token();
    let mut ada = app.administrator();
    for path in
        ["/%6dachine/v1/values/db", "/machine%2Fv1/values/db", "/%76%31/secret/data/db", "//machine/v1/values/db"]
    {
        let request = ada.request(Method::GET, path).bearer_auth(&token);
        let page = ada.send(request).await;
        assert!(page.status == 404 && !page.body.contains("password\":"), "{path}: {} {}", page.status, page.body);
    }
}

#[actix_web::test]
async fn wrong_tokens_are_throttled_and_shut_nobody_else_out() {
    let app = releasing();
    let (client, other) = (Client::new(&app, "shop"), Client::new(&app, "other"));
    client.value("db", "password");
    other.value("db", "password");
    let (login, others) = (client.login(client_logins::Method::Token, None), other.token());
    let wrong = Login { id: login.id, secret: "0".repeat(64) }.token();
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(program(&app, &wrong, VALUE).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let closed = program(&app, &wrong, VALUE).await;
    assert!(closed.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!(events(&app, "client.login_failed").len(), 5, "what is throttled is not written down");
    assert_eq!(program(&app, &login.token(), VALUE).await.status, 200, "what is right still works");
    assert_eq!(program(&app, &others, VALUE).await.status, 200);
    app.add_user("ben", Role::Operator);
    let mut person = app.visitor();
    let fields = [("username", "ben"), ("password", crate::support::app::PASSWORD), ("next", "/")];
    assert_eq!(person.post("/login", &fields).await.status, 303, "people are counted apart");
}

#[actix_web::test]
async fn a_rule_that_was_changed_in_the_database_gives_nothing() {
    let app = releasing();
    let (client, other) = (Client::new(&app, "shop"), Client::new(&app, "other"));
    client.value("db", "password");
    other.value("rich", "canary password");
    let (token, others) = (client.token(), other.token());
    let steal = "UPDATE client_rules SET credential_id = (SELECT credential_id FROM client_rules WHERE name = 'rich')
        WHERE name = 'db'";
    sql::run(&app, steal);
    assert_eq!(program(&app, &token, VALUE).await.status, 404);
    sql::run(&app, &format!("UPDATE client_rules SET client_id = '{}' WHERE name = 'rich'", client.id));
    assert_eq!(program(&app, &token, "/machine/v1/values/rich").await.status, 404);
    sql::run(&app, "UPDATE clients SET networks = '{10.0.0.0/8}' WHERE name = 'other'");
    assert_eq!(program(&app, &others, VALUE).await.status, 401);
    let found = events(&app, "client.integrity_failure");
    assert!(found.len() >= 2 && found.iter().all(|event| event.subject_kind == "client"), "{found:?}");
    assert!(sql::count(&app, "alerts WHERE subject_kind = 'client' AND trigger = 'integrity'") > 0);
}

#[actix_web::test]
async fn hosts_for_machines_answer_programs_and_show_no_page() {
    let app = TestApp::start_with(&[
        "--release-values=on",
        "--machine-hosts=strongroom.tools.svc,strongroom.tools.svc:8443",
        "--public-url=https://strongroom.example.com",
    ]);
    let client = Client::new(&app, "shop");
    client.value("db", "password");
    let token = client.token();
    let asked = async |host: &str, path: &str| {
        let mut visitor = app.visitor();
        let request = visitor.request(Method::GET, path).header("host", host).bearer_auth(&token);
        visitor.send(request).await
    };
    for host in ["strongroom.tools.svc", "strongroom.tools.svc:8443", "STRONGROOM.tools.svc", "strongroom.example.com"]
    {
        assert_eq!(asked(host, VALUE).await.status, 200, "{host}");
    }
    for host in ["strongroom.tools.svc:9443", "evil.example", "strongroom.tools.svc.evil.example"] {
        let page = asked(host, VALUE).await;
        assert_eq!((page.status, page.header("content-type")), (421, "application/problem+json"), "{host}");
    }
    for path in ["/login", "/credentials", "/static/x.css"] {
        assert_eq!(asked("strongroom.tools.svc", path).await.status, 421, "{path}");
    }
}

#[actix_web::test]
async fn no_secret_and_no_token_is_said_again() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    let secret = crate::support::sweep::canary();
    client.value("db", &secret);
    let (token, (id, app_role)) = (client.token(), client.app_role());
    let mut said = Vec::new();
    said.push(program(&app, &token, VALUE).await.headers.iter().map(|(_, v)| format!("{v:?}")).collect::<String>());
    let mut visitor = app.visitor();
    for (path, body) in [
        ("/machine/v1/login", json!({"method": "app_role", "id": id, "secret": format!("{app_role}x")})),
        ("/machine/v1/login", json!({"method": "app_role", "id": [app_role.clone()]})),
        ("/machine/v1/login", json!({"method": app_role.clone()})),
        ("/v1/auth/approle/login", json!({"role_id": id, "secret_id": {"x": app_role.clone()}})),
    ] {
        let request = visitor.request(Method::POST, path).json(&body);
        let page = visitor.send(request).await;
        assert!((400..500).contains(&page.status), "{path}: {}", page.status);
        said.push(page.body);
    }
    let too_long = visitor.request(Method::POST, "/machine/v1/login").body("x".repeat(100_000));
    assert_eq!(visitor.send(too_long).await.status, 413);
    let events = sql::texts(&app, "SELECT concat_ws(' ', actor, subject_name, detail, address) AS text FROM events");
    said.extend(events);
    for part in [secret.as_str(), &app_role, token.rsplit('_').next().unwrap()] {
        assert!(said.iter().all(|text| !text.contains(part)), "{part} in {said:#?}");
    }
}
