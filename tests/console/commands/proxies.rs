//! Reverse proxies that run what `strongroom proxy` prints, before a console that is set as it says there.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use strongroom::accounts::Role;

use crate::support::app::{PASSWORD, TestApp, Visit};
use crate::support::binary::Strongroom;
use crate::support::browser::{Browser, WIDE};
use crate::support::peers::free_port;
use crate::support::peers::front::Front;
use crate::support::sql;
use crate::support::wait::wait_for;

/// A console as a printed configuration wants it, and that configuration.
fn behind(proxy: &str) -> (TestApp, u16, String) {
    let (console, port) = (free_port(), free_port());
    let (listen, public) = (format!("127.0.0.1:{console}"), format!("https://strongroom.test:{port}"));
    let printed =
        Strongroom::private().done(&["proxy", proxy, &format!("--listen={listen}"), &format!("--public-url={public}")]);
    let setting = |name: &str| {
        let said = printed.lines().find_map(|line| line.trim_start_matches(['#', ' ']).strip_prefix(name));
        said.unwrap_or_else(|| panic!("no {name} in {printed}")).to_owned()
    };
    let flags = [
        format!("--listen={}", setting("STRONGROOM_LISTEN=")),
        format!("--public-url={}", setting("STRONGROOM_PUBLIC_URL=")),
        format!("--trusted-proxies={}", setting("STRONGROOM_TRUSTED_PROXIES=")),
    ];
    (TestApp::start_with(&flags.each_ref().map(String::as_str)), port, printed)
}

/// Somebody at another address than the proxy's, whose resolver knows the console's name.
fn visitor(at: SocketAddr) -> Visit {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    let client = client.danger_accept_invalid_certs(true).resolve("strongroom.test", at);
    let client = client.local_address(std::net::IpAddr::from([127, 0, 0, 2])).build().expect("a client");
    Visit::by(client, &format!("https://strongroom.test:{}", at.port()))
}

/// Logs in as the owner after a wrong password, and posts a form.
async fn works(app: &TestApp, front: &Front) {
    app.add_user("ada", Role::Administrator);
    let mut visit = visitor(front.address);
    wait_for("the proxy takes the console for alive", Duration::from_secs(20), async || {
        // Caddy listens before it has its certificate.
        let answer = visitor(front.address).request(Method::GET, "/login").send().await;
        answer.is_ok_and(|answer| answer.status().as_u16() == 200)
    })
    .await;
    // What a visitor claims does not count.
    visit.headers.push(("x-forwarded-for", "203.0.113.99".to_owned()));
    let fields = |password| [("username", "ada"), ("password", password), ("next", "/")];
    assert_eq!(visit.post("/login", &fields("wrong")).await.status, 422, "{}", front.log());
    assert_eq!(sql::count(app, "login_failures WHERE address = '127.0.0.2'"), 1, "the visitor's own address counts");
    assert_eq!(visit.post("/login", &fields(PASSWORD)).await.status, 303, "{}", front.log());
    assert!(visit.cookie.as_ref().is_some_and(|cookie| cookie.starts_with("__Host-session=")));
    let page = visit.get("/account").await;
    assert_eq!((page.status, page.has("[data-in-clear]")), (200, false));
    // An older browser, which says no more than its origin.
    let fields = [("theme", "dark"), ("shortcuts", "on")];
    let request = visit.request(Method::POST, "/account/preferences").form(&fields).header("origin", &visit.url);
    assert_eq!(visit.send(request).await.status, 303, "{}", front.log());
}

#[actix_web::test]
async fn field_p01_nginx_as_it_is_printed_leads_to_the_console() {
    let (app, port, printed) = behind("nginx");
    let front = Front::nginx(port, &printed);
    works(&app, &front).await;
    let browser = Browser::open(&format!("https://strongroom.test:{port}"), WIDE).await;
    browser.goto("/login").await;
    browser.fill("User name", "ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Log in").await;
    browser.sees("Needs attention").await;
    browser.close().await;
}

#[actix_web::test]
async fn field_p01_nginx_that_drops_the_port_is_named_as_the_cause() {
    let (app, port, printed) = behind("nginx");
    let front = Front::nginx(port, &printed.replace("Host $http_host", "Host $host"));
    let page = visitor(front.address).get("/login").await;
    let text = page.text(".problem p");
    assert_eq!(page.status, 421, "{text}");
    assert!(text.contains("“strongroom.test”") && text.contains("proxy_set_header Host $http_host"), "{text}");
    assert!(text.contains(app.services.public_url.as_str().trim_end_matches('/')), "{text}");
    drop(front);
    // Without the line, nginx sends the name of the upstream.
    let front = Front::nginx(port, &printed.replace("proxy_set_header Host", "# "));
    let text = visitor(front.address).get("/login").await.text(".problem p");
    assert!(text.contains("“strongroom”"), "{text}");
}

#[actix_web::test]
async fn field_h01_haproxy_as_it_is_printed_leads_to_the_console() {
    let (app, port, printed) = behind("haproxy");
    works(&app, &Front::haproxy(port, &printed)).await;
}

#[actix_web::test]
async fn field_h01_haproxy_may_check_with_its_own_default_method() {
    for check in ["option httpchk /readyz", "option httpchk"] {
        let (_app, port, printed) = behind("haproxy");
        let checks = printed.replace("    http-check send meth GET uri /readyz\n", "").replace("option httpchk", check);
        let front = Front::haproxy(port, &checks.replace("inter 2s", "inter 50ms fall 1"));
        // Long enough for a first check to fail.
        wait_for("a check has been made", Duration::from_secs(20), async || {
            tokio::time::sleep(Duration::from_millis(500)).await;
            visitor(front.address).get("/login").await.status == 200
        })
        .await;
        assert!(!front.log().contains("DOWN"), "{check}: {}", front.log());
    }
}

#[actix_web::test]
async fn field_p01_caddy_as_it_is_printed_leads_to_the_console() {
    let (app, port, printed) = behind("caddy");
    works(&app, &Front::caddy(port, &printed)).await;
}

#[test]
fn field_p01_traefik_is_told_the_host_the_console_and_its_check() {
    let printed = Strongroom::private().done(&["proxy", "traefik", "--public-url=https://keys.example.com:8443"]);
    let documents = granit_parser::Parser::new_from_str(&printed).collect::<Result<Vec<_>, _>>();
    assert!(documents.is_ok(), "it is YAML: {printed}");
    for line in
        ["rule: \"Host(`keys.example.com`)\"", "address :8443", "url: \"http://127.0.0.1:8080\"", "path: /readyz"]
    {
        assert!(printed.contains(line), "{line}: {printed}");
    }
}

#[test]
fn a_printed_configuration_has_this_consoles_addresses_and_wants_https() {
    let strongroom = Strongroom::private();
    let printed = strongroom.done(&["proxy", "nginx", "--listen=0.0.0.0:9000"]);
    for line in ["server 127.0.0.1:9000;", "listen 443 ssl", "return 301 https://$host$request_uri;"] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    let printed = strongroom.done(&["proxy", "haproxy", "--listen=10.0.0.5:9000"]);
    assert!(printed.contains("server strongroom1 10.0.0.5:9000") && printed.contains("scheme https"), "{printed}");
    let ran = strongroom.run(&["proxy", "nginx", "--public-url=http://strongroom.example.com"]);
    assert!(ran.status == 78 && ran.err.contains("give the https address"), "{ran:?}");
    let ran = strongroom.run(&["proxy", "apache"]);
    assert!(ran.status != 0 && ran.err.contains("nginx, haproxy, caddy, traefik"), "{ran:?}");
    assert_eq!(std::fs::read_dir(&strongroom.directory.path).expect("a folder").count(), 0, "no store is made");
}
