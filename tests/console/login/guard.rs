//! What holds for every request: where writes come from, the host, the headers of every answer.

use reqwest::Method;
use strongroom::accounts::Role;

use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::sql;

async fn send(visit: &mut Visit, headers: &[(&str, &str)]) -> Page {
    let fields = [("theme", "dark"), ("shortcuts", "on")];
    let mut request = visit.request(Method::POST, "/account/preferences").form(&fields);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    visit.send(request).await
}

/// What the page says of a write that was refused: it names a site only where one was named.
fn title(headers: &[(&str, &str)]) -> String {
    let named = headers.iter().any(|(name, value)| *name == "sec-fetch-site" || value.starts_with("https://"));
    let title =
        if named { "the request came from another site" } else { "the request doesn't say where it comes from" };
    format!("Refused: {title}")
}

#[actix_web::test]
async fn a_write_from_another_site_is_refused_and_changes_nothing() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Administrator);
    let own = app.services.public_url.origin().ascii_serialization();
    for refused in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[],
        &[("content-type", "text/plain")],
    ] {
        let page = send(&mut visit, refused).await;
        assert_eq!((page.status, page.text("h1")), (403, title(refused)), "{refused:?}");
    }
    assert_eq!(sql::count(&app, "users WHERE theme = 'dark'"), 0);
    for accepted in
        [&[("sec-fetch-site", "same-origin")][..], &[("sec-fetch-site", "none")], &[("origin", own.as_str())]]
    {
        assert_eq!(send(&mut visit, accepted).await.status, 303, "{accepted:?}");
    }
    assert_eq!(sql::count(&app, "users WHERE theme = 'dark'"), 1);
}

#[actix_web::test]
async fn a_header_of_origin_that_comes_twice_is_believed_by_nobody() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Administrator);
    let own = app.services.public_url.origin().ascii_serialization();
    for twice in [
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-origin")],
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")],
        [("origin", own.as_str()), ("origin", "https://evil.example")],
    ] {
        assert_eq!(send(&mut visit, &twice).await.status, 403, "{twice:?}");
    }
    let both = [("sec-fetch-site", "same-origin"), ("origin", own.as_str()), ("origin", own.as_str())];
    assert_eq!(send(&mut visit, &both).await.status, 403);
    assert_eq!(sql::count(&app, "users WHERE theme = 'dark'"), 0);
}

#[actix_web::test]
async fn nobody_is_logged_in_or_out_by_another_site() {
    let app = TestApp::start();
    app.add_user("ada", Role::Auditor);
    let mut visit = app.visitor();
    let fields = [("username", "ada"), ("password", PASSWORD), ("next", "/")];
    let request = visit.request(Method::POST, "/login").form(&fields).header("sec-fetch-site", "cross-site");
    let page = visit.send(request).await;
    assert_eq!((page.status, visit.cookie.clone()), (403, None));
    let mut eve = app.user("eve", Role::Auditor);
    let request = eve.request(Method::POST, "/logout").header("origin", "https://evil.example");
    assert_eq!(eve.send(request).await.status, 403);
    assert_eq!(eve.get("/account").await.status, 200);
}

#[actix_web::test]
async fn every_posted_route_refuses_another_site_before_anything_else() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (method, path) in strongroom::web::ROUTES.iter().filter(|(method, _)| *method != "get") {
        let path = path.replace("{id}", "00000000-0000-0000-0000-000000000000");
        let request = visit.request(Method::POST, &path).header("sec-fetch-site", "cross-site");
        assert_eq!(visit.send(request).await.status, 403, "{method} {path}");
    }
}

#[actix_web::test]
async fn another_host_name_is_refused() {
    let app = TestApp::start();
    let mut visit = app.visitor();
    let port = app.services.public_url.port().unwrap();
    for (host, status) in [
        ("evil.example".to_owned(), 421),
        (format!("evil.example:{port}"), 421),
        (format!("localhost.evil.example:{port}"), 421),
        (format!("localhost:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
    ] {
        let request = visit.request(Method::GET, "/login").header("host", &host);
        assert_eq!(visit.send(request).await.status, status, "{host}");
    }
    let request = visit.request(Method::GET, "/livez").header("host", "10.0.0.1:1");
    assert_eq!(visit.send(request).await.status, 200);
}

#[actix_web::test]
async fn every_kind_of_answer_has_the_headers_that_keep_a_browser_safe() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let sheet = app.visitor().get("/login").await.attributes("link[rel=stylesheet]", "href").remove(0);
    let mut answers = vec![
        (200, app.visitor().get("/login").await),
        (200, admin.get("/account").await),
        (302, app.visitor().get("/").await),
        (303, admin.post("/account/preferences", &[("theme", "dark")]).await),
        (400, {
            let request = admin.request(Method::POST, "/login").header("sec-fetch-site", "none").body("x");
            admin.send(request.header("content-type", "text/xml")).await
        }),
        (401, app.visitor().fragment("/").await),
        (403, app.user("grace", Role::Auditor).get("/users").await),
        (404, admin.get("/nothing").await),
        (404, admin.get("/users/nothing").await),
        (422, admin.post("/account/preferences", &[("theme", "pink")]).await),
        (200, admin.get("/livez").await),
        (404, {
            let request = admin.request(Method::DELETE, "/account").header("sec-fetch-site", "none");
            admin.send(request).await
        }),
    ];
    for (status, page) in &answers {
        assert_eq!((page.header("cache-control"), page.header("vary")), ("no-store", "HX-Request"), "{status}");
    }
    // Files are the same for everybody, so they may be kept.
    answers.push((200, admin.get(&sheet).await));
    answers.push((404, admin.get("/static/nothing.css").await));
    for (status, page) in &answers {
        assert_eq!(page.status, *status, "{}", page.body);
        let csp = page.header("content-security-policy");
        assert!(csp.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{status} {csp}");
        assert!(!csp.contains("unsafe") && csp.contains("frame-ancestors 'none'"), "{csp}");
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(page.header(name), value, "{status} {name}");
        }
        assert!(page.header("permissions-policy").contains("camera=()"), "{status}");
    }
}

#[actix_web::test]
async fn an_address_that_is_a_proof_is_no_referrer_of_anything() {
    let app = TestApp::start();
    let link = app.setup_link.clone().expect("a link");
    let id = "00000000-0000-0000-0000-000000000000";
    let key = "0".repeat(64);
    for path in [
        format!("{}?{}", link.path(), link.query().unwrap_or_default()),
        format!("/recipients/{id}/confirm/{key}"),
        format!("/recipients/{id}/unsubscribe/{key}"),
        format!("/hooks/{id}/{key}"),
    ] {
        // With this, the browser still names the true origin of the form that is posted.
        assert_eq!(app.visitor().get(&path).await.header("referrer-policy"), "strict-origin", "{path}");
    }
}

#[actix_web::test]
async fn field_p03_the_origin_may_be_the_address_that_was_asked_for() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Administrator);
    for (host, origin, status) in [
        ("10.0.0.5:8080", "http://10.0.0.5:8080", 303),
        ("[fd00::5]:8080", "http://[fd00::5]:8080", 303),
        ("localhost:8080", "http://localhost:8080", 303),
        ("10.0.0.5:8080", "http://10.0.0.5:9090", 403),
        ("10.0.0.5:8080", "https://10.0.0.5:8080", 403),
        ("10.0.0.5:8080", "http://6.6.6.6:8080", 403),
        ("evil.example", "http://evil.example", 421),
    ] {
        let page = send(&mut visit, &[("host", host), ("origin", origin)]).await;
        assert_eq!(page.status, status, "{host} {origin}");
    }
}

#[actix_web::test]
async fn field_p01_a_wrong_host_says_what_came_and_what_was_expected() {
    let app = TestApp::start_with(&["--public-url=https://strongroom.test:8123"]);
    let request = app.visitor().request(Method::GET, "/login").header("host", "strongroom.test");
    let page = app.visitor().send(request).await;
    assert_eq!((page.status, page.text("h1")), (421, "This console has another address".into()));
    let text = page.text(".problem p");
    for word in ["“strongroom.test”", "https://strongroom.test:8123.", "$http_host", "STRONGROOM_PUBLIC_URL"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let request = app.visitor().request(Method::GET, "/login").header("host", "a\u{e9}<b>".repeat(90));
    let page = app.visitor().send(request).await;
    assert!(page.status == 421 && page.body.len() < 4_000, "{}", page.body);
}

#[actix_web::test]
async fn a_write_from_another_address_names_both() {
    let app = TestApp::start();
    let page = send(&mut app.administrator(), &[("origin", "http://strongroom.corp.example")]).await;
    let text = page.text(".problem p");
    let own = app.services.public_url.origin().ascii_serialization();
    assert!(text.contains("http://strongroom.corp.example,") && text.contains(&own), "{text}");
}

#[actix_web::test]
async fn field_h01_options_asks_as_safely_as_get() {
    let app = TestApp::start();
    let mut visit = app.visitor();
    for path in ["/readyz", "/livez"] {
        let request = visit.request(Method::OPTIONS, path).header("host", "10.0.0.1:1");
        assert_eq!(visit.send(request).await.status, 200, "{path}");
    }
    for path in ["/", "/login", "/credentials"] {
        let request = visit.request(Method::OPTIONS, path).header("origin", "https://evil.example");
        let page = visit.send(request).await;
        assert_eq!((page.status, page.body.as_str()), (204, ""), "{path}");
        assert_eq!(page.header("allow"), "GET, HEAD, POST, OPTIONS");
        assert_eq!(page.header("access-control-allow-origin"), "", "no other site may read what is here");
    }
    let request = visit.request(Method::OPTIONS, "/").header("host", "evil.example");
    assert_eq!(visit.send(request).await.status, 421);
}

#[actix_web::test]
async fn head_is_answered_like_get_without_the_body() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    for path in ["/livez", "/login", "/credentials", "/nothing"] {
        let whole = visit.get(path).await;
        let request = visit.request(Method::HEAD, path);
        let head = visit.send(request).await;
        assert_eq!((head.status, head.body.as_str()), (whole.status, ""), "{path}");
        assert_eq!(head.header("content-type"), whole.header("content-type"), "{path}");
        assert_eq!(head.header("content-length"), whole.body.len().to_string(), "{path}");
    }
}

#[actix_web::test]
async fn a_field_that_does_not_belong_to_the_form_changes_nothing() {
    let app = TestApp::start();
    let mut visit = app.user("grace", Role::Auditor);
    for more in [("role", "administrator"), ("id", "1"), ("theme", "light")] {
        let page = visit.post("/account/preferences", &[("theme", "dark"), more]).await;
        assert_eq!(page.status, 422, "{more:?}");
    }
    assert_eq!(sql::count(&app, "users WHERE theme = 'dark' OR role = 'administrator'"), 0);
}
